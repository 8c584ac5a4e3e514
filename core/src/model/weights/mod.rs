//! Weights on disk: safetensors (one file or several with an index) and `pytorch_model.bin`, read
//! into any module tensor by tensor, and written back as safetensors.

mod atomic;
mod checkpoint;
mod layout;
mod load;
mod precision;
#[cfg(feature = "native")]
mod pytorch;
mod safetensors;
mod save;

use std::collections::BTreeMap;

pub use atomic::write_atomically;
pub use checkpoint::{Checkpoint, WEIGHTS_FILE};
pub use load::{load_into, load_tensors};
pub use precision::Precision;
pub use save::{module_bytes, save_module, save_tensors};

use crate::encoder::EncoderConfig;
use crate::{Error, Result};

/// A tensor in ordinary memory.
#[derive(Debug, Clone, PartialEq)]
pub struct HostTensor {
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// Values in row-major order; as many as the product of `shape`.
    pub values: Vec<f32>,
}

/// Tensors by name.
pub type HostTensors = BTreeMap<String, HostTensor>;

/// Refuses a tokenizer with more tokens than the encoder has embeddings for. `path` is the
/// tokenizer's file, for the message.
///
/// # Errors
/// [`Error::File`] with both numbers.
pub fn check_vocabulary(path: &str, tokens: usize, config: &EncoderConfig) -> Result<()> {
    if tokens <= config.vocab_size {
        return Ok(());
    }
    Err(Error::file(
        path,
        format!(
            "{tokens} tokens, but the encoder's \"vocab_size\" is {}: tokenizer and weights are of different models",
            config.vocab_size
        ),
    ))
}

/// The transpose of a row-major `[rows, columns]` matrix.
fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const TILE: usize = 16;
    let mut out = vec![0.0; values.len()];
    for row_tile in (0..rows).step_by(TILE) {
        for column_tile in (0..columns).step_by(TILE) {
            for row in row_tile..(row_tile + TILE).min(rows) {
                for column in column_tile..(column_tile + TILE).min(columns) {
                    out[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
