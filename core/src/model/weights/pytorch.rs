//! One `pytorch_model.bin`. Nothing in it is executed: the reader knows tensors and dictionaries
//! only.

use std::path::Path;

use burn::store::pytorch_reader::{DType, PytorchReader, Tensor};
use burn::tensor::{bf16, f16};

use crate::{Error, Result};

/// An open PyTorch checkpoint.
#[derive(Debug)]
pub(super) struct PytorchFile {
    path: String,
    reader: PytorchReader,
}

impl PytorchFile {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let reader = PytorchReader::new(path).map_err(|error| {
            Error::file(path, format!("not a PyTorch checkpoint, or damaged: {error}"))
        })?;
        Ok(Self { path: path.display().to_string(), reader })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.reader.keys()
    }

    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.reader.get(name).map(Tensor::shape)
    }

    /// The values of the tensor, as f32. Its size must have been checked: a PyTorch tensor can be
    /// larger than the file.
    pub(super) fn read(&self, name: &str) -> Result<Vec<f32>> {
        let error = |message: String| Error::file(&self.path, message);
        let tensor = self.reader.get(name).ok_or_else(|| error(format!("no tensor \"{name}\"")))?;
        let convert = converter(tensor.dtype()).ok_or_else(|| {
            error(format!(
                "tensor \"{name}\" has elements of type {:?}; F32, F16, BF16 or F64 is needed",
                tensor.dtype()
            ))
        })?;
        let bytes = tensor.read().map_err(|reason| error(reason.to_string()))?;
        Ok(convert(&bytes))
    }
}

/// From the bytes of a tensor to its values.
type Converter = fn(&[u8]) -> Vec<f32>;

/// Turns native-endian elements into f32.
fn converter(dtype: DType) -> Option<Converter> {
    fn each<const N: usize>(bytes: &[u8], value: fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks::<N>().0.iter().map(|&chunk| value(chunk)).collect()
    }
    Some(match dtype {
        DType::F32 => |bytes| each(bytes, f32::from_ne_bytes),
        DType::F16 => |bytes| each(bytes, |chunk| f16::from_ne_bytes(chunk).to_f32()),
        DType::BF16 => |bytes| each(bytes, |chunk| bf16::from_ne_bytes(chunk).to_f32()),
        DType::F64 => |bytes| each(bytes, |chunk| f64::from_ne_bytes(chunk) as f32),
        _ => return None,
    })
}
