//! From a module to a safetensors file that Hugging Face's libraries read too.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::layout::ModulePath;
use super::precision::{encode, scale_name};
use super::{HostTensors, Precision, transpose, write_atomically};
use crate::{Error, Result};

/// Writes every parameter of `module` to `path`, atomically. `names` maps the path of a parameter
/// to its name on disk; matrices of linear maps are stored `[out, in]`, as PyTorch does.
///
/// # Errors
/// The system's, a device that cannot be read, or a value that the precision cannot hold.
pub fn save_module<M: Module>(
    module: &M,
    path: &Path,
    precision: Precision,
    names: impl Fn(&str) -> String,
) -> Result<()> {
    let tensors = collect(module, names);
    write_atomically(path, |file| write(&tensors, precision, path, file))
}

/// What [`save_module`] would write.
///
/// # Errors
/// A device that cannot be read, or a value that the precision cannot hold.
pub fn module_bytes<M: Module>(
    module: &M,
    precision: Precision,
    names: impl Fn(&str) -> String,
) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(&collect(module, names), precision, Path::new("model.safetensors"), &mut bytes)?;
    Ok(bytes)
}

/// Writes `tensors` to `path` as f32, atomically.
///
/// # Errors
/// The system's.
///
/// # Panics
/// A tensor with another number of values than its shape says.
pub fn save_tensors(path: &Path, tensors: &HostTensors) -> Result<()> {
    let tensors: Vec<Stored> = tensors
        .iter()
        .map(|(name, tensor)| {
            assert_eq!(tensor.values.len(), tensor.shape.iter().product::<usize>(), "{name}");
            Stored {
                name: name.clone(),
                shape: tensor.shape.clone(),
                values: Box::new(|| Ok(tensor.values.clone())),
            }
        })
        .collect();
    write_atomically(path, |file| write(&tensors, Precision::F32, path, file))
}

/// A tensor as it will lie on disk, read from its device when it is written.
struct Stored<'a> {
    name: String,
    shape: Vec<usize>,
    values: Box<dyn Fn() -> Result<Vec<f32>> + 'a>,
}

fn collect<'a, M: Module>(module: &M, names: impl Fn(&str) -> String) -> Vec<Stored<'a>> {
    let mut collector = Collector { path: ModulePath::default(), names, tensors: Vec::new() };
    module.visit(&mut collector);
    let mut tensors = collector.tensors;
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    tensors
}

struct Collector<'a, N> {
    path: ModulePath,
    names: N,
    tensors: Vec<Stored<'a>>,
}

impl<N: Fn(&str) -> String> ModuleVisitor for Collector<'_, N> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = (self.names)(&self.path.name());
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let transposed = self.path.is_transposed();
        self.tensors.push(Stored {
            name: name.clone(),
            shape: self.path.disk_shape(shape.clone()),
            values: Box::new(move || {
                let unreadable = |reason: String| {
                    Error::Device(format!(
                        "tensor \"{name}\" cannot be read from its device: {reason}"
                    ))
                };
                let data =
                    tensor.try_to_data().map_err(|error| unreadable(format!("{error:?}")))?;
                let values: Vec<f32> = data
                    .convert::<f32>()
                    .try_into_vec()
                    .map_err(|error| unreadable(format!("{error:?}")))?;
                match shape[..] {
                    [rows, columns] if transposed => Ok(transpose(&values, rows, columns)),
                    _ => Ok(values),
                }
            }),
        });
    }
}

/// Writes the header, then one tensor after another. `path` is for messages.
fn write(
    tensors: &[Stored],
    precision: Precision,
    path: &Path,
    out: &mut impl Write,
) -> Result<()> {
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let mut header = Metadata::new(Some(format), layout(tensors, precision))
        .map_err(|error| error.to_string())
        .and_then(|metadata| serde_json::to_vec(&metadata).map_err(|error| error.to_string()))
        .map_err(|error| Error::file(path, error))?;
    header.resize(header.len().next_multiple_of(8), b' ');

    let io = |error| Error::io(path, error);
    out.write_all(&(header.len() as u64).to_le_bytes()).map_err(io)?;
    out.write_all(&header).map_err(io)?;
    for Stored { name, shape, values } in tensors {
        let columns = shape.last().copied().unwrap_or(1);
        let bytes = encode(&values()?, precision.dtype(shape), columns)
            .map_err(|reason| Error::file(path, format!("tensor \"{name}\": {reason}")))?;
        out.write_all(&bytes).map_err(io)?;
    }
    Ok(())
}

/// Where everything lies after the header: each tensor, and behind a matrix of bytes its scales.
fn layout(tensors: &[Stored], precision: Precision) -> Vec<(String, TensorInfo)> {
    let mut offset = 0;
    let mut place = |name: String, dtype: Dtype, shape: Vec<usize>| {
        let start = offset;
        offset += shape.iter().product::<usize>() * (dtype.bitsize() / 8);
        (name, TensorInfo { dtype, shape, data_offsets: (start, offset) })
    };
    let mut infos = Vec::with_capacity(tensors.len());
    for Stored { name, shape, .. } in tensors {
        let dtype = precision.dtype(shape);
        infos.push(place(name.clone(), dtype, shape.clone()));
        if dtype == Dtype::I8 {
            infos.push(place(scale_name(name), Dtype::F32, vec![shape[0]]));
        }
    }
    infos
}
