//! All tensors of an encoder or model folder, whichever files hold them.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::Bytes;
use serde_json::{Map, Value};

use super::Precision;
use super::safetensors::SafetensorsFile;
use crate::encoder::canonical;
use crate::model::source::ModelSource;
use crate::{Error, Result};

/// The file that a model folder keeps its weights in.
pub const WEIGHTS_FILE: &str = "model.safetensors";
const PYTORCH_FILE: &str = "pytorch_model.bin";

/// Named tensors in one or several open files; their values are read one tensor at a time.
#[derive(Debug)]
pub struct Checkpoint<'a> {
    path: String,
    files: Vec<TensorFile<'a>>,
    /// By [canonical] name.
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// The name in its file.
    name: String,
    file: usize,
    shape: Vec<usize>,
}

#[derive(Debug)]
enum TensorFile<'a> {
    Safetensors(SafetensorsFile<'a>),
    #[cfg(feature = "native")]
    Pytorch(super::pytorch::PytorchFile),
}

impl<'a> Checkpoint<'a> {
    /// The weights in `source`: `model.safetensors`, its shards with an index, or the same of
    /// `pytorch_model.bin`; the first that is there.
    ///
    /// # Errors
    /// None of them, or one that is damaged or incomplete.
    pub fn open(source: &'a ModelSource) -> Result<Self> {
        for name in [WEIGHTS_FILE, PYTORCH_FILE] {
            if let Some(file) = TensorFile::open(source, name)? {
                return Self::new(source.describe(name), vec![file]);
            }
            let index = format!("{name}.index.json");
            if let Some(bytes) = source.read(&index)? {
                return Self::sharded(source, &source.describe(&index), &bytes);
            }
        }
        match source.missing(WEIGHTS_FILE) {
            Error::File { path, message } if message.starts_with("no such file") => {
                Err(Error::File {
                    path,
                    message: format!(
                        "no such file, and neither {WEIGHTS_FILE}.index.json nor {PYTORCH_FILE}; a folder with an encoder's weights is needed"
                    ),
                })
            }
            error => Err(error),
        }
    }

    /// The weights of a model folder in a precision; f32 as [`open`](Self::open) finds them.
    ///
    /// # Errors
    /// No such file, or a damaged one.
    pub fn open_precision(source: &'a ModelSource, precision: Precision) -> Result<Self> {
        let name = precision.file();
        if precision == Precision::F32 {
            return Self::open(source);
        }
        let Some(blob) = source.open(name)? else {
            return Err(Error::file(
                source.describe(name),
                format!("no such file: write it with `innerspan quantize --precision {precision}`"),
            ));
        };
        let file = TensorFile::Safetensors(SafetensorsFile::open(blob)?);
        Self::new(source.describe(name), vec![file])
    }

    /// The safetensors file `name` of `source` alone.
    ///
    /// # Errors
    /// No such file, or a damaged one.
    pub fn open_file(source: &'a ModelSource, name: &str) -> Result<Self> {
        let blob = source.open(name)?.ok_or_else(|| source.missing(name))?;
        Self::new(
            source.describe(name),
            vec![TensorFile::Safetensors(SafetensorsFile::open(blob)?)],
        )
    }

    fn sharded(source: &'a ModelSource, path: &str, bytes: &[u8]) -> Result<Self> {
        let error = |message: String| Error::file(path, message);
        let index: Map<String, Value> = serde_json::from_slice(bytes)
            .map_err(|reason| error(format!("not a JSON object: {reason}")))?;
        let Some(Value::Object(map)) = index.get("weight_map") else {
            return Err(error("no \"weight_map\" object".to_owned()));
        };
        let mut shards = BTreeSet::new();
        for (tensor, file) in map {
            let plain = file.as_str().filter(|file| {
                !file.is_empty() && *file != ".." && !file.contains(['/', '\\', ':', '\0'])
            });
            shards.insert(plain.ok_or_else(|| {
                error(format!("tensor \"{tensor}\" is said to be in {file}, which is no file name"))
            })?);
        }
        let mut files = Vec::with_capacity(shards.len());
        for shard in &shards {
            files.push(TensorFile::open(source, shard)?.ok_or_else(|| source.missing(shard))?);
        }
        let checkpoint = Self::new(path.to_owned(), files)?;
        let held: BTreeSet<_> =
            checkpoint.entries.values().map(|entry| entry.name.as_str()).collect();
        let absent: Vec<_> = map.keys().filter(|name| !held.contains(name.as_str())).collect();
        match absent.first() {
            None => Ok(checkpoint),
            Some(first) => Err(error(format!(
                "{} of the tensors it lists are in none of its files, the first is \"{first}\"",
                absent.len()
            ))),
        }
    }

    fn new(path: String, files: Vec<TensorFile<'a>>) -> Result<Self> {
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        for (number, file) in files.iter().enumerate() {
            for name in file.names() {
                let Some(shape) = file.shape(&name) else { continue };
                let key = canonical(&name);
                if let Some(other) = entries.get(&key) {
                    return Err(Error::file(
                        file.path(),
                        format!(
                            "tensors \"{}\" and \"{name}\" are both \"{key}\"; it is not clear which one to use",
                            other.name
                        ),
                    ));
                }
                entries.insert(key, Entry { name, file: number, shape });
            }
        }
        Ok(Self { path, files, entries })
    }

    /// How messages name it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The [canonical] names of all tensors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// What the files call the tensor.
    pub fn name_in_file(&self, canonical: &str) -> Option<&str> {
        self.entries.get(canonical).map(|entry| entry.name.as_str())
    }

    /// The shape on disk of the tensor with that [canonical] name.
    pub fn shape(&self, canonical: &str) -> Option<&[usize]> {
        self.entries.get(canonical).map(|entry| entry.shape.as_slice())
    }

    /// The values in row-major order of the tensor with that [canonical] name, as f32. Check its
    /// [`shape`](Self::shape) first: they are allocated whole.
    ///
    /// # Errors
    /// An unknown name, elements that are not floating-point, or a read that fails.
    pub fn read(&self, canonical: &str) -> Result<Vec<f32>> {
        let entry = self
            .entries
            .get(canonical)
            .ok_or_else(|| Error::file(&self.path, format!("no tensor \"{canonical}\"")))?;
        match &self.files[entry.file] {
            TensorFile::Safetensors(file) => file.read(&entry.name),
            #[cfg(feature = "native")]
            TensorFile::Pytorch(file) => file.read(&entry.name),
        }
    }
}

/// What is shared with the file that it lies in.
impl Checkpoint<'_> {
    /// The elements of the tensor with that [canonical] name in the mapped file, row-major f32; `None` where they have
    /// to be [`read`](Self::read).
    pub(super) fn shared(&self, canonical: &str) -> Option<Bytes> {
        #[cfg(feature = "native")]
        if let Some(entry) = self.entries.get(canonical)
            && let TensorFile::Safetensors(file) = &self.files[entry.file]
        {
            return file.shared(&entry.name);
        }
        let _ = canonical;
        None
    }
}

impl<'a> TensorFile<'a> {
    /// The file `name`, by its ending; `None` if there is no such file.
    fn open(source: &'a ModelSource, name: &str) -> Result<Option<Self>> {
        let Some(blob) = source.open(name)? else { return Ok(None) };
        if name.ends_with(".safetensors") {
            return SafetensorsFile::open(blob).map(|file| Some(Self::Safetensors(file)));
        }
        #[cfg(feature = "native")]
        if let Some(path) = source.path(name) {
            return super::pytorch::PytorchFile::open(&path).map(|file| Some(Self::Pytorch(file)));
        }
        Err(Error::file(
            source.describe(name),
            "PyTorch checkpoints are read from folders only; convert it to safetensors",
        ))
    }

    fn path(&self) -> &str {
        match self {
            Self::Safetensors(file) => file.path(),
            #[cfg(feature = "native")]
            Self::Pytorch(file) => file.path(),
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Safetensors(file) => file.names(),
            #[cfg(feature = "native")]
            Self::Pytorch(file) => file.names(),
        }
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        match self {
            Self::Safetensors(file) => file.info(name).map(|info| info.shape.clone()),
            #[cfg(feature = "native")]
            Self::Pytorch(file) => file.shape(name).map(<[usize]>::to_vec),
        }
    }
}
