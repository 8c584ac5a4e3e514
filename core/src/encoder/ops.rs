//! The encoder's hot operations, each behind one function, so that a faster kernel has one place
//! to go.

use burn::nn::{Dropout, LayerNorm};
use burn::tensor::{Bool, Tensor, activation};

/// What masked scores are lowered by: far below any score, so that softmax gives exactly 0, and
/// still finite in f16, so that a row of nothing but padding gives no NaN.
const MASKED: f64 = -3e4;

/// x·Φ(x) with the exact error function.
pub fn gelu(x: Tensor<2>) -> Tensor<2> {
    activation::gelu(x)
}

/// The tanh approximation of [`gelu`].
pub fn gelu_tanh(x: Tensor<2>) -> Tensor<2> {
    activation::gelu_approximate(x)
}

/// Layer normalization of every row.
pub fn layer_norm(x: Tensor<2>, norm: &LayerNorm) -> Tensor<2> {
    norm.forward(x)
}

/// How the rows of a `[batch * tokens, heads * width]` matrix are to be read.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// Rows of the batch.
    pub batch: usize,
    /// Tokens of each row.
    pub tokens: usize,
    /// Attention heads.
    pub heads: usize,
}

/// What attention adds to the scores of each key: 0 for a real token, very low for padding.
/// `mask` is `[batch, tokens]`, true for a real token; the result `[batch, 1, 1, tokens]`.
pub fn key_bias(mask: Tensor<2, Bool>) -> Tensor<4> {
    mask.bool_not().float().mul_scalar(MASKED).unsqueeze_dims(&[1, 1])
}

/// softmax(QKᵀ/√d + bias)·V over each head. `query`, `key`, `value` and the result are
/// `[batch * tokens, heads * d]`; `bias` is from [`key_bias`]; `dropout` acts on the
/// probabilities in training.
pub fn attention(
    query: Tensor<2>,
    key: Tensor<2>,
    value: Tensor<2>,
    shape: Heads,
    bias: Option<&Tensor<4>>,
    dropout: &Dropout,
) -> Tensor<2> {
    let Heads { batch, tokens, heads } = shape;
    let [rows, width] = query.dims();
    let d = width / heads;
    let split = |x: Tensor<2>| x.reshape([batch, tokens, heads, d]).swap_dims(1, 2);

    let query = split(query.mul_scalar(1.0 / (d as f64).sqrt()));
    let mut scores = query.matmul(split(key).swap_dims(2, 3));
    if let Some(bias) = bias {
        scores = scores + bias.clone();
    }
    let probabilities = dropout.forward(activation::softmax(scores, 3));
    probabilities.matmul(split(value)).swap_dims(1, 2).reshape([rows, width])
}
