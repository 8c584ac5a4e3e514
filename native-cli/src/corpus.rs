//! Corpora as commands take them: how to read them, and what was left out.

use std::path::Path;

use clap::Args;
use innerspan::data::{Document, Format, ReadOptions, Reader, open, open_stream};
use innerspan::progress::Progress;
use innerspan::text::OffsetUnit;
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use crate::failure::Failure;
use crate::progress::Reporter;
use crate::stderr;
use crate::toml_file::{Entry, Fault, typed};

/// How to read annotated text.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Reading")]
#[serde(default, rename_all = "kebab-case")]
pub struct Reading {
    /// The format: jsonl, jsonl-tokens, conll, brat, pubtator or text [default: guessed from the file]
    #[arg(long, value_name = "F")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// What offsets in the data count [default: codepoint]
    #[arg(long, value_name = "codepoint|utf16|byte")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offsets: Option<OffsetUnit>,
    /// CoNLL: the columns that hold tags, from 0, one for each layer of nesting [default: all that look so]
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_columns: Option<Vec<usize>>,
    /// Leaves out what is invalid, and counts it, instead of stopping there
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip_invalid: bool,
}

impl Reading {
    /// The names of the options in a TOML file.
    pub const KEYS: [&str; 4] = ["format", "offsets", "tag-columns", "skip-invalid"];

    /// Those that a table holds.
    ///
    /// # Errors
    /// A value of the wrong kind.
    pub fn parse(table: &DeTable) -> Result<Self, Fault> {
        let is_own = |key: &str| Self::KEYS.contains(&key);
        let own = table.iter().filter(|(key, _)| is_own(key.get_ref()));
        let own = own.map(|(key, value)| (key.clone(), value.clone())).collect();
        typed("", &Entry::new(0..0, DeValue::Table(own)))
    }

    /// These, and of `others` what these leave open.
    pub fn or(self, others: Self) -> Self {
        Self {
            format: self.format.or(others.format),
            offsets: self.offsets.or(others.offsets),
            tag_columns: self.tag_columns.or(others.tag_columns),
            skip_invalid: self.skip_invalid || others.skip_invalid,
        }
    }

    /// The same for a command line.
    pub fn arguments(&self) -> Vec<String> {
        let given = Table::try_from(self).unwrap_or_default();
        let option = |(key, value): (String, Value)| match value {
            Value::Array(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                vec![format!("--{key}"), values.join(",")]
            }
            Value::String(text) => vec![format!("--{key}"), text],
            // the only one without a value, there if it is set
            _ => vec![format!("--{key}")],
        };
        given.into_iter().flat_map(option).collect()
    }

    /// The same for the library.
    pub fn options(&self) -> ReadOptions {
        ReadOptions {
            format: self.format,
            offsets: self.offsets.unwrap_or_default(),
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
