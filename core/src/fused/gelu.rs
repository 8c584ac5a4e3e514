//! GELU with the exact error function: x·Φ(x) (Hendrycks and Gimpel 2016).

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::buffer::{contiguous, map_in_place, on_cpu, own, rows_and_width, slice, slice_mut};
use super::parallel::{for_each, rows_per_task};
use super::simd::{exp, mul_add, vectorised};

/// x·Φ(x) of every element, Φ the normal distribution function, to 1e-6 or better.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if on_cpu(&x) {
        Tensor::from_dispatch(<Dispatch as Gelu>::fused_gelu(x.into_dispatch()))
    } else {
        // not `activation::gelu`, whose backward pass is that of the tanh approximation on a GPU
        x.clone() * (x.mul_scalar(core::f32::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5
    }
}

#[backend_extension(Flex, Autodiff)]
trait Gelu: Backend {
    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl Gelu for Flex {
    fn fused_gelu(x: FlexTensor) -> FlexTensor {
        map_in_place(x, forward)
    }
}

impl<C: CheckpointStrategy> Gelu for Autodiff<Flex, C> {
    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match GeluBackward.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let x = contiguous(x.into_primitive());
                prep.finish(x.clone(), Flex::fused_gelu(x))
            }
            OpsKind::UnTracked(prep) => prep.finish(Flex::fused_gelu(x.into_primitive())),
        }
    }
}

#[derive(Debug)]
struct GeluBackward;

impl Backward<Flex, 1> for GeluBackward {
    type State = FlexTensor;

    fn backward(self, ops: Ops<FlexTensor, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        if let [Some(parent)] = ops.parents {
            grads.register::<Flex>(parent.id, input_gradient(&ops.state, gradient));
        }
    }
}

fn input_gradient(x: &FlexTensor, gradient: FlexTensor) -> FlexTensor {
    let (rows, width) = rows_and_width(x);
    let block = rows_per_task(rows, width) * width.max(1);
    let mut gradient = own(gradient);
    for_each(
        slice_mut(&mut gradient).chunks_mut(block).zip(slice(x).chunks(block)),
        |(gradient, x)| backward(gradient, x),
    );
    gradient
}

vectorised! {
    /// `x ← x·Φ(x)`
    fn forward(x: &mut [f32]) = forward_body
}

#[inline(always)]
fn forward_body<const FMA: bool>(x: &mut [f32]) {
    for x in x {
        *x *= normal::<FMA>(*x).0;
    }
}

vectorised! {
    /// `gradient ← gradient·(Φ(x) + x·φ(x))`
    fn backward(gradient: &mut [f32], x: &[f32]) = backward_body
}

#[inline(always)]
fn backward_body<const FMA: bool>(gradient: &mut [f32], x: &[f32]) {
    for (gradient, &x) in gradient.iter_mut().zip(x) {
        let (distribution, density) = normal::<FMA>(x);
        *gradient *= mul_add::<FMA>(x, density, distribution);
    }
}

/// The standard normal distribution Φ and its density φ. Φ's upper tail is half of erfc, by
/// Abramowitz and Stegun 7.1.26, within 1.5e-7.
#[inline(always)]
fn normal<const FMA: bool>(x: f32) -> (f32, f32) {
    let z = x.abs() * core::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / mul_add::<FMA>(z, 0.327_591_1, 1.0);
    let mut p = 1.061_405_4;
    for coefficient in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
        p = mul_add::<FMA>(p, t, coefficient);
    }
    let e = exp::<FMA>(-z * z);
    let tail = 0.5 * p * t * e;
    (if x > 0.0 { 1.0 - tail } else { tail }, e * 0.398_942_3)
}
