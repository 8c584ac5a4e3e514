//! Global Pointer: each type scores every span by its own query of the start and key of the end.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Bool, Device, Tensor};

use super::mask::mask_spans;
use super::rope::Rope;
use crate::encoder::ops;
use crate::fresh;

/// s_c(i,j) = ⟨R_i q_{i,c}, R_j k_{j,c}⟩ / √d, with d channels per type (EIoU-EMC, Eq. 1 and 2).
#[derive(Module, Debug)]
pub struct GlobalPointer {
    /// `hidden → types · 2 · size`; within a type the first `size` channels are its query.
    dense: Linear,
    types: usize,
    size: usize,
}

impl GlobalPointer {
    /// A head for `types` entity types over hidden states of width `hidden`; `size` is even.
    pub fn new(hidden: usize, types: usize, size: usize, device: &Device) -> Self {
        let dense = fresh::linear(LinearConfig::new(hidden, types * 2 * size), device);
        Self { dense, types, size }
    }

    /// About how many numbers it makes of a row of `tokens`: projections and scores.
    pub fn numbers(&self, tokens: usize) -> usize {
        tokens * self.types * (2 * self.size + tokens)
    }

    /// Scores of all spans, `[batch, types, tokens (start), tokens (end)]`, from hidden states
    /// `[batch, tokens, hidden]`; cells that are no span hold [`super::NO_SPAN`].
    pub fn forward(&self, hidden: Tensor<3>, mask: Option<Tensor<2, Bool>>) -> Tensor<4> {
        let [batch, tokens, _] = hidden.dims();
        let Self { types, size, .. } = *self;
        let rope = Rope::new(tokens, size, &hidden.device());
        let rows = ops::linear(hidden, &self.dense);
        let rows: Tensor<4> = rows.reshape([batch, tokens, types * 2, size]).swap_dims(1, 2);
        let rows: Tensor<5> = rope.rotate(rows).reshape([batch, types, 2, tokens, size]);
        let part = |which: usize| -> Tensor<4> {
            rows.clone().narrow(2, which, 1).reshape([batch, types, tokens, size])
        };
        let scores = ops::matmul(part(0), part(1).transpose()) / (size as f64).sqrt();
        mask_spans(scores, mask)
    }
}
