//! Corpora as commands take them: how to read them, and what was left out.

use std::path::Path;

use clap::Args;
use innerspan::data::{Document, Format, ReadOptions, Reader, open, open_stream};
use innerspan::progress::Progress;
use innerspan::text::OffsetUnit;

use crate::failure::Failure;
use crate::progress::Reporter;
use crate::stderr;

/// How to read annotated text.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading")]
pub struct Reading {
    /// The format: jsonl, jsonl-tokens, conll, brat, pubtator or text [default: guessed from the file]
    #[arg(long, value_name = "F")]
    pub format: Option<Format>,
    /// What offsets in the data count
    #[arg(long, value_name = "codepoint|utf16|byte", default_value = "codepoint")]
    pub offsets: OffsetUnit,
    /// CoNLL: the columns that hold tags, from 0, one for each layer of nesting [default: all that look so]
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    pub tag_columns: Option<Vec<usize>>,
    /// Leaves out what is invalid, and counts it, instead of stopping there
    #[arg(long)]
    pub skip_invalid: bool,
}

impl Reading {
    /// The same for the library.
    pub fn options(&self) -> ReadOptions {
        ReadOptions {
            format: self.format,
            offsets: self.offsets,
            skip_invalid: self.skip_invalid,
            tag_columns: self.tag_columns.clone(),
            ..ReadOptions::default()
        }
    }
}

/// Reads a file or folder, and says what was left out.
///
/// # Errors
/// What is invalid, by file and line, unless it is to be skipped; and a corpus without documents.
pub fn load(path: &Path, reading: &Reading) -> Result<Vec<Document>, Failure> {
    let mut reader = open(path, &reading.options())?;
    let mut reporter = Reporter::new();
    reporter.show(Progress::Stage { name: format!("reading {}", path.display()), total: 0 });
    let mut documents = Vec::new();
    for document in reader.by_ref() {
        documents.push(document?);
        if documents.len().is_multiple_of(1000) {
            reporter.show(Progress::Advanced { done: documents.len() });
        }
    }
    drop(reporter);
    left_out(path, &reader);
    if documents.is_empty() {
        let failure = Failure::new(format!("{}: holds no documents", path.display()));
        return Err(failure.hint(format!(
            "it was read as {}; --format forces another format",
            reader.format().name()
        )));
    }
    Ok(documents)
}

/// Reads JSON lines that came with the program; `name` is for messages.
pub fn parse(name: &str, lines: &'static str) -> Result<Vec<Document>, Failure> {
    let reader = open_stream(lines.as_bytes(), name, &ReadOptions::default())?;
    Ok(reader.collect::<innerspan::Result<_>>()?)
}

/// Says what a reader left out so far.
pub fn left_out(path: &Path, reader: &Reader) {
    let (skipped, discontinuous) = (reader.skipped(), reader.discontinuous());
    if skipped > 0 {
        let places = stderr::count(skipped, "place was", "places were");
        stderr::say(format!("note: {}: {places} invalid and left out", path.display()));
    }
    if discontinuous > 0 {
        let entities =
            stderr::count(discontinuous, "discontinuous entity was", "discontinuous entities were");
        stderr::say(format!(
            "note: {}: {entities} left out: a span has one start and one end",
            path.display()
        ));
    }
    for note in reader.notes() {
        stderr::say(format!("  {note}"));
    }
    let hidden = (skipped + discontinuous).saturating_sub(reader.notes().len());
    if hidden > 0 {
        stderr::say(format!("  … and {hidden} more"));
    }
}
