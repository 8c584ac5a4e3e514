//! The product of two tensors of matrices.

use burn::tensor::Tensor;

#[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
use super::gpu;

/// `lhs·rhs` over the last two axes; a leading axis of 1 goes with any other.
///
/// The same as [`Tensor::matmul`], which the browser's build for WebGPU must not mention: Burn's kernels for it, of which
/// a GPU takes one by its abilities, are a quarter of a program that has them.
pub fn matmul<const D: usize>(lhs: Tensor<D>, rhs: Tensor<D>) -> Tensor<D> {
    #[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
    return gpu::matmul(lhs, rhs);
    #[cfg(not(all(target_arch = "wasm32", feature = "webgpu")))]
    lhs.matmul(rhs)
}
