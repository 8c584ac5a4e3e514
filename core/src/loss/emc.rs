//! EMC: entities of a type against everything else, with every type weighing the same.

use std::collections::BTreeSet;

use burn::tensor::Tensor;

use super::lse::{NEVER, Ragged, log_sum_exp, softplus};
use super::settings::{EmcReading, LossSettings};
use super::target::{Mention, Target};
use super::zlpr::{per_type, zlpr};

/// The chosen reading of Eq. 4 of EIoU-EMC, log(1 + Σ_{n∈N_c} eˢⁿ · Σ_{m∈P_c} e⁻ˢᵐ), as `[1]`.
///
/// Taken literally it neither learns a decision threshold (adding a constant to all scores of a type changes
/// nothing) nor says anything about types without gold, hence the readings. `scores` are
/// `[batch, types, tokens, tokens]`, masked.
pub fn emc(scores: Tensor<4>, target: &Target, settings: &LossSettings) -> Tensor<1> {
    match settings.emc {
        EmcReading::Zlpr => zlpr(scores, target),
        EmcReading::SoftplusZlpr => softplus(per_type(scores, target)).mean(),
        EmcReading::Literal => literal(scores, target),
        EmcReading::Anchored => {
            let anchor = zlpr(scores.clone(), target);
            if settings.omega == 0.0 {
                return anchor;
            }
            anchor + ranking(scores, target, settings.rank_within_sentence) * settings.omega
        }
    }
}

/// Eq. 4 over gold mentions: P_c holds the mentions of type c, N_c those of other types, both scored in c's matrix.
/// Mean over the types that have both, within the batch or each sentence; 0 where none has.
///
/// A span annotated with several types is no negative of any of them.
pub fn ranking(scores: Tensor<4>, target: &Target, within_sentence: bool) -> Tensor<1> {
    let scopes: Vec<&[Mention]> = if within_sentence {
        target.mentions.chunk_by(|a, b| a.row == b.row).collect()
    } else {
        vec![&target.mentions]
    };
    let (mut negatives, mut positives) = (Vec::new(), Vec::new());
    for scope in scopes {
        for label in 0..target.types {
            let of_type = |m: &Mention| scope.binary_search(&Mention { label, ..*m }).is_ok();
            let cell = |m: &Mention| target.cell(m.row, label, m.start, m.end);
            let (p, n): (Vec<_>, Vec<_>) = scope.iter().partition(|m| of_type(m));
            if !p.is_empty() && !n.is_empty() {
                positives.push(distinct(p.into_iter().map(cell)));
                negatives.push(distinct(n.into_iter().map(cell)));
            }
        }
    }
    let total: usize = scores.dims().iter().product();
    let flat: Tensor<1> = scores.reshape([total]);
    if positives.is_empty() {
        return flat.sum().mul_scalar(0.0);
    }
    contrast(flat, &negatives, &positives).mean()
}

/// Eq. 4 per window with every span that is no gold of the type as a negative; mean over windows and types, where
/// those without gold count as 0.
fn literal(scores: Tensor<4>, target: &Target) -> Tensor<1> {
    let rows = target.rows() * target.types;
    let total: usize = scores.dims().iter().product();
    let flat: Tensor<1> = scores.reshape([total]);
    let (mut negatives, mut positives) = (Vec::new(), Vec::new());
    for gold in target.mentions.chunk_by(|a, b| (a.row, a.label) == (b.row, b.label)) {
        let (row, label) = (gold[0].row, gold[0].label);
        let p: Vec<i32> = gold.iter().map(|m| target.cell_of(m)).collect();
        let text = target.text[row].clone();
        let spans = text.clone().flat_map(|i| (i..text.end).map(move |j| (i, j)));
        let n: Vec<i32> = spans
            .map(|(i, j)| target.cell(row, label, i, j))
            .filter(|cell| !p.contains(cell))
            .collect();
        if !n.is_empty() {
            positives.push(p);
            negatives.push(n);
        }
    }
    if positives.is_empty() {
        return flat.sum().mul_scalar(0.0);
    }
    contrast(flat, &negatives, &positives).sum() / rows as f64
}

/// Each position once: a span with several types is listed several times.
fn distinct(cells: impl Iterator<Item = i32>) -> Vec<i32> {
    cells.collect::<BTreeSet<_>>().into_iter().collect()
}

/// softplus(LSE over negatives + LSE over minus positives) of each row of positions, `[rows]`.
fn contrast(flat: Tensor<1>, negatives: &[Vec<i32>], positives: &[Vec<i32>]) -> Tensor<1> {
    let n = Ragged::new(negatives).gather(flat.clone(), NEVER);
    let p = -Ragged::new(positives).gather(flat, -NEVER);
    softplus(log_sum_exp(n) + log_sum_exp(p))
}
