//! The product of matrices.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Cube, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;
use burn_cubecl::tensor::CubeTensor;

use super::launch::launch;

/// See [`matmul`](crate::fused::matmul).
pub fn matmul<const D: usize>(lhs: Tensor<D>, rhs: Tensor<D>) -> Tensor<D> {
    let (lhs, rhs) = (lhs.into_dispatch(), rhs.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Product>::product(lhs, rhs))
}

#[backend_extension(Flex, Cube)]
trait Product: Backend {
    /// No more than four axes; in f32.
    fn product(lhs: FloatTensor<Self>, rhs: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(lhs, rhs)
    }
}

impl Product for Flex {}

impl Product for Cube {
    fn product(lhs: CubeTensor, rhs: CubeTensor) -> CubeTensor {
        let ([a, b], [a_strides, b_strides]) =
            ([shape(&lhs), shape(&rhs)], [strides(&lhs), strides(&rhs)]);
        assert_eq!(a[3], b[2], "matrices whose sizes disagree");
        let [outer, inner] = [0, 1].map(|axis| a[axis].max(b[axis]));
        let [rows, columns, depth] = [a[2], b[3], a[3]];
        let numbers: Vec<u32> = [rows, columns, depth, inner]
            .into_iter()
            .chain(a_strides)
            .chain(b_strides)
            .map(|number| number as u32)
            .collect();
        let rank = lhs.shape().num_dims();
        launch(
            include_str!("matmul.wgsl").to_owned(),
            [columns.div_ceil(4 * 8), rows.div_ceil(4 * 8), outer * inner],
            [lhs, rhs],
            &numbers,
            [outer, inner, rows, columns][4 - rank..].to_vec(),
        )
    }
}

/// The four axes of a tensor of matrices; those that it has not are 1.
fn shape(x: &CubeTensor) -> [usize; 4] {
    let mut shape = [1; 4];
    let own = x.meta.shape();
    shape[4 - own.len()..].copy_from_slice(own);
    shape
}

/// How far apart neighbours are along the four axes; 0 where there is but one, which goes with any.
fn strides(x: &CubeTensor) -> [usize; 4] {
    let mut strides = [0; 4];
    let own = x.meta.strides();
    strides[4 - own.len()..].copy_from_slice(own);
    std::array::from_fn(|axis| if shape(x)[axis] == 1 { 0 } else { strides[axis] })
}
