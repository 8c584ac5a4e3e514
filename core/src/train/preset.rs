//! Published systems as settings.

use std::fmt;
use std::str::FromStr;

use super::optimizer::OptimizerKind;
use super::settings::{Schedule, TrainSettings};
use crate::head::{HeadKind, TwoStageSettings};
use crate::loss::{LossKind, LossSettings};

/// A system of the literature by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Global Pointer as its author trains it.
    GlobalPointer,
    /// EIoU-EMC, whose paper gives no learning rate, batch or length of training: Global Pointer's.
    EiouEmc,
    /// Locate and Label (Shen et al., 2021): seeds that are filtered, moved and classified.
    LocateAndLabel,
    /// SEQ (Verma et al., 2023): a tag for each token.
    Seq,
    /// SeqCRF (Verma et al., 2023): SEQ under a conditional random field.
    SeqCrf,
    /// SpanPred (Verma et al., 2023): a class for each span.
    SpanPred,
    /// What this project recommends: its defaults with the loss EIoU-EMC, which was nowhere behind zlpr and ahead of it on
    /// the smallest and most long-tailed data (`docs/results.md`).
    Best,
}

impl Preset {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 7] = [
        Self::GlobalPointer,
        Self::EiouEmc,
        Self::LocateAndLabel,
        Self::Seq,
        Self::SeqCrf,
        Self::SpanPred,
        Self::Best,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::GlobalPointer => "global-pointer",
            Self::EiouEmc => "eiou-emc",
            Self::LocateAndLabel => "locate-and-label",
            Self::Seq => "seq",
            Self::SeqCrf => "seq-crf",
            Self::SpanPred => "span-pred",
            Self::Best => "best",
        }
    }

    /// One line about it.
    pub fn summary(self) -> &'static str {
        match self {
            Self::GlobalPointer => "Global Pointer with zlpr, as its author trains it",
            Self::EiouEmc => "EIoU-EMC: Global Pointer with a loss for boundaries and rare types",
            Self::LocateAndLabel => "Locate and Label: seed spans are filtered, moved, classified",
            Self::Seq => "SEQ of Verma et al.: a BIO tag for each token; flat entities only",
            Self::SeqCrf => "SeqCRF of Verma et al.: the same under a conditional random field",
            Self::SpanPred => "SpanPred of Verma et al.: a class for each span of up to 32 tokens",
            Self::Best => "what this project recommends: its defaults, with the loss of EIoU-EMC",
        }
    }

    /// Its settings; where the source is silent, the defaults.
    pub fn settings(self) -> TrainSettings {
        match self {
            // Su et al., github.com/bojone/GlobalPointer: Adam at 2e-5 throughout
            Self::GlobalPointer => TrainSettings {
                head: HeadKind::GlobalPointer,
                head_size: 64,
                epochs: 10,
                batch_size: 16,
                optimizer: OptimizerKind::AdamW,
                lr: 2e-5,
                head_lr: 2e-5,
                weight_decay: 0.0,
                warmup: 0.0,
                schedule: Schedule::Constant,
                clip: 0.0,
                max_length: 256,
                ..TrainSettings::default()
            },
            Self::EiouEmc => TrainSettings {
                loss: LossSettings { kind: LossKind::EiouEmc, ..LossSettings::default() },
                ..Self::GlobalPointer.settings()
            },
            // Table 6 of the paper, for ACE 2005; with word vectors only where a file is given
            Self::LocateAndLabel => TrainSettings {
                head: HeadKind::TwoStage,
                two_stage: TwoStageSettings {
                    bilstm: true,
                    char_size: 50,
                    context: 64,
                    ..TwoStageSettings::default()
                },
                epochs: 35,
                batch_size: 8,
                optimizer: OptimizerKind::AdamW,
                lr: 3e-5,
                head_lr: 3e-5,
                weight_decay: 0.01,
                warmup: 0.1,
                schedule: Schedule::Linear,
                clip: 1.0,
                ..TrainSettings::default()
            },
            // §5 of the paper: Adafactor at 1e-5, batches of 4, stopped after 5 epochs without gain. The transitions
            // keep a rate of their own, because at 1e-5 they would hardly leave where they start.
            Self::Seq => TrainSettings {
                head: HeadKind::Tagger,
                epochs: 20,
                batch_size: 4,
                optimizer: OptimizerKind::Adafactor,
                lr: 1e-5,
                head_lr: 1e-5,
                weight_decay: 0.0,
                warmup: 0.0,
                schedule: Schedule::Constant,
                clip: 0.0,
                max_length: 512,
                patience: 5,
                ..TrainSettings::default()
            },
            Self::SeqCrf => {
                TrainSettings { head: HeadKind::Crf, epochs: 25, ..Self::Seq.settings() }
            }
            Self::SpanPred => TrainSettings {
                head: HeadKind::SpanClassifier,
                span_width: 32,
                ..Self::Seq.settings()
            },
            Self::Best => TrainSettings {
                loss: LossSettings { kind: LossKind::EiouEmc, ..LossSettings::default() },
                ..TrainSettings::default()
            },
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|preset| preset.name()).collect();
            format!("'{name}' is no preset; known are {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_found_by_its_name_and_can_be_trained() {
        for preset in Preset::ALL {
            assert_eq!(preset.name().parse(), Ok(preset));
            assert!(preset.settings().check().is_ok(), "{preset}");
        }
        assert!("pointer".parse::<Preset>().is_err_and(|message| message.contains("eiou-emc")));
    }
}
