//! Training: from documents to a model folder.

mod settings;

pub(crate) use settings::in_range;
pub use settings::{Schedule, TrainSettings};
