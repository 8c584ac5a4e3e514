//! How weights are stored.

use std::fmt;
use std::str::FromStr;

use burn::tensor::f16;
use safetensors::Dtype;

use super::WEIGHTS_FILE;
use crate::Error;

/// How a model folder's weights are stored; each precision has a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Four bytes a number, exact.
    #[default]
    F32,
    /// Two bytes a number.
    F16,
    /// One byte a number in matrices (linear maps and embeddings), with one f32 scale a row of `[out, in]`: symmetric,
    /// per channel. Vectors stay f32.
    Q8,
}

impl Precision {
    /// The file that holds such weights.
    pub fn file(self) -> &'static str {
        match self {
            Self::F32 => WEIGHTS_FILE,
            Self::F16 => "model.f16.safetensors",
            Self::Q8 => "model.q8.safetensors",
        }
    }

    /// What a tensor of `shape` is stored as.
    pub(super) fn dtype(self, shape: &[usize]) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::Q8 if shape.len() == 2 => Dtype::I8,
            Self::Q8 => Dtype::F32,
        }
    }
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            "q8" => Ok(Self::Q8),
            _ => {
                Err(Error::Setting(format!("precision \"{name}\" is unknown: use f32, f16 or q8")))
            }
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Q8 => "q8",
        })
    }
}

/// The name of the scales of a matrix of bytes.
pub(super) fn scale_name(tensor: &str) -> String {
    format!("{tensor}.scale")
}

/// The little-endian bytes of `values` as `dtype`; those of a row of `columns` bytes are `value / scale`, rounded, and
/// all scales follow them.
///
/// # Errors
/// A value that the type cannot hold, in words.
pub(super) fn encode(values: &[f32], dtype: Dtype, columns: usize) -> Result<Vec<u8>, String> {
    match dtype {
        Dtype::F16 => values
            .iter()
            .map(|&value| match f16::from_f32(value) {
                half if half.is_infinite() && value.is_finite() => {
                    Err(format!("{value} is too large for f16; save it as f32"))
                }
                half => Ok(half.to_le_bytes()),
            })
            .collect::<Result<Vec<_>, _>>()
            .map(|halves| halves.concat()),
        Dtype::I8 => {
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(format!("{value} has no place in q8; save it as f32"));
            }
            let mut bytes = Vec::with_capacity(values.len());
            let mut scales = Vec::new();
            for row in values.chunks(columns.max(1)) {
                let largest = row.iter().fold(0f32, |largest, value| largest.max(value.abs()));
                let scale = largest / 127.0;
                let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
                bytes.extend(row.iter().map(|value| (value * inverse).round() as i8 as u8));
                scales.extend(scale.to_le_bytes());
            }
            bytes.extend(scales);
            Ok(bytes)
        }
        _ => Ok(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_row_of_bytes_spans_minus_127_to_127_of_its_scale() {
        // scales 2.54 / 127 = 0.02 and, for a row of zeros, 0
        let bytes = encode(&[2.54, -1.0, 0.031, 0.0, 0.0, 0.0], Dtype::I8, 3).unwrap();
        assert_eq!(bytes[..6], [127, -50i8 as u8, 2, 0, 0, 0]);
        assert_eq!(bytes[6..10], (2.54f32 / 127.0).to_le_bytes());
        assert_eq!(bytes[10..], 0f32.to_le_bytes());
    }

    #[test]
    fn what_a_type_cannot_hold_is_refused() {
        assert!(encode(&[70_000.0], Dtype::F16, 1).unwrap_err().contains("70000"));
        assert!(encode(&[f32::NAN], Dtype::I8, 1).unwrap_err().contains("NaN"));
    }

    #[test]
    fn precisions_read_as_they_are_written() {
        for precision in [Precision::F32, Precision::F16, Precision::Q8] {
            assert_eq!(precision.to_string().parse::<Precision>().unwrap(), precision);
        }
        assert!("int8".parse::<Precision>().unwrap_err().to_string().contains("f32, f16 or q8"));
    }
}
