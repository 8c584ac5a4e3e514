//! `innerspan quantize`

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::HumanBytes;
use innerspan::Error;
use innerspan::combine::quantize;
use innerspan::device;
use innerspan::metric::evaluate;
use innerspan::model::weights::Precision;
use serde_json::json;

use super::evaluate::recognise;
use super::{print, print_json, recognizer};
use crate::corpus::{self, Reading};
use crate::failure::Failure;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan quantize --model model --precision q8
  innerspan quantize --model model --precision q8 --data dev.jsonl
  innerspan predict --model model --precision q8 --text 'mutant p53 protein'

q8 keeps one byte a weight and is about a quarter of f32's size, f16 is half. The new file lies beside
the others in the folder (model.q8.safetensors, model.f16.safetensors); nothing is replaced but an
older one of the same name. Of an ensemble, every member's weights are stored so.";

/// A model and how to store its weights.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Quantize {
    /// The folder of a trained model
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// How to store the weights: f16 or q8
    #[arg(long, value_name = "f16|q8", value_parser = smaller)]
    precision: Precision,
    /// Annotated text to score both precisions on: a file or folder in any format that `convert` reads
    #[arg(long, value_name = "F")]
    data: Option<PathBuf>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

/// Reads a precision that is smaller than that of training.
fn smaller(argument: &str) -> Result<Precision, String> {
    match argument.parse() {
        Ok(Precision::F32) => Err("the model is stored so already: use f16 or q8".into()),
        Ok(precision) => Ok(precision),
        Err(Error::Setting(message)) => Err(message),
        Err(error) => Err(error.to_string()),
    }
}

impl Quantize {
    pub fn run(self) -> Result<(), Failure> {
        // read first, so that a corpus which cannot be read leaves nothing behind
        let gold = self.data.as_ref().map(|data| corpus::load(data, &self.reading)).transpose()?;
        let folders = quantize(&self.model, self.precision)?;
        let precisions = [Precision::F32, self.precision];
        let files = |precision: Precision| folders.iter().map(move |f| f.join(precision.file()));
        let sizes =
            precisions.map(|precision| files(precision).map(|file| size(&file)).sum::<u64>());
        let mut scores = Vec::new();
        for precision in precisions {
            let Some(gold) = &gold else { break };
            let model = recognizer(&self.model, precision, device::DeviceChoice::Cpu)?;
            let predicted = recognise(&model, gold, None)?.predicted;
            scores.push(evaluate(gold, &predicted).strict.f1());
        }
        let file: Vec<String> =
            files(self.precision).map(|file| file.display().to_string()).collect();
        let file = file.join(", ");
        if self.json {
            return print_json(&json!({
                "file": file,
                "bytes": sizes[1],
                "bytes_f32": sizes[0],
                "f1": scores.get(1),
                "f1_f32": scores.first(),
            }));
        }
        print(format!(
            "{file}: {}, {:.0} % of f32",
            HumanBytes(sizes[1]),
            100.0 * sizes[1] as f64 / sizes[0].max(1) as f64
        ))?;
        if let [before, after] = scores[..] {
            print(format!(
                "strict F1: {:.2} with f32, {:.2} with {} ({:+.2})",
                100.0 * before,
                100.0 * after,
                self.precision,
                100.0 * (after - before)
            ))?;
        }
        Ok(())
    }
}

/// The size of a file in bytes; 0 where weights lie in several files.
fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}
