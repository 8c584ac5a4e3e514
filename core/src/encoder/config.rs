//! What an encoder folder's `config.json` says, as Hugging Face writes it.

use serde_json::{Map, Value, json};

use crate::model::source::ModelSource;
use crate::{Error, Result};

use super::Activation;

/// The file that [`EncoderConfig::read`] reads.
pub const CONFIG_FILE: &str = "config.json";

/// The architectures that are understood, by their `model_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `bert`: also BioBERT, BioLinkBERT, MiniLM, bert-base-chinese, …
    Bert,
    /// `roberta`
    Roberta,
    /// `xlm-roberta`
    XlmRoberta,
    /// `distilbert`
    DistilBert,
    /// `electra`
    Electra,
}

impl Family {
    const ALL: [Self; 5] =
        [Self::Bert, Self::Roberta, Self::XlmRoberta, Self::DistilBert, Self::Electra];

    /// Its name in `config.json`.
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Roberta => "roberta",
            Self::XlmRoberta => "xlm-roberta",
            Self::DistilBert => "distilbert",
            Self::Electra => "electra",
        }
    }

    /// RoBERTa counts positions from `pad_token_id + 1`; the others from 0.
    fn counts_positions_from_pad(self) -> bool {
        matches!(self, Self::Roberta | Self::XlmRoberta)
    }
}

/// The shape of an encoder, checked: every number is in a range that memory and arithmetic bear,
/// and every option is one that [`Encoder`](super::Encoder) implements.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderConfig {
    /// The architecture.
    pub family: Family,
    /// Rows of the word embedding.
    pub vocab_size: usize,
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Width of the embeddings; differs from `hidden_size` in ELECTRA only.
    pub embedding_size: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Attention heads; divides `hidden_size`.
    pub heads: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// The feed-forward activation.
    pub activation: Activation,
    /// Dropout after embeddings, attention and feed-forward, in training.
    pub hidden_dropout: f64,
    /// Dropout on attention probabilities, in training.
    pub attention_dropout: f64,
    /// Rows of the position embedding; see [`max_tokens`](Self::max_tokens).
    pub max_positions: usize,
    /// Rows of the segment embedding; 0 where the family has none.
    pub type_vocab_size: usize,
    /// The ε of every layer norm.
    pub layer_norm_eps: f64,
    /// The id of the padding token.
    pub pad_token_id: usize,
    json: Map<String, Value>,
}

impl EncoderConfig {
    /// The configuration of the encoder (or model) in `source`.
    ///
    /// # Errors
    /// No `config.json`, or one that [`parse`](Self::parse) refuses.
    pub fn read(source: &ModelSource) -> Result<Self> {
        Self::parse(&source.describe(CONFIG_FILE), &source.require(CONFIG_FILE)?)
    }

    /// Reads the bytes of a `config.json`; `path` is for messages.
    ///
    /// # Errors
    /// Anything but a JSON object, an unknown `model_type`, a number out of bounds, or an option
    /// (relative positions, decoder, …) that is not implemented: each named.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self> {
        let json: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| {
            Error::file(path, format!("not a JSON object as Hugging Face writes it: {error}"))
        })?;
        let fields = Fields { path, json: &json };
        let family = fields.family()?;
        fields.refuse_unsupported(family)?;

        let distil = family == Family::DistilBert;
        let hidden_size = fields.size(&["hidden_size", "dim"], 768, 1..=65_536)?;
        let embedding_size = match family {
            Family::Electra => fields.size(&["embedding_size"], 128, 1..=65_536)?,
            _ => hidden_size,
        };
        let heads = fields.size(
            &["num_attention_heads", "n_heads"],
            if family == Family::Electra { 4 } else { 12 },
            1..=1_024,
        )?;
        if !hidden_size.is_multiple_of(heads) {
            return Err(fields.error(format!(
                "hidden size {hidden_size} is not a multiple of its {heads} attention heads"
            )));
        }
        let config = Self {
            family,
            vocab_size: fields.size(&["vocab_size"], 30_522, 1..=10_000_000)?,
            hidden_size,
            embedding_size,
            layers: fields.size(
                &["num_hidden_layers", "n_layers"],
                if distil { 6 } else { 12 },
                1..=1_000,
            )?,
            heads,
            intermediate_size: fields.size(
                &["intermediate_size", "hidden_dim"],
                if family == Family::Electra { 1_024 } else { 4 * hidden_size },
                1..=1_000_000,
            )?,
            activation: fields.activation()?,
            hidden_dropout: fields.fraction(&["hidden_dropout_prob", "dropout"], 0.1)?,
            attention_dropout: fields
                .fraction(&["attention_probs_dropout_prob", "attention_dropout"], 0.1)?,
            max_positions: fields.size(&["max_position_embeddings"], 512, 1..=10_000_000)?,
            type_vocab_size: match family {
                Family::DistilBert => 0,
                _ => fields.size(&["type_vocab_size"], 2, 1..=1_000)?,
            },
            layer_norm_eps: if distil { 1e-12 } else { fields.epsilon()? },
            pad_token_id: fields.size(
                &["pad_token_id"],
                usize::from(family.counts_positions_from_pad()),
                0..=10_000_000,
            )?,
            json: json.clone(),
        };
        if config.position_offset() >= config.max_positions {
            return Err(fields.error(format!(
                "\"max_position_embeddings\" {} leaves no position after the padding id {}",
                config.max_positions, config.pad_token_id
            )));
        }
        Ok(config)
    }

    /// A small BERT to train from nothing: 2 layers, 4 heads, 128 wide, 512 tokens.
    ///
    /// # Panics
    /// A `vocab_size` of 0.
    pub fn tiny(vocab_size: usize) -> Self {
        assert!(vocab_size > 0, "a vocabulary has at least one token");
        let json = json!({
            "architectures": ["BertModel"],
            "model_type": "bert",
            "vocab_size": vocab_size,
            "hidden_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 512,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "max_position_embeddings": 512,
            "type_vocab_size": 2,
            "layer_norm_eps": 1e-12,
            "pad_token_id": 0,
            "initializer_range": 0.02,
        });
        Self {
            family: Family::Bert,
            vocab_size,
            hidden_size: 128,
            embedding_size: 128,
            layers: 2,
            heads: 4,
            intermediate_size: 512,
            activation: Activation::Gelu,
            hidden_dropout: 0.1,
            attention_dropout: 0.1,
            max_positions: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            pad_token_id: 0,
            json: json.as_object().cloned().unwrap_or_default(),
        }
    }

    /// The same with another number of rows in the word embedding.
    pub fn with_vocab_size(mut self, vocab_size: usize) -> Self {
        self.vocab_size = vocab_size;
        self.json.insert("vocab_size".into(), vocab_size.into());
        self
    }

    /// The longest row of tokens, special ones included, that the encoder takes.
    pub fn max_tokens(&self) -> usize {
        self.max_positions - self.position_offset()
    }

    /// The position of a row's first token.
    pub(super) fn position_offset(&self) -> usize {
        if self.family.counts_positions_from_pad() { self.pad_token_id + 1 } else { 0 }
    }

    /// The whole `config.json` as it was read, unknown keys included.
    pub fn json(&self) -> &Map<String, Value> {
        &self.json
    }
}

/// Typed, bounded access to the keys of a `config.json`.
struct Fields<'a> {
    path: &'a str,
    json: &'a Map<String, Value>,
}

impl Fields<'_> {
    fn error(&self, message: impl Into<String>) -> Error {
        Error::file(self.path, message)
    }

    /// The first of `names` that is present and not null.
    fn get(&self, names: &[&'static str]) -> Option<(&'static str, &Value)> {
        names.iter().find_map(|&name| {
            self.json.get(name).filter(|value| !value.is_null()).map(|value| (name, value))
        })
    }

    fn family(&self) -> Result<Family> {
        let known = Family::ALL.map(Family::model_type).join(", ");
        let Some((_, value)) = self.get(&["model_type"]) else {
            return Err(self.error(format!("no \"model_type\"; it must be one of {known}")));
        };
        Family::ALL.into_iter().find(|family| value == family.model_type()).ok_or_else(|| {
            self.error(format!(
                "\"model_type\" is {}, which is not supported; use an encoder of one of {known}",
                shown(value)
            ))
        })
    }

    fn refuse_unsupported(&self, family: Family) -> Result<()> {
        if let Some((name, value)) = self.get(&["position_embedding_type"])
            && value != "absolute"
        {
            return Err(self.error(format!(
                "\"{name}\" is {}; only \"absolute\" positions are supported",
                shown(value)
            )));
        }
        for flag in ["is_decoder", "add_cross_attention", "is_encoder_decoder"] {
            if self.json.get(flag) == Some(&Value::Bool(true)) {
                return Err(self.error(format!(
                    "\"{flag}\" is true; a {} that reads both directions is needed",
                    family.model_type()
                )));
            }
        }
        Ok(())
    }

    fn size(
        &self,
        names: &[&'static str],
        default: usize,
        bounds: std::ops::RangeInclusive<usize>,
    ) -> Result<usize> {
        let Some((name, value)) = self.get(names) else { return Ok(default) };
        value
            .as_u64()
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| {
                self.error(format!(
                    "\"{name}\" is {}; it must be a whole number from {} to {}",
                    shown(value),
                    bounds.start(),
                    bounds.end()
                ))
            })
    }

    fn fraction(&self, names: &[&'static str], default: f64) -> Result<f64> {
        let Some((name, value)) = self.get(names) else { return Ok(default) };
        value.as_f64().filter(|number| (0.0..1.0).contains(number)).ok_or_else(|| {
            self.error(format!("\"{name}\" is {}; it must be at least 0 and below 1", shown(value)))
        })
    }

    fn epsilon(&self) -> Result<f64> {
        let Some((name, value)) = self.get(&["layer_norm_eps"]) else { return Ok(1e-12) };
        value.as_f64().filter(|number| *number > 0.0 && *number <= 0.1).ok_or_else(|| {
            self.error(format!(
                "\"{name}\" is {}; it must be above 0 and at most 0.1",
                shown(value)
            ))
        })
    }

    fn activation(&self) -> Result<Activation> {
        let Some((name, value)) = self.get(&["hidden_act", "activation"]) else {
            return Ok(Activation::Gelu);
        };
        value.as_str().and_then(Activation::named).ok_or_else(|| {
            self.error(format!(
                "\"{name}\" is {}; supported are {}",
                shown(value),
                Activation::NAMES.join(", ")
            ))
        })
    }
}

/// `value` for a message, cut where a hostile file would flood the terminal.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refusal(text: &str) -> String {
        EncoderConfig::parse("enc/config.json", text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_model_type_is_named_with_the_supported_ones() {
        let message = refusal(r#"{"model_type": "t5"}"#);
        assert!(message.starts_with("enc/config.json: "), "{message}");
        assert!(message.contains("\"t5\"") && message.contains("xlm-roberta"), "{message}");
        assert!(refusal("{}").contains("no \"model_type\""));
    }

    #[test]
    fn unsupported_options_are_named() {
        let message =
            refusal(r#"{"model_type": "bert", "position_embedding_type": "relative_key"}"#);
        assert!(message.contains("position_embedding_type") && message.contains("relative_key"));
        assert!(refusal(r#"{"model_type": "bert", "is_decoder": true}"#).contains("is_decoder"));
        assert!(refusal(r#"{"model_type": "bert", "hidden_act": "mish"}"#).contains("\"mish\""));
    }

    #[test]
    fn numbers_out_of_bounds_are_refused() {
        for field in [
            r#""vocab_size": 0"#,
            r#""vocab_size": 1e30"#,
            r#""vocab_size": -3"#,
            r#""hidden_size": 99999999999"#,
            r#""num_hidden_layers": 18446744073709551615"#,
            r#""num_attention_heads": 7"#,
            r#""intermediate_size": "many""#,
            r#""hidden_dropout_prob": 1.0"#,
            r#""attention_probs_dropout_prob": -0.1"#,
            r#""layer_norm_eps": 0"#,
            r#""max_position_embeddings": 0"#,
            r#""type_vocab_size": 0.5"#,
        ] {
            let name = field.split('"').nth(1).unwrap();
            let message = refusal(&format!(r#"{{"model_type": "bert", {field}}}"#));
            assert!(message.contains(name) || message.contains("attention heads"), "{message}");
        }
        assert!(
            refusal(r#"{"model_type": "roberta", "max_position_embeddings": 2}"#)
                .contains("leaves no position")
        );
    }

    #[test]
    fn anything_but_a_json_object_is_refused() {
        for text in ["", "[]", "{", "null", "\u{feff}{}", &"[".repeat(100_000)] {
            assert!(refusal(text).contains("not a JSON object"), "{text:.20}");
        }
    }

    #[test]
    fn absent_keys_take_the_defaults_of_hugging_face() {
        let bert = EncoderConfig::parse("c", br#"{"model_type": "bert"}"#).unwrap();
        assert_eq!((bert.hidden_size, bert.layers, bert.heads), (768, 12, 12));
        assert_eq!((bert.intermediate_size, bert.max_tokens()), (3_072, 512));
        let distil = EncoderConfig::parse("c", br#"{"model_type": "distilbert"}"#).unwrap();
        assert_eq!((distil.layers, distil.type_vocab_size), (6, 0));
        let roberta = EncoderConfig::parse(
            "c",
            br#"{"model_type": "roberta", "max_position_embeddings": 514}"#,
        )
        .unwrap();
        assert_eq!((roberta.pad_token_id, roberta.max_tokens()), (1, 512));
    }

    #[test]
    fn the_tiny_encoder_says_what_its_json_says() {
        let tiny = EncoderConfig::tiny(500);
        let bytes = serde_json::to_vec(tiny.json()).unwrap();
        assert_eq!(EncoderConfig::parse("c", &bytes).unwrap(), tiny);
    }
}
