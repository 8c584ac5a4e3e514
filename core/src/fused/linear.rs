//! A linear map with its bias: `x·W + b`.

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use super::buffer::{contiguous, on_cpu, rows_and_width, slice, tensor};
#[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
use super::gpu;
use super::matmul;
use super::matrix::{Matrix, product_parallel};
use super::parallel::{for_each, rows_per_task};

#[cfg(feature = "train")]
mod backward;

/// `x·weight + bias`: `x` is `[rows, input]`, `weight` `[input, output]`, `bias` `[output]`, the
/// result `[rows, output]`. A transposed view serves as weight without being copied.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    #[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
    if gpu::on_gpu(&x) && gpu::on_gpu(&bias) {
        return gpu::linear(x, weight, bias);
    }
    if on_cpu(&x) && on_cpu(&weight) && on_cpu(&bias) {
        let (x, weight, bias) = (x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch());
        Tensor::from_dispatch(<Dispatch as Linear>::fused_linear(x, weight, bias))
    } else {
        matmul(x, weight) + bias.unsqueeze()
    }
}

#[backend_extension(Flex, Autodiff: cfg(feature = "train"))]
trait Linear: Backend {
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl Linear for Flex {
    fn fused_linear(x: FlexTensor, weight: FlexTensor, bias: FlexTensor) -> FlexTensor {
        let (x, bias) = (contiguous(x), contiguous(bias));
        let [rows, output] = [rows_and_width(&x).0, weight.shape()[1]];
        let bias = slice(&bias);
        assert_eq!(bias.len(), output, "a bias of another width than the weight");
        let mut y = vec![0.0; rows * output];
        let block = rows_per_task(rows, output) * output;
        for_each(y.chunks_mut(block.max(1)), |y| {
            y.chunks_exact_mut(output).for_each(|y| y.copy_from_slice(bias));
        });
        product_parallel(&mut y, matrix(&x), matrix(&weight), true);
        tensor(y, [rows, output])
    }
}

/// A two-dimensional tensor with the strides that it has.
fn matrix(x: &FlexTensor) -> Matrix<'_> {
    let shape = x.shape();
    let [rows, columns] = [shape[0], shape[1]];
    let layout = x.layout();
    let storage = &x.storage::<f32>()[layout.start_offset()..];
    let strides = [layout.strides()[0], layout.strides()[1]].map(|stride| stride.unsigned_abs());
    debug_assert!(layout.strides().iter().all(|&stride| stride >= 0), "a flipped matrix");
    Matrix::strided(storage, [rows, columns], strides)
}
