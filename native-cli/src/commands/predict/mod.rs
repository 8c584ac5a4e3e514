//! `innerspan predict`

mod input;
mod output;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};

use clap::{Args, ValueEnum};
use innerspan::data::{self, Document, ReadOptions};
use innerspan::device::DeviceChoice;
use innerspan::model::weights::Precision;
use innerspan::recognizer::{ExtractOptions, Recognizer};
use innerspan::text::OffsetUnit;

use self::input::{Item, Source, read};
use self::output::Writer;
use super::{probability, recognizer};
use crate::failure::Failure;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan predict --model model --text 'mutant p53 protein in T cells'
  innerspan predict --model model notes.txt --format html > notes.html
  innerspan predict --model model corpus.jsonl --format jsonl > found.jsonl
  zcat huge.gz | innerspan predict --model model - --offsets utf16 | gzip > found.gz

A text file is read line by line, each line a text of its own, so memory stays the same
however long the input is. Results come in the order of the input, in JSONL as
{\"text\", \"entities\": [{\"start\", \"end\", \"label\", \"score\", \"text\"}]}";

/// Documents that wait to be recognised together at most.
const WAITING: usize = 64;

/// A model and what to read.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Predict {
    /// A trained model or an ensemble: its folder, or hf:ORG/NAME[@REVISION]
    #[arg(long, value_name = "DIR|hf:NAME")]
    model: PathBuf,
    /// A text to read
    #[arg(long, value_name = "S", conflicts_with = "files", required_unless_present = "files")]
    text: Option<String>,
    /// Files to read; - is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What to print [default: highlight on a terminal, jsonl elsewhere]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// What start and end count in JSONL, read or written
    #[arg(long, value_name = "codepoint|utf16|byte", default_value = "codepoint")]
    offsets: OffsetUnit,
    /// Probability from which a span is an entity [default: the model's own]
    #[arg(long, value_name = "X", value_parser = probability)]
    threshold: Option<f32>,
    /// The format of the input: text, jsonl, jsonl-tokens, conll, brat or pubtator [default: guessed]
    #[arg(long, value_name = "F")]
    from: Option<data::Format>,
    /// Leaves out lines that cannot be read, and counts them, instead of stopping there
    #[arg(long)]
    skip_invalid: bool,
    /// The weights to use: f32, or f16 or q8 as `quantize` writes them
    #[arg(long, value_name = "f32|f16|q8", default_value = "f32")]
    precision: Precision,
    /// Where to run: auto takes a real GPU if there is one
    #[arg(long, value_name = "auto|cpu|wgpu", default_value = "auto")]
    device: DeviceChoice,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The text with its entities in colour, nested ones under each other
    Highlight,
    /// One JSON object a line
    Jsonl,
    /// One word a line with IOB2 tags, a column for each layer of nesting
    Conll,
    /// brat's standoff annotation of the input, whose lines count as one text
    Brat,
    /// A page that needs nothing else
    Html,
}

impl Predict {
    pub fn run(self) -> Result<(), Failure> {
        let sources = self.sources()?;
        for source in &sources {
            source.check()?;
        }
        let model = recognizer(&self.model, self.precision, self.device)?;
        let mut writer = Writer::new(self.format(), self.offsets, &model)?;
        let options = ExtractOptions { threshold: self.threshold };
        let (sender, receiver) = sync_channel(WAITING);
        let reading = ReadOptions {
            format: self.from,
            offsets: self.offsets,
            skip_invalid: self.skip_invalid,
            ..ReadOptions::default()
        };
        // reads ahead; ends by itself when the receiver is gone
        let joined = model.reads_neighbours();
        let reader = std::thread::spawn(move || read(sources, &reading, joined, &sender));
        while let Some(items) = next_batch(&receiver) {
            let (items, failure) = split(items);
            let at: Vec<usize> = items.iter().map(|item| item.at).collect();
            let found = recognise(&model, items, &options)?;
            for (at, document) in at.into_iter().zip(found) {
                writer.write(at, &document)?;
            }
            writer.flush()?;
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        reader.join().map_err(|_| Failure::new("the input could not be read to its end"))?;
        writer.finish()
    }

    fn sources(&self) -> Result<Vec<Source>, Failure> {
        if let Some(text) = &self.text {
            return Ok(vec![Source::Text(text.clone())]);
        }
        if self.format() == Format::Brat && self.files.len() > 1 {
            return Err(Failure::usage(
                "brat's annotation belongs to one text, and several files are given",
            )
            .hint("call once for each file"));
        }
        Ok(self.files.iter().map(|path| Source::new(path)).collect())
    }

    fn format(&self) -> Format {
        use std::io::IsTerminal;
        let usual = if std::io::stdout().is_terminal() { Format::Highlight } else { Format::Jsonl };
        self.format.unwrap_or(usual)
    }
}

/// The documents with what the model finds; runs of a corpus are read as such.
fn recognise(
    model: &Recognizer,
    items: Vec<Item>,
    options: &ExtractOptions,
) -> Result<Vec<Document>, Failure> {
    if items.iter().all(|item| item.neighbours.iter().all(Option::is_none)) {
        let documents = items.into_iter().map(|item| item.document).collect();
        return Ok(model.extract_documents(documents, options)?);
    }
    let mut found = Vec::with_capacity(items.len());
    for run in items.chunk_by(|item, _| item.neighbours[1].is_some()) {
        let documents: Vec<Document> = run.iter().map(|item| item.document.clone()).collect();
        let (first, last) = (&run[0].neighbours[0], &run[run.len() - 1].neighbours[1]);
        found.extend(model.extract_in_corpus(
            first.as_ref(),
            &documents,
            last.as_ref(),
            options,
        )?);
    }
    Ok(found)
}

/// Waits for one item, then takes what else has been read meanwhile: a reader at a prompt gets each answer at once,
/// and a file is worked through in batches.
fn next_batch(receiver: &Receiver<Result<Item, Failure>>) -> Option<Vec<Result<Item, Failure>>> {
    let mut items = vec![receiver.recv().ok()?];
    items.extend(receiver.try_iter().take(WAITING));
    Some(items)
}

/// The items before the first failure, and that.
fn split(items: Vec<Result<Item, Failure>>) -> (Vec<Item>, Option<Failure>) {
    let mut good = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Ok(item) => good.push(item),
            Err(failure) => return (good, Some(failure)),
        }
    }
    (good, None)
}
