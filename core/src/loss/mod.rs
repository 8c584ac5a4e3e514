//! What training minimises: one file a loss. zlpr and EIoU-EMC are for heads that score spans, the others for the head
//! that they are named after.

mod crf;
mod cross_entropy;
mod eiou;
mod emc;
mod focal;
mod lse;
mod overlap;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod zlpr;

use burn::tensor::Tensor;

pub use crf::{Transitions, crf_loss};
pub use cross_entropy::{span_cross_entropy, token_cross_entropy};
pub use eiou::{Interval, box_distance, eiou};
pub use emc::{emc, ranking};
pub use focal::{binary_focal, focal_cross_entropy};
pub use overlap::{overlap, smooth_l1};
pub use settings::{BoxReading, EiouMean, EmcReading, LossKind, LossSettings};
pub use target::{Mention, Target};
pub use zlpr::zlpr;

/// Where a run stands when a loss is computed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moment {
    /// Epochs done, with fraction; drives the warm-up of β.
    pub epoch: f64,
    /// For what a loss draws at random; another one for every step.
    pub seed: u64,
}

impl LossSettings {
    /// The loss of a batch, `[1]`, from masked scores `[batch, types, tokens, tokens]`.
    pub fn of(&self, scores: Tensor<4>, target: &Target, moment: Moment) -> Tensor<1> {
        match self.kind {
            LossKind::Zlpr => zlpr(scores, target),
            LossKind::EiouEmc => {
                let beta = self.beta * (moment.epoch / self.beta_warmup).clamp(0.0, 1.0);
                let beta = if self.beta_warmup == 0.0 { self.beta } else { beta };
                let emc = emc(scores.clone(), target, self);
                if beta == 0.0 {
                    return emc;
                }
                eiou(scores, target, self) * beta + emc * (1.0 - beta)
            }
        }
    }
}
