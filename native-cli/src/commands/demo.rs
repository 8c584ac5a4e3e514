//! `innerspan demo`

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use innerspan::Error;
use innerspan::data::Document;
use innerspan::device::{DeviceChoice, Selected};
use innerspan::metric::Score;
use innerspan::model::weights::write_atomically;
use innerspan::train::{EncoderSource, EpochRecord, Outcome, Run, TrainSettings};

use super::train::{out, watch};
use super::{device, print};
use crate::corpus;
use crate::failure::Failure;
use crate::progress::duration;
use crate::render::Palette;
use crate::render::report::{Compared, CurvePoint, ReportInput, ScoreRow, report};
use crate::render::terminal::{TerminalStyle, highlight};
use crate::stderr;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan demo
  innerspan demo --out harbour-model
  innerspan predict --model harbour-model --text 'The pilot boarded the Grey Petrel at noon.'";

const TRAIN: &str = include_str!("../../demo/train.jsonl");
const HELD_OUT: &str = include_str!("../../demo/dev.jsonl");
/// The report, in the folder of the model.
const REPORT_FILE: &str = "report.html";
/// Sentences that are shown in the terminal.
const SHOWN: usize = 6;

/// Where the demo runs and what it leaves.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Demo {
    /// The folder for the model and report.html
    #[arg(long, value_name = "DIR", default_value = "innerspan-demo")]
    out: PathBuf,
    /// Where to run: auto takes a real GPU if there is one
    #[arg(long, value_name = "auto|cpu|wgpu", default_value = "auto")]
    device: DeviceChoice,
    /// Seeds weights, order and dropout
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Passes over the training data
    #[arg(long, value_name = "N", default_value_t = settings().epochs)]
    epochs: usize,
}

/// What suits a tiny encoder and some hundred sentences.
fn settings() -> TrainSettings {
    TrainSettings {
        epochs: 25,
        lr: 1e-3,
        head_lr: 2e-3,
        dropout: Some(0.3),
        ..TrainSettings::default()
    }
}

impl Demo {
    pub fn run(self) -> Result<(), Failure> {
        let began = Instant::now();
        let settings = TrainSettings { seed: self.seed, epochs: self.epochs, ..settings() };
        settings.check().map_err(|error| Failure::usage(error.to_string()))?;
        out::check(&self.out, false, true)?;
        let train = corpus::parse("demo/train.jsonl", TRAIN)?;
        let held_out = corpus::parse("demo/dev.jsonl", HELD_OUT)?;
        let selected = device(self.device)?;
        out::prepare(&self.out, true)?;
        stderr::say(format!(
            "learning from {} annotated sentences about a harbour; {} others are held out",
            train.len(),
            held_out.len()
        ));
        let run = Run {
            settings: &settings,
            train: &train,
            dev: &held_out,
            encoder: EncoderSource::Tiny,
            encoder_name: "tiny",
            out: &self.out,
            resume: false,
            device: &selected,
        };
        let outcome = watch(&run)?;
        let shown = Shown { train: &train, held_out: &held_out, outcome: &outcome };
        shown.in_terminal()?;
        let seconds = began.elapsed().as_secs_f64();
        let page = report(&shown.report(&selected, seconds));
        let path = self.out.join(REPORT_FILE);
        write_atomically(&path, |file| {
            file.write_all(page.as_bytes()).map_err(|error| Error::io(&path, error))
        })?;
        print(format!(
            "held-out sentences: strict F1 {:.1} %, boundary F1 {:.1} %\nmodel in {}, report in {}",
            100.0 * outcome.report.strict.f1(),
            100.0 * outcome.report.boundary.f1(),
            self.out.display(),
            path.display()
        ))?;
        stderr::say(format!("done in {}", duration(seconds)));
        Ok(())
    }
}

/// What there is to show of a run.
struct Shown<'a> {
    train: &'a [Document],
    held_out: &'a [Document],
    outcome: &'a Outcome,
}

impl Shown<'_> {
    fn palette(&self) -> Palette {
        let documents = self.train.iter().chain(self.held_out);
        Palette::of(
            documents.flat_map(|document| &document.entities).map(|entity| entity.label.as_str()),
        )
    }

    /// The most deeply nested of the sentences that the model has never seen, with what it finds in them.
    fn in_terminal(&self) -> Result<(), Failure> {
        let style = TerminalStyle::detect(self.palette());
        let mut documents: Vec<&Document> = self.outcome.predicted.iter().collect();
        let depth = |document: &&Document| document.nesting_depths().into_iter().max().unwrap_or(0);
        documents
            .sort_by_key(|document| std::cmp::Reverse((depth(document), document.entities.len())));
        print("What the model finds in sentences that it has not seen:\n")?;
        for document in documents.into_iter().take(SHOWN) {
            print(highlight(document, &style))?;
        }
        Ok(())
    }

    fn report(&self, device: &Selected, seconds: f64) -> ReportInput {
        let scores = &self.outcome.report;
        let errors = scores.errors;
        let point = |record: &EpochRecord| CurvePoint {
            epoch: record.epoch,
            loss: Some(record.loss),
            f1: record.f1,
            boundary_f1: record.boundary_f1,
        };
        let average = scores.macro_average;
        let compared = |(gold, predicted): (&Document, &Document)| Compared {
            gold: gold.clone(),
            predicted: predicted.entities.clone(),
        };
        ReportInput {
            title: "Innerspan demo".into(),
            lead: format!(
                "A small model that has learnt {} sentences about a harbour, and what it finds in {} others.",
                self.train.len(),
                self.held_out.len()
            ),
            facts: [
                ("Device", format!("{} ({})", device.name, device.reason)),
                ("Time", duration(seconds)),
                (
                    "Best epoch",
                    format!("{} of {}", self.outcome.best.epoch, self.outcome.curve.len()),
                ),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec(),
            curve: self.outcome.curve.iter().map(point).collect(),
            scores: vec![
                row("strict", &scores.strict),
                row("boundary only", &scores.boundary),
                row("nested", &scores.nested),
                row("flat", &scores.flat),
                ScoreRow {
                    name: "macro average".into(),
                    precision: average.precision,
                    recall: average.recall,
                    f1: average.f1,
                    support: None,
                },
            ],
            per_label: scores.per_label.iter().map(|(label, score)| row(label, score)).collect(),
            per_length: scores
                .per_length
                .iter()
                .map(|(length, score)| row(&length.to_string(), score))
                .collect(),
            errors: [
                ("wrong type", errors.wrong_type),
                ("wrong boundary", errors.wrong_boundary),
                ("missed", errors.missed),
                ("spurious", errors.spurious),
            ]
            .map(|(name, count)| (name.to_owned(), count))
            .to_vec(),
            sentences: self.held_out.iter().zip(&self.outcome.predicted).map(compared).collect(),
            palette: self.palette(),
        }
    }
}

fn row(name: &str, score: &Score) -> ScoreRow {
    ScoreRow {
        name: name.to_owned(),
        precision: score.precision(),
        recall: score.recall(),
        f1: score.f1(),
        support: Some(score.gold),
    }
}
