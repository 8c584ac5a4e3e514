//! zlpr, the loss of Global Pointer: cross-entropy for any number of positives, with threshold 0.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use super::lse::{NEVER, Ragged, ints, log_one_plus_sum_exp};
use super::target::Target;

/// Mean over windows and types of log(1 + Σ_{n∉gold} eˢⁿ) + log(1 + Σ_{m∈gold} e⁻ˢᵐ), as `[1]` (Su, "Global
/// Pointer").
///
/// `scores` are `[batch, types, tokens, tokens]`, masked. A type without gold in a window adds no second term.
pub fn zlpr(scores: Tensor<4>, target: &Target) -> Tensor<1> {
    per_type(scores, target).mean()
}

/// zlpr of every window and type, `[batch · types]`.
pub(super) fn per_type(scores: Tensor<4>, target: &Target) -> Tensor<1> {
    let [batch, types, tokens, _] = scores.dims();
    let (rows, cells) = (batch * types, tokens * tokens);
    let flat: Tensor<1> = scores.reshape([rows * cells]);
    if target.mentions.is_empty() {
        return log_one_plus_sum_exp(flat.reshape([rows, cells]));
    }
    let device = flat.device();
    let gold: Vec<i32> = target.mentions.iter().map(|m| target.cell_of(m)).collect();
    let excluded = Tensor::full([gold.len()], NEVER, &device);
    let others = flat.clone().select_assign(
        0,
        ints(gold.clone(), &device),
        excluded,
        burn::tensor::IndexingUpdateOp::Add,
    );
    let negatives = log_one_plus_sum_exp(others.reshape([rows, cells]));

    let mut positives: BTreeMap<usize, Vec<i32>> = BTreeMap::new();
    for (mention, &cell) in target.mentions.iter().zip(&gold) {
        positives.entry(mention.row * types + mention.label).or_default().push(cell);
    }
    let (at, cells): (Vec<i32>, Vec<Vec<i32>>) =
        positives.into_iter().map(|(row, cells)| (row as i32, cells)).unzip();
    let gathered = Ragged::new(&cells).gather(flat, -NEVER);
    let positives = log_one_plus_sum_exp(-gathered);
    negatives.select_assign(0, ints(at, &device), positives, burn::tensor::IndexingUpdateOp::Add)
}
