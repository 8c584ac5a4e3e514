//! `results.jsonl`: one line a run, whole or not there.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use innerspan::Error;
use innerspan::metric::Report;
use innerspan::model::weights::write_atomically;
use innerspan::train::{EpochRecord, TrainSettings};
use serde::{Deserialize, Serialize};

use crate::cost::Cost;
use crate::failure::Failure;

/// The file's name, in the output folder.
pub const RESULTS_FILE: &str = "results.jsonl";

/// A line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The run's name among those of the experiment.
    pub run: String,
    /// What was run.
    #[serde(flatten)]
    pub facts: Facts,
    /// How it ended.
    #[serde(flatten)]
    pub ending: Ending,
}

/// What a run is: as long as these are the same, so is its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub corpus: String,
    pub system: String,
    pub fraction: f64,
    pub seed: u64,
    pub train: PathBuf,
    pub dev: PathBuf,
    /// Fingerprint of training and dev data.
    pub data: String,
    pub encoder: String,
    pub settings: TrainSettings,
}

/// How a run ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ending {
    /// With a model that was scored.
    Done(Box<Done>),
    /// With a message.
    Failed { error: String },
}

/// A model that was trained and scored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Done {
    /// The scores of the best epoch.
    pub scores: Report,
    /// Which epoch that is.
    pub best_epoch: usize,
    /// The epochs that were scored.
    pub curve: Vec<EpochRecord>,
    /// Seconds of training and of the evaluations during it.
    pub seconds: f64,
    /// Documents learnt from.
    pub documents: usize,
    /// Entities learnt from, by type.
    pub entities: BTreeMap<String, usize>,
    /// Of optimiser steps; `None` if the run was stopped right after its last epoch.
    pub training: Option<Cost>,
    /// Of recognition.
    pub inference: Cost,
    /// Numbers that the model has learnt.
    pub parameters: usize,
}

/// All lines.
#[derive(Debug, Default)]
pub struct Results {
    path: PathBuf,
    records: Vec<Record>,
}

impl Results {
    /// Reads the file of an output folder; one that is not there has no lines.
    ///
    /// # Errors
    /// A line that is no result.
    pub fn read(out: &Path) -> Result<Self, Failure> {
        let path = out.join(RESULTS_FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            other => other.map_err(|error| Error::io(&path, error))?,
        };
        let mut records = Vec::new();
        for (index, line) in text.lines().enumerate() {
            records.push(serde_json::from_str(line).map_err(|error| {
                Failure::new(format!("{}:{}: no result: {error}", path.display(), index + 1))
                    .hint("remove the line; its run is then done again")
            })?);
        }
        Ok(Self { path, records })
    }

    /// The line of a run.
    pub fn of(&self, run: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.run == run)
    }

    /// Adds a line, or replaces that of the same run; whoever looks finds the file before or after.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn put(&mut self, record: Record) -> Result<(), Failure> {
        self.records.retain(|other| other.run != record.run);
        self.records.push(record);
        self.write()
    }

    /// Removes the line of a run.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn forget(&mut self, run: &str) -> Result<(), Failure> {
        self.records.retain(|other| other.run != run);
        self.write()
    }

    fn write(&self) -> Result<(), Failure> {
        let path = &self.path;
        Ok(write_atomically(path, |file| {
            for record in &self.records {
                let line = serde_json::to_string(record).map_err(|e| Error::io(path, e.into()))?;
                writeln!(file, "{line}").map_err(|error| Error::io(path, error))?;
            }
            Ok(())
        })?)
    }
}

impl Record {
    /// The run's scores, if it ended well.
    pub fn done(&self) -> Option<&Done> {
        match &self.ending {
            Ending::Done(done) => Some(done),
            Ending::Failed { .. } => None,
        }
    }
}

impl Facts {
    /// What is different in `other`, each as `key = before is now key = after`.
    pub fn changes(&self, other: &Self) -> Vec<String> {
        let (before, after) = (lines(self), lines(other));
        let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
        keys.sort();
        keys.dedup();
        let shown = |lines: &BTreeMap<String, String>, key: &str| {
            lines.get(key).cloned().unwrap_or_else(|| "not set".to_owned())
        };
        let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
        changed
            .map(|key| match key.as_str() {
                "data" => "the sentences of its files are others now".to_owned(),
                _ => format!("{key} was {} and is {} now", shown(&before, key), shown(&after, key)),
            })
            .collect()
    }
}

/// Every value of a struct as TOML by its key; those in tables by the keys that lead to them.
pub fn lines(value: &impl Serialize) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    if let Ok(table) = toml::Table::try_from(value) {
        flatten("", &table, &mut lines);
    }
    lines
}

/// Every value of nested tables under the keys that lead to it; those of `settings` without that word.
fn flatten(above: &str, table: &toml::Table, lines: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let path = match above {
            "" | "settings" => key.clone(),
            above => format!("{above}.{key}"),
        };
        match value {
            toml::Value::Table(inner) => flatten(&path, inner, lines),
            other => {
                lines.insert(path, other.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn record(run: &str, error: &str) -> Record {
        let facts = Facts {
            corpus: "c".into(),
            system: "s".into(),
            fraction: 1.0,
            seed: 1,
            train: "t".into(),
            dev: "d".into(),
            data: "0".into(),
            encoder: "tiny".into(),
            settings: TrainSettings::default(),
        };
        Record { run: run.into(), facts, ending: Ending::Failed { error: error.into() } }
    }

    #[test]
    fn a_run_has_one_line_however_often_it_is_put() {
        let folder = tempfile::tempdir().unwrap();
        let mut results = Results::read(folder.path()).unwrap();
        for (run, error) in [("a", "first"), ("b", "only"), ("a", "second")] {
            results.put(record(run, error)).unwrap();
        }
        let read = Results::read(folder.path()).unwrap();
        assert_eq!(read.records.len(), 2);
        let Ending::Failed { error } = &read.of("a").unwrap().ending else { panic!() };
        assert_eq!(error, "second");
        assert!(read.of("c").is_none());
    }

    #[test]
    fn changes_name_what_was_and_what_is() {
        let before = record("a", "").facts;
        let mut after = before.clone();
        assert!(before.changes(&after).is_empty());
        after.settings.epochs = 3;
        after.settings.loss.beta = 0.5;
        after.settings.dropout = Some(0.1);
        assert_eq!(
            before.changes(&after),
            [
                "dropout was not set and is 0.1 now",
                "epochs was 15 and is 3 now",
                "loss.beta was 0.2 and is 0.5 now"
            ]
        );
    }

    #[test]
    fn a_line_that_is_no_result_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(RESULTS_FILE), "{\"run\": 1}\n").unwrap();
        let message = format!("{:?}", Results::read(folder.path()).unwrap_err());
        assert!(message.contains("results.jsonl:1"), "{message}");
    }
}
