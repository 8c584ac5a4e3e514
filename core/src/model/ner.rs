//! The network.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::batch::Batch;
use crate::Result;
use crate::decode::ScoredSpan;
use crate::encoder::{Encoder, EncoderConfig};
use crate::head::Head;
use crate::loss::{LossSettings, Moment, Target};

use super::folder::ModelConfig;

/// An encoder and the head on top of it.
#[derive(Module, Debug)]
pub struct NerModel {
    /// Gives every token a vector.
    pub encoder: Encoder,
    /// Makes entities of the vectors.
    pub head: Head,
}

impl NerModel {
    /// A model with fresh weights.
    pub fn new(encoder: &EncoderConfig, config: &ModelConfig, device: &Device) -> Self {
        let head = config.head.init(encoder.hidden_size, config.labels.len(), device);
        Self { encoder: encoder.init(device), head }
    }

    /// The loss of a batch, `[1]`; `settings` choose among the losses of heads that score spans.
    pub fn loss(
        &self,
        batch: &Batch,
        target: &Target,
        settings: &LossSettings,
        moment: Moment,
    ) -> Tensor<1> {
        self.head.loss(self.hidden(batch), batch, target, settings, moment)
    }

    /// The entities of each row of a batch whose probability exceeds `threshold`.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) when the device fails.
    pub async fn find(&self, batch: &Batch, threshold: f32) -> Result<Vec<Vec<ScoredSpan>>> {
        self.head.find(self.hidden(batch), batch, threshold).await
    }

    /// The hidden states that the head reads, `[rows, tokens, hidden]`.
    pub fn hidden(&self, batch: &Batch) -> Tensor<3> {
        let (ids, mask) = (batch.ids.clone(), batch.mask.clone());
        match self.head.layers() {
            1 => self.encoder.forward(ids, mask),
            layers => {
                let mut states = self.encoder.forward_layers(ids, mask);
                let last = states.split_off(states.len().saturating_sub(layers));
                let count = last.len() as f64;
                last.into_iter().reduce(|sum, state| sum + state).expect("embeddings are a state")
                    / count
            }
        }
    }
}

/// The device that a model is on.
#[cfg(feature = "train")]
pub(crate) fn device_of(model: &NerModel) -> Device {
    model.devices().into_iter().next().unwrap_or_else(Device::flex)
}
