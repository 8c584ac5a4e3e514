//! `innerspan evaluate`

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use innerspan::data::{Document, LabelSet};
use innerspan::device::DeviceChoice;
use innerspan::metric::evaluate;
use innerspan::model::weights::Precision;
use innerspan::progress::Progress;
use innerspan::recognizer::{ExtractOptions, Recognizer};
use innerspan::train::Lost;

use super::{print, print_json, probability, recognizer};
use crate::corpus::{self, Reading};
use crate::failure::Failure;
use crate::progress::Reporter;
use crate::stderr;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan evaluate --model model --data test.jsonl
  innerspan evaluate --model model --data test.jsonl --json > scores.json

Scores compare sets of (sentence, start, end, type). They are printed as percentages, and with --json
as ratios from 0 to 1.";

/// Documents that are recognised between two reports of progress.
const SHARE: usize = 128;

/// A model and what to score it on.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Evaluate {
    /// The folder of a trained model
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Annotated text: a file or folder in any format that `convert` reads
    #[arg(long, value_name = "F")]
    data: PathBuf,
    /// Prints JSON
    #[arg(long)]
    json: bool,
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
        let (predicted, lost) = recognise(&model, &gold, self.threshold)?;
        if let Some(message) = lost.message("evaluation") {
            stderr::say(format!("note: {message}"));
        }
        let report = evaluate(&gold, &predicted);
        if self.json { print_json(&report) } else { print(report.to_string().trim_end()) }
    }
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

/// What the model finds in the texts of `gold`, and how much of the gold it can never find; types that it does not
/// know are no part of that.
pub fn recognise(
    model: &Recognizer,
    gold: &[Document],
    threshold: Option<f32>,
) -> Result<(Vec<Document>, Lost), Failure> {
    let options = ExtractOptions { threshold };
    let mut reporter = Reporter::new();
    reporter.show(Progress::Stage { name: "evaluating".into(), total: gold.len() });
    let mut predicted = Vec::with_capacity(gold.len());
    let mut lost = Lost::default();
    for share in gold.chunks(SHARE) {
        lost += Lost { unknown_label: 0, ..model.unreachable(share)? };
        predicted.extend(model.extract_documents(share.to_vec(), &options)?);
        reporter.show(Progress::Advanced { done: predicted.len() });
    }
    Ok((predicted, lost))
}
