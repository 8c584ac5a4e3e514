//! SEQ: one BIO tag per token.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use super::read;
use crate::Result;
use crate::decode::{ScoredSpan, Tags, best, tagged_spans};
use crate::encoder::ops;
use crate::fresh;
use crate::model::Batch;

/// A linear map to the tags of each token (SEQ of Verma et al.): no hidden layer, no dropout of its own.
#[derive(Module, Debug)]
pub struct Tagger {
    /// `hidden → 2 · types + 1`, in the order of [`Tags`].
    dense: Linear,
    types: usize,
}

impl Tagger {
    /// A head for `types` entity types over hidden states of width `hidden`.
    pub fn new(hidden: usize, types: usize, device: &Device) -> Self {
        Self { dense: fresh::linear(LinearConfig::new(hidden, Tags(types).count()), device), types }
    }

    /// About how many numbers it makes of a row of `tokens`.
    pub fn numbers(&self, tokens: usize) -> usize {
        2 * tokens * Tags(self.types).count()
    }

    /// Logits of the tags, `[batch, tokens, 2 · types + 1]`, from hidden states `[batch, tokens, hidden]`.
    pub fn forward(&self, hidden: Tensor<3>) -> Tensor<3> {
        ops::linear(hidden, &self.dense)
    }

    /// The entities of each row by the most probable tag of each token; the probability of one is that of all its
    /// tags together, their product.
    ///
    /// # Errors
    /// A device that fails.
    pub async fn find(&self, hidden: Tensor<3>, batch: &Batch) -> Result<Vec<Vec<ScoredSpan>>> {
        let tags = Tags(self.types);
        let probabilities = read(softmax(self.forward(hidden), 2)).await?;
        let rows = probabilities.chunks_exact(batch.tokens * tags.count()).zip(&batch.layouts);
        let found = |(row, layout): (&[f32], &crate::model::Layout)| {
            let of = |token: usize| &row[token * tags.count()..(token + 1) * tags.count()];
            let chosen: Vec<usize> = (0..batch.tokens).map(|token| best(of(token))).collect();
            let together = |first: usize, last: usize| {
                (first..=last).map(|token| of(token)[chosen[token]]).product::<f32>()
            };
            tagged_spans(tags, &chosen, layout.text.clone(), together)
        };
        Ok(rows.map(found).collect())
    }
}
