//! The network of the classifier: the encoder's first token, pooled as BERT does it, and two scores.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

use crate::encoder::{Encoder, EncoderConfig, ops};
use crate::fresh;
use crate::model::Batch;

/// An encoder and the classifier on top of it.
#[derive(Module, Debug)]
pub(super) struct Network {
    /// Gives every token a vector.
    pub encoder: Encoder,
    head: Head,
}

/// Two linear maps; the first is followed by tanh.
#[derive(Module, Debug)]
struct Head {
    pooler: Linear,
    classifier: Linear,
}

impl Network {
    /// A network with fresh weights.
    pub fn new(encoder: &EncoderConfig, device: &Device) -> Self {
        let width = encoder.hidden_size;
        let pooler = fresh::linear(LinearConfig::new(width, width), device);
        let classifier = fresh::linear(LinearConfig::new(width, 2), device);
        Self { encoder: encoder.init(device), head: Head { pooler, classifier } }
    }

    /// Log-probabilities `[rows, 2]` of "incorrect" and "correct".
    pub fn forward(&self, batch: &Batch) -> Tensor<2> {
        let hidden = self.encoder.forward(batch.ids.clone(), batch.mask.clone());
        let [rows, _, width] = hidden.dims();
        let first = hidden.slice([0..rows, 0..1, 0..width]).reshape([rows, width]);
        let pooled = ops::linear(first, &self.head.pooler).tanh();
        log_softmax(ops::linear(pooled, &self.head.classifier), 1)
    }

    /// The mean cross-entropy of a batch of which `correct` says which rows are.
    pub fn loss(&self, batch: &Batch, correct: &[bool]) -> Tensor<1> {
        let chosen: Vec<f32> = correct
            .iter()
            .flat_map(|&correct| if correct { [0.0, 1.0] } else { [1.0, 0.0] })
            .collect();
        let scores = self.forward(batch);
        let chosen = TensorData::new(chosen, [correct.len(), 2]);
        let chosen = Tensor::from_data(chosen, &scores.device());
        (scores * chosen).sum() / -(correct.len() as f64)
    }
}
