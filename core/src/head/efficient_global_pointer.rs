//! Efficient Global Pointer: one query and key for "is an entity", and a cheap bias for "of which type".

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Bool, Device, Tensor};

use super::mask::mask_spans;
use super::rope::Rope;
use crate::encoder::ops;
use crate::fresh;

/// s_c(i,j) = ⟨R_i q_i, R_j k_j⟩ / √d + (w_c^start · p_i + w_c^end · p_j) / 2, where p = \[q; k\] is not rotated
/// in the second term (Su, "Efficient GlobalPointer"). A further type costs 4d parameters.
#[derive(Module, Debug)]
pub struct EfficientGlobalPointer {
    /// `hidden → 2 · size`: p, the first `size` channels the query.
    dense: Linear,
    /// `2 · size → 2 · types`: the first `types` channels weigh the start.
    types_dense: Linear,
    types: usize,
    size: usize,
}

impl EfficientGlobalPointer {
    /// A head for `types` entity types over hidden states of width `hidden`; `size` is even.
    pub fn new(hidden: usize, types: usize, size: usize, device: &Device) -> Self {
        Self {
            dense: fresh::linear(LinearConfig::new(hidden, 2 * size), device),
            types_dense: fresh::linear(LinearConfig::new(2 * size, 2 * types), device),
            types,
            size,
        }
    }

    /// About how many numbers it makes of a row of `tokens`: projections and scores.
    pub fn numbers(&self, tokens: usize) -> usize {
        tokens * (2 * (self.size + self.types) + self.types * tokens)
    }

    /// As [`super::GlobalPointer::forward`].
    pub fn forward(&self, hidden: Tensor<3>, mask: Option<Tensor<2, Bool>>) -> Tensor<4> {
        let [batch, tokens, _] = hidden.dims();
        let Self { types, size, .. } = *self;
        let rope = Rope::new(tokens, size, &hidden.device());
        let p = ops::linear(hidden, &self.dense);
        let q = rope.rotate(p.clone().narrow(2, 0, size));
        let k = rope.rotate(p.clone().narrow(2, size, size));
        let entity: Tensor<4> =
            (ops::matmul(q, k.transpose()) / (size as f64).sqrt()).unsqueeze_dim(1);
        let bias: Tensor<3> = ops::linear(p, &self.types_dense).transpose() / 2.0;
        let start: Tensor<4> = bias.clone().narrow(1, 0, types).unsqueeze_dim(3);
        let end: Tensor<4> = bias.narrow(1, types, types).unsqueeze_dim(2);
        let scores = entity.expand([batch, types, tokens, tokens]) + (start + end);
        mask_spans(scores, mask)
    }
}
