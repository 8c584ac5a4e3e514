//! A model: an encoder with a head, the text handling around it, and the folder that holds both.

mod batch;
mod extraction;
mod folder;
mod ner;
mod pipeline;
pub mod source;
pub mod weights;

pub use batch::{Batch, Layout, Row};
pub use extraction::Extraction;
pub use folder::{
    DecodeSettings, FORMAT_VERSION, ModelConfig, ModelFolder, TOKENIZER_FILE, TrainingFacts,
    WindowSettings, read_tokenizer,
};
pub use ner::NerModel;
pub use pipeline::{Pipeline, Prepared};
#[cfg(feature = "train")]
pub(crate) use {folder::write_text, ner::device_of};
