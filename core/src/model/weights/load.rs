//! From a checkpoint into a module.

use std::collections::{BTreeMap, BTreeSet};

use burn::backend::DispatchDevice;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};

use super::layout::ModulePath;
use super::{Checkpoint, HostTensor, HostTensors, transpose};
use crate::encoder::canonical;
use crate::model::source::ModelSource;
use crate::{Error, Result};

/// Parts of published checkpoints that a bare encoder has no use for: poolers, task heads, buffers.
/// Any dotted segment of a name may be one of them.
const IGNORED: [&str; 21] = [
    "pooler",
    "cls",
    "lm_head",
    "classifier",
    "pre_classifier",
    "qa_outputs",
    "score",
    "seq_relationship",
    "sequence_summary",
    "logits_proj",
    "discriminator_predictions",
    "generator_predictions",
    "generator_lm_head",
    "vocab_transform",
    "vocab_layer_norm",
    "vocab_projector",
    "position_ids",
    "token_type_ids",
    "crf",
    "num_batches_tracked",
    "dropout",
];

/// The prefix of the tensors of Innerspan's own heads, which an encoder on its own ignores.
const HEAD: &str = "head.";

/// How many names of one kind a message lists.
const LISTED: usize = 20;

/// `module` with every parameter taken from `checkpoint`, on the device the module is on. `names`
/// maps the path of a parameter (`layers.0.attention.query.weight`) to its name on disk. On the CPU,
/// f32 tensors of a safetensors file stay where they are, in the mapped file, unless they are to be
/// trained; others are read one at a time, so that memory peaks little above the module itself.
///
/// # Errors
/// [`Error::File`] that lists the tensors which are missing, misshapen or unknown; or a damaged
/// file. Known leftovers (poolers, task heads, position ids) are ignored.
pub fn load_into<M: Module>(
    module: M,
    checkpoint: &Checkpoint,
    names: impl Fn(&str) -> String,
) -> Result<M> {
    let mut inventory =
        Inventory { path: ModulePath::default(), names: &names, wanted: BTreeMap::new() };
    module.visit(&mut inventory);
    check(&inventory.wanted, checkpoint)?;
    let mut loader = Loader { path: ModulePath::default(), names: &names, checkpoint, error: None };
    let module = module.map(&mut loader);
    match loader.error {
        None => Ok(module),
        Some(error) => Err(error),
    }
}

/// All tensors of the safetensors file `name`, whatever they are called. It must hold f32.
///
/// # Errors
/// No such file, or a damaged one.
pub fn load_tensors(source: &ModelSource, name: &str) -> Result<HostTensors> {
    let checkpoint = Checkpoint::open_file(source, name)?;
    checkpoint
        .names()
        .map(|key| {
            let shape = checkpoint.shape(key).unwrap_or_default().to_vec();
            let tensor = HostTensor { shape, values: checkpoint.read(key)? };
            Ok((checkpoint.name_in_file(key).unwrap_or(key).to_owned(), tensor))
        })
        .collect()
}

/// What a module needs: by canonical name, the name on disk and the shape there.
type Wanted = BTreeMap<String, (String, Vec<usize>)>;

struct Inventory<'a, N> {
    path: ModulePath,
    names: &'a N,
    wanted: Wanted,
}

impl<N: Fn(&str) -> String> ModuleVisitor for Inventory<'_, N> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = (self.names)(&self.path.name());
        let shape = self.path.disk_shape(param.lazy_shape().to_vec());
        self.wanted.insert(canonical(&name), (name, shape));
    }
}

fn check(wanted: &Wanted, checkpoint: &Checkpoint) -> Result<()> {
    let mut problems = Vec::new();
    let missing: Vec<_> = wanted
        .iter()
        .filter(|(key, _)| checkpoint.shape(key).is_none())
        .map(|(_, (name, shape))| format!("{name} {shape:?}"))
        .collect();
    report(&mut problems, "missing", &missing);
    let misshapen: Vec<_> = wanted
        .iter()
        .filter_map(|(key, (_, expected))| {
            let found = checkpoint.shape(key).filter(|found| found != expected)?;
            let name = checkpoint.name_in_file(key).unwrap_or(key);
            Some(format!("{name} is {found:?}, {expected:?} expected"))
        })
        .collect();
    report(&mut problems, "misshapen", &misshapen);
    let with_head = wanted.keys().any(|key| key.starts_with(HEAD));
    let known: BTreeSet<_> = IGNORED.into_iter().collect();
    let unknown: Vec<_> = checkpoint
        .names()
        .filter(|key| !wanted.contains_key(*key))
        .filter(|key| !key.split('.').any(|segment| known.contains(segment)))
        .filter(|key| with_head || !key.starts_with(HEAD))
        .map(|key| checkpoint.name_in_file(key).unwrap_or(key).to_owned())
        .collect();
    report(&mut problems, "unknown", &unknown);
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::file(
        checkpoint.path(),
        format!(
            "the tensors are not those that config.json describes\n  {}",
            problems.join("\n  ")
        ),
    ))
}

fn report(problems: &mut Vec<String>, kind: &str, tensors: &[String]) {
    if tensors.is_empty() {
        return;
    }
    let mut line = format!("{kind}: {}", tensors[..tensors.len().min(LISTED)].join("; "));
    if tensors.len() > LISTED {
        line.push_str(&format!("; and {} more", tensors.len() - LISTED));
    }
    problems.push(line);
}

struct Loader<'a, 'b, N> {
    path: ModulePath,
    names: &'a N,
    checkpoint: &'a Checkpoint<'b>,
    /// The first thing that went wrong; later tensors are not read then.
    error: Option<Error>,
}

impl<N: Fn(&str) -> String> Loader<'_, '_, N> {
    /// The parameter here, which has `shape` in memory.
    fn tensor<const D: usize>(&self, shape: Shape, device: &Device) -> Result<Tensor<D>> {
        let name = canonical(&(self.names)(&self.path.name()));
        // what is trained changes, and a GPU copies it anyway
        let on_cpu = matches!(device.as_dispatch(), DispatchDevice::Flex(_));
        if on_cpu && let Some(bytes) = self.checkpoint.shared(&name) {
            let data =
                TensorData::from_bytes(bytes, self.path.disk_shape(shape.to_vec()), DType::F32);
            let tensor = Tensor::from_data(data, device);
            return Ok(if self.path.is_transposed() { tensor.transpose() } else { tensor });
        }
        let values = self.checkpoint.read(&name)?;
        if on_cpu && self.path.is_transposed() {
            // the CPU's matrix products take a transposed view as it is
            let data = TensorData::new(values, self.path.disk_shape(shape.to_vec()));
            return Ok(Tensor::from_data(data, device).transpose());
        }
        let values = match shape.as_slice() {
            // on disk `[columns, rows]` of what is `[rows, columns]` in memory
            &[rows, columns] if self.path.is_transposed() => transpose(&values, columns, rows),
            _ => values,
        };
        let data = TensorData::new(values, shape);
        Ok(device.memory_persistent_allocations(data, |data| Tensor::from_data(data, device)))
    }
}

impl<N: Fn(&str) -> String> ModuleMapper for Loader<'_, '_, N> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        match self.tensor(param.lazy_shape(), &param.lazy_device()) {
            Ok(tensor) => {
                let id = param.id;
                param.transform_for_load(tensor, id)
            }
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}
