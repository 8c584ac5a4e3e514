//! From token ids to the first hidden states.

use burn::module::{Initializer, Module};
use burn::nn::{
    Dropout, DropoutConfig, Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear,
};
use burn::tensor::{Device, Int, Tensor};

use super::{EncoderConfig, linear, ops};
use crate::fresh;

/// Word, position and segment embeddings, normalized (and projected, in ELECTRA).
#[derive(Module, Debug)]
pub struct Embeddings {
    word: Embedding,
    position: Embedding,
    token_type: Option<Embedding>,
    norm: LayerNorm,
    dropout: Dropout,
    project: Option<Linear>,
    position_offset: usize,
    #[module(skip)]
    norm_eps: f64,
}

impl Embeddings {
    pub(super) fn new(config: &EncoderConfig, device: &Device) -> Self {
        let width = config.embedding_size;
        let embedding = |rows| {
            let normal = Initializer::Normal { mean: 0.0, std: 0.02 };
            fresh::embedding(EmbeddingConfig::new(rows, width).with_initializer(normal), device)
        };
        Self {
            word: embedding(config.vocab_size),
            position: embedding(config.max_positions),
            token_type: (config.type_vocab_size > 0).then(|| embedding(config.type_vocab_size)),
            norm: LayerNormConfig::new(width).with_epsilon(config.layer_norm_eps).init(device),
            dropout: DropoutConfig::new(config.hidden_dropout).init(),
            project: (width != config.hidden_size)
                .then(|| linear(width, config.hidden_size, device)),
            position_offset: config.position_offset(),
            norm_eps: config.layer_norm_eps,
        }
    }

    /// The first hidden states `[batch * tokens, hidden]` of `ids` `[batch, tokens]`. Every token
    /// belongs to segment 0.
    pub(super) fn forward(&self, ids: Tensor<2, Int>) -> Tensor<2> {
        let [batch, tokens] = ids.dims();
        let first = self.position_offset;
        let mut place = self.position.weight.val().slice([first..first + tokens]);
        if let Some(token_type) = &self.token_type {
            place = place + token_type.weight.val().slice([0..1]);
        }
        let sum = self.word.forward(ids) + place.unsqueeze();
        let [_, _, width] = sum.dims();
        let sum = sum.reshape([batch * tokens, width]);
        let x = ops::dropout(ops::layer_norm(sum, &self.norm, self.norm_eps), &self.dropout);
        match &self.project {
            Some(project) => ops::linear(x, project),
            None => x,
        }
    }

    /// The same with the rows of `larger` beyond its own.
    pub(super) fn with_words_of(mut self, larger: &Self) -> Self {
        let all = larger.word.weight.val();
        let ([rows, width], [own, _]) = (all.dims(), self.word.weight.dims());
        if rows > own {
            let more = all.slice([own..rows, 0..width]);
            self.word.weight = self.word.weight.map(|weight| {
                let tracked = weight.is_require_grad();
                Tensor::cat(vec![weight, more], 0).detach().set_require_grad(tracked)
            });
        }
        self
    }

    #[cfg(test)]
    pub(super) fn word_gradient(&self, gradients: &burn::tensor::Gradients) -> Option<Tensor<2>> {
        self.word.weight.val().grad(gradients)
    }
}
