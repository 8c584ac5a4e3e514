//! GELU with the exact error function: x·Φ(x) (Hendrycks and Gimpel 2016).

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::buffer::{map_in_place, on_cpu};
#[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
use super::gpu;
use super::simd::{exp, mul_add, vectorised};

#[cfg(feature = "train")]
mod backward;

/// x·Φ(x) of every element, Φ the normal distribution function, to 1e-6 or better.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
    if gpu::on_gpu(&x) {
        return gpu::gelu(x);
    }
    if on_cpu(&x) {
        Tensor::from_dispatch(<Dispatch as Gelu>::fused_gelu(x.into_dispatch()))
    } else {
        // not `activation::gelu`, whose backward pass is that of the tanh approximation on a GPU
        x.clone() * (x.mul_scalar(core::f32::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5
    }
}

#[backend_extension(Flex, Autodiff: cfg(feature = "train"))]
trait Gelu: Backend {
    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl Gelu for Flex {
    fn fused_gelu(x: FlexTensor) -> FlexTensor {
        map_in_place(x, forward)
    }
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
