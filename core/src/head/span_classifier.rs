//! SpanPred: one class per span, up to some width.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use super::read;
use crate::Result;
use crate::decode::{ScoredSpan, best};
use crate::encoder::ops;
use crate::fresh;
use crate::model::Batch;

/// A linear map of the two end states of a span to its class (SpanPred of Verma et al.).
///
/// W \[u_b; u_e\] + w = A u_b + E u_e + w, so that the logits of all spans are sums of two small tables instead of
/// products with a vector for each span.
#[derive(Module, Debug)]
pub struct SpanClassifier {
    /// `hidden → types + 1`, with the bias; "no entity" comes last.
    pub(super) start: Linear,
    /// `hidden → types + 1`, without a bias.
    pub(super) end: Linear,
    types: usize,
    width: usize,
}

impl SpanClassifier {
    /// A head for `types` entity types and spans of up to `width` tokens over hidden states of width `hidden`.
    pub fn new(hidden: usize, types: usize, width: usize, device: &Device) -> Self {
        let mut start = fresh::linear(LinearConfig::new(hidden, types + 1), device);
        start.bias = Some(fresh::zeros([types + 1], device));
        let end = fresh::linear(LinearConfig::new(hidden, types + 1).with_bias(false), device);
        Self { start, end, types, width }
    }

    /// About how many numbers it makes of a row of `tokens`.
    pub fn numbers(&self, tokens: usize) -> usize {
        2 * tokens * self.width.min(tokens) * (self.types + 1)
    }

    /// Logits of the classes of all spans, `[batch, tokens (start), width - 1, types + 1]`, from hidden states
    /// `[batch, tokens, hidden]`. Where no row has as many tokens as the widest span, the third axis is as long as
    /// the row. Spans that leave the row hold the logits of their start alone.
    pub fn forward(&self, hidden: Tensor<3>) -> Tensor<4> {
        let [batch, tokens, _] = hidden.dims();
        let (width, classes) = (self.width.min(tokens), self.types + 1);
        let start: Tensor<4> = ops::linear(hidden.clone(), &self.start).unsqueeze_dim(2);
        let end = ops::linear(hidden, &self.end);
        let beyond = Tensor::zeros([batch, width - 1, classes], &end.device());
        let end = if width > 1 { Tensor::cat(vec![end, beyond], 1) } else { end };
        let shifted = (0..width).map(|by| end.clone().narrow(1, by, tokens));
        start + Tensor::stack::<4>(shifted.collect(), 2)
    }

    /// The spans of each row whose most probable class is a type, with its probability.
    ///
    /// # Errors
    /// A device that fails.
    pub async fn find(&self, hidden: Tensor<3>, batch: &Batch) -> Result<Vec<Vec<ScoredSpan>>> {
        let classes = self.types + 1;
        let probabilities = softmax(self.forward(hidden), 3);
        let [_, tokens, width, _] = probabilities.dims();
        let probabilities = read(probabilities).await?;
        let mut found = Vec::with_capacity(batch.layouts.len());
        for (row, layout) in
            probabilities.chunks_exact(tokens * width * classes).zip(&batch.layouts)
        {
            let mut spans = Vec::new();
            for start in layout.text.clone() {
                for end in start..layout.text.end.min(start + width) {
                    let at = (start * width + end - start) * classes;
                    let of = &row[at..at + classes];
                    let label = best(of);
                    if label < self.types {
                        spans.push(ScoredSpan { start, end, label, probability: of[label] });
                    }
                }
            }
            found.push(spans);
        }
        Ok(found)
    }
}
