//! Which head, and how large.

use serde::{Deserialize, Serialize};

use burn::tensor::Device;

use super::{
    Crf, EfficientGlobalPointer, GlobalPointer, Head, SpanClassifier, Tagger, TwoStage,
    TwoStageSettings,
};

/// The heads by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// One query and key per type (Global Pointer).
    GlobalPointer,
    /// One query and key for all types, plus a bias per type (Efficient Global Pointer).
    EfficientGlobalPointer,
    /// One BIO tag per token (SEQ).
    Tagger,
    /// BIO tags under a linear-chain conditional random field (SeqCRF).
    Crf,
    /// One class per span up to some width (SpanPred).
    SpanClassifier,
    /// Spans of words that are filtered, moved and classified (Locate and Label).
    TwoStage,
}

/// A head and what its weights depend on, as `config.json` holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum HeadSettings {
    /// See [`HeadKind::GlobalPointer`].
    GlobalPointer {
        /// Width of the queries and keys.
        size: usize,
    },
    /// See [`HeadKind::EfficientGlobalPointer`].
    EfficientGlobalPointer {
        /// Width of the query and key.
        size: usize,
    },
    /// See [`HeadKind::Tagger`].
    Tagger,
    /// See [`HeadKind::Crf`].
    Crf {
        /// Whether decoding follows valid sequences of tags only.
        constrained: bool,
    },
    /// See [`HeadKind::SpanClassifier`].
    SpanClassifier {
        /// Tokens of the widest span.
        width: usize,
    },
    /// See [`HeadKind::TwoStage`].
    TwoStage(TwoStageSettings),
}

impl HeadSettings {
    /// The head's settings, if it reads the letters of words.
    pub fn reads_words(&self) -> Option<&TwoStageSettings> {
        match self {
            Self::TwoStage(settings) if settings.reads_words() => Some(settings),
            _ => None,
        }
    }

    /// Word pieces of neighbouring documents that are read on either side.
    pub fn context(&self) -> usize {
        match self {
            Self::TwoStage(settings) => settings.context,
            _ => 0,
        }
    }

    /// What cannot be, in words.
    ///
    /// # Errors
    /// A size or width out of its range.
    pub fn check(&self) -> Result<(), String> {
        match *self {
            Self::TwoStage(ref settings) => return settings.check(),
            Self::GlobalPointer { size } | Self::EfficientGlobalPointer { size } => {
                if size == 0 || size > 4096 || !size.is_multiple_of(2) {
                    return Err(format!("a head of size {size}; it is even and at most 4096"));
                }
            }
            Self::SpanClassifier { width } => {
                if width == 0 || width > 512 {
                    return Err(format!("spans of up to {width} tokens; 1 to 512 make sense"));
                }
            }
            Self::Tagger | Self::Crf { .. } => {}
        }
        Ok(())
    }

    /// A head with fresh weights for `types` entity types, over hidden states of width `hidden`.
    pub fn init(&self, hidden: usize, types: usize, device: &Device) -> Head {
        match *self {
            Self::GlobalPointer { size } => {
                Head::GlobalPointer(GlobalPointer::new(hidden, types, size, device))
            }
            Self::EfficientGlobalPointer { size } => Head::EfficientGlobalPointer(
                EfficientGlobalPointer::new(hidden, types, size, device),
            ),
            Self::Tagger => Head::Tagger(Tagger::new(hidden, types, device)),
            Self::Crf { constrained } => Head::Crf(Crf::new(hidden, types, constrained, device)),
            Self::SpanClassifier { width } => {
                Head::SpanClassifier(SpanClassifier::new(hidden, types, width, device))
            }
            Self::TwoStage(ref settings) => {
                Head::TwoStage(TwoStage::new(hidden, types, settings, device))
            }
        }
    }
}

impl HeadKind {
    /// Whether it scores every span for every type on its own, so that a loss can be chosen and a probability of one
    /// half is the natural threshold. The others choose among alternatives, and their choice stands.
    pub fn scores_spans(self) -> bool {
        matches!(self, Self::GlobalPointer | Self::EfficientGlobalPointer)
    }

    /// The probability that an entity exceeds where nobody says another.
    ///
    /// Partial matches count little in the losses of the two-stage head, which is therefore sure of them too soon: on a
    /// twentieth of GENIA its best threshold is 0.85, and one half costs it 2 F1.
    pub fn threshold(self) -> f32 {
        match self {
            Self::GlobalPointer | Self::EfficientGlobalPointer => 0.5,
            Self::TwoStage => 0.8,
            _ => 0.0,
        }
    }
}
