//! `innerspan combine`

mod models;
mod predictions;
mod scores;

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use innerspan::combine::Method;
use innerspan::combine::meta::MetaSettings;
use innerspan::device::DeviceChoice;
use innerspan::encoder::CONFIG_FILE;
use innerspan::model::weights::Precision;

use super::model_folder;
use crate::corpus::Reading;
use crate::failure::Failure;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan combine --method majority a.jsonl b.jsonl c.jsonl > combined.jsonl
  innerspan combine --method union --gold test.jsonl a.jsonl b.jsonl
  innerspan combine --method majority --out ensemble model-a model-b model-c
  innerspan combine --method meta --data dev.jsonl --encoder ./biobert --test test.jsonl \\
      --out ensemble model-a model-b

Prediction files, as `predict` writes them, must be of the same texts in the same order. The result goes
to stdout or --out as JSONL; with --gold the scores go to stdout, and the result to --out only.

Model folders become one folder, an ensemble, which loads like any other model.

  union      what any system finds: more recall, less precision
  majority   what more than half of them find; of two, both
  meta       what any of them finds, judged by a classifier that learns from their mistakes

The classifier of meta learns from --data and from what the models predicted there in every epoch: train
them with --dev DATA --keep-predictions. Its scores on DATA, and those of the models, mean nothing
afterwards: --test scores all of them side by side on text that neither has learnt from.";

/// Systems and how to combine them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Combine {
    /// Prediction files in any format that `convert` reads, or models: folders, or hf:ORG/NAME[@REVISION]
    #[arg(value_name = "FILE|DIR|hf:NAME", required = true)]
    systems: Vec<PathBuf>,
    /// How to combine them
    #[arg(long, value_parser = method())]
    method: Method,
    /// The file of the combined predictions, or the folder of the ensemble
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Prediction files: annotated text to score them and their combinations on
    #[arg(long, value_name = "F", conflicts_with = "test")]
    gold: Option<PathBuf>,
    /// Model folders: annotated text to score them and their combinations on, which nobody has learnt from
    #[arg(long, value_name = "F")]
    test: Option<PathBuf>,
    /// Prints the scores as JSON
    #[arg(long)]
    json: bool,
    /// Where to run models: auto takes a real GPU if there is one
    #[arg(long, value_name = "auto|cpu|wgpu", default_value = "auto")]
    device: DeviceChoice,
    #[command(flatten)]
    meta: Meta,
    #[command(flatten)]
    reading: Reading,
}

/// What the classifier learns from, and how.
#[derive(Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Meta")]
struct Meta {
    /// Annotated text that was --dev of all models
    #[arg(long, value_name = "F")]
    data: Option<PathBuf>,
    /// Annotated text that the models learnt from: its entities are correct candidates too
    #[arg(long, value_name = "F")]
    train: Option<PathBuf>,
    /// The encoder of the classifier: a Hugging Face folder or that of a member, hf:ORG/NAME[@REVISION], or
    /// `tiny`
    #[arg(long, value_name = "DIR|hf:NAME|tiny")]
    encoder: Option<String>,
    /// Most passes over the candidates [default: 15]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Candidates per optimiser step [default: 8]
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Learning rate of the encoder; 1e-5 suits large ones [default: 5e-5]
    #[arg(long, value_name = "X")]
    lr: Option<f64>,
    /// Learning rate of what is on top of it [default: 5e-4]
    #[arg(long, value_name = "X")]
    head_lr: Option<f64>,
    /// Epochs without a better accuracy on held-out candidates after which training stops; 0 for never [default: 5]
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// Longest input in word pieces; more context is cut, evenly on both sides [default: 192]
    #[arg(long, value_name = "N")]
    max_length: Option<usize>,
    /// Seeds weights, order, dropout and which sentences are held out [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Meta {
    fn settings(&self) -> MetaSettings {
        let usual = MetaSettings::default();
        MetaSettings {
            epochs: self.epochs.unwrap_or(usual.epochs),
            batch_size: self.batch_size.unwrap_or(usual.batch_size),
            lr: self.lr.unwrap_or(usual.lr),
            head_lr: self.head_lr.unwrap_or(usual.head_lr),
            patience: self.patience.unwrap_or(usual.patience),
            max_length: self.max_length.unwrap_or(usual.max_length),
            seed: self.seed.unwrap_or(usual.seed),
        }
    }
}

impl Combine {
    pub fn run(mut self) -> Result<(), Failure> {
        if self.systems.len() < 2 {
            return Err(Failure::usage("combining needs at least two systems, and one is given"));
        }
        if self.method != Method::Meta && self.meta != Meta::default() {
            return Err(Failure::usage(format!(
                "only the method meta learns, and --method is {}",
                self.method.name()
            )));
        }
        for system in &mut self.systems {
            *system = model_folder(system, Precision::F32)?;
        }
        let models: Vec<&PathBuf> = self.systems.iter().filter(|path| is_model(path)).collect();
        match models.len() {
            0 => self.predictions(),
            count if count == self.systems.len() => self.models(),
            _ => {
                let other = self.systems.iter().find(|path| !is_model(path));
                Err(Failure::usage(format!(
                    "{} is a model folder, and {} is not",
                    models[0].display(),
                    other.map(|path| path.display().to_string()).unwrap_or_default()
                ))
                .hint("give either prediction files or model folders"))
            }
        }
    }
}

/// Whether a path is a folder with a configuration; a folder of brat's files has none.
fn is_model(path: &Path) -> bool {
    path.join(CONFIG_FILE).is_file()
}

/// Reads the name of a method.
fn method() -> impl TypedValueParser<Value = Method> {
    const METHODS: [Method; 3] = [Method::Union, Method::Majority, Method::Meta];
    PossibleValuesParser::new(METHODS.map(Method::name)).map(|name| {
        METHODS.into_iter().find(|method| method.name() == name).unwrap_or(Method::Union)
    })
}
