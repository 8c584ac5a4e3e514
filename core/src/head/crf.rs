//! SeqCRF: BIO tags under a linear-chain conditional random field.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::read;
use crate::Result;
use crate::decode::{Chain, ScoredSpan, Tags, tagged_spans};
use crate::encoder::ops;
use crate::fresh;
use crate::loss::{Transitions, crf_loss};
use crate::model::Batch;

/// Emissions by a linear map, and scores of one tag after another (SeqCRF of Verma et al., Flair's CRF).
///
/// Flair's START and STOP tags, which no token ever has, are the vectors `start_transitions` and `end_transitions`
/// here. Transitions start at 0; drawn at random and trained at the encoder's rate they would stay random.
#[derive(Module, Debug)]
pub struct Crf {
    /// `hidden → 2 · types + 1`, in the order of [`Tags`].
    dense: Linear,
    /// `[to, from]`.
    transitions: Param<Tensor<2>>,
    /// From START, `[to]`.
    start_transitions: Param<Tensor<1>>,
    /// To STOP, `[from]`.
    end_transitions: Param<Tensor<1>>,
    types: usize,
    constrained: bool,
}

impl Crf {
    /// A head for `types` entity types over hidden states of width `hidden`; a constrained one decodes valid
    /// sequences of tags only.
    pub fn new(hidden: usize, types: usize, constrained: bool, device: &Device) -> Self {
        let tags = Tags(types).count();
        Self {
            dense: fresh::linear(LinearConfig::new(hidden, tags), device),
            transitions: fresh::zeros([tags, tags], device),
            start_transitions: fresh::zeros([tags], device),
            end_transitions: fresh::zeros([tags], device),
            types,
            constrained,
        }
    }

    /// About how many numbers it makes of a row of `tokens`.
    pub fn numbers(&self, tokens: usize) -> usize {
        2 * tokens * Tags(self.types).count()
    }

    /// Mean over rows of the negative log-likelihood of their tags, `[1]`; row `r` has `lengths[r]` tokens.
    pub fn loss(
        &self,
        hidden: Tensor<3>,
        lengths: &[usize],
        target: &crate::loss::Target,
    ) -> Tensor<1> {
        let transitions = Transitions {
            between: self.transitions.val(),
            start: self.start_transitions.val(),
            end: self.end_transitions.val(),
        };
        let tags = Tags(self.types).of(target, lengths);
        crf_loss(ops::linear(hidden, &self.dense), transitions, &tags)
    }

    /// The entities of each row by the best sequence of tags (Viterbi); the probability of one is that of its tags
    /// over all sequences (forward and backward).
    ///
    /// # Errors
    /// A device that fails.
    pub async fn find(&self, hidden: Tensor<3>, batch: &Batch) -> Result<Vec<Vec<ScoredSpan>>> {
        let tags = Tags(self.types);
        let emissions = read(ops::linear(hidden, &self.dense)).await?;
        let mut chain = Chain::new(
            read(self.transitions.val()).await?,
            read(self.start_transitions.val()).await?,
            read(self.end_transitions.val()).await?,
        );
        if self.constrained {
            chain.forbid(tags);
        }
        let rows = emissions.chunks_exact(batch.tokens * tags.count());
        let found = |((row, layout), &length): ((&[f32], &crate::model::Layout), &usize)| {
            let emissions = &row[..length * tags.count()];
            let chosen = chain.viterbi(emissions);
            let beliefs = chain.beliefs(emissions);
            let together = |first: usize, last: usize| beliefs.together(&chosen, first, last);
            tagged_spans(tags, &chosen, layout.text.clone(), together)
        };
        Ok(rows.zip(&batch.layouts).zip(&batch.lengths).map(found).collect())
    }
}
