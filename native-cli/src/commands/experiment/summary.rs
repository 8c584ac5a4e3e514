//! What the results of an experiment say together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use innerspan::Error;
use innerspan::data::{Document, ReadOptions, open_stream};
use innerspan::metric::{Bootstrap, Difference, Length, Reliability, Score, strict_by_document};

use super::queue::{Loaded, Queue, predictions};
use super::results::{Done, Ending, Record, Results};
use crate::cost::Cost;
use crate::failure::Failure;

/// Bins of scores from 0 to 1.
const BINS: usize = 10;
/// Seeds the resamples: the same results give the same report.
const SEED: u64 = 1;

/// Everything that the reports show.
pub struct Summary {
    /// By corpus, fraction and system, in the order of the experiment.
    pub cells: Vec<Cell>,
    /// Every pair of systems that were trained on the same data.
    pub comparisons: Vec<Comparison>,
    /// Systems with what their settings have that not all have.
    pub systems: Vec<(String, Vec<(String, String)>)>,
    /// What all systems have in common.
    pub common: Vec<(String, String)>,
    /// Runs that failed and why.
    pub failed: Vec<(String, String)>,
    /// Runs done, and all.
    pub runs: (usize, usize),
    pub resamples: usize,
}

/// A system trained on a share of a corpus, with all seeds.
pub struct Cell {
    pub corpus: String,
    pub fraction: f64,
    pub system: String,
    /// Documents learnt from.
    pub documents: usize,
    /// F1 over seeds.
    pub strict: Spread,
    pub boundary: Spread,
    pub macro_average: Spread,
    /// Dev strict F1 by epoch, the mean of the seeds that came so far.
    pub curve: Vec<(f64, f64)>,
    /// Counts of all seeds together, by type and by length.
    pub per_label: BTreeMap<String, Score>,
    pub per_length: BTreeMap<Length, Score>,
    /// Entities learnt from, by type.
    pub frequency: BTreeMap<String, usize>,
    pub reliability: Reliability,
    pub price: Price,
    /// Strict counts by sentence, of all seeds together.
    sentences: Vec<Score>,
}

/// What a system costs; means over seeds, the largest memory.
pub struct Price {
    pub seconds: f64,
    pub training_speed: Option<f64>,
    pub inference_speed: f64,
    pub training_memory: Option<u64>,
    pub inference_memory: Option<u64>,
    pub parameters: usize,
}

/// How far system `a` is ahead of system `b`.
pub struct Comparison {
    pub corpus: String,
    pub fraction: f64,
    pub a: String,
    pub b: String,
    pub difference: Difference,
}

/// Mean and sample standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub mean: f64,
    /// `None` of fewer than two values.
    pub deviation: Option<f64>,
    pub count: usize,
}

impl Spread {
    pub fn of(values: &[f64]) -> Self {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count.max(1) as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
        Self { mean, deviation, count }
    }
}

impl Summary {
    /// Reads the predictions of all results and puts everything together.
    ///
    /// # Errors
    /// Predictions that are not there or do not fit the corpus.
    pub fn new(queue: &Queue, results: &Results) -> Result<Self, Failure> {
        let runs = queue.plan.runs();
        let records = || runs.iter().filter_map(|run| Some((run, results.of(&run.id)?)));
        let mut cells = Vec::new();
        let mut comparisons = Vec::new();
        for corpus in &queue.plan.corpora {
            let loaded = &queue.corpora[&corpus.name];
            for &fraction in &corpus.fractions {
                let first = cells.len();
                for system in &queue.plan.systems {
                    let of_cell: Vec<(&Record, &Done)> = records()
                        .filter(|(run, _)| {
                            run.corpus.name == corpus.name
                                && run.system.name == system.name
                                && run.settings.train_fraction == fraction
                        })
                        .filter_map(|(_, record)| Some((record, record.done()?)))
                        .collect();
                    if !of_cell.is_empty() {
                        cells.push(Cell::new(queue, loaded, &of_cell)?);
                    }
                }
                comparisons.extend(compared(&cells[first..], queue.plan.resamples));
            }
        }
        let failed = records().filter_map(|(run, record)| match &record.ending {
            Ending::Failed { error } => Some((run.title(), error.clone())),
            Ending::Done(_) => None,
        });
        let done = records().filter(|(_, record)| record.done().is_some()).count();
        let (common, systems) = settings(queue);
        Ok(Self {
            comparisons,
            systems,
            common,
            failed: failed.collect(),
            runs: (done, runs.len()),
            resamples: queue.plan.resamples,
            cells,
        })
    }

    /// The corpora that have results, in their order.
    pub fn corpora(&self) -> Vec<&str> {
        distinct(self.cells.iter().map(|cell| cell.corpus.as_str()))
    }

    /// The systems that have results, in their order.
    pub fn system_names(&self) -> Vec<&str> {
        let with_results: BTreeSet<&str> = self.cells.iter().map(|c| c.system.as_str()).collect();
        let names = self.systems.iter().map(|(name, _)| name.as_str());
        names.filter(|name| with_results.contains(name)).collect()
    }

    /// The cells of a corpus, by ascending fraction.
    pub fn of_corpus(&self, corpus: &str) -> Vec<&Cell> {
        let mut cells: Vec<&Cell> = self.cells.iter().filter(|c| c.corpus == corpus).collect();
        cells.sort_by(|a, b| a.fraction.total_cmp(&b.fraction));
        cells
    }
}

impl Cell {
    fn new(queue: &Queue, corpus: &Loaded, runs: &[(&Record, &Done)]) -> Result<Self, Failure> {
        let (first, first_done) = runs[0];
        let over = |value: fn(&Done) -> f64| {
            Spread::of(&runs.iter().map(|(_, done)| value(done)).collect::<Vec<f64>>())
        };
        let mut reliability = Reliability::new(BINS);
        let mut sentences = vec![Score::default(); corpus.dev.len()];
        let (mut per_label, mut per_length) = (BTreeMap::new(), BTreeMap::new());
        for (record, done) in runs {
            let predicted = read(queue, &record.run, corpus)?;
            reliability.add(&corpus.dev, &predicted);
            let counts = strict_by_document(&corpus.dev, &predicted);
            sentences.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            for (label, score) in &done.scores.per_label {
                *per_label.entry(label.clone()).or_insert_with(Score::default) += *score;
            }
            for (length, score) in &done.scores.per_length {
                *per_length.entry(*length).or_insert_with(Score::default) += *score;
            }
        }
        Ok(Self {
            corpus: first.facts.corpus.clone(),
            fraction: first.facts.fraction,
            system: first.facts.system.clone(),
            documents: first_done.documents,
            strict: over(|done| done.scores.strict.f1()),
            boundary: over(|done| done.scores.boundary.f1()),
            macro_average: over(|done| done.scores.macro_average.f1),
            curve: mean_curve(runs.iter().map(|(_, done)| *done)),
            per_label,
            per_length,
            frequency: first_done.entities.clone(),
            reliability,
            price: Price::of(runs.iter().map(|(_, done)| *done)),
            sentences,
        })
    }
}

impl Price {
    fn of<'a>(runs: impl Iterator<Item = &'a Done>) -> Self {
        let runs: Vec<&Done> = runs.collect();
        let mean = |values: Vec<f64>| (!values.is_empty()).then(|| Spread::of(&values).mean);
        let training = || runs.iter().filter_map(|done| done.training.as_ref());
        let memory = |costs: Vec<&Cost>| costs.iter().filter_map(|cost| cost.peak_memory).max();
        let speed = |done: &&Done| done.inference.documents_per_second;
        Self {
            seconds: mean(runs.iter().map(|done| done.seconds).collect()).unwrap_or(0.0),
            training_speed: mean(training().map(|cost| cost.documents_per_second).collect()),
            inference_speed: mean(runs.iter().map(speed).collect()).unwrap_or(0.0),
            training_memory: memory(training().collect()),
            inference_memory: memory(runs.iter().map(|done| &done.inference).collect()),
            parameters: runs.first().map_or(0, |done| done.parameters),
        }
    }
}

/// Mean F1 by epoch over the runs that were scored after it.
fn mean_curve<'a>(runs: impl Iterator<Item = &'a Done>) -> Vec<(f64, f64)> {
    let mut by_epoch: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for record in runs.flat_map(|done| &done.curve) {
        by_epoch.entry(record.epoch).or_default().push(record.f1);
    }
    by_epoch.into_iter().map(|(epoch, f1)| (epoch as f64, Spread::of(&f1).mean)).collect()
}

/// The pairs of systems that were trained on the same data, the better one first.
fn compared(cells: &[Cell], resamples: usize) -> Vec<Comparison> {
    let systems: Vec<Vec<Score>> = cells.iter().map(|cell| cell.sentences.clone()).collect();
    if systems.len() < 2 {
        return Vec::new();
    }
    let bootstrap = Bootstrap::new(&systems, resamples, SEED);
    let mut comparisons = Vec::new();
    for a in 0..cells.len() {
        for b in a + 1..cells.len() {
            let forward = bootstrap.difference(a, b);
            let (a, b, difference) = match forward.observed < 0.0 {
                true => (b, a, bootstrap.difference(b, a)),
                false => (a, b, forward),
            };
            comparisons.push(Comparison {
                corpus: cells[a].corpus.clone(),
                fraction: cells[a].fraction,
                a: cells[a].system.clone(),
                b: cells[b].system.clone(),
                difference,
            });
        }
    }
    comparisons
}

/// The predictions of a run.
fn read(queue: &Queue, run: &str, corpus: &Loaded) -> Result<Vec<Document>, Failure> {
    let path = predictions(queue.out, run);
    let file = File::open(&path).map_err(|error| Error::io(&path, error))?;
    let name = path.display().to_string();
    let reader = open_stream(std::io::BufReader::new(file), &name, &ReadOptions::default())?;
    let documents = reader.collect::<innerspan::Result<Vec<Document>>>()?;
    let same = documents.len() == corpus.dev.len()
        && documents.iter().zip(&corpus.dev).all(|(found, gold)| found.text == gold.text);
    if !same {
        return Err(Failure::new(format!(
            "{name}: does not hold the sentences of the development data of {}",
            corpus.name
        ))
        .hint("remove the run's line from results.jsonl; the run is then done again"));
    }
    Ok(documents)
}

/// What all systems have set, and what each has set that others have not.
fn settings(queue: &Queue) -> (Vec<(String, String)>, Vec<(String, Vec<(String, String)>)>) {
    let of_system: Vec<(String, BTreeMap<String, String>)> = queue
        .plan
        .systems
        .iter()
        .map(|system| {
            let mut lines = super::results::lines(&system.settings);
            lines.insert("encoder".into(), system.encoder.clone());
            lines.retain(|key, _| key != "seed" && key != "train-fraction");
            (system.name.clone(), lines)
        })
        .collect();
    let is_common = |key: &String, value: &String| {
        of_system.iter().all(|(_, lines)| lines.get(key) == Some(value))
    };
    let pick = |lines: &BTreeMap<String, String>, common: bool| -> Vec<(String, String)> {
        let chosen = lines.iter().filter(|(key, value)| is_common(key, value) == common);
        chosen.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let common = of_system.first().map(|(_, lines)| pick(lines, true)).unwrap_or_default();
    let own = of_system.iter().map(|(name, lines)| (name.clone(), pick(lines, false)));
    (common, own.collect())
}

/// Each item once, where it comes first.
pub fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_mean_and_sample_standard_deviation() {
        // Mean 4; squares 4 + 0 + 4 over 2.
        let spread = Spread::of(&[2.0, 4.0, 6.0]);
        assert_eq!(spread, Spread { mean: 4.0, deviation: Some(2.0), count: 3 });
        assert_eq!(Spread::of(&[0.5]).deviation, None);
    }
}
