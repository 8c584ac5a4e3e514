//! A model: an encoder with a head, the text handling around it, and the folder that holds both.

mod batch;
mod extraction;
mod folder;
mod ner;
mod passes;
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
#[cfg(feature = "train")]
pub(crate) use ner::device_of;
pub use pipeline::{Pipeline, Prepared};
pub(crate) use {
    extraction::{Ending, Judging},
    folder::{KEY, own_config, read_json, write_text},
    passes::Passes,
};
