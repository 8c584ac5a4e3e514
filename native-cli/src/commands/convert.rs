//! `innerspan convert`

use std::path::PathBuf;

use clap::Args;
use innerspan::data::{self, ConvertOptions, ConvertReport, Format, ReadOptions, WordSource};
use innerspan::text::OffsetUnit;

use super::print_json;
use crate::failure::Failure;
use crate::stderr::{self, count};

const EXAMPLES: &str = "\
EXAMPLES
  innerspan convert corpus.tsv corpus.jsonl
  innerspan convert brat-folder corpus.conll
  innerspan convert corpus.jsonl brat-folder --to brat
  innerspan convert browser.jsonl corpus.jsonl --offsets utf16

Formats: jsonl (text and offsets), jsonl-tokens (tokens and token indices), conll (IOB1, IOB2 or
BIOES in one or several columns; written as IOB2), brat (a folder of .txt and .ann), pubtator,
text.";

/// What to rewrite, and as what.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Convert {
    /// A file, or a brat folder
    #[arg(value_name = "INPUT")]
    input: PathBuf,
    /// The file or brat folder to write
    #[arg(value_name = "OUTPUT")]
    output: PathBuf,
    /// The format of the input [default: guessed from the file]
    #[arg(long, value_name = "F")]
    from: Option<Format>,
    /// The format of the output [default: as its name says]
    #[arg(long, value_name = "F")]
    to: Option<Format>,
    /// What offsets in the input count
    #[arg(long, value_name = "codepoint|utf16|byte", default_value = "codepoint")]
    offsets: OffsetUnit,
    /// What offsets in the output count
    #[arg(long, value_name = "codepoint|utf16|byte", default_value = "codepoint")]
    to_offsets: OffsetUnit,
    /// CoNLL: the columns that hold tags, from 0, one for each layer of nesting [default: all that look so]
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    tag_columns: Option<Vec<usize>>,
    /// Takes what white space divides for words, where the output needs words and the input has none
    #[arg(long)]
    split_at_spaces: bool,
    /// Leaves out what is invalid, and counts it, instead of stopping there
    #[arg(long)]
    skip_invalid: bool,
    /// Replaces OUTPUT
    #[arg(long)]
    force: bool,
    /// Prints what was converted as JSON
    #[arg(long)]
    json: bool,
}

impl Convert {
    pub fn run(self) -> Result<(), Failure> {
        let options = ConvertOptions {
            read: ReadOptions {
                format: self.from,
                offsets: self.offsets,
                skip_invalid: self.skip_invalid,
                tag_columns: self.tag_columns,
                ..ReadOptions::default()
            },
            to: self.to,
            offsets: self.to_offsets,
            words: if self.split_at_spaces { WordSource::Spaces } else { WordSource::Split },
            force: self.force,
        };
        let report = data::convert(&self.input, &self.output, &options)?;
        for line in summary(&report) {
            stderr::say(line);
        }
        if self.json { print_json(&report) } else { Ok(()) }
    }
}

/// What was read, written and left out.
fn summary(report: &ConvertReport) -> Vec<String> {
    let ConvertReport { from, to, documents, entities, skipped, discontinuous, lost, notes } =
        report;
    let mut lines = vec![format!(
        "{} with {} from {} to {}",
        count(*documents, "document", "documents"),
        count(*entities, "entity", "entities"),
        from.name(),
        to.name()
    )];
    let mut left_out = |number: usize, one: &str, many: &str| {
        if number > 0 {
            lines.push(format!("note: {}", count(number, one, many)));
        }
    };
    left_out(
        *skipped,
        "place of the input was invalid and left out",
        "places of the input were invalid and left out",
    );
    left_out(
        *discontinuous,
        "discontinuous entity was left out",
        "discontinuous entities were left out",
    );
    left_out(
        lost.entities,
        "entity cannot be written in this format",
        "entities cannot be written in this format",
    );
    left_out(
        lost.documents,
        "document without words was left out",
        "documents without words were left out",
    );
    lines.extend(notes.iter().chain(&lost.notes).map(|note| format!("  {note}")));
    lines
}
