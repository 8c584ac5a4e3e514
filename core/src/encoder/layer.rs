//! One transformer layer: self-attention, then a feed-forward network, each with a residual and a
//! layer norm after it (post-LN, as in the original BERT).

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor};

use super::ops::{self, Heads};
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

    /// `x` is `[batch * tokens, hidden]`; `bias` comes from [`ops::key_bias`].
    pub(super) fn forward(
        &self,
        x: Tensor<2>,
        shape: Heads,
        bias: Option<&Tensor<4>>,
    ) -> Tensor<2> {
        self.feed_forward.forward(self.attention.forward(x, shape, bias))
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
        }
    }

    fn forward(&self, x: Tensor<2>, shape: Heads, bias: Option<&Tensor<4>>) -> Tensor<2> {
        let context = ops::attention(
            self.query.forward(x.clone()),
            self.key.forward(x.clone()),
            self.value.forward(x.clone()),
            shape,
            bias,
            &self.probability_dropout,
        );
        ops::layer_norm(self.dropout.forward(self.output.forward(context)) + x, &self.norm)
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
            activation: config.activation,
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let inner = self.activation.forward(self.inner.forward(x.clone()));
        ops::layer_norm(self.dropout.forward(self.outer.forward(inner)) + x, &self.norm)
    }
}
