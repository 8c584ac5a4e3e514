//! `innerspan inspect`

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::HumanBytes;
use innerspan::combine::EnsembleConfig;
use innerspan::combine::meta::ClassifierConfig;
use innerspan::encoder::EncoderConfig;
use innerspan::model::source::ModelSource;
use innerspan::model::weights::Checkpoint;
use innerspan::model::{ModelConfig, TOKENIZER_FILE, read_tokenizer};
use innerspan_hub::HubName;
use serde_json::{Map, Value, json};

use super::{print, print_json};
use crate::failure::Failure;
use crate::hub::Downloads;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan inspect model
  innerspan inspect hf:google-bert/bert-base-cased
  innerspan inspect model --json";

/// What to describe.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Inspect {
    /// A model folder, an encoder folder, or hf:ORG/NAME
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Prints JSON
    #[arg(long)]
    json: bool,
    /// Lists every tensor with its shape
    #[arg(long)]
    tensors: bool,
}

impl Inspect {
    pub fn run(self) -> Result<(), Failure> {
        let folder = match self.folder.to_str().and_then(HubName::parse) {
            Some(name) => name?.encoder_folder(&mut Downloads::default())?,
            None => self.folder.clone(),
        };
        let description = describe(&folder, self.tensors)?;
        if self.json { print_json(&description) } else { print(text(&description)) }
    }
}

/// Facts by section, in the order in which they are shown.
fn describe(folder: &Path, tensors: bool) -> Result<Map<String, Value>, Failure> {
    let source = ModelSource::folder(folder);
    if let Ok(Some(config)) = EnsembleConfig::read(&source) {
        return describe_ensemble(folder, config, tensors);
    }
    let encoder = EncoderConfig::read(&source)?;
    let is_model = encoder.json().contains_key("innerspan");
    let model = if is_model { Some(ModelConfig::read(&source)?) } else { None };
    let tokenizer = read_tokenizer(&source, &encoder)?;
    let checkpoint = Checkpoint::open(&source)?;
    let shapes: Vec<(&str, &[usize])> =
        checkpoint.names().filter_map(|name| Some((name, checkpoint.shape(name)?))).collect();
    // shapes were checked against the file's size when it was opened
    let numbers: usize = shapes.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();

    let mut facts = Map::new();
    facts.insert("folder".into(), json!(folder.display().to_string()));
    facts.insert("kind".into(), json!(if is_model { "model" } else { "encoder" }));
    facts.insert(
        "encoder".into(),
        json!({
            "family": encoder.family.model_type(),
            "layers": encoder.layers,
            "hidden_size": encoder.hidden_size,
            "attention_heads": encoder.heads,
            "intermediate_size": encoder.intermediate_size,
            "longest_input": encoder.max_tokens(),
            "vocabulary": encoder.vocab_size,
        }),
    );
    let file = if folder.join(TOKENIZER_FILE).is_file() { TOKENIZER_FILE } else { "vocab.txt" };
    facts.insert("tokenizer".into(), json!({ "file": file, "tokens": tokenizer.vocab_size() }));
    facts.insert(
        "weights".into(),
        json!({ "file": checkpoint.path(), "tensors": shapes.len(), "parameters": numbers }),
    );
    if let Some(model) = model {
        facts.insert("head".into(), json!(model.head));
        facts.insert("labels".into(), json!(model.labels));
        facts.insert("decode".into(), json!(model.decode));
        facts.insert("window".into(), json!(model.window));
        facts.insert("format_version".into(), json!(model.format_version));
        if let Some(training) = model.training {
            facts.insert("training".into(), json!(training));
        }
    }
    facts.insert("files".into(), files(folder)?);
    if tensors {
        let list = shapes.iter().map(|(name, shape)| ((*name).to_owned(), json!(shape)));
        facts.insert("tensors".into(), Value::Object(list.collect()));
    }
    Ok(facts)
}

/// The facts of an ensemble, with those of its members by name.
fn describe_ensemble(
    folder: &Path,
    config: EnsembleConfig,
    tensors: bool,
) -> Result<Map<String, Value>, Failure> {
    let mut facts = Map::new();
    facts.insert("folder".into(), json!(folder.display().to_string()));
    facts.insert("kind".into(), json!("ensemble"));
    facts.insert("method".into(), json!(config.ensemble.method));
    facts.insert("labels".into(), json!(config.labels));
    facts.insert("format_version".into(), json!(config.format_version));
    config.members(&ModelSource::folder(folder))?;
    for name in &config.ensemble.members {
        let mut member = describe(&folder.join(name), tensors)?;
        for section in ["folder", "labels", "format_version"] {
            member.shift_remove(section);
        }
        facts.insert(name.clone(), Value::Object(member));
    }
    if let Some(name) = &config.ensemble.classifier {
        let source = ModelSource::folder(folder).inside(name);
        let encoder = EncoderConfig::read(&source)?;
        let own = ClassifierConfig::read(&source, &encoder)?;
        let checkpoint = Checkpoint::open(&source)?;
        let numbers = checkpoint.names().filter_map(|name| checkpoint.shape(name));
        let numbers: usize = numbers.map(|shape| shape.iter().product::<usize>()).sum();
        let mut classifier = Map::new();
        classifier.insert("longest_input".into(), json!(own.classifier.max_length));
        classifier.insert("parameters".into(), json!(numbers));
        if let Some(training) = own.training {
            classifier.insert("training".into(), json!(training));
        }
        facts.insert(name.clone(), Value::Object(classifier));
    }
    facts.insert("files".into(), files(folder)?);
    Ok(facts)
}

/// The files of a folder with their sizes in bytes, by name.
fn files(folder: &Path) -> Result<Value, Failure> {
    let refuse = |error| Failure::from(innerspan::Error::io(folder, error));
    let mut sizes = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refuse)? {
        let path = entry.map_err(refuse)?.path();
        // followed, because the hub's cache holds links
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        if let (true, Some(name)) = (metadata.is_file(), path.file_name()) {
            sizes.push((name.to_string_lossy().into_owned(), metadata.len()));
        }
    }
    sizes.sort();
    Ok(Value::Object(sizes.into_iter().map(|(name, size)| (name, json!(size))).collect()))
}

/// The facts for people.
fn text(facts: &Map<String, Value>) -> String {
    let mut lines = Vec::new();
    for (section, value) in facts {
        match value {
            Value::Object(fields) => {
                lines.push(section.clone());
                push_fields(&mut lines, fields, 1, section == "files");
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(plain).collect();
                lines.push(format!("{section} ({}): {}", items.len(), items.join(", ")));
            }
            value => lines.push(format!("{section}: {}", plain(value))),
        }
    }
    lines.join("\n")
}

fn push_fields(lines: &mut Vec<String>, fields: &Map<String, Value>, depth: usize, sizes: bool) {
    let indent = "  ".repeat(depth);
    for (name, value) in fields {
        match (value, value.as_u64()) {
            (Value::Object(inner), _) => {
                lines.push(format!("{indent}{name}"));
                push_fields(lines, inner, depth + 1, sizes || name == "files");
            }
            (_, Some(bytes)) if sizes => {
                lines.push(format!("{indent}{name}: {}", HumanBytes(bytes)))
            }
            (value, _) => {
                lines.push(format!("{indent}{}: {}", name.replace('_', " "), plain(value)))
            }
        }
    }
}

/// A value without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
