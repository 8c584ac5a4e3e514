//! Which loss, and which reading of it.

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::error::in_range;

/// The loss by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Multi-label cross-entropy with a threshold class (Global Pointer).
    Zlpr,
    /// β · EIoU + (1-β) · EMC (EIoU-EMC, Eq. 5).
    EiouEmc,
}

/// How a predicted box is read from the scores around a gold entity (EIoU).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxReading {
    /// The expectation of Eq. 3 over candidate spans, weighted by their softmax.
    ExpectedRisk,
    /// Eq. 3 of the expected box.
    SoftBox,
}

/// What EIoU is a mean over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EiouMean {
    /// Gold mentions: each weighs more the more types there are, since zlpr is a mean over types.
    Mentions,
    /// Windows and types, as zlpr is: a mention weighs the same in both.
    Types,
}

/// Which reading of Eq. 4 EMC is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmcReading {
    /// zlpr, plus ω times the ranking term between the entities of different types.
    Anchored,
    /// Eq. 4 with the threshold class: zlpr alone.
    Zlpr,
    /// The threshold class put into both sums of Eq. 4.
    SoftplusZlpr,
    /// Eq. 4 with every other span as a negative and no threshold class (an ablation).
    Literal,
}

/// The loss and its hyper-parameters; those of EIoU-EMC are unused by zlpr.
///
/// The paper gives neither β nor ω. A ranking term of weight 1 pooled over the batch cost 3 F1 on a twentieth of GENIA;
/// a weak one within each sentence costs nothing there (`docs/results.md`), hence the defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LossSettings {
    /// The loss.
    pub kind: LossKind,
    /// β of Eq. 5: the weight of EIoU against EMC.
    pub beta: f64,
    /// Epochs over which β rises from 0 to its value.
    pub beta_warmup: f64,
    /// The reading of EIoU.
    pub boxes: BoxReading,
    /// Temperature of the softmax over candidates.
    pub temperature: f64,
    /// Candidates of EIoU start and end at most this many tokens from the gold span's.
    pub window: usize,
    /// What EIoU is a mean over.
    pub eiou_mean: EiouMean,
    /// The reading of EMC.
    pub emc: EmcReading,
    /// ω: the weight of the ranking term of the anchored reading.
    pub omega: f64,
    /// Whether the ranking term compares entities of the whole batch or of one sentence.
    pub rank_within_sentence: bool,
}

impl Default for LossSettings {
    fn default() -> Self {
        Self {
            kind: LossKind::Zlpr,
            beta: 0.2,
            beta_warmup: 1.0,
            boxes: BoxReading::ExpectedRisk,
            temperature: 1.0,
            window: 5,
            eiou_mean: EiouMean::Mentions,
            emc: EmcReading::Anchored,
            omega: 0.1,
            rank_within_sentence: true,
        }
    }
}

impl LossSettings {
    /// Refuses values that cannot work.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] naming the setting, its value and its range.
    pub fn check(&self) -> Result<()> {
        in_range("beta", self.beta, 0.0, 1.0)?;
        in_range("beta-warmup", self.beta_warmup, 0.0, 1e6)?;
        in_range("temperature", self.temperature, 1e-3, 1e3)?;
        in_range("omega", self.omega, 0.0, 1e3)?;
        in_range("window", self.window as f64, 1.0, 64.0)
    }
}
