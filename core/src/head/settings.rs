//! Which head, and how large.

use serde::{Deserialize, Serialize};

use burn::tensor::Device;

use super::{Crf, EfficientGlobalPointer, GlobalPointer, Head, SpanClassifier, Tagger};

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
}

impl HeadSettings {
    /// What cannot be, in words.
    ///
    /// # Errors
    /// A size or width out of its range.
    pub fn check(&self) -> Result<(), String> {
        match *self {
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
    pub fn threshold(self) -> f32 {
        if self.scores_spans() { 0.5 } else { 0.0 }
    }
}
