//! The gradients of attention; the probabilities are computed again, not kept.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};

use super::super::buffer::{contiguous, slice, tensor};
use super::super::matrix::{Matrix, MatrixMut, product};
use super::super::parallel::for_each;
use super::super::simd::{mul_add, sum2, vectorised};
use super::{Attention, Block, Heads, Inputs, QUERIES, Task};

impl<C: CheckpointStrategy> Attention for Autodiff<Flex, C> {
    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        task: Task,
    ) -> FloatTensor<Self> {
        let nodes = [query.node(), key.node(), value.node()];
        let [query, key, value] = [query, key, value].map(|x| contiguous(x.into_primitive()));
        let prep = AttentionBackward.prepare::<C>(nodes).compute_bound().stateful();
        match prep {
            OpsKind::Tracked(prep) => {
                let state = (query.clone(), key.clone(), value.clone(), task.clone());
                prep.finish(state, Flex::fused_attention(query, key, value, task))
            }
            OpsKind::UnTracked(prep) => prep.finish(Flex::fused_attention(query, key, value, task)),
        }
    }
}

#[derive(Debug)]
struct AttentionBackward;

impl Backward<Flex, 3> for AttentionBackward {
    type State = (FlexTensor, FlexTensor, FlexTensor, Task);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (query, key, value, task) = ops.state;
        let d_output = contiguous(grads.consume::<Flex>(&ops.node));
        let shape = d_output.shape();
        let gradients = Inputs::new(&query, &key, &value, &task).backward(slice(&d_output));
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, tensor(gradient, shape.clone()));
            }
        }
    }
}

impl Inputs<'_> {
    /// The gradients by query, key and value.
    fn backward(self, d_output: &[f32]) -> [Vec<f32>; 3] {
        let Heads { tokens, heads, .. } = self.task.shape;
        let (width, d) = (self.width, self.d());
        let [mut dq, mut dk, mut dv] = [(); 3].map(|()| vec![0.0; self.query.len()]);
        if dq.is_empty() {
            return [dq, dk, dv];
        }
        let scale = 1.0 / (d as f32).sqrt();
        let row_size = tokens * width;
        let tasks = dq
            .chunks_mut(row_size)
            .zip(dk.chunks_mut(row_size))
            .zip(dv.chunks_mut(row_size))
            .enumerate();
        for_each(tasks, |(row, ((dq, dk), dv))| {
            let keys = self.keys(row);
            let [mut p, mut dropped, mut dp] =
                [(); 3].map(|()| vec![0.0; QUERIES.min(tokens) * keys]);
            for head in 0..heads {
                let column = head * d;
                for first in (0..tokens).step_by(QUERIES) {
                    let queries = QUERIES.min(tokens - first);
                    let block = Block { row, head, first, queries, keys };
                    let size = queries * keys;
                    let (p, dp) = (&mut p[..size], &mut dp[..size]);
                    let scores = |x| Matrix::new(x, queries, keys, keys);
                    let dout = self.head(d_output, block, first, queries);
                    self.probabilities(block, p);

                    let weights: &[f32] = if self.task.draw.is_some() {
                        dropped[..size].copy_from_slice(p);
                        self.drop(block, &mut dropped[..size]);
                        &dropped[..size]
                    } else {
                        p
                    };
                    let dv = MatrixMut::new(&mut dv[column..], keys, d, width);
                    product(dv, 1.0, scores(weights).t(), dout, true);

                    let value = self.head(self.value, block, 0, keys);
                    product(MatrixMut::new(dp, queries, keys, keys), 1.0, dout, value.t(), false);
                    self.drop(block, dp);
                    for (dp, p) in dp.chunks_mut(keys.max(1)).zip(p.chunks(keys.max(1))) {
                        softmax_backward(dp, p);
                    }

                    let dq = MatrixMut::new(&mut dq[first * width + column..], queries, d, width);
                    product(dq, scale, scores(dp), self.head(self.key, block, 0, keys), false);
                    let dk = MatrixMut::new(&mut dk[column..], keys, d, width);
                    let query = self.head(self.query, block, first, queries);
                    product(dk, scale, scores(dp).t(), query, true);
                }
            }
        });
        [dq, dk, dv]
    }
}

vectorised! {
    /// `dp ← p·(dp - Σ dp·p)`
    fn softmax_backward(dp: &mut [f32], p: &[f32]) = softmax_backward_body
}

#[inline(always)]
fn softmax_backward_body<const FMA: bool>(dp: &mut [f32], p: &[f32]) {
    let mean = sum2(dp, p, |dp, p| dp * p);
    for (dp, &p) in dp.iter_mut().zip(p) {
        *dp = mul_add::<FMA>(p, *dp, -p * mean);
    }
}
