//! The encoder's hot operations, each behind one function, so that a faster kernel has one place
//! to go.

use burn::nn::{Dropout, LayerNorm, Linear};
use burn::tensor::{Tensor, activation};

use crate::fused::{self, Draw};
pub use crate::fused::{Heads, KeyMask, attention, dropout, gelu, matmul, seed_dropout};

/// The tanh approximation of [`gelu`].
pub fn gelu_tanh(x: Tensor<2>) -> Tensor<2> {
    activation::gelu_approximate(x)
}

/// A linear map of every row, which are along the last axis.
pub fn linear<const D: usize>(x: Tensor<D>, linear: &Linear) -> Tensor<D> {
    let mut shape = x.dims();
    let [input, output] = linear.weight.dims();
    let rows: Tensor<2> = x.reshape([shape[..D - 1].iter().product(), input]);
    shape[D - 1] = output;
    let y = match &linear.bias {
        Some(bias) => fused::linear(rows, linear.weight.val(), bias.val()),
        None => fused::matmul(rows, linear.weight.val()),
    };
    y.reshape(shape)
}

/// Layer normalization of every row. `eps` is that of `norm`, which keeps it to itself.
pub fn layer_norm(x: Tensor<2>, norm: &LayerNorm, eps: f64) -> Tensor<2> {
    match &norm.beta {
        Some(beta) => fused::layer_norm(x, norm.gamma.val(), beta.val(), eps),
        None => norm.forward(x),
    }
}

/// [`layer_norm`] of `dropout(x) + residual`.
pub fn add_layer_norm(
    x: Tensor<2>,
    residual: Tensor<2>,
    dropout: &Dropout,
    norm: &LayerNorm,
    eps: f64,
) -> Tensor<2> {
    match &norm.beta {
        Some(beta) => {
            let draw = Draw::next(dropout, &x);
            fused::add_layer_norm(x, residual, norm.gamma.val(), beta.val(), eps, draw)
        }
        None => norm.forward(fused::dropout(x, dropout) + residual),
    }
}
