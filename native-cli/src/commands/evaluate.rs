//! `innerspan evaluate`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use innerspan::Error;
use innerspan::data::{Document, Format, LabelSet, WriteOptions, Writer};
use innerspan::device::DeviceChoice;
use innerspan::metric::{Report, evaluate};
use innerspan::model::weights::{Precision, write_atomically};
use innerspan::progress::Progress;
use innerspan::recognizer::{ExtractOptions, Recognizer};
use innerspan::train::Lost;
use serde::Serialize;

use super::{print, print_json, probability, recognizer};
use crate::corpus::{self, Reading};
use crate::cost::Cost;
use crate::failure::Failure;
use crate::progress::Reporter;
use crate::stderr;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan evaluate --model model --data test.jsonl
  innerspan evaluate --model model --data test.jsonl --json > scores.json
  innerspan evaluate --model model --data test.jsonl --predictions found.jsonl

Scores compare sets of (sentence, start, end, type). They are printed as percentages, and with --json
as ratios from 0 to 1, together with the time and memory that it took.";

/// Documents that are recognised between two reports of progress.
const SHARE: usize = 128;

/// A model and what to score it on.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Evaluate {
    /// A trained model or an ensemble: its folder, or hf:ORG/NAME[@REVISION]
    #[arg(long, value_name = "DIR|hf:NAME")]
    model: PathBuf,
    /// Annotated text: a file or folder in any format that `convert` reads
    #[arg(long, value_name = "F")]
    data: PathBuf,
    /// Prints JSON
    #[arg(long)]
    json: bool,
    /// Writes what the model finds, with its scores, as JSON lines
    #[arg(long, value_name = "F")]
    predictions: Option<PathBuf>,
    /// Probability from which a span is an entity [default: the model's own]
    #[arg(long, value_name = "X", value_parser = probability)]
    threshold: Option<f32>,
    /// The weights to use: f32, or f16 or q8 as `quantize` writes them
    #[arg(long, value_name = "f32|f16|q8", default_value = "f32")]
    precision: Precision,
    /// Where to run: auto takes a real GPU if there is one
    #[arg(long, value_name = "auto|cpu|wgpu", default_value = "auto")]
    device: DeviceChoice,
    #[command(flatten)]
    reading: Reading,
}

impl Evaluate {
    pub fn run(self) -> Result<(), Failure> {
        let gold = corpus::load(&self.data, &self.reading)?;
        let model = recognizer(&self.model, self.precision, self.device)?;
        warn_of_strangers(&gold, model.labels());
        let Recognised { predicted, lost, seconds } = recognise(&model, &gold, self.threshold)?;
        if let Some(message) = lost.message("evaluation") {
            stderr::say(format!("note: {message}"));
        }
        if let Some(path) = &self.predictions {
            write(path, &predicted)?;
        }
        let report = evaluate(&gold, &predicted);
        if !self.json {
            return print(report.to_string().trim_end());
        }
        let (parameters, cost) = (model.parameters(), Cost::of(gold.len(), seconds));
        print_json(&Evaluation { report, parameters, cost })
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Evaluation {
    #[serde(flatten)]
    report: Report,
    parameters: usize,
    cost: Cost,
}

/// Writes documents as JSON lines.
fn write(path: &Path, documents: &[Document]) -> Result<(), Failure> {
    Ok(write_atomically(path, |file| {
        let mut writer = Writer::new(file, WriteOptions::new(Format::Jsonl));
        let mut written = documents.iter().map(|document| writer.write(document));
        written.try_for_each(|result| result).map_err(|error| Error::io(path, error))
    })?)
}

/// Says which types of the gold the model cannot find.
fn warn_of_strangers(gold: &[Document], labels: &LabelSet) {
    let all = LabelSet::from_documents(gold);
    let strangers: BTreeSet<&str> =
        all.iter().filter(|label| labels.index(label).is_none()).collect();
    if !strangers.is_empty() {
        let names: Vec<&str> = strangers.into_iter().collect();
        stderr::say(format!(
            "note: the model knows no {}; such entities count as missed",
            names.join(", ")
        ));
    }
}

/// What a model made of documents.
pub struct Recognised {
    /// The documents with what the model finds in them.
    pub predicted: Vec<Document>,
    /// How much of the gold it can never find; types that it does not know are no part of that.
    pub lost: Lost,
    /// What the recognition itself took.
    pub seconds: f64,
}

/// Recognises entities in the texts of `gold`.
pub fn recognise(
    model: &Recognizer,
    gold: &[Document],
    threshold: Option<f32>,
) -> Result<Recognised, Failure> {
    let options = ExtractOptions { threshold };
    let mut reporter = Reporter::new();
    reporter.show(Progress::Stage { name: "evaluating".into(), total: gold.len() });
    let mut predicted = Vec::with_capacity(gold.len());
    let mut lost = Lost::default();
    let mut seconds = 0.0;
    for (at, share) in gold.chunks(SHARE).enumerate() {
        let before = (at * SHARE).checked_sub(1).map(|before| &gold[before]);
        let after = gold.get(at * SHARE + share.len());
        lost += Lost { unknown_label: 0, ..model.unreachable(share)? };
        let began = Instant::now();
        predicted.extend(model.extract_in_corpus(before, share, after, &options)?);
        seconds += began.elapsed().as_secs_f64();
        reporter.show(Progress::Advanced { done: predicted.len() });
    }
    Ok(Recognised { predicted, lost, seconds })
}
