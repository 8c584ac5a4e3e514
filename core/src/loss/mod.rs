//! What training minimises: zlpr, and EIoU-EMC on top of it.

mod eiou;
mod emc;
mod lse;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod zlpr;

use burn::tensor::Tensor;

pub use eiou::{Interval, box_distance, eiou};
pub use emc::{emc, ranking};
pub use settings::{BoxReading, EmcReading, LossKind, LossSettings};
pub use target::{Mention, Target};
pub use zlpr::zlpr;

impl LossSettings {
    /// The loss of a batch, `[1]`, from masked scores `[batch, types, tokens, tokens]`.
    ///
    /// `epoch` counts from 0 and may be fractional; it drives the warm-up of β.
    pub fn of(&self, scores: Tensor<4>, target: &Target, epoch: f64) -> Tensor<1> {
        match self.kind {
            LossKind::Zlpr => zlpr(scores, target),
            LossKind::EiouEmc => {
                let beta = self.beta * (epoch / self.beta_warmup).clamp(0.0, 1.0);
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
