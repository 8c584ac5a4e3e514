//! Kernels for the GPU of a browser, in WGSL: one where Burn's operations would be five or ten. They share no memory
//! between invocations where they need not, so that small and simulated GPUs run them well too.

mod launch;
mod product;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Cube, Dispatch, DispatchDevice, TensorMetadata, backend_extension};
use burn::tensor::{DType, Tensor};
use burn_cubecl::tensor::CubeTensor;

use self::launch::{MOST_WORKGROUPS, run, unrolled, with};
pub use self::product::matmul;
use super::Heads;

/// Whether a kernel here may take `x`, of whose rows they read four elements at a time.
pub fn on_gpu<const D: usize>(x: &Tensor<D>) -> bool {
    matches!(x.device().as_dispatch(), DispatchDevice::Cube(_))
        && x.dtype() == DType::F32
        && x.dims().last().is_some_and(|width| width % 4 == 0)
}

/// See [`super::linear`].
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    let (x, weight, bias) = (x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Kernels>::gpu_linear(x, weight, bias))
}

/// See [`super::gelu`].
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as Kernels>::gpu_gelu(x.into_dispatch()))
}

/// See [`super::layer_norm`] and, with a `residual`, [`super::add_layer_norm`].
pub fn layer_norm(
    x: Tensor<2>,
    residual: Option<Tensor<2>>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    eps: f64,
) -> Tensor<2> {
    let (x, eps) = (x.into_dispatch(), eps as f32);
    let (gamma, beta) = (gamma.into_dispatch(), beta.into_dispatch());
    Tensor::from_dispatch(match residual {
        None => <Dispatch as Kernels>::gpu_layer_norm(x, gamma, beta, eps),
        Some(residual) => {
            let residual = residual.into_dispatch();
            <Dispatch as Kernels>::gpu_add_layer_norm(x, residual, gamma, beta, eps)
        }
    })
}

/// See [`super::attention()`]; `mask` holds what each key's scores are raised by, as many as `query` has rows. A head's
/// width is a multiple of 4.
pub fn attention(
    query: Tensor<2>,
    key: Tensor<2>,
    value: Tensor<2>,
    mask: Option<Tensor<1>>,
    shape: Heads,
) -> Tensor<2> {
    let (query, key, value) = (query.into_dispatch(), key.into_dispatch(), value.into_dispatch());
    Tensor::from_dispatch(match mask {
        None => <Dispatch as Kernels>::gpu_attention(query, key, value, shape),
        Some(mask) => {
            let mask = mask.into_dispatch();
            <Dispatch as Kernels>::gpu_masked_attention(query, key, value, mask, shape)
        }
    })
}

#[backend_extension(Cube)]
trait Kernels: Backend {
    fn gpu_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn gpu_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn gpu_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self>;

    fn gpu_add_layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        eps: f32,
    ) -> FloatTensor<Self>;

    fn gpu_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        shape: Heads,
    ) -> FloatTensor<Self>;

    fn gpu_masked_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        shape: Heads,
    ) -> FloatTensor<Self>;
}

impl Kernels for Cube {
    fn gpu_linear(x: CubeTensor, weight: CubeTensor, bias: CubeTensor) -> CubeTensor {
        let [rows, input] = x.shape().dims();
        let [_, output] = weight.shape().dims();
        run(
            include_str!("linear.wgsl"),
            &[("input", input), ("output", output)],
            [output.div_ceil(4 * 16), rows.div_ceil(4 * 4), 1],
            [x, weight, bias],
            &[rows as u32],
            [rows, output],
        )
    }

    fn gpu_gelu(x: CubeTensor) -> CubeTensor {
        let shape = x.shape();
        let fours = shape.num_elements() / 4;
        let workgroups = fours.div_ceil(64);
        let across = workgroups.clamp(1, MOST_WORKGROUPS);
        let source = include_str!("gelu.wgsl");
        run(source, &[], [across, workgroups.div_ceil(across), 1], [x], &[fours as u32], shape)
    }

    fn gpu_layer_norm(x: CubeTensor, gamma: CubeTensor, beta: CubeTensor, eps: f32) -> CubeTensor {
        normalize(LAYER_NORM, [x, gamma, beta], eps)
    }

    fn gpu_add_layer_norm(
        x: CubeTensor,
        residual: CubeTensor,
        gamma: CubeTensor,
        beta: CubeTensor,
        eps: f32,
    ) -> CubeTensor {
        normalize(&with(LAYER_NORM, "residual"), [x, gamma, beta, residual], eps)
    }

    fn gpu_attention(
        query: CubeTensor,
        key: CubeTensor,
        value: CubeTensor,
        shape: Heads,
    ) -> CubeTensor {
        attend(ATTENTION, [query, key, value], shape)
    }

    fn gpu_masked_attention(
        query: CubeTensor,
        key: CubeTensor,
        value: CubeTensor,
        mask: CubeTensor,
        shape: Heads,
    ) -> CubeTensor {
        attend(&with(ATTENTION, "mask"), [query, key, value, mask], shape)
    }
}

const LAYER_NORM: &str = include_str!("layer_norm.wgsl");
const ATTENTION: &str = include_str!("attention.wgsl");

/// The first input is what is normalized.
fn normalize<const N: usize>(source: &str, inputs: [CubeTensor; N], eps: f32) -> CubeTensor {
    let shape = inputs[0].shape();
    let [rows, width] = shape.dims();
    run(source, &[("width", width)], [rows, 1, 1], inputs, &[eps.to_bits()], shape)
}

/// The inputs are queries, keys, values and perhaps the mask.
fn attend<const N: usize>(source: &str, inputs: [CubeTensor; N], heads: Heads) -> CubeTensor {
    let shape = inputs[0].shape();
    let [rows, width] = shape.dims();
    let Heads { tokens, heads, .. } = heads;
    let d = width / heads;
    let workgroups = [(rows * heads).div_ceil(64), 1, 1];
    let constants = [("heads", heads), ("d", d)];
    let numbers = [rows as u32, tokens as u32];
    run(&unrolled(source, d / 4), &constants, workgroups, inputs, &numbers, shape)
}
