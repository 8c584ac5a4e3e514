//! BERT-family encoders: `config.json` as Hugging Face writes it, and the network it describes.

mod activation;
mod config;
mod embeddings;
mod layer;
mod names;
pub mod ops;

use burn::module::{Initializer, Module};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Bool, Device, Int, Tensor};

pub use activation::Activation;
pub use config::{CONFIG_FILE, EncoderConfig, Family};
pub use embeddings::Embeddings;
pub use layer::Layer;
pub use names::canonical;

use crate::Result;
use crate::fresh;
use crate::model::source::ModelSource;
use crate::model::weights::{Checkpoint, load_into};

/// A BERT-family encoder. Dropout acts on a device with autodiff only.
#[derive(Module, Debug)]
pub struct Encoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    heads: usize,
    max_tokens: usize,
}

impl EncoderConfig {
    /// An encoder with fresh weights: N(0, 0.02), biases 0, layer norms 1 and 0. Nothing is
    /// allocated before a weight is used or loaded.
    pub fn init(&self, device: &Device) -> Encoder {
        Encoder {
            embeddings: Embeddings::new(self, device),
            layers: (0..self.layers).map(|_| Layer::new(self, device)).collect(),
            heads: self.heads,
            max_tokens: self.max_tokens(),
        }
    }

    /// The encoder whose weights lie in `source` (an encoder folder, or a model folder, whose
    /// heads are ignored).
    ///
    /// # Errors
    /// No weights, a damaged file, or tensors that are missing, unknown or misshapen: all named.
    pub fn load(&self, source: &ModelSource, device: &Device) -> Result<Encoder> {
        let checkpoint = Checkpoint::open(source)?;
        load_into(self.init(device), &checkpoint, |path| self.tensor_name(path))
    }
}

impl Encoder {
    /// The last hidden states, `[batch, tokens, hidden]`, of `ids` `[batch, tokens]`.
    ///
    /// `mask` `[batch, tokens]` is true for real tokens, which come before the padding of their
    /// row; `None` says that there is no padding, which is faster. States of padding mean nothing.
    ///
    /// # Panics
    /// Rows longer than [`max_tokens`](Self::max_tokens).
    pub fn forward(
        &self,
        ids: Tensor<2, Int>,
        mask: impl Into<Option<Tensor<2, Bool>>>,
    ) -> Tensor<3> {
        let [batch, tokens] = ids.dims();
        let last = self.run(ids, mask.into(), |_| {});
        let [_, width] = last.dims();
        last.reshape([batch, tokens, width])
    }

    /// All hidden states, from the embeddings' to the last layer's, each `[batch, tokens, hidden]`.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn forward_layers(
        &self,
        ids: Tensor<2, Int>,
        mask: impl Into<Option<Tensor<2, Bool>>>,
    ) -> Vec<Tensor<3>> {
        let [batch, tokens] = ids.dims();
        let mut states = Vec::with_capacity(self.layers.len() + 1);
        self.run(ids, mask.into(), |x| {
            let [_, width] = x.dims();
            states.push(x.clone().reshape([batch, tokens, width]));
        });
        states
    }

    /// The same with the word embeddings of `larger` beyond its own: room for new tokens.
    ///
    /// # Panics
    /// When `larger` has fewer of them.
    pub fn with_words_of(mut self, larger: &Self) -> Self {
        self.embeddings = self.embeddings.with_words_of(&larger.embeddings);
        self
    }

    /// The longest row of tokens, special ones included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// `[batch * tokens, hidden]` after the last layer; `each` sees every hidden state on the way.
    fn run(
        &self,
        ids: Tensor<2, Int>,
        mask: Option<Tensor<2, Bool>>,
        mut each: impl FnMut(&Tensor<2>),
    ) -> Tensor<2> {
        let [batch, tokens] = ids.dims();
        assert!(
            tokens <= self.max_tokens,
            "a row of {tokens} tokens for an encoder of at most {}",
            self.max_tokens
        );
        let shape = ops::Heads { batch, tokens, heads: self.heads };
        let mask = mask.map(ops::KeyMask::new);
        let mut x = self.embeddings.forward(ids);
        each(&x);
        for layer in &self.layers {
            x = layer.forward(x, shape, mask.as_ref());
            each(&x);
        }
        x
    }
}

/// A linear map as BERT starts it: weights N(0, 0.02), bias 0.
fn linear(input: usize, output: usize, device: &Device) -> Linear {
    let normal = Initializer::Normal { mean: 0.0, std: 0.02 };
    let config = LinearConfig::new(input, output).with_initializer(normal);
    Linear { bias: Some(fresh::zeros([output], device)), ..fresh::linear(config, device) }
}

#[cfg(test)]
mod tests;
