//! The training loop.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Device;

use super::batches::batches;
use super::card::card;
use super::checkpoint::{EpochRecord, State};
use super::corpus::{fingerprint, fraction};
use super::gold::{Sample, samples};
use super::optimizer::{Optimizer, Rates};
use super::settings::TrainSettings;
use super::start::{EncoderSource, Start, prepare};
use crate::combine::keep_predictions;
use crate::data::Document;
use crate::device::Selected;
use crate::encoder::EncoderConfig;
use crate::fused::seed_dropout;
use crate::hash::mix;
use crate::loss::{Mention, Moment, Target};
use crate::metric::{Report, evaluate};
use crate::model::source::ModelSource;
use crate::model::weights::{Precision, write_atomically};
use crate::model::{
    Batch, Extraction, ModelFolder, NerModel, Pipeline, Prepared, Row, TrainingFacts,
};
use crate::progress::{OnProgress, Progress};
use crate::{Error, Result};

/// The effective settings, in the output folder.
pub const SETTINGS_FILE: &str = "settings.toml";
/// One line of JSON per epoch, in the output folder.
pub const METRICS_FILE: &str = "metrics.jsonl";
/// A checkpoint is written at the end of every epoch, and within long ones this often.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(300);

/// What to train on what.
#[derive(Debug)]
pub struct Run<'a> {
    /// How.
    pub settings: &'a TrainSettings,
    /// The training documents, of which `settings.train_fraction` is used.
    pub train: &'a [Document],
    /// The documents that choose the best epoch.
    pub dev: &'a [Document],
    /// The encoder to start from.
    pub encoder: EncoderSource,
    /// What the user calls the encoder, for the model card.
    pub encoder_name: &'a str,
    /// The folder for the model; it exists.
    pub out: &'a Path,
    /// Whether to go on from the checkpoint in `out`, if there is one.
    pub resume: bool,
    /// Where to run.
    pub device: &'a Selected,
}

/// A finished run.
#[derive(Debug)]
pub struct Outcome {
    /// All epochs.
    pub curve: Vec<EpochRecord>,
    /// The best one, whose weights are in the folder.
    pub best: EpochRecord,
    /// The evaluation of the model in the folder on the dev documents.
    pub report: Report,
    /// The dev documents as the model reads them.
    pub predicted: Vec<Document>,
    /// Training documents used.
    pub documents: usize,
}

/// Trains a model and writes its folder to `run.out`.
///
/// The best epoch's model lies there from the first epoch on. Setting `stop` ends the run after the current
/// step with everything saved.
///
/// # Errors
/// Settings or data that cannot work; what the system refuses; [`Error::Interrupted`] after `stop`.
pub fn train(run: &Run, progress: OnProgress, stop: &AtomicBool) -> Result<Outcome> {
    run.settings.check()?;
    let documents = fraction(run.train, run.settings.train_fraction);
    if documents.is_empty() || run.dev.is_empty() {
        return Err(Error::Setting(
            "training needs at least one training and one dev document".into(),
        ));
    }
    progress(Progress::Stage { name: "preparing".into(), total: 0 });
    let start = Start::new(&run.encoder, run.settings, &documents, &run.device.device)?;
    let mut training = Training::new(run, start, &documents, progress)?;
    training.epochs(progress, stop)?;
    training.finish(progress)
}

/// A run under way.
struct Training<'a> {
    run: &'a Run<'a>,
    encoder: EncoderConfig,
    pipeline: Pipeline,
    samples: Vec<Sample>,
    dev: Vec<Prepared>,
    documents: usize,
    state: State,
    /// Taken only while the optimiser updates it in place.
    model: Option<NerModel>,
    optimizer: Optimizer,
    /// What the best epoch found, unless an earlier process trained it.
    best: Option<(Report, Vec<Document>)>,
    began: Instant,
    /// `state.seconds` when this process began.
    seconds_before: f64,
}

impl<'a> Training<'a> {
    fn new(
        run: &'a Run,
        start: Start,
        documents: &[Document],
        progress: OnProgress,
    ) -> Result<Self> {
        let Start { encoder, pipeline, model, prepared, note } = start;
        let prepared = in_context(&pipeline, run, prepared)?;
        let (samples, lost) = samples(&pipeline, documents, &prepared);
        let mut dev = prepare(&pipeline, run.dev)?;
        pipeline.join(&mut dev);
        let (_, lost_dev) = self::samples(&pipeline, run.dev, &dev);
        let losses = [note, lost.message("training"), lost_dev.message("dev")];
        for message in losses.into_iter().flatten() {
            progress(Progress::Note { message });
        }
        let fresh =
            State::new(run.settings, fingerprint(documents) ^ fingerprint(run.dev).rotate_left(1));
        let (state, model, optimizer) = if run.resume && State::exists(run.out) {
            let (state, model, optimizer) = State::load(run.out, &encoder, model)?;
            same_run(&state, &fresh)?;
            (state, model, optimizer)
        } else {
            (fresh, model, Optimizer::new(run.settings.optimizer))
        };
        let settings = toml::to_string(run.settings).map_err(|e| Error::Setting(e.to_string()))?;
        crate::model::write_text(&run.out.join(SETTINGS_FILE), &settings)?;
        Ok(Self {
            run,
            samples,
            dev,
            documents: documents.len(),
            seconds_before: state.seconds,
            state,
            model: Some(model.train()),
            optimizer,
            best: None,
            began: Instant::now(),
            encoder,
            pipeline,
        })
    }

    /// All epochs that are left.
    fn epochs(&mut self, progress: OnProgress, stop: &AtomicBool) -> Result<()> {
        while self.state.epoch < self.last_epoch() && !self.patience_is_out() {
            self.epoch(progress, stop)?;
        }
        Ok(())
    }

    /// The epoch with which training ends, unless patience does sooner.
    fn last_epoch(&self) -> usize {
        self.run.settings.last_epoch(self.samples.len())
    }

    /// The optimiser steps of the run that have not been taken.
    fn steps_left(&self) -> usize {
        self.run.settings.steps(self.samples.len()) - self.state.steps as usize
    }

    fn patience_is_out(&self) -> bool {
        let patience = self.run.settings.patience;
        let since_best = self.state.best().map_or(0, |best| self.state.epoch - best.epoch);
        patience > 0 && since_best >= patience
    }

    /// One epoch, or the rest of it.
    fn epoch(&mut self, progress: OnProgress, stop: &AtomicBool) -> Result<()> {
        let settings = self.run.settings;
        let lengths: Vec<usize> = self.samples.iter().map(|s| s.row.ids.len()).collect();
        let batches = batches(&lengths, settings.batch_size, settings.seed, self.state.epoch);
        let mut pace = Pace::new();
        let mut saved = Instant::now();
        let done = self.state.batch.div_ceil(settings.accumulate);
        let left = self.steps_left();
        for step in batches.chunks(settings.accumulate).skip(done).take(left) {
            let began = Instant::now();
            self.step(step);
            self.state.training_seconds += began.elapsed().as_secs_f64();
            self.state.batch += step.len();
            pace.tokens += step.iter().flatten().map(|&row| lengths[row]).sum::<usize>();
            pace.batches += step.len();
            progress(self.step_report(&pace));
            let stopping = stop.load(Ordering::Relaxed);
            if stopping || (saved.elapsed() > CHECKPOINT_EVERY && self.state.batch < batches.len())
            {
                self.save()?;
                saved = Instant::now();
            }
            if stopping {
                return Err(Error::Interrupted);
            }
        }
        self.end_epoch(progress, stop)
    }

    /// One optimiser step over one or more batches.
    fn step(&mut self, step: &[Vec<usize>]) {
        let settings = self.run.settings;
        let batches = settings.batches(self.samples.len());
        let device = self.device().clone().autodiff();
        let seed = mix(settings.seed, u64::from(self.state.steps));
        seed_dropout(seed);
        device.seed(seed);
        let epoch = self.state.epoch as f64 + self.state.batch as f64 / batches as f64;
        let moment = Moment { epoch, seed };
        let mut accumulator = GradientsAccumulator::new();
        for batch in step {
            let samples: Vec<&Sample> = batch.iter().map(|&row| &self.samples[row]).collect();
            let (batch, target) = self.batch(&samples, &device);
            let loss = self.model().loss(&batch, &target, &settings.loss, moment);
            let scaled = loss.clone() / step.len() as f64;
            let gradients = GradientsParams::from_grads(scaled.backward(), self.model());
            accumulator.accumulate(self.model(), gradients);
            self.state.loss_sum += f64::from(loss.into_scalar::<f32>());
        }
        let rate = settings.rate(self.state.steps as usize, settings.steps(self.samples.len()));
        let rates = Rates {
            encoder: settings.lr * rate,
            head: settings.head_lr * rate,
            transitions: settings.transition_lr * rate,
            decay: settings.weight_decay,
            clip: settings.clip,
        };
        let optimizer = &mut self.optimizer;
        self.model =
            self.model.take().map(|model| optimizer.step(model, accumulator.grads(), rates));
        self.state.steps += 1;
    }

    /// Rows and their gold on a device.
    fn batch(&self, samples: &[&Sample], device: &Device) -> (Batch, Target) {
        let rows: Vec<&Row> = samples.iter().map(|sample| &sample.row).collect();
        let pad = self.pipeline.tokenizer.pad_id();
        let limit = self.encoder.max_tokens();
        let batch = Batch::new(&rows, pad, self.run.device.granularity, limit, device);
        let mentions = samples.iter().enumerate().flat_map(|(row, sample)| {
            let mention = move |&(start, end, label): &(usize, usize, usize)| Mention {
                row,
                label,
                start,
                end,
            };
            sample.gold.iter().map(mention)
        });
        let text = rows.iter().map(|row| row.layout.text.clone()).collect();
        let types = self.pipeline.config.labels.len();
        let target = Target::new(mentions.collect(), text, types, batch.tokens);
        (batch, target)
    }

    fn model(&self) -> &NerModel {
        self.model.as_ref().expect("the model is away during the optimiser's step only")
    }

    fn device(&self) -> &Device {
        &self.run.device.device
    }

    /// Evaluates, keeps the model if it is the best so far, and writes a checkpoint.
    fn end_epoch(&mut self, progress: OnProgress, stop: &AtomicBool) -> Result<()> {
        let (epoch, epochs) = (self.state.epoch + 1, self.last_epoch());
        let loss = self.state.loss_sum / self.state.batch as f64;
        if !epoch.is_multiple_of(self.run.settings.eval_every) && epoch < epochs {
            progress(Progress::Note { message: format!("epoch {epoch}/{epochs}: loss {loss:.4}") });
            self.state.next_epoch();
            return self.save();
        }
        let model = self.model().valid();
        let predicted = self.predict(&model, progress, stop)?;
        let report = evaluate(self.run.dev, &predicted);
        let record = EpochRecord {
            epoch,
            loss,
            precision: report.strict.precision(),
            recall: report.strict.recall(),
            f1: report.strict.f1(),
            boundary_f1: report.boundary.f1(),
            seconds: self.seconds(),
            training_seconds: self.state.training_seconds,
        };
        if !record.loss.is_finite() {
            return Err(Error::Setting(format!(
                "the loss became {} in epoch {}: lower --lr or --head-lr",
                record.loss, record.epoch
            )));
        }
        if self.run.settings.keep_predictions {
            keep_predictions(self.run.out, record.epoch, &predicted)?;
        }
        let best = self.state.best().is_none_or(|best| record.f1 > best.f1);
        self.state.curve.push(record.clone());
        self.state.next_epoch();
        if best {
            self.write_model(&model, &record)?;
            self.best = Some((report, predicted));
        }
        self.save()?;
        write_lines(&self.run.out.join(METRICS_FILE), &self.state.curve)?;
        progress(Progress::Epoch {
            epoch,
            epochs,
            loss: record.loss,
            precision: record.precision,
            recall: record.recall,
            f1: record.f1,
            boundary_f1: record.boundary_f1,
            best,
            seconds: record.seconds,
        });
        Ok(())
    }

    /// The dev documents with what `model` finds in them.
    fn predict(
        &self,
        model: &NerModel,
        progress: OnProgress,
        stop: &AtomicBool,
    ) -> Result<Vec<Document>> {
        let rows: usize = self.dev.iter().map(|p| p.windows.len()).sum();
        progress(Progress::Stage { name: "evaluating".into(), total: rows });
        let extraction = Extraction::new(&self.pipeline, model, &self.dev, None, self.run.device);
        let found = extraction.run(|done| {
            progress(Progress::Advanced { done });
            !stop.load(Ordering::Relaxed)
        })?;
        if stop.load(Ordering::Relaxed) {
            self.save()?;
            return Err(Error::Interrupted);
        }
        let with = |(document, entities): (&Document, _)| Document { entities, ..document.clone() };
        Ok(self.run.dev.iter().zip(found).map(with).collect())
    }

    /// Writes the model folder with the facts of its epoch.
    fn write_model(&self, model: &NerModel, record: &EpochRecord) -> Result<()> {
        let mut pipeline: Pipeline = self.pipeline.clone();
        let mut settings = self.run.settings.clone();
        // where it lay is nobody else's business
        settings.word_vectors =
            settings.word_vectors.and_then(|path| path.file_name().map(Into::into));
        pipeline.config.training = Some(TrainingFacts {
            settings: serde_json::to_value(&settings).map_err(|e| Error::Setting(e.to_string()))?,
            documents: self.documents,
            epoch: record.epoch,
            dev_f1: record.f1,
            device: self.run.device.name.clone(),
        });
        ModelFolder::write(self.run.out, &self.encoder, &pipeline, model)
    }

    /// Writes a checkpoint.
    fn save(&self) -> Result<()> {
        let state = State { seconds: self.seconds(), ..self.state.clone() };
        state.save(self.run.out, &self.encoder, &self.model().valid(), &self.optimizer)
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.began.elapsed().as_secs_f64()
    }

    fn step_report(&self, pace: &Pace) -> Progress {
        let settings = self.run.settings;
        let (epoch, batch) = (self.state.epoch, self.state.batch);
        let seconds = pace.began.elapsed().as_secs_f64().max(1e-9);
        let batches = settings.batches(self.samples.len());
        let left = self.steps_left() * settings.accumulate;
        Progress::Step {
            epoch: epoch + 1,
            epochs: self.last_epoch(),
            step: batch.div_ceil(settings.accumulate),
            steps: batches.div_ceil(settings.accumulate),
            loss: self.state.loss_sum / batch.max(1) as f64,
            tokens_per_second: pace.tokens as f64 / seconds,
            seconds_left: seconds / pace.batches.max(1) as f64 * left as f64,
        }
    }

    /// Loads the model in the folder, as whoever uses it will, and writes its card.
    fn finish(mut self, progress: OnProgress) -> Result<Outcome> {
        let best = self.state.best().cloned().ok_or(Error::Interrupted)?;
        let folder =
            ModelFolder::load(&ModelSource::folder(self.run.out), Precision::F32, self.device())?;
        let (report, predicted) = match self.best.take() {
            Some(known) => known,
            None => {
                let predicted = self.predict(&folder.model, progress, &AtomicBool::new(false))?;
                (evaluate(self.run.dev, &predicted), predicted)
            }
        };
        let text = card(&folder.pipeline.config, &report, &best, self.run.encoder_name);
        crate::model::write_text(&self.run.out.join("README.md"), &text)?;
        State::clear(self.run.out)?;
        let documents = self.documents;
        Ok(Outcome { curve: self.state.curve, best, report, predicted, documents })
    }
}

/// The training documents, of which `prepared` are those used, with their neighbours in the whole corpus.
fn in_context(pipeline: &Pipeline, run: &Run, prepared: Vec<Prepared>) -> Result<Vec<Prepared>> {
    if pipeline.config.head.context() == 0 {
        return Ok(prepared);
    }
    let mut all = prepare(pipeline, run.train)?;
    pipeline.join(&mut all);
    Ok(fraction(&all, run.settings.train_fraction))
}

/// Speed of the current epoch.
struct Pace {
    began: Instant,
    tokens: usize,
    batches: usize,
}

impl Pace {
    fn new() -> Self {
        Self { began: Instant::now(), tokens: 0, batches: 0 }
    }
}

/// Refuses to resume with other settings or data: the result would be neither run's.
fn same_run(saved: &State, asked: &State) -> Result<()> {
    if saved.settings != asked.settings {
        let lines = |s: &TrainSettings| toml::to_string(s).unwrap_or_default();
        let (before, now) = (lines(&saved.settings), lines(&asked.settings));
        let changed: Vec<String> = before
            .lines()
            .zip(now.lines())
            .filter(|(before, now)| before != now)
            .map(|(before, now)| format!("{before} is now {now}"))
            .collect();
        return Err(Error::Setting(format!(
            "the run to resume had other settings ({}): repeat them, or start anew in another folder",
            changed.join("; ")
        )));
    }
    if saved.data != asked.data {
        return Err(Error::Setting(
            "the run to resume had other training or dev data: give the same files, or start anew in another folder".into(),
        ));
    }
    Ok(())
}

/// Writes one line of JSON per record, atomically.
fn write_lines(path: &Path, records: &[EpochRecord]) -> Result<()> {
    write_atomically(path, |file| {
        for record in records {
            let line = serde_json::to_string(record).map_err(|e| Error::io(path, e.into()))?;
            writeln!(file, "{line}").map_err(|e| Error::io(path, e))?;
        }
        Ok(())
    })
}
