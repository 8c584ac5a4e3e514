//! The runs one after another: each in a folder of its own, each in child processes, each remembered when it ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use innerspan::Error;
use innerspan::data::Document;
use innerspan::metric::Report;
use innerspan::model::weights::write_atomically;
use innerspan::train::{EpochRecord, METRICS_FILE, SETTINGS_FILE, fingerprint, fraction};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::child::{self, Ended};
use super::plan::{Corpus, Plan, PlannedRun};
use super::results::{Done, Ending, Facts, Record, Results};
use crate::commands::train::out as model_folder;
use crate::corpus;
use crate::cost::Cost;
use crate::failure::Failure;
use crate::progress::duration;
use crate::stderr;

/// Folders of the output folder.
const RUNS: &str = "runs";
const PREDICTIONS: &str = "predictions";
/// Files of a run's folder.
const CONFIG_FILE: &str = "run.toml";
const TRAINED_FILE: &str = "trained.json";
const LOG_FILE: &str = "log.txt";

/// A corpus with its documents.
pub struct Loaded {
    pub name: String,
    pub train: Vec<Document>,
    pub dev: Vec<Document>,
    fingerprint: String,
}

impl Loaded {
    /// Reads both files.
    pub fn read(corpus: &Corpus) -> Result<Self, Failure> {
        let train = corpus::load(&corpus.train, &corpus.reading)?;
        let dev = corpus::load(&corpus.dev, &corpus.reading)?;
        let both = fingerprint(&train) ^ fingerprint(&dev).rotate_left(1);
        Ok(Self { name: corpus.name.clone(), train, dev, fingerprint: format!("{both:016x}") })
    }
}

/// Where the predictions of a run on the development data are kept.
pub fn predictions(out: &Path, run: &str) -> PathBuf {
    out.join(PREDICTIONS).join(format!("{run}.jsonl"))
}

/// The runs of an experiment and the folder that they write to.
pub struct Queue<'a> {
    pub plan: &'a Plan,
    pub out: &'a Path,
    pub corpora: &'a BTreeMap<String, Loaded>,
    pub device: String,
}

impl Queue<'_> {
    /// What a run is.
    pub fn facts(&self, run: &PlannedRun) -> Facts {
        Facts {
            corpus: run.corpus.name.clone(),
            system: run.system.name.clone(),
            fraction: run.settings.train_fraction,
            seed: run.settings.seed,
            train: run.corpus.train.clone(),
            dev: run.corpus.dev.clone(),
            data: self.corpora[&run.corpus.name].fingerprint.clone(),
            encoder: run.system.encoder.clone(),
            settings: run.settings.clone(),
        }
    }

    /// Does what `results` does not hold yet, and puts it there; returns the titles of the runs that failed.
    ///
    /// # Errors
    /// What concerns all runs: an output folder that cannot be written, or a wish to stop.
    pub fn work(&self, results: &mut Results, stop: &AtomicBool) -> Result<Vec<String>, Failure> {
        let runs = self.plan.runs();
        let mut failed = Vec::new();
        for (index, run) in runs.iter().enumerate() {
            if results.of(&run.id).and_then(Record::done).is_some() {
                self.clear(run)?;
                continue;
            }
            stderr::say(format!("run {} of {}: {}", index + 1, runs.len(), run.title()));
            let ending = match self.one(run, stop)? {
                Some(ending) => ending,
                None => return Err(self.stopped(index, runs.len())),
            };
            match &ending {
                Ending::Done(done) => stderr::say(format!(
                    "  strict F1 {:.2}, boundary F1 {:.2}, {}",
                    100.0 * done.scores.strict.f1(),
                    100.0 * done.scores.boundary.f1(),
                    duration(done.seconds)
                )),
                Ending::Failed { error } => {
                    stderr::say(format!("  failed: {error}"));
                    failed.push(format!("{}: {error}", run.title()));
                }
            }
            let is_done = matches!(ending, Ending::Done(_));
            results.put(Record { run: run.id.clone(), facts: self.facts(run), ending })?;
            if is_done {
                self.clear(run)?;
            }
            if stop.load(Ordering::Relaxed) && index + 1 < runs.len() {
                return Err(self.stopped(index + 1, runs.len()));
            }
        }
        Ok(failed)
    }

    fn stopped(&self, done: usize, all: usize) -> Failure {
        Failure::stopped(format!(
            "stopped before run {} of {all}; everything so far is saved in {}",
            done + 1,
            self.out.display()
        ))
        .hint("the same command goes on")
    }

    /// One run, as far as it has not been done before; `None` if it was stopped.
    fn one(&self, run: &PlannedRun, stop: &AtomicBool) -> Result<Option<Ending>, Failure> {
        let folder = self.folder(run);
        let (model, log) = (folder.join("model"), folder.join(LOG_FILE));
        self.prepare(run)?;
        if !model_folder::is_finished(&model) {
            let (config, out) = (text(&folder.join(CONFIG_FILE))?, text(&model)?);
            let arguments =
                ["train", "--config", &config, "--out", &out, "--resume", "--json", "--supervised"];
            let printed = match child::run(&arguments, &log, stop)? {
                Ended::Well(printed) => printed,
                Ended::Badly(error) => return Ok(Some(Ending::Failed { error })),
                Ended::Stopped => return Ok(None),
            };
            write(&folder.join(TRAINED_FILE), &printed)?;
        }
        let found = predictions(self.out, &run.id);
        let (model_text, found, dev) = (text(&model)?, text(&found)?, text(&run.corpus.dev)?);
        #[rustfmt::skip]
        let arguments = [
            "evaluate", "--model", &model_text, "--data", &dev, "--device", &self.device, "--json",
            "--predictions", &found,
        ];
        let reading = run.corpus.reading.arguments();
        let arguments: Vec<&str> =
            arguments.into_iter().chain(reading.iter().map(String::as_str)).collect();
        let printed = match child::run(&arguments, &log, stop)? {
            Ended::Well(printed) => printed,
            Ended::Badly(error) => return Ok(Some(Ending::Failed { error })),
            Ended::Stopped => return Ok(None),
        };
        self.done(run, &printed).map(Some)
    }

    /// Puts together what a run has left.
    fn done(&self, run: &PlannedRun, evaluated: &str) -> Result<Ending, Failure> {
        let folder = self.folder(run);
        let Evaluated { report, parameters, cost } = json("what evaluate printed", evaluated)?;
        let trained = fs::read_to_string(folder.join(TRAINED_FILE)).ok();
        let trained: Option<Trained> = trained.and_then(|text| serde_json::from_str(&text).ok());
        let metrics = folder.join("model").join(METRICS_FILE);
        let lines = fs::read_to_string(&metrics).map_err(|error| Error::io(&metrics, error))?;
        let curve: Vec<EpochRecord> =
            lines.lines().map(|line| json(METRICS_FILE, line)).collect::<Result<_, _>>()?;
        let best = curve.iter().rev().max_by(|a, b| a.f1.total_cmp(&b.f1));
        let documents =
            fraction(&self.corpora[&run.corpus.name].train, run.settings.train_fraction);
        let mut entities = BTreeMap::new();
        for entity in documents.iter().flat_map(|document| &document.entities) {
            *entities.entry(entity.label.clone()).or_default() += 1;
        }
        Ok(Ending::Done(Box::new(Done {
            scores: report,
            best_epoch: best.map_or(0, |best| best.epoch),
            seconds: curve.last().map_or(0.0, |last| last.seconds),
            curve,
            documents: documents.len(),
            entities,
            training: trained.map(|trained| trained.cost),
            inference: cost,
            parameters,
        })))
    }

    fn folder(&self, run: &PlannedRun) -> PathBuf {
        self.out.join(RUNS).join(&run.id)
    }

    /// Makes the folder of a run with its configuration. What is left there of a run with other settings goes.
    fn prepare(&self, run: &PlannedRun) -> Result<(), Failure> {
        let folder = self.folder(run);
        let config = folder.join(CONFIG_FILE);
        let refuse = |error| Failure::new(format!("settings: {error}"));
        let mut table = Table::try_from(&run.settings).map_err(refuse)?;
        table.extend(Table::try_from(&run.corpus.reading).map_err(refuse)?);
        for (key, value) in [
            ("train", text(&run.corpus.train)?),
            ("dev", text(&run.corpus.dev)?),
            ("encoder", run.system.encoder.clone()),
            ("device", self.device.clone()),
        ] {
            table.insert(key.to_owned(), Value::String(value));
        }
        let wanted = table.to_string();
        let before = fs::read_to_string(&config).ok();
        let model = folder.join("model");
        let is_run = model.join(SETTINGS_FILE).is_file();
        if model.is_dir() && (before.as_deref() != Some(&wanted) || !is_run) {
            if is_run {
                stderr::say("  its settings have changed since it was begun, so it begins anew");
            }
            remove(&folder)?;
        }
        for folder in [&folder, &self.out.join(PREDICTIONS)] {
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        write(&config, &wanted)
    }

    /// Removes the model of a finished run, unless models are kept.
    fn clear(&self, run: &PlannedRun) -> Result<(), Failure> {
        if self.plan.keep_models { Ok(()) } else { remove(&self.folder(run).join("model")) }
    }
}

/// What `evaluate --json` prints.
#[derive(Deserialize)]
struct Evaluated {
    #[serde(flatten)]
    report: Report,
    parameters: usize,
    cost: Cost,
}

/// What `train --json` prints, as far as it is not in the metrics.
#[derive(Deserialize)]
struct Trained {
    cost: Cost,
}

fn json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::new(format!("{what}: {error}")))
}

fn text(path: &Path) -> Result<String, Failure> {
    let refuse = || Failure::new(format!("{}: not a name in UTF-8", path.display()));
    path.to_str().map(str::to_owned).ok_or_else(refuse)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    Ok(write_atomically(path, |file| {
        file.write_all(text.as_bytes()).map_err(|error| Error::io(path, error))
    })?)
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(folder, error).into())
        }
        _ => Ok(()),
    }
}
