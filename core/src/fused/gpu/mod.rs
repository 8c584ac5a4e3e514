//! Kernels for the GPU of a browser, in WGSL: one where Burn's operations would be five or ten. They share no memory
//! between invocations where they need not, so that small and simulated GPUs run them well too.

use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Backend, Cube, Dispatch, DispatchDevice, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::{DType, Shape, Tensor};
use burn_cubecl::cubecl::ir::UIntKind;
use burn_cubecl::cubecl::ir::metadata::Info;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::cubecl::server::KernelArguments;
use burn_cubecl::cubecl::{CubeKernel, PrecompiledSource};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

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

/// See [`super::matmul`].
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

/// The most workgroups along one axis that WebGPU promises.
const MOST_WORKGROUPS: usize = 65_535;

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

/// A kernel by its text, whose function is called `main`.
struct Wgsl(String);

impl KernelMetadata for Wgsl {
    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(self.0.clone())
    }

    fn address_type(&self) -> ElemType {
        UIntKind::U32.into()
    }
}

impl CubeKernel for Wgsl {
    fn define(&self) -> KernelDefinition {
        let settings =
            KernelSettings::new(CubeDim::new_single().0, ExecutionMode::Checked, AddressType::U32);
        let body = Scope::root(settings.clone());
        KernelDefinition { body, settings, info: Info::default() }
    }

    fn source(&self) -> Option<PrecompiledSource> {
        let entrypoint_name = "main".to_owned();
        Some(PrecompiledSource { source: self.0.clone(), entrypoint_name, lang: "wgsl" })
    }
}

/// What the kernel `source` writes into a new tensor of `shape`, which is its binding 0. Binding 1 are the `numbers`, and
/// the `inputs` follow, in row-major order. `{{name}}` in the source stands for a value of `constants`.
fn run<const N: usize>(
    source: &str,
    constants: &[(&str, usize)],
    workgroups: [usize; 3],
    inputs: [CubeTensor; N],
    numbers: &[u32],
    shape: impl Into<Shape>,
) -> CubeTensor {
    let mut text = source.to_owned();
    for (name, value) in constants {
        text = text.replace(&format!("{{{{{name}}}}}"), &value.to_string());
    }
    launch(text, workgroups, inputs.map(into_contiguous), numbers, shape)
}

/// The same for inputs with the strides that they have. No two of them may lie in the same memory.
fn launch<const N: usize>(
    source: String,
    workgroups: [usize; 3],
    inputs: [CubeTensor; N],
    numbers: &[u32],
    shape: impl Into<Shape>,
) -> CubeTensor {
    let (client, device) = (inputs[0].client.clone(), inputs[0].device.clone());
    let shape = shape.into();
    let output = client.empty(shape.num_elements() * size_of::<f32>());
    let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
    let mut arguments = KernelArguments::new()
        .with_buffer(output.clone().binding())
        .with_buffer(client.create_from_slice(&numbers).binding());
    for input in inputs {
        arguments = arguments.with_buffer(input.handle.binding());
    }
    let [x, y, z] = workgroups.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    client.launch(Box::new(Wgsl(source)), CubeCount::Static(x, y, z), arguments);
    CubeTensor::new_contiguous(client, device, shape, output, DType::F32)
}

/// `source` with the lines that begin with `//name`, which are comments otherwise.
fn with(source: &str, name: &str) -> String {
    source.replace(&format!("//{name} "), "")
}

/// Every line after `//each` once for each number below `count`, which takes the place of `#`.
fn unrolled(source: &str, count: usize) -> String {
    let lines = source.lines().flat_map(|line| match line.trim_start().strip_prefix("//each ") {
        Some(line) => (0..count).map(|i| line.replace('#', &i.to_string())).collect(),
        None => vec![line.to_owned()],
    });
    lines.collect::<Vec<_>>().join("\n")
}
