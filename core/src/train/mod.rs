//! Training: from documents to a model folder.

mod batches;
mod card;
mod checkpoint;
mod gold;
mod hash;
mod init;
mod optimizer;
mod run;
mod schedule;
mod settings;
mod start;
mod vocabulary;

pub(crate) use crate::error::in_range;
pub use batches::batches;
pub use checkpoint::EpochRecord;
pub use gold::{Lost, Sample, samples, whole_word_share};
pub use init::seeded;
pub use optimizer::{AdamW, Rates};
pub use run::{METRICS_FILE, Outcome, Run, SETTINGS_FILE, train};
pub use settings::{Schedule, TrainSettings};
pub use start::EncoderSource;
pub use vocabulary::learn_vocabulary;
