//! The model folder: `config.json`, `tokenizer.json` and `model.safetensors`, as Hugging Face users know it.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ner::NerModel;
use super::pipeline::Pipeline;
use super::source::ModelSource;
use super::weights::{
    Checkpoint, Precision, check_vocabulary, load_into, save_module, write_atomically,
};
use crate::data::LabelSet;
use crate::encoder::{CONFIG_FILE, EncoderConfig};
use crate::head::HeadSettings;
use crate::text::Tokenizer;
use crate::{Error, Result};

/// The version of the folder's format that this program writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;
/// The tokenizer's file.
pub const TOKENIZER_FILE: &str = "tokenizer.json";
/// The bare vocabulary of older BERT folders.
const VOCABULARY_FILE: &str = "vocab.txt";
/// The key of `config.json` that holds a [`ModelConfig`].
pub(crate) const KEY: &str = "innerspan";

/// What `config.json` holds under `innerspan`, beside the encoder's own configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// The version of the format.
    pub format_version: u32,
    /// The entity types, in the order of the head's outputs.
    pub labels: LabelSet,
    /// What makes entities of hidden states.
    pub head: HeadSettings,
    /// How scores become entities.
    pub decode: DecodeSettings,
    /// How long texts are cut.
    pub window: WindowSettings,
    /// How the model came about; absent while it is trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<TrainingFacts>,
}

/// How scores become entities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecodeSettings {
    /// The probability that an entity exceeds.
    pub threshold: f32,
    /// Whether entities begin and end at word boundaries only.
    pub word_boundaries: bool,
}

/// How texts that are longer than the encoder's window are cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowSettings {
    /// Longest window in word pieces, special tokens included.
    pub max_length: usize,
    /// Word pieces that neighbouring windows share.
    pub stride: usize,
}

/// How a model came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingFacts {
    /// The settings, whatever the program that trained it called them.
    pub settings: Value,
    /// Training sentences used.
    pub documents: usize,
    /// The epoch whose weights these are.
    pub epoch: usize,
    /// Dev strict F1 of that epoch, in 0..=1.
    pub dev_f1: f64,
    /// The device it was trained on.
    pub device: String,
}

/// A model folder that has been read and checked.
#[derive(Debug)]
pub struct ModelFolder {
    /// The encoder's own configuration.
    pub encoder: EncoderConfig,
    /// The text handling.
    pub pipeline: Pipeline,
    /// The network.
    pub model: NerModel,
}

impl ModelConfig {
    /// The configuration of the model in `source`.
    ///
    /// # Errors
    /// A folder without one (a bare encoder), of a newer version, or with values that cannot be.
    pub fn read(source: &ModelSource) -> Result<Self> {
        let path = source.describe(CONFIG_FILE);
        let json = read_json(source, CONFIG_FILE)?;
        let own = own_config(&path, &json)?;
        if own.get("ensemble").is_some() {
            return Err(Error::file(&path, "an ensemble, where a single model is needed"));
        }
        let config: Self = serde_json::from_value(own.clone())
            .map_err(|error| Error::file(&path, format!("in \"innerspan\": {error}")))?;
        config.check(&path)?;
        Ok(config)
    }

    fn check(&self, path: &str) -> Result<()> {
        let refuse = |what: String| Err(Error::file(path, format!("in \"innerspan\": {what}")));
        let WindowSettings { max_length, stride } = self.window;
        if self.labels.is_empty() || self.labels.len() > 10_000 {
            return refuse(format!("{} labels; 1 to 10000 make sense", self.labels.len()));
        }
        if let Err(what) = self.head.check() {
            return refuse(what);
        }
        if !(0.0..=1.0).contains(&self.decode.threshold) {
            return refuse(format!(
                "a threshold of {}; it is a probability",
                self.decode.threshold
            ));
        }
        if max_length < 4 || stride >= max_length {
            return refuse(format!("windows of {max_length} word pieces sharing {stride}"));
        }
        Ok(())
    }
}

impl ModelFolder {
    /// Reads a model folder onto `device`, with the weights of a precision.
    ///
    /// # Errors
    /// Any file that is missing, damaged, of a newer version or at odds with the others, by name.
    pub fn load(source: &ModelSource, precision: Precision, device: &Device) -> Result<Self> {
        let config = ModelConfig::read(source)?;
        let encoder = EncoderConfig::read(source)?;
        if config.window.max_length > encoder.max_tokens() {
            return Err(Error::file(
                source.describe(CONFIG_FILE),
                format!(
                    "windows of {} word pieces for an encoder of at most {}",
                    config.window.max_length,
                    encoder.max_tokens()
                ),
            ));
        }
        let tokenizer = read_tokenizer(source, &encoder)?;
        let checkpoint = Checkpoint::open_precision(source, precision)?;
        let fresh = NerModel::new(&encoder, &config, device);
        let model = load_into(fresh, &checkpoint, |path| encoder.tensor_name(path))?;
        Ok(Self { encoder, pipeline: Pipeline { tokenizer, config }, model })
    }

    /// How many numbers were learnt.
    pub fn parameters(&self) -> usize {
        self.model.num_params()
    }

    /// Writes the weights once more, in another precision and a file of its own beside the others.
    ///
    /// # Errors
    /// The system's, or a weight that the precision cannot hold.
    pub fn write_weights(&self, folder: &Path, precision: Precision) -> Result<()> {
        write_weights(folder, &self.encoder, &self.model, precision)
    }

    /// Writes `config.json`, `tokenizer.json` and then the weights to `folder`, each atomically.
    ///
    /// # Errors
    /// The system's.
    pub fn write(
        folder: &Path,
        encoder: &EncoderConfig,
        pipeline: &Pipeline,
        model: &NerModel,
    ) -> Result<()> {
        let mut json = encoder.json().clone();
        let own =
            serde_json::to_value(&pipeline.config).map_err(|e| Error::Setting(e.to_string()))?;
        json.insert(KEY.into(), own);
        // those of an earlier model
        for precision in [Precision::F16, Precision::Q8] {
            remove(&folder.join(precision.file()))?;
        }
        let text =
            serde_json::to_string_pretty(&json).map_err(|e| Error::Setting(e.to_string()))?;
        write_text(&folder.join(CONFIG_FILE), &(text + "\n"))?;
        write_text(&folder.join(TOKENIZER_FILE), &pipeline.tokenizer.to_json())?;
        write_weights(folder, encoder, model, Precision::F32)
    }
}

fn write_weights(
    folder: &Path,
    encoder: &EncoderConfig,
    model: &NerModel,
    precision: Precision,
) -> Result<()> {
    save_module(model, &folder.join(precision.file()), precision, |path| encoder.tensor_name(path))
}

/// The JSON object in the file `name`.
pub(crate) fn read_json(source: &ModelSource, name: &str) -> Result<Map<String, Value>> {
    serde_json::from_slice(&source.require(name)?)
        .map_err(|error| Error::file(source.describe(name), format!("not a JSON object: {error}")))
}

/// What the `config.json` at `path` holds under `innerspan`, of a format that is not too new.
pub(crate) fn own_config<'a>(path: &str, json: &'a Map<String, Value>) -> Result<&'a Value> {
    let Some(own) = json.get(KEY) else {
        return Err(Error::file(
            path,
            "no \"innerspan\" object: this is an encoder, not a trained model; train one with `innerspan train`",
        ));
    };
    let version = own.get("format_version").and_then(Value::as_u64).unwrap_or(0);
    if version > u64::from(FORMAT_VERSION) {
        return Err(Error::file(
            path,
            format!(
                "format version {version} is newer than {FORMAT_VERSION}, the newest this program reads: update it"
            ),
        ));
    }
    Ok(own)
}

/// The tokenizer of an encoder or model folder: `tokenizer.json`, else `vocab.txt`.
///
/// # Errors
/// Neither file, a damaged one, or one with more tokens than the encoder has embeddings for.
pub fn read_tokenizer(source: &ModelSource, encoder: &EncoderConfig) -> Result<Tokenizer> {
    let path = source.describe(TOKENIZER_FILE);
    if let Some(bytes) = source.read(TOKENIZER_FILE)? {
        let tokenizer = Tokenizer::from_json(&bytes, &path)?;
        check_vocabulary(&path, tokenizer.vocab_size(), encoder)?;
        return Ok(tokenizer);
    }
    let Some(bytes) = source.read(VOCABULARY_FILE)? else {
        return Err(Error::file(
            path,
            "no such file, and no vocab.txt beside it: the encoder needs its tokenizer",
        ));
    };
    let path = source.describe(VOCABULARY_FILE);
    let tokenizer = Tokenizer::from_vocab(&bytes, lower_case(source)?, &path)?;
    check_vocabulary(&path, tokenizer.vocab_size(), encoder)?;
    Ok(tokenizer)
}

/// Whether the folder's `tokenizer_config.json` asks for lower case; yes where it does not say.
fn lower_case(source: &ModelSource) -> Result<bool> {
    let bytes = source.read("tokenizer_config.json")?.unwrap_or_default();
    let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(json.get("do_lower_case").and_then(Value::as_bool).unwrap_or(true))
}

/// Removes a file that may be there.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, error)),
        _ => Ok(()),
    }
}

/// Writes a text file atomically.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    write_atomically(path, |file| file.write_all(text.as_bytes()).map_err(|e| Error::io(path, e)))
}
