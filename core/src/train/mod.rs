//! Training: from documents to a model folder.

mod batches;
mod card;
mod checkpoint;
mod corpus;
mod gold;
mod init;
mod optimizer;
mod preset;
mod run;
mod schedule;
mod settings;
mod start;
mod vocabulary;
mod word_vectors;

pub use batches::batches;
pub use checkpoint::EpochRecord;
pub use corpus::{fingerprint, fraction};
pub use gold::{Lost, Sample, samples, whole_word_share};
pub use init::seeded;
pub use optimizer::{Optimizer, OptimizerKind, Rates};
pub use preset::Preset;
pub use run::{METRICS_FILE, Outcome, Run, SETTINGS_FILE, train};
pub use settings::{Schedule, TrainSettings};
pub use start::EncoderSource;
pub use vocabulary::learn_vocabulary;
