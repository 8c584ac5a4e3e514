//! One safetensors file: its header is checked against the file's size before anything is read.

use std::collections::BTreeSet;

#[cfg(feature = "native")]
use burn::tensor::{AllocationProperty, Bytes};
use burn::tensor::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::precision::scale_name;
use crate::model::source::Blob;
use crate::{Error, Result};

/// The longest header; the format's own limit.
const MAX_HEADER: u64 = 100_000_000;

/// An open safetensors file.
#[derive(Debug)]
pub(super) struct SafetensorsFile<'a> {
    blob: Blob<'a>,
    metadata: Metadata,
    data_start: u64,
    #[cfg(feature = "native")]
    map: std::sync::OnceLock<Option<bytes::Bytes>>,
}

impl<'a> SafetensorsFile<'a> {
    /// Reads and checks the header.
    pub(super) fn open(blob: Blob<'a>) -> Result<Self> {
        let error = |message: String| Error::file(blob.path(), message);
        let size = blob.len();
        if size < 8 {
            return Err(error(format!("truncated: {size} bytes are no safetensors file")));
        }
        let mut start = [0; 8];
        blob.read_range(0, 8, |bytes| start.copy_from_slice(bytes))?;
        if &start == b"version " {
            return Err(error("a Git LFS pointer, not the weights; run `git lfs pull`".to_owned()));
        }
        let header = u64::from_le_bytes(start);
        if header > MAX_HEADER || header > size - 8 {
            return Err(error(format!(
                "not a safetensors file, or truncated: it announces a header of {header} bytes and has {size} bytes in all"
            )));
        }
        let mut json = Vec::with_capacity(header as usize);
        blob.read_range(8, 8 + header, |bytes| json.extend_from_slice(bytes))?;
        let metadata: Metadata = serde_json::from_slice(&json)
            .map_err(|reason| error(format!("damaged safetensors header: {reason}")))?;
        let data = metadata.data_len() as u64;
        let data_start = 8 + header;
        if data != size - data_start {
            return Err(error(format!(
                "{}: its tensors take {data} bytes, and {} follow the header; download it again",
                if data > size - data_start { "truncated" } else { "damaged" },
                size - data_start
            )));
        }
        Ok(Self {
            blob,
            metadata,
            data_start,
            #[cfg(feature = "native")]
            map: std::sync::OnceLock::new(),
        })
    }

    pub(super) fn path(&self) -> &str {
        self.blob.path()
    }

    /// All tensors but the scales of others.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = self.metadata.offset_keys();
        let is_bytes = |name: &String| self.info(name).is_some_and(|info| info.dtype == Dtype::I8);
        let scales: BTreeSet<String> =
            names.iter().filter(|name| is_bytes(name)).map(|name| scale_name(name)).collect();
        names.retain(|name| !scales.contains(name));
        names
    }

    pub(super) fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.metadata.info(name)
    }

    /// The values of the tensor, as f32.
    pub(super) fn read(&self, name: &str) -> Result<Vec<f32>> {
        let info = self
            .info(name)
            .ok_or_else(|| Error::file(self.path(), format!("no tensor \"{name}\"")))?;
        let convert = converter(info.dtype).ok_or_else(|| {
            Error::file(
                self.path(),
                format!(
                    "tensor \"{name}\" has elements of type {:?}; F32, F16, BF16, F64, or I8 with scales is needed",
                    info.dtype
                ),
            )
        })?;
        let (start, end) = info.data_offsets;
        let mut values = Vec::new();
        values.reserve_exact((end - start) / (info.dtype.bitsize() / 8));
        let (start, end) = (self.data_start + start as u64, self.data_start + end as u64);
        self.blob.read_range(start, end, |bytes| convert(bytes, &mut values))?;
        if info.dtype == Dtype::I8 {
            self.scale(name, &info.shape, &mut values)?;
        }
        Ok(values)
    }

    /// The elements of the tensor where they lie in the mapped file; `None` if they are no f32 of this machine's, or the
    /// file is not mapped.
    #[cfg(feature = "native")]
    pub(super) fn shared(&self, name: &str) -> Option<Bytes> {
        let info = self.info(name).filter(|info| info.dtype == Dtype::F32)?;
        let map = self.map.get_or_init(|| self.blob.map()).as_ref()?;
        let start = self.data_start as usize;
        let (first, end) = (start + info.data_offsets.0, start + info.data_offsets.1);
        // the file may have changed since its header was checked
        let aligned = map.get(first..end)?.as_ptr().cast::<f32>().is_aligned();
        (aligned && cfg!(target_endian = "little"))
            .then(|| Bytes::from_shared(map.slice(first..end), AllocationProperty::File))
    }

    /// Multiplies each row of the matrix `name` by its scale.
    fn scale(&self, name: &str, shape: &[usize], values: &mut [f32]) -> Result<()> {
        let scales_name = scale_name(name);
        let [rows, columns] = shape[..] else {
            let message = format!("tensor \"{name}\" holds bytes and is no matrix");
            return Err(Error::file(self.path(), message));
        };
        let fits = |info: &TensorInfo| info.dtype == Dtype::F32 && info.shape == [rows];
        if !self.info(&scales_name).is_some_and(fits) {
            let message =
                format!("tensor \"{name}\" needs a tensor \"{scales_name}\", F32 [{rows}]");
            return Err(Error::file(self.path(), message));
        }
        let scales = self.read(&scales_name)?;
        for (row, scale) in values.chunks_mut(columns.max(1)).zip(scales) {
            row.iter_mut().for_each(|value| *value *= scale);
        }
        Ok(())
    }
}

/// Appends little-endian elements as f32.
type Converter = fn(&[u8], &mut Vec<f32>);

fn converter(dtype: Dtype) -> Option<Converter> {
    fn each<const N: usize>(bytes: &[u8], out: &mut Vec<f32>, value: fn([u8; N]) -> f32) {
        out.extend(bytes.as_chunks::<N>().0.iter().map(|&chunk| value(chunk)));
    }
    Some(match dtype {
        Dtype::F32 => |bytes, out| each(bytes, out, f32::from_le_bytes),
        Dtype::F16 => |bytes, out| each(bytes, out, |chunk| f16::from_le_bytes(chunk).to_f32()),
        Dtype::BF16 => |bytes, out| each(bytes, out, |chunk| bf16::from_le_bytes(chunk).to_f32()),
        Dtype::F64 => |bytes, out| each(bytes, out, |chunk| f64::from_le_bytes(chunk) as f32),
        Dtype::I8 => |bytes, out| out.extend(bytes.iter().map(|&byte| f32::from(byte as i8))),
        _ => return None,
    })
}
