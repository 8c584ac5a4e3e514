//! Meta (§4.6 of Verma et al.): a classifier that reads each candidate in its sentence and throws out what it takes
//! for a mistake. It can only raise precision.

mod classifier;
#[cfg(feature = "train")]
mod examples;
mod filter;
mod network;
mod prompt;
#[cfg(feature = "train")]
mod settings;
#[cfg(feature = "train")]
mod train;

pub use classifier::{Classifier, ClassifierConfig, MetaFacts, PromptSettings};
pub use filter::Filter;
#[cfg(feature = "train")]
pub use settings::MetaSettings;
#[cfg(feature = "train")]
pub use train::{MetaRun, train_classifier};

#[cfg(test)]
mod tests;
