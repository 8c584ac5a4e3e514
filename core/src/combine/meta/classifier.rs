//! The classifier as a folder: the encoder's files with two more tokens, and one `innerspan` object of its own.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::network::Network;
use super::prompt::Prompt;
use crate::encoder::{CONFIG_FILE, EncoderConfig};
use crate::model::source::ModelSource;
use crate::model::weights::{Checkpoint, Precision, load_into, save_module};
use crate::model::{FORMAT_VERSION, KEY, TOKENIZER_FILE, own_config, read_tokenizer, write_text};
use crate::text::Tokenizer;
use crate::{Error, Result};

/// What stands before and after a mention.
pub(super) const MARKERS: [&str; 2] = ["[e]", "[/e]"];
/// The fewest word pieces in which type, markers and mention make sense.
pub(super) const SHORTEST: usize = 16;

/// Tells right candidates from wrong ones.
#[derive(Debug)]
pub struct Classifier {
    pub(super) encoder: EncoderConfig,
    pub(super) tokenizer: Tokenizer,
    pub(super) markers: [u32; 2],
    pub(super) config: ClassifierConfig,
    pub(super) network: Network,
}

/// What the `config.json` of a classifier holds under `innerspan`, beside the encoder's own configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassifierConfig {
    /// The version of the format.
    pub format_version: u32,
    /// How candidates are written down.
    pub classifier: PromptSettings,
    /// How the classifier came about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<MetaFacts>,
}

/// How candidates are written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptSettings {
    /// Longest row in word pieces, special tokens and markers included.
    pub max_length: usize,
}

/// How a classifier came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetaFacts {
    /// The settings, whatever the program that trained it called them.
    pub settings: Value,
    /// Correct and incorrect candidates that it learnt from.
    pub correct: usize,
    /// See `correct`.
    pub incorrect: usize,
    /// Candidates that were held out.
    pub held_out: usize,
    /// The share of those held out that is correct, in 0..=1.
    pub held_out_correct: f64,
    /// The share of those held out that it judges rightly, in 0..=1.
    pub accuracy: f64,
    /// The epoch whose weights these are.
    pub epoch: usize,
    /// The device it was trained on.
    pub device: String,
}

impl Classifier {
    /// The classifier in `source`, with the weights of a precision.
    ///
    /// # Errors
    /// Any file that is missing, damaged, of a newer version or at odds with the others, by name.
    pub fn load(source: &ModelSource, precision: Precision, device: &Device) -> Result<Self> {
        let encoder = EncoderConfig::read(source)?;
        let config = ClassifierConfig::read(source, &encoder)?;
        let tokenizer = read_tokenizer(source, &encoder)?;
        let [open, close] = MARKERS.map(|marker| {
            tokenizer.id(marker).ok_or_else(|| {
                let path = source.describe(TOKENIZER_FILE);
                Error::file(path, format!("no token {marker}, which marks a mention"))
            })
        });
        let checkpoint = Checkpoint::open_precision(source, precision)?;
        let fresh = Network::new(&encoder, device);
        let network = load_into(fresh, &checkpoint, |path| encoder.tensor_name(path))?;
        Ok(Self { markers: [open?, close?], encoder, tokenizer, config, network })
    }

    /// Writes `config.json`, `tokenizer.json` and the weights to `folder`, each atomically.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let invalid = |error: serde_json::Error| Error::Setting(error.to_string());
        let mut json: Map<String, Value> = self.encoder.json().clone();
        json.insert(KEY.into(), serde_json::to_value(&self.config).map_err(invalid)?);
        let text = serde_json::to_string_pretty(&json).map_err(invalid)?;
        write_text(&folder.join(CONFIG_FILE), &(text + "\n"))?;
        write_text(&folder.join(TOKENIZER_FILE), &self.tokenizer.to_json())?;
        self.write_weights(folder, Precision::F32)
    }

    /// Writes the weights in a precision, to a file of its own beside the others.
    ///
    /// # Errors
    /// The system's, or a weight that the precision cannot hold.
    pub fn write_weights(&self, folder: &Path, precision: Precision) -> Result<()> {
        save_module(&self.network, &folder.join(precision.file()), precision, |path| {
            self.encoder.tensor_name(path)
        })
    }

    /// How candidates are written down for it.
    pub(super) fn prompt(&self) -> Prompt<'_> {
        Prompt {
            tokenizer: &self.tokenizer,
            markers: self.markers,
            max_length: self.config.classifier.max_length,
        }
    }

    /// How it came about.
    pub fn facts(&self) -> Option<&MetaFacts> {
        self.config.training.as_ref()
    }

    /// How many numbers were learnt.
    pub fn parameters(&self) -> usize {
        self.network.num_params()
    }
}

impl ClassifierConfig {
    /// The configuration of the classifier in `source`, which has the encoder `encoder`.
    ///
    /// # Errors
    /// A folder without one, of a newer version, or with values that cannot be.
    pub fn read(source: &ModelSource, encoder: &EncoderConfig) -> Result<Self> {
        let path = source.describe(CONFIG_FILE);
        let own = own_config(&path, encoder.json())?;
        let config: Self = serde_json::from_value(own.clone())
            .map_err(|error| Error::file(&path, format!("in \"innerspan\": {error}")))?;
        let longest = config.classifier.max_length;
        if !(SHORTEST..=encoder.max_tokens()).contains(&longest) {
            return Err(Error::file(
                &path,
                format!(
                    "in \"innerspan\": rows of {longest} word pieces; {SHORTEST} to {}, which the encoder reads, make sense",
                    encoder.max_tokens()
                ),
            ));
        }
        Ok(config)
    }

    /// One of the newest format.
    pub(super) fn new(max_length: usize) -> Self {
        let classifier = PromptSettings { max_length };
        Self { format_version: FORMAT_VERSION, classifier, training: None }
    }
}
