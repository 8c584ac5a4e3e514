//! Meta (§4.6 of Verma et al.): a classifier that reads each candidate in its sentence and throws out what it takes
//! for a mistake. It can only raise precision.

mod classifier;
mod examples;
mod filter;
mod network;
mod prompt;
mod settings;
mod train;

pub use classifier::{Classifier, ClassifierConfig, MetaFacts, PromptSettings};
pub use filter::Filter;
pub use settings::MetaSettings;
pub use train::{MetaRun, train_classifier};

#[cfg(test)]
mod tests;
