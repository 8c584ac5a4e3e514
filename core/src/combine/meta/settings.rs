//! How a classifier is trained.

use serde::{Deserialize, Serialize};

use super::classifier::SHORTEST;
use crate::error::in_range;
use crate::{Error, Result};

/// The settings of a classifier's training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MetaSettings {
    /// Most passes over the examples.
    pub epochs: usize,
    /// Candidates per optimiser step.
    pub batch_size: usize,
    /// Learning rate of the encoder.
    pub lr: f64,
    /// Learning rate of the pooler and the classifier.
    pub head_lr: f64,
    /// Epochs without a better accuracy on what is held out after which training stops; 0 for never.
    pub patience: usize,
    /// Longest row in word pieces, special tokens and markers included (bounded by the encoder's own limit).
    pub max_length: usize,
    /// Seeds weights, split, shuffling and dropout.
    pub seed: u64,
}

impl Default for MetaSettings {
    /// As published (§4.6 and §4.8 of Verma et al., and their code), but for the learning rates, which are for small
    /// encoders: they take 1e-5 for all of a large one.
    fn default() -> Self {
        Self {
            epochs: 15,
            batch_size: 8,
            lr: 5e-5,
            head_lr: 5e-4,
            patience: 5,
            max_length: 192,
            seed: 1,
        }
    }
}

impl MetaSettings {
    /// Refuses values that cannot work.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first such setting, its value and its range.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [("epochs", self.epochs), ("batch-size", self.batch_size)] {
            if value == 0 {
                return Err(Error::Setting(format!("{name} is 0: give at least 1")));
            }
        }
        if self.max_length < SHORTEST {
            return Err(Error::Setting(format!(
                "max-length is {}: give at least {SHORTEST}",
                self.max_length
            )));
        }
        in_range("lr", self.lr, 0.0, 1.0)?;
        in_range("head-lr", self.head_lr, 0.0, 1.0)
    }
}
