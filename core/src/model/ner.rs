//! The network.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::batch::Batch;
use crate::encoder::{Encoder, EncoderConfig};
use crate::head::Head;

use super::folder::ModelConfig;

/// An encoder and the head on top of it.
#[derive(Module, Debug)]
pub struct NerModel {
    /// Gives every token a vector.
    pub encoder: Encoder,
    /// Scores spans of tokens.
    pub head: Head,
}

impl NerModel {
    /// A model with fresh weights.
    pub fn new(encoder: &EncoderConfig, config: &ModelConfig, device: &Device) -> Self {
        let types = config.labels.len();
        let head = config.head.kind.init(encoder.hidden_size, types, config.head.size, device);
        Self { encoder: encoder.init(device), head }
    }

    /// Scores of all spans of a batch, `[rows, types, tokens (start), tokens (end)]`, cells that are no span masked.
    pub fn forward(&self, batch: &Batch) -> Tensor<4> {
        let hidden = self.encoder.forward(batch.ids.clone(), batch.mask.clone());
        self.head.forward(hidden, batch.mask.clone())
    }
}

/// The device that a model is on.
#[cfg(feature = "train")]
pub(crate) fn device_of(model: &NerModel) -> Device {
    model.devices().into_iter().next().unwrap_or_else(Device::flex)
}
