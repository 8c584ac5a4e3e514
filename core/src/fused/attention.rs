//! Multi-head attention (Vaswani et al. 2017, eq. 1) with no transposed copies and no whole score
//! matrix in memory.

use std::sync::Arc;

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::nn::Dropout;
use burn::tensor::{Bool, Tensor, activation};

use super::buffer::{contiguous, on_cpu, rows_and_width, slice, tensor};
use super::dropout::Draw;
#[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
use super::gpu;
use super::matmul;
use super::matrix::{Matrix, MatrixMut, product};
use super::parallel::{for_each, threads};
use super::simd::{exp, max, vectorised};

#[cfg(feature = "train")]
mod backward;

/// What masked scores are lowered by: far below any score, so that softmax gives exactly 0, and
/// still finite in f16, so that a row of nothing but padding gives no NaN.
const MASKED: f32 = -3e4;

/// Queries whose scores are held at a time.
const QUERIES: usize = 64;

/// How the rows of a `[batch * tokens, heads * width]` matrix are to be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heads {
    /// Rows of the batch.
    pub batch: usize,
    /// Tokens of each row.
    pub tokens: usize,
    /// Attention heads.
    pub heads: usize,
}

/// Which keys attention may look at, prepared once for all layers.
#[derive(Debug, Clone)]
pub struct KeyMask {
    /// What each key's scores are raised by, `[batch, 1, 1, tokens]`: 0 or [`MASKED`].
    bias: Tensor<4>,
    /// The same on the CPU.
    host: Option<Arc<[f32]>>,
}

impl KeyMask {
    /// `mask` is `[batch, tokens]`, true for a real token.
    pub fn new(mask: Tensor<2, Bool>) -> Self {
        let bias: Tensor<4> = mask.bool_not().float().mul_scalar(MASKED).unsqueeze_dims(&[1, 1]);
        let host =
            on_cpu(&bias).then(|| bias.to_data().try_to_vec::<f32>().ok().map(Arc::from)).flatten();
        Self { bias, host }
    }
}

/// softmax(QKᵀ/√d)·V over each head, padding left out as `mask` says. `query`, `key`, `value` and
/// the result are `[batch * tokens, heads * d]`; `dropout` acts on the probabilities in training.
/// The result of a row that has no real token means nothing.
pub fn attention(
    query: Tensor<2>,
    key: Tensor<2>,
    value: Tensor<2>,
    shape: Heads,
    mask: Option<&KeyMask>,
    dropout: &Dropout,
) -> Tensor<2> {
    let draw = Draw::next(dropout, &query);
    #[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
    if gpu::on_gpu(&query) && query.dims()[1] / shape.heads % 4 == 0 && draw.is_none() {
        let mask = mask.map(|mask| mask.bias.clone().reshape([-1]));
        return gpu::attention(query, key, value, mask, shape);
    }
    if on_cpu(&query)
        && on_cpu(&key)
        && on_cpu(&value)
        && mask.is_none_or(|mask| mask.host.is_some())
    {
        return Tensor::from_dispatch(<Dispatch as Attention>::fused_attention(
            query.into_dispatch(),
            key.into_dispatch(),
            value.into_dispatch(),
            Task { shape, mask: mask.and_then(|mask| mask.host.clone()), draw },
        ));
    }
    let Heads { batch, tokens, heads } = shape;
    let [rows, width] = query.dims();
    let d = width / heads;
    let split = |x: Tensor<2>| x.reshape([batch, tokens, heads, d]).swap_dims(1, 2);
    let query = split(query.mul_scalar(1.0 / (d as f64).sqrt()));
    let mut scores = matmul(query, split(key).swap_dims(2, 3));
    if let Some(mask) = mask {
        scores = scores + mask.bias.clone();
    }
    let mut probabilities = activation::softmax(scores, 3);
    if let Some(draw) = draw {
        probabilities = draw.with_tensors(probabilities);
    }
    matmul(probabilities, split(value)).swap_dims(1, 2).reshape([rows, width])
}

/// What attention does apart from its inputs.
#[derive(Debug, Clone)]
struct Task {
    shape: Heads,
    mask: Option<Arc<[f32]>>,
    draw: Option<Draw>,
}

#[backend_extension(Flex, Autodiff: cfg(feature = "train"))]
trait Attention: Backend {
    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        task: Task,
    ) -> FloatTensor<Self>;
}

impl Attention for Flex {
    fn fused_attention(
        query: FlexTensor,
        key: FlexTensor,
        value: FlexTensor,
        task: Task,
    ) -> FlexTensor {
        let shape = query.shape();
        let [query, key, value] = [query, key, value].map(contiguous);
        let inputs = Inputs::new(&query, &key, &value, &task);
        tensor(inputs.forward(), shape)
    }
}

/// The matrices of one call, `[batch * tokens, width]`.
#[derive(Clone, Copy)]
struct Inputs<'a> {
    query: &'a [f32],
    key: &'a [f32],
    value: &'a [f32],
    task: &'a Task,
    width: usize,
}

/// Some queries of one head in one row of the batch.
#[derive(Clone, Copy)]
struct Block {
    /// The row of the batch.
    row: usize,
    head: usize,
    /// The first query, among the row's tokens, and how many.
    first: usize,
    queries: usize,
    /// Keys up to the last real one of the row.
    keys: usize,
}

impl<'a> Inputs<'a> {
    fn new(
        query: &'a FlexTensor,
        key: &'a FlexTensor,
        value: &'a FlexTensor,
        task: &'a Task,
    ) -> Self {
        let (rows, width) = rows_and_width(query);
        let Heads { batch, tokens, heads } = task.shape;
        assert_eq!(rows, batch * tokens, "rows that are not batch × tokens");
        assert_eq!(width % heads, 0, "a width that {heads} heads do not divide");
        assert_eq!(key.shape(), query.shape(), "keys of another shape than the queries");
        assert_eq!(value.shape(), query.shape(), "values of another shape than the queries");
        if let Some(mask) = &task.mask {
            assert_eq!(mask.len(), rows, "a mask that is not batch × tokens");
        }
        Self { query: slice(query), key: slice(key), value: slice(value), task, width }
    }

    /// Width of a head.
    fn d(self) -> usize {
        self.width / self.task.shape.heads
    }

    fn forward(self) -> Vec<f32> {
        let Heads { batch, tokens, heads } = self.task.shape;
        let (width, d) = (self.width, self.d());
        let mut output = vec![0.0; batch * tokens * width];
        if output.is_empty() {
            return output;
        }
        // few rows in the batch: fewer queries a task, so that every thread has some
        let fair = tokens.div_ceil((2 * threads()).div_ceil(batch));
        let queries = fair.next_multiple_of(16).min(QUERIES);
        let tasks = output.chunks_mut(tokens * width).enumerate().flat_map(|(row, output)| {
            output.chunks_mut(queries * width).enumerate().map(move |(i, part)| (row, i, part))
        });
        for_each(tasks, |(row, i, output)| {
            let keys = self.keys(row);
            let mut scores = vec![0.0; queries * keys];
            for head in 0..heads {
                let queries_here = output.len() / width;
                let block = Block { row, head, first: i * queries, queries: queries_here, keys };
                let scores = &mut scores[..queries_here * keys];
                self.probabilities(block, scores);
                self.drop(block, scores);
                let output = MatrixMut::new(&mut output[head * d..], queries_here, d, width);
                let scores = Matrix::new(scores, queries_here, keys, keys);
                product(output, 1.0, scores, self.head(self.value, block, 0, keys), false);
            }
        });
        output
    }

    /// Keys of a row up to its last real token.
    fn keys(self, row: usize) -> usize {
        let tokens = self.task.shape.tokens;
        self.mask(row).map_or(tokens, |mask| {
            mask.iter().rposition(|&bias| bias == 0.0).map_or(0, |last| last + 1)
        })
    }

    fn mask(self, row: usize) -> Option<&'a [f32]> {
        let tokens = self.task.shape.tokens;
        self.task.mask.as_ref().map(|mask| &mask[row * tokens..][..tokens])
    }

    /// One head of `rows` tokens of a batch row, from its token `first` on.
    fn head(self, x: &[f32], block: Block, first: usize, rows: usize) -> Matrix<'_> {
        let start = (block.row * self.task.shape.tokens + first) * self.width;
        Matrix::new(&x[start + block.head * self.d()..], rows, self.d(), self.width)
    }

    /// softmax(QKᵀ/√d), `[queries, keys]`.
    fn probabilities(self, block: Block, scores: &mut [f32]) {
        let Block { first, queries, keys, .. } = block;
        let scale = 1.0 / (self.d() as f32).sqrt();
        let query = self.head(self.query, block, first, queries);
        let key = self.head(self.key, block, 0, keys);
        product(MatrixMut::new(scores, queries, keys, keys), scale, query, key.t(), false);
        let bias = self.mask(block.row).map(|mask| &mask[..keys]);
        let bias = bias.filter(|bias| bias.contains(&MASKED));
        for scores in scores.chunks_mut(keys.max(1)) {
            softmax(scores, bias.unwrap_or_default());
        }
    }

    fn drop(self, block: Block, probabilities: &mut [f32]) {
        let Heads { tokens, heads, .. } = self.task.shape;
        if let Some(draw) = self.task.draw {
            let first = (block.row * heads + block.head) * tokens + block.first;
            for (i, row) in probabilities.chunks_mut(block.keys.max(1)).enumerate() {
                draw.scale_row(first + i, row);
            }
        }
    }
}

vectorised! {
    /// softmax(x + bias) in place; an empty `bias` is 0.
    fn softmax(x: &mut [f32], bias: &[f32]) = softmax_body
}

#[inline(always)]
fn softmax_body<const FMA: bool>(x: &mut [f32], bias: &[f32]) {
    x.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
    let greatest = max(x);
    x.iter_mut().for_each(|x| *x = exp::<FMA>(*x - greatest));
    let scale = 1.0 / super::simd::sum(x, |x| x);
    x.iter_mut().for_each(|x| *x *= scale);
}
