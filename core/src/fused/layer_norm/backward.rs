//! The gradients of layer normalization.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};

use super::super::buffer::{contiguous, own, rows_and_width, slice, slice_mut, tensor};
use super::super::column_sums::add_up;
use super::super::dropout::{Draw, apply};
use super::super::parallel::{for_each, map, rows_per_task};
use super::super::simd::{mul_add, sum, sum2, vectorised};
use super::{LayerNorm, add_to, normalize};

impl<C: CheckpointStrategy> LayerNorm for Autodiff<Flex, C> {
    fn fused_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let (x, gamma, beta) = (x.into_primitive(), gamma.into_primitive(), beta.into_primitive());
        match LayerNormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (y, state) = tracked(x, None, gamma, beta, eps, None);
                prep.finish(state, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(Flex::fused_layer_norm(x, gamma, beta, eps)),
        }
    }

    fn fused_add_layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        eps: f32,
        draw: Option<Draw>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), residual.node(), gamma.node(), beta.node()];
        let (x, residual) = (x.into_primitive(), residual.into_primitive());
        let (gamma, beta) = (gamma.into_primitive(), beta.into_primitive());
        match LayerNormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (y, state) = tracked(x, Some(residual), gamma, beta, eps, draw);
                prep.finish(state, y)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(Flex::fused_add_layer_norm(x, residual, gamma, beta, eps, draw))
            }
        }
    }
}

/// What the backward pass needs of the forward pass.
#[derive(Debug, Clone)]
struct Saved {
    /// The rows before `gamma` and `beta`.
    normalized: FlexTensor,
    /// 1 / √(variance + eps) of each row.
    scales: Vec<f32>,
    gamma: FlexTensor,
    draw: Option<Draw>,
}

/// The forward pass that keeps what the backward pass needs.
fn tracked(
    x: FlexTensor,
    residual: Option<FlexTensor>,
    gamma: FlexTensor,
    beta: FlexTensor,
    eps: f32,
    draw: Option<Draw>,
) -> (FlexTensor, Saved) {
    let (rows, width) = rows_and_width(&x);
    let shape = x.shape();
    let (gamma, beta) = (contiguous(gamma), contiguous(beta));
    let residual = residual.map(contiguous);
    let mut x = own(x);
    let mut y = vec![0.0; rows * width];
    let mut scales = vec![0.0; rows];
    let rows_each = rows_per_task(rows, width);
    let block = (rows_each * width).max(1);
    let tasks = slice_mut(&mut x)
        .chunks_mut(block)
        .zip(y.chunks_mut(block))
        .zip(scales.chunks_mut(rows_each))
        .enumerate();
    for_each(tasks, |(task, ((x, y), scales))| {
        let rows = x.chunks_mut(width).zip(y.chunks_mut(width)).zip(scales);
        for (row, ((x, y), scale)) in rows.enumerate() {
            let row = task * rows_each + row;
            if let Some(draw) = draw {
                draw.scale_row(row, x);
            }
            if let Some(residual) = &residual {
                add_to(x, &slice(residual)[row * width..][..width]);
            }
            *scale = normalize(x, eps);
            scale_and_shift(y, x, slice(&gamma), slice(&beta));
        }
    });
    (tensor(y, shape), Saved { normalized: x, scales, gamma, draw })
}

#[derive(Debug)]
struct LayerNormBackward;

impl Backward<Flex, 3> for LayerNormBackward {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x, gamma, beta] = ops.parents;
        let gradients = gradients(grads.consume::<Flex>(&ops.node), &ops.state);
        for (node, gradient) in
            [(x, gradients.sum), (gamma, gradients.gamma), (beta, gradients.beta)]
        {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

impl Backward<Flex, 4> for LayerNormBackward {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x, residual, gamma, beta] = ops.parents;
        let gradients = gradients(grads.consume::<Flex>(&ops.node), &ops.state);
        if let Some(node) = x {
            let sum = gradients.sum.clone();
            let dx = match ops.state.draw {
                Some(draw) => apply(sum, draw),
                None => sum,
            };
            grads.register::<Flex>(node.id, dx);
        }
        for (node, gradient) in
            [(residual, gradients.sum), (gamma, gradients.gamma), (beta, gradients.beta)]
        {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

/// The loss's gradients by what was normalized and by the two parameters.
struct LayerNormGradients {
    sum: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
}

fn gradients(dy: FlexTensor, saved: &Saved) -> LayerNormGradients {
    let (rows, width) = rows_and_width(&dy);
    let normalized = slice(&saved.normalized);
    let gamma = slice(&saved.gamma);
    let mut dx = own(dy);
    let rows_each = rows_per_task(rows, width);
    let block = (rows_each * width).max(1);
    let tasks = slice_mut(&mut dx)
        .chunks_mut(block)
        .zip(normalized.chunks(block))
        .zip(saved.scales.chunks(rows_each));
    // each part is dgamma, then dbeta
    let parts = map(tasks, |((dy, normalized), scales)| {
        let mut part = vec![0.0; 2 * width];
        let (dgamma, dbeta) = part.split_at_mut(width);
        let rows = dy.chunks_mut(width).zip(normalized.chunks(width)).zip(scales);
        for ((dy, normalized), &scale) in rows {
            backward_row(dy, normalized, scale, gamma, dgamma, dbeta);
        }
        part
    });
    let parameters = add_up(2 * width, parts);
    let (dgamma, dbeta) = parameters.split_at(width);
    LayerNormGradients {
        sum: dx,
        gamma: tensor(dgamma.to_vec(), [width]),
        beta: tensor(dbeta.to_vec(), [width]),
    }
}

vectorised! {
    fn scale_and_shift(y: &mut [f32], x: &[f32], gamma: &[f32], beta: &[f32]) = scale_and_shift_body
}

#[inline(always)]
fn scale_and_shift_body<const FMA: bool>(y: &mut [f32], x: &[f32], gamma: &[f32], beta: &[f32]) {
    for (((y, &x), &gamma), &beta) in y.iter_mut().zip(x).zip(gamma).zip(beta) {
        *y = mul_add::<FMA>(x, gamma, beta);
    }
}

vectorised! {
    /// Turns `dy` into the gradient by the row `x̂ / scale`, and adds to those by the parameters:
    /// with g = dy·gamma, dx = scale·(g - mean(g) - x̂·mean(g·x̂)).
    fn backward_row(dy: &mut [f32], x: &[f32], scale: f32, gamma: &[f32], dgamma: &mut [f32], dbeta: &mut [f32]) = backward_row_body
}

#[inline(always)]
fn backward_row_body<const FMA: bool>(
    dy: &mut [f32],
    x: &[f32],
    scale: f32,
    gamma: &[f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let n = dy.len().max(1) as f32;
    let parameters = dgamma.iter_mut().zip(dbeta).zip(gamma);
    for ((dy, &x), ((dgamma, dbeta), &gamma)) in dy.iter_mut().zip(x).zip(parameters) {
        *dgamma = mul_add::<FMA>(*dy, x, *dgamma);
        *dbeta += *dy;
        *dy *= gamma;
    }
    let mean = sum(dy, |g| g) / n;
    let along = sum2(dy, x, |g, x| g * x) / n;
    for (dy, &x) in dy.iter_mut().zip(x) {
        *dy = (mul_add::<FMA>(-x, along, *dy) - mean) * scale;
    }
}
