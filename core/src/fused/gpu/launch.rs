//! Kernels from their text to the GPU.

use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::ir::UIntKind;
use burn_cubecl::cubecl::ir::metadata::Info;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::cubecl::server::KernelArguments;
use burn_cubecl::cubecl::{CubeKernel, PrecompiledSource};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// The most workgroups along one axis that WebGPU promises.
pub const MOST_WORKGROUPS: usize = 65_535;

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
pub fn run<const N: usize>(
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
pub fn launch<const N: usize>(
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
pub fn with(source: &str, name: &str) -> String {
    source.replace(&format!("//{name} "), "")
}

/// Every line after `//each` once for each number below `count`, which takes the place of `#`.
pub fn unrolled(source: &str, count: usize) -> String {
    let lines = source.lines().flat_map(|line| match line.trim_start().strip_prefix("//each ") {
        Some(line) => (0..count).map(|i| line.replace('#', &i.to_string())).collect(),
        None => vec![line.to_owned()],
    });
    lines.collect::<Vec<_>>().join("\n")
}
