//! Everything that decides how a model is trained; what `train` writes beside the model and a TOML file may hold.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::optimizer::OptimizerKind;
use crate::error::in_range;
use crate::head::{HeadKind, HeadSettings, TwoStageSettings};
use crate::loss::{LossKind, LossSettings};
use crate::{Error, Result};

/// The settings of a training run. Defaults suit fine-tuning a pretrained encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrainSettings {
    /// What makes entities of hidden states.
    pub head: HeadKind,
    /// Width of the query and key vectors of a pointer head (Global Pointer: 64).
    pub head_size: usize,
    /// Tokens of the widest span of a span classifier (Verma et al.: 32).
    pub span_width: usize,
    /// Whether a CRF decodes valid sequences of tags only.
    pub constrained: bool,
    /// What a head that scores spans minimises; the others have one loss each.
    pub loss: LossSettings,
    /// Of the two-stage head.
    pub two_stage: TwoStageSettings,
    /// A file of static word vectors for the two-stage head, as GloVe and word2vec write it in text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word_vectors: Option<PathBuf>,
    /// Passes over the training data.
    pub epochs: usize,
    /// Optimiser steps after which training ends, however many epochs are left; 0 for no such end.
    pub max_steps: usize,
    /// Windows per forward pass.
    pub batch_size: usize,
    /// Forward passes per optimiser step.
    pub accumulate: usize,
    /// How parameters follow their gradients.
    pub optimizer: OptimizerKind,
    /// Learning rate of the encoder.
    pub lr: f64,
    /// Learning rate of the head.
    pub head_lr: f64,
    /// Learning rate of the transitions of a CRF.
    pub transition_lr: f64,
    /// Decoupled weight decay; never on biases and LayerNorm.
    pub weight_decay: f64,
    /// Share of all optimiser steps in which the learning rate rises from 0.
    pub warmup: f64,
    /// What the learning rate does after the warm-up.
    pub schedule: Schedule,
    /// Largest L2 norm of the gradient over all parameters; 0 for no clipping.
    pub clip: f64,
    /// Dropout of the encoder; absent: as its `config.json` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// Longest window in word pieces, special tokens included (bounded by the encoder's own limit).
    pub max_length: usize,
    /// Word pieces that neighbouring windows of a long sentence share.
    pub stride: usize,
    /// The model is evaluated after every so many epochs, and after the last.
    pub eval_every: usize,
    /// Epochs without a better dev strict F1 after which training stops; 0 for never.
    pub patience: usize,
    /// Whether the dev predictions of every evaluated epoch are kept, which a combiner learns from.
    pub keep_predictions: bool,
    /// Share of the training sentences that is used, evenly spaced, the first included.
    pub train_fraction: f64,
    /// Seeds weights, shuffling and dropout.
    pub seed: u64,
    /// The probability that an entity exceeds; absent: one half for pointers, 0.8 for two-stage, 0 where
    /// the head chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
}

/// What the learning rate does after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Falls linearly to 0 at the last step.
    Linear,
    /// Stays.
    Constant,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            head: HeadKind::GlobalPointer,
            head_size: 64,
            span_width: 32,
            constrained: false,
            loss: LossSettings::default(),
            two_stage: TwoStageSettings::default(),
            word_vectors: None,
            epochs: 15,
            max_steps: 0,
            batch_size: 16,
            accumulate: 1,
            optimizer: OptimizerKind::AdamW,
            lr: 1e-4,
            head_lr: 1e-3,
            transition_lr: 1e-3,
            weight_decay: 0.01,
            warmup: 0.1,
            schedule: Schedule::Linear,
            clip: 1.0,
            dropout: None,
            max_length: 256,
            stride: 64,
            eval_every: 1,
            patience: 0,
            keep_predictions: false,
            train_fraction: 1.0,
            seed: 1,
            threshold: None,
        }
    }
}

impl TrainSettings {
    /// The head and what its weights depend on.
    pub fn head(&self) -> HeadSettings {
        match self.head {
            HeadKind::GlobalPointer => HeadSettings::GlobalPointer { size: self.head_size },
            HeadKind::EfficientGlobalPointer => {
                HeadSettings::EfficientGlobalPointer { size: self.head_size }
            }
            HeadKind::Tagger => HeadSettings::Tagger,
            HeadKind::Crf => HeadSettings::Crf { constrained: self.constrained },
            HeadKind::SpanClassifier => HeadSettings::SpanClassifier { width: self.span_width },
            HeadKind::TwoStage => HeadSettings::TwoStage(self.two_stage.clone()),
        }
    }

    /// Refuses values that cannot work.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first such setting, its value and its range.
    pub fn check(&self) -> Result<()> {
        let at_least_one = [
            ("head-size", self.head_size),
            ("epochs", self.epochs),
            ("batch-size", self.batch_size),
            ("accumulate", self.accumulate),
            ("eval-every", self.eval_every),
        ];
        for (name, value) in at_least_one {
            if value == 0 {
                return Err(Error::Setting(format!("{name} is 0: give at least 1")));
            }
        }
        if !self.head_size.is_multiple_of(2) {
            return Err(Error::Setting(format!(
                "head-size is {}: rotary position embeddings need an even number",
                self.head_size
            )));
        }
        if self.max_length < 8 {
            return Err(Error::Setting(format!(
                "max-length is {}: give at least 8",
                self.max_length
            )));
        }
        if self.stride >= self.max_length / 2 {
            return Err(Error::Setting(format!(
                "stride is {}: windows of {} word pieces can share at most {}",
                self.stride,
                self.max_length,
                self.max_length / 2 - 1
            )));
        }
        in_range("lr", self.lr, 0.0, 1.0)?;
        in_range("head-lr", self.head_lr, 0.0, 1.0)?;
        in_range("weight-decay", self.weight_decay, 0.0, 1.0)?;
        in_range("warmup", self.warmup, 0.0, 1.0)?;
        in_range("clip", self.clip, 0.0, f64::MAX)?;
        in_range("transition-lr", self.transition_lr, 0.0, 1.0)?;
        if let Some(threshold) = self.threshold {
            in_range("threshold", f64::from(threshold), 0.0, 1.0)?;
        }
        self.head().check().map_err(Error::Setting)?;
        if self.loss.kind == LossKind::EiouEmc && !self.head.scores_spans() {
            return Err(Error::Setting(
                "the loss eiou-emc needs a head that scores every span: global-pointer or efficient-global-pointer"
                    .into(),
            ));
        }
        if let Some(dropout) = self.dropout {
            in_range("dropout", dropout, 0.0, 0.99)?;
        }
        in_range("train-fraction", self.train_fraction, f64::MIN_POSITIVE, 1.0)?;
        self.two_stage.check().map_err(Error::Setting)?;
        if self.two_stage.word_list.is_some() {
            return Err(Error::Setting(
                "word-list is what training finds out: name a file with word-vectors".into(),
            ));
        }
        if self.word_vectors.is_some() && self.head != HeadKind::TwoStage {
            return Err(Error::Setting("word-vectors are for the head two-stage".into()));
        }
        self.loss.check()
    }
}
