//! What Hugging Face calls the tensors of each family.

use super::{EncoderConfig, Family};

impl EncoderConfig {
    /// The name on disk of the module parameter at `path` of an [`Encoder`](super::Encoder), or of
    /// a module that holds one in a field `encoder`; any other path is its own name.
    ///
    /// `layers.0.attention.query.weight` of a BERT is
    /// `bert.encoder.layer.0.attention.self.query.weight`.
    pub fn tensor_name(&self, path: &str) -> String {
        let inner = path.strip_prefix("encoder.").unwrap_or(path);
        match hugging_face(self.family, inner) {
            Some(name) => format!("{}.{name}", base_prefix(self.family)),
            None => path.to_owned(),
        }
    }
}

/// The field that holds the encoder in Hugging Face models with a head.
fn base_prefix(family: Family) -> &'static str {
    match family {
        Family::Bert => "bert",
        Family::Roberta | Family::XlmRoberta => "roberta",
        Family::DistilBert => "distilbert",
        Family::Electra => "electra",
    }
}

fn hugging_face(family: Family, path: &str) -> Option<String> {
    let (module, parameter) = path.rsplit_once('.')?;
    let distil = family == Family::DistilBert;
    let name = match module.strip_prefix("layers.") {
        None => match module {
            "embeddings.word" => "embeddings.word_embeddings",
            "embeddings.position" => "embeddings.position_embeddings",
            "embeddings.token_type" => "embeddings.token_type_embeddings",
            "embeddings.norm" => "embeddings.LayerNorm",
            "embeddings.project" => "embeddings_project",
            _ => return None,
        }
        .to_owned(),
        Some(rest) => {
            let (index, part) = rest.split_once('.')?;
            let (stack, part) = if distil {
                ("transformer", distilbert_part(part)?)
            } else {
                ("encoder", bert_part(part)?)
            };
            format!("{stack}.layer.{index}.{part}")
        }
    };
    Some(format!("{name}.{parameter}"))
}

fn bert_part(part: &str) -> Option<&'static str> {
    Some(match part {
        "attention.query" => "attention.self.query",
        "attention.key" => "attention.self.key",
        "attention.value" => "attention.self.value",
        "attention.output" => "attention.output.dense",
        "attention.norm" => "attention.output.LayerNorm",
        "feed_forward.inner" => "intermediate.dense",
        "feed_forward.outer" => "output.dense",
        "feed_forward.norm" => "output.LayerNorm",
        _ => return None,
    })
}

fn distilbert_part(part: &str) -> Option<&'static str> {
    Some(match part {
        "attention.query" => "attention.q_lin",
        "attention.key" => "attention.k_lin",
        "attention.value" => "attention.v_lin",
        "attention.output" => "attention.out_lin",
        "attention.norm" => "sa_layer_norm",
        "feed_forward.inner" => "ffn.lin1",
        "feed_forward.outer" => "ffn.lin2",
        "feed_forward.norm" => "output_layer_norm",
        _ => return None,
    })
}

/// Where an encoder's own names start, whatever model wraps it.
const ROOTS: [&str; 4] =
    ["embeddings.", "embeddings_project.", "encoder.layer.", "transformer.layer."];

/// `name` without the prefix of the model that wraps the encoder, and with `weight` and `bias` for
/// the `gamma` and `beta` of old TensorFlow conversions. Two names that differ only in such habits
/// become equal; a name that is not an encoder's stays as it is.
pub fn canonical(name: &str) -> String {
    let start = ROOTS
        .iter()
        .filter_map(|root| {
            name.match_indices(root)
                .map(|(at, _)| at)
                .find(|&at| at == 0 || name[..at].ends_with('.'))
        })
        .min();
    let Some(start) = start.filter(|_| !name.starts_with("head.")) else { return name.to_owned() };
    let name = &name[start..];
    match name.strip_suffix(".gamma") {
        Some(norm) => format!("{norm}.weight"),
        None => match name.strip_suffix(".beta") {
            Some(norm) => format!("{norm}.bias"),
            None => name.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognised_whatever_wraps_the_encoder() {
        let expected = "encoder.layer.0.attention.output.LayerNorm.weight";
        for name in [
            "encoder.layer.0.attention.output.LayerNorm.weight",
            "bert.encoder.layer.0.attention.output.LayerNorm.gamma",
            "model.roberta.encoder.layer.0.attention.output.LayerNorm.weight",
            "0.auto_model.encoder.layer.0.attention.output.LayerNorm.weight",
        ] {
            assert_eq!(canonical(name), expected);
        }
        assert_eq!(
            canonical("distilbert.transformer.layer.1.ffn.lin1.bias"),
            "transformer.layer.1.ffn.lin1.bias"
        );
        assert_eq!(canonical("bert.embeddings.LayerNorm.beta"), "embeddings.LayerNorm.bias");
    }

    #[test]
    fn names_that_are_not_an_encoders_stay() {
        for name in ["head.embeddings.gamma", "cls.predictions.bias", "gamma", "myembeddings.x"] {
            assert_eq!(canonical(name), name);
        }
    }

    #[test]
    fn an_encoder_inside_a_model_has_the_same_names_and_heads_keep_theirs() {
        let config = EncoderConfig::tiny(10);
        let name = "bert.encoder.layer.3.attention.self.query.weight";
        assert_eq!(config.tensor_name("layers.3.attention.query.weight"), name);
        assert_eq!(config.tensor_name("encoder.layers.3.attention.query.weight"), name);
        assert_eq!(config.tensor_name("head.query.weight"), "head.query.weight");
    }
}
