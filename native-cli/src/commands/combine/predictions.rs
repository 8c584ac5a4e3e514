//! Prediction files in, one list of predictions out.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use innerspan::Error;
use innerspan::combine::{Method, majority, same_texts, union};
use innerspan::data::{Document, Format, WriteOptions, Writer};
use innerspan::model::weights::write_atomically;
use innerspan::text::OffsetUnit;

use super::Combine;
use super::scores::{Scores, combined};
use crate::commands::{print, print_json};
use crate::corpus;
use crate::failure::Failure;

impl Combine {
    pub(super) fn predictions(&self) -> Result<(), Failure> {
        let combine = match self.method {
            Method::Union => union,
            Method::Majority => majority,
            Method::Meta => {
                return Err(Failure::usage(
                    "meta combines models, whose classifier it trains, not prediction files",
                )
                .hint("give model folders"));
            }
        };
        if self.test.is_some() {
            return Err(Failure::usage(
                "--test is for model folders, and prediction files are given",
            )
            .hint("--gold scores prediction files"));
        }
        let mut systems: Vec<(String, Vec<Document>)> = Vec::new();
        let load = |path: &PathBuf| -> Result<(String, Vec<Document>), Failure> {
            Ok((path.display().to_string(), corpus::load(path, &self.reading)?))
        };
        let gold = self.gold.as_ref().map(load).transpose()?;
        for path in &self.systems {
            let (name, documents) = load(path)?;
            if let Some((first, expected)) = gold.as_ref().or(systems.first()) {
                same_texts((first, expected), (&name, &documents))?;
            }
            systems.push((name, documents));
        }
        let lists: Vec<&[Document]> = systems.iter().map(|(_, list)| list.as_slice()).collect();
        let result = combined(&lists, combine);
        if let Some(path) = &self.out {
            write_atomically(path, |file| {
                write(file, &result, self.reading.offsets.unwrap_or_default())
                    .map_err(|error| Error::io(path, error))
            })?;
        }
        match gold {
            Some((_, gold)) => {
                let scores = Scores::of(&gold, &systems);
                if self.json { print_json(&scores.json()) } else { print(scores.text()) }
            }
            None if self.out.is_none() => {
                let stdout = BufWriter::new(std::io::stdout().lock());
                write(stdout, &result, self.reading.offsets.unwrap_or_default())
                    .map_err(Failure::stdout)
            }
            None => Ok(()),
        }
    }
}

fn write(out: impl Write, documents: &[Document], offsets: OffsetUnit) -> std::io::Result<()> {
    let options = WriteOptions { offsets, ..WriteOptions::new(Format::Jsonl) };
    let mut writer = Writer::new(out, options);
    documents.iter().try_for_each(|document| writer.write(document))?;
    writer.output().flush()
}
