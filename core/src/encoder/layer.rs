//! One transformer layer: self-attention, then a feed-forward network, each with a residual and a
//! layer norm after it (post-LN, as in the original BERT).

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor};

use super::ops::{self, Heads, KeyMask};
use super::{Activation, EncoderConfig, linear};

/// A post-LN transformer layer. Its matrices stay two-dimensional, `[batch * tokens, width]`.
#[derive(Module, Debug)]
pub struct Layer {
    attention: Attention,
    feed_forward: FeedForward,
}

impl Layer {
    pub(super) fn new(config: &EncoderConfig, device: &Device) -> Self {
        Self {
            attention: Attention::new(config, device),
            feed_forward: FeedForward::new(config, device),
        }
    }

    /// `x` is `[batch * tokens, hidden]`; `mask` says which tokens are real.
    pub(super) fn forward(&self, x: Tensor<2>, shape: Heads, mask: Option<&KeyMask>) -> Tensor<2> {
        self.feed_forward.forward(self.attention.forward(x, shape, mask))
    }
}

/// Multi-head self-attention with its output projection.
#[derive(Module, Debug)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    norm: LayerNorm,
    probability_dropout: Dropout,
    dropout: Dropout,
    #[module(skip)]
    norm_eps: f64,
}

impl Attention {
    fn new(config: &EncoderConfig, device: &Device) -> Self {
        let width = config.hidden_size;
        Self {
            query: linear(width, width, device),
            key: linear(width, width, device),
            value: linear(width, width, device),
            output: linear(width, width, device),
            norm: LayerNormConfig::new(width).with_epsilon(config.layer_norm_eps).init(device),
            probability_dropout: DropoutConfig::new(config.attention_dropout).init(),
            dropout: DropoutConfig::new(config.hidden_dropout).init(),
            norm_eps: config.layer_norm_eps,
        }
    }

    fn forward(&self, x: Tensor<2>, shape: Heads, mask: Option<&KeyMask>) -> Tensor<2> {
        let context = ops::attention(
            ops::linear(x.clone(), &self.query),
            ops::linear(x.clone(), &self.key),
            ops::linear(x.clone(), &self.value),
            shape,
            mask,
            &self.probability_dropout,
        );
        let output = ops::linear(context, &self.output);
        ops::add_layer_norm(output, x, &self.dropout, &self.norm, self.norm_eps)
    }
}

/// Two linear maps with the activation between them.
#[derive(Module, Debug)]
struct FeedForward {
    inner: Linear,
    outer: Linear,
    norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    norm_eps: f64,
    #[module(skip)]
    activation: Activation,
}

impl FeedForward {
    fn new(config: &EncoderConfig, device: &Device) -> Self {
        Self {
            inner: linear(config.hidden_size, config.intermediate_size, device),
            outer: linear(config.intermediate_size, config.hidden_size, device),
            norm: LayerNormConfig::new(config.hidden_size)
                .with_epsilon(config.layer_norm_eps)
                .init(device),
            dropout: DropoutConfig::new(config.hidden_dropout).init(),
            norm_eps: config.layer_norm_eps,
            activation: config.activation,
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let inner = self.activation.forward(ops::linear(x.clone(), &self.inner));
        let outer = ops::linear(inner, &self.outer);
        ops::add_layer_norm(outer, x, &self.dropout, &self.norm, self.norm_eps)
    }
}
