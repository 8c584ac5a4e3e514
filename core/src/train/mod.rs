//! Training: from documents to a model folder.

mod batches;
mod card;
mod checkpoint;
mod gold;
mod init;
mod optimizer;
mod run;
mod schedule;
mod settings;
mod start;
mod vocabulary;

pub use batches::batches;
pub use checkpoint::EpochRecord;
pub use gold::{Lost, Sample, samples, whole_word_share};
pub use init::seeded;
pub use optimizer::{AdamW, Rates};
pub use run::{METRICS_FILE, Outcome, Run, SETTINGS_FILE, train};
pub(crate) use settings::in_range;
pub use settings::{Schedule, TrainSettings};
pub use start::EncoderSource;
pub use vocabulary::learn_vocabulary;

/// Two numbers as one seed (the finaliser of SplitMix64).
fn mix(a: u64, b: u64) -> u64 {
    let mut x = a.wrapping_add(b.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
