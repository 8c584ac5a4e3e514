//! `innerspan train`

mod config;
mod flags;
pub mod out;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use innerspan::Error;
use innerspan::device::DeviceChoice;
use innerspan::metric::Report;
use innerspan::model::source::ModelSource;
use innerspan::train::{EncoderSource, EpochRecord, Outcome, Preset, Run, TrainSettings};
use innerspan_hub::HubName;
use serde::Serialize;

use self::config::Config;
use super::{device, print, print_json};
use crate::corpus::{self, Reading};
use crate::cost::Cost;
use crate::failure::Failure;
use crate::hub::Downloads;
use crate::progress::Reporter;
use crate::stderr;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan train --train train.jsonl --dev dev.jsonl --encoder ./biobert --out model
  innerspan train --train a.tsv --dev b.tsv --encoder hf:google-bert/bert-base-cased --out model
  innerspan train --config run.toml --seed 7 --out model-7
  innerspan train --config run.toml --seed 7 --out model-7 --resume

A TOML file may hold every long option under its own name (train = \"…\", epochs = 10) and
those of the loss and of the two-stage head in tables of their own ([loss] kind = \"eiou-emc\",
beta = 0.2; [two-stage] bilstm = true); options given here win over it, and it wins over the
preset. Paths are relative to the current folder. The settings used are saved as
OUT/settings.toml, which --config reads again.

Ctrl-C saves and ends with exit code 130; the same command with --resume goes on, and ends with
the same model as if it had never stopped.";

/// What to train on what.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub struct Train {
    /// Annotated text to learn from: a file or folder in any format that `convert` reads
    #[arg(long, value_name = "F")]
    train: Option<PathBuf>,
    /// Annotated text that chooses the best epoch
    #[arg(long, value_name = "F")]
    dev: Option<PathBuf>,
    /// The encoder to fine-tune: a Hugging Face folder, hf:ORG/NAME[@REVISION], or `tiny`, a small
    /// one with fresh weights
    #[arg(long, value_name = "DIR|hf:NAME|tiny")]
    encoder: Option<String>,
    /// The folder for the model; it is made, and must be empty or absent
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A TOML file with any of these options
    #[arg(long, value_name = "F")]
    config: Option<PathBuf>,
    /// The settings of a published system, which --config and the options below override
    #[arg(long, value_name = "NAME", value_parser = presets())]
    preset: Option<Preset>,
    /// Goes on where the run in --out was stopped or killed
    #[arg(long)]
    resume: bool,
    /// Replaces the model in --out
    #[arg(long, conflicts_with = "resume")]
    overwrite: bool,
    /// Where to run: auto takes a real GPU if there is one
    #[arg(long, value_name = "auto|cpu|wgpu")]
    device: Option<DeviceChoice>,
    /// Prints the scores on the development data as JSON
    #[arg(long)]
    json: bool,
    /// Stops when a byte comes on standard input, and ends at once when that closes
    #[arg(long, hide = true)]
    supervised: bool,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    flags: flags::Flags,
}

impl Train {
    pub fn run(mut self) -> Result<(), Failure> {
        let mut settings = self.read_config()?;
        self.flags.apply(&mut settings);
        settings.check().map_err(|error| Failure::usage(error.to_string()))?;
        let train = needed("train", self.train.as_ref())?;
        let dev = needed("dev", self.dev.as_ref())?;
        let encoder = needed("encoder", self.encoder.as_ref())?;
        let out = needed("out", self.out.as_ref())?;
        out::check(out, self.resume, self.overwrite)?;
        if self.resume && out::is_finished(out) {
            stderr::say(format!(
                "{}: this run has ended, so there is nothing to resume",
                out.display()
            ));
            return Ok(());
        }

        let source = encoder_source(encoder)?;
        let train_documents = corpus::load(train, &self.reading)?;
        let dev_documents = corpus::load(dev, &self.reading)?;
        let selected = device(self.device.unwrap_or_default())?;
        let run = Run {
            settings: &settings,
            train: &train_documents,
            dev: &dev_documents,
            encoder: source,
            encoder_name: encoder,
            out,
            resume: self.resume,
            device: &selected,
        };
        out::prepare(out, self.overwrite)?;
        let outcome = if self.supervised { watch_supervised(&run) } else { watch(&run) }?;
        self.conclude(&outcome, out)
    }

    /// The settings of the preset, overridden by those of the `--config` file; its other options fill those not given.
    fn read_config(&mut self) -> Result<TrainSettings, Failure> {
        let config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        let preset = self.preset.or(config.preset);
        let settings =
            config.settings(&preset.map_or_else(TrainSettings::default, Preset::settings))?;
        self.train = self.train.take().or(config.train);
        self.dev = self.dev.take().or(config.dev);
        self.encoder = self.encoder.take().or(config.encoder);
        self.out = self.out.take().or(config.out);
        self.device = self.device.or(config.device);
        self.reading = std::mem::take(&mut self.reading).or(config.reading);
        Ok(settings)
    }

    fn conclude(&self, outcome: &Outcome, out: &Path) -> Result<(), Failure> {
        if self.json {
            let last = outcome.curve.last();
            let (epochs, seconds) =
                last.map_or((0, 0.0), |last| (last.epoch, last.training_seconds));
            let cost = Cost::of(outcome.documents * epochs, seconds);
            print_json(&Trained { report: &outcome.report, best: &outcome.best, cost })?;
        } else {
            print(outcome.report.to_string().trim_end())?;
        }
        stderr::say(format!(
            "epoch {} is the best of {}: saved in {}",
            outcome.best.epoch,
            outcome.curve.len(),
            out.display()
        ));
        Ok(())
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Trained<'a> {
    #[serde(flatten)]
    report: &'a Report,
    best: &'a EpochRecord,
    /// Of optimiser steps alone, without evaluation.
    cost: Cost,
}

/// Trains with progress shown and Ctrl-C obeyed.
pub fn watch(run: &Run) -> Result<Outcome, Failure> {
    let stop = stop_flag("stopping after this step and saving; Ctrl-C again aborts at once")?;
    show(run, &stop)
}

/// Trains for another program, which has this one's standard input.
fn watch_supervised(run: &Run) -> Result<Outcome, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    std::thread::spawn(move || {
        let mut byte = [0];
        while std::io::stdin().read(&mut byte).is_ok_and(|count| count > 0) {
            asked.store(true, Ordering::Relaxed);
        }
        std::process::exit(130);
    });
    show(run, &stop)
}

/// Trains with progress shown, until `stop`.
fn show(run: &Run, stop: &AtomicBool) -> Result<Outcome, Failure> {
    let mut reporter = Reporter::new();
    let outcome = innerspan::train::train(run, &mut |progress| reporter.show(progress), stop);
    reporter.finish();
    outcome.map_err(|error| match error {
        Error::Interrupted => Failure::stopped(format!(
            "stopped; everything so far is saved in {}",
            run.out.display()
        ))
        .hint("to go on, give the same command with --resume"),
        error => error.into(),
    })
}

/// What Ctrl-C sets, after it has said what happens now; a second one ends the program.
pub fn stop_flag(says: &'static str) -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&stop);
    let set = ctrlc::set_handler(move || {
        if handler.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\n{says}");
    });
    set.map_err(|error| Failure::new(format!("Ctrl-C cannot be watched: {error}")))?;
    Ok(stop)
}

/// The presets, each with a line about it, and examples.
fn after_help() -> String {
    let lines: String = Preset::ALL
        .iter()
        .map(|preset| format!("  {:<18}{}\n", preset.name(), preset.summary()))
        .collect();
    format!("PRESETS\n{lines}\n{EXAMPLES}")
}

/// Reads the name of a preset.
fn presets() -> impl TypedValueParser<Value = Preset> {
    PossibleValuesParser::new(Preset::ALL.map(Preset::name)).try_map(|name| name.parse::<Preset>())
}

/// An option that must come from the command line or the file.
fn needed<'a, T>(name: &str, value: Option<&'a T>) -> Result<&'a T, Failure> {
    value.ok_or_else(|| {
        Failure::usage(format!("--{name} is missing"))
            .hint(format!("give --{name}, or {name} = \"…\" in the file of --config"))
    })
}

/// Finds the encoder, downloading it if need be.
pub fn encoder_source(encoder: &str) -> Result<EncoderSource, Failure> {
    if encoder == "tiny" {
        return Ok(EncoderSource::Tiny);
    }
    if let Some(name) = HubName::parse(encoder) {
        return Ok(EncoderSource::Pretrained(ModelSource::folder(
            name?.encoder_folder(&mut Downloads::default())?,
        )));
    }
    let folder = Path::new(encoder);
    if !folder.is_dir() {
        return Err(Failure::new(format!("{encoder}: no such encoder folder"))
            .hint(format!("give a folder with config.json, tokenizer and weights; hf:{encoder} would look on the Hugging Face hub; tiny needs none")));
    }
    Ok(EncoderSource::Pretrained(ModelSource::folder(folder)))
}
