//! Layer normalization (Ba et al. 2016), also of a sum: `LayerNorm(dropout(x) + residual)` in one
//! pass.

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::buffer::{contiguous, map_in_place, on_cpu, own, rows_and_width, slice, slice_mut};
use super::dropout::Draw;
#[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
use super::gpu;
use super::parallel::{for_each, rows_per_task};
use super::simd::{mul_add, sum, vectorised};

#[cfg(feature = "train")]
mod backward;

/// `(x - mean) / √(variance + eps) · gamma + beta` over each row of `[rows, width]`.
pub fn layer_norm(x: Tensor<2>, gamma: Tensor<1>, beta: Tensor<1>, eps: f64) -> Tensor<2> {
    #[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
    if gpu::on_gpu(&x) {
        return gpu::layer_norm(x, None, gamma, beta, eps);
    }
    if on_cpu(&x) && on_cpu(&gamma) && on_cpu(&beta) {
        Tensor::from_dispatch(<Dispatch as LayerNorm>::fused_layer_norm(
            x.into_dispatch(),
            gamma.into_dispatch(),
            beta.into_dispatch(),
            eps as f32,
        ))
    } else {
        burn::tensor::module::layer_norm(x, gamma, Some(beta), eps)
    }
}

/// [`layer_norm`] of `dropout(x) + residual`.
pub fn add_layer_norm(
    x: Tensor<2>,
    residual: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    eps: f64,
    draw: Option<Draw>,
) -> Tensor<2> {
    #[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
    if gpu::on_gpu(&x) && draw.is_none() {
        return gpu::layer_norm(x, Some(residual), gamma, beta, eps);
    }
    if on_cpu(&x) && on_cpu(&residual) && on_cpu(&gamma) && on_cpu(&beta) {
        Tensor::from_dispatch(<Dispatch as LayerNorm>::fused_add_layer_norm(
            x.into_dispatch(),
            residual.into_dispatch(),
            gamma.into_dispatch(),
            beta.into_dispatch(),
            eps as f32,
            draw,
        ))
    } else {
        let x = match draw {
            Some(draw) => draw.with_tensors(x),
            None => x,
        };
        burn::tensor::module::layer_norm(x + residual, gamma, Some(beta), eps)
    }
}

#[backend_extension(Flex, Autodiff: cfg(feature = "train"))]
trait LayerNorm: Backend {
    fn fused_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self>;

    fn fused_add_layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        eps: f32,
        draw: Option<Draw>,
    ) -> FloatTensor<Self>;
}

impl LayerNorm for Flex {
    fn fused_layer_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        eps: f32,
    ) -> FlexTensor {
        let (gamma, beta) = (contiguous(gamma), contiguous(beta));
        let (gamma, beta) = (slice(&gamma), slice(&beta));
        map_in_place(x, |rows| {
            for row in rows.chunks_mut(gamma.len()) {
                normalize(row, eps);
                scale_and_shift_in_place(row, gamma, beta);
            }
        })
    }

    fn fused_add_layer_norm(
        x: FlexTensor,
        residual: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        eps: f32,
        draw: Option<Draw>,
    ) -> FlexTensor {
        let (rows, width) = rows_and_width(&x);
        let (gamma, beta) = (contiguous(gamma), contiguous(beta));
        let (gamma, beta, residual) = (slice(&gamma), slice(&beta), contiguous(residual));
        let mut x = own(x);
        let block = rows_per_task(rows, width);
        let tasks = slice_mut(&mut x).chunks_mut((block * width).max(1)).enumerate();
        for_each(tasks.zip(slice(&residual).chunks((block * width).max(1))), |((task, x), add)| {
            for (row, (x, add)) in x.chunks_mut(width).zip(add.chunks(width)).enumerate() {
                if let Some(draw) = draw {
                    draw.scale_row(task * block + row, x);
                }
                add_to(x, add);
                normalize(x, eps);
                scale_and_shift_in_place(x, gamma, beta);
            }
        });
        x
    }
}

vectorised! {
    fn add_to(x: &mut [f32], add: &[f32]) = add_to_body
}

#[inline(always)]
fn add_to_body<const FMA: bool>(x: &mut [f32], add: &[f32]) {
    x.iter_mut().zip(add).for_each(|(x, add)| *x += add);
}

vectorised! {
    /// Gives `x` mean 0 and variance 1 (about), and returns what it was scaled by.
    fn normalize(x: &mut [f32], eps: f32) -> f32 = normalize_body
}

#[inline(always)]
fn normalize_body<const FMA: bool>(x: &mut [f32], eps: f32) -> f32 {
    let n = x.len().max(1) as f32;
    let mean = sum(x, |x| x) / n;
    let variance = sum(x, |x| (x - mean) * (x - mean)) / n;
    let scale = 1.0 / (variance + eps).sqrt();
    x.iter_mut().for_each(|x| *x = (*x - mean) * scale);
    scale
}

vectorised! {
    fn scale_and_shift_in_place(x: &mut [f32], gamma: &[f32], beta: &[f32]) = scale_and_shift_in_place_body
}

#[inline(always)]
fn scale_and_shift_in_place_body<const FMA: bool>(x: &mut [f32], gamma: &[f32], beta: &[f32]) {
    for ((x, &gamma), &beta) in x.iter_mut().zip(gamma).zip(beta) {
        *x = mul_add::<FMA>(*x, gamma, beta);
    }
}
