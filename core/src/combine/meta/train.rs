//! How a classifier learns.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use futures_lite::future::block_on;

use super::classifier::{Classifier, ClassifierConfig, MARKERS, MetaFacts};
use super::examples::{Example, examples, split};
use super::filter::probabilities;
use super::network::Network;
use super::settings::MetaSettings;
use crate::data::{Document, LabelSet};
use crate::device::Selected;
use crate::fused::seed_dropout;
use crate::hash::mix;
use crate::model::{Batch, Row};
use crate::progress::{OnProgress, Progress};
use crate::train::{EncoderSource, Optimizer, OptimizerKind, Rates, batches, seeded};
use crate::{Error, Result};

/// Largest L2 norm of all gradients together.
const CLIP: f64 = 1.0;
/// Candidates that are judged together.
const JUDGED: usize = 32;

/// What to train a classifier on.
#[derive(Debug)]
pub struct MetaRun<'a> {
    /// How.
    pub settings: &'a MetaSettings,
    /// Text that no member has learnt from, with its gold; after it there may be text that they have learnt from, whose
    /// gold is correct too.
    pub gold: &'a [Document],
    /// The first of these documents with what members predicted in them: one list for each member and epoch.
    pub predictions: &'a [Vec<Document>],
    /// The types of the members; others are left out.
    pub labels: &'a LabelSet,
    /// The encoder to start from.
    pub encoder: EncoderSource,
    /// Where to run.
    pub device: &'a Selected,
}

/// Trains a classifier; its weights are those of the epoch that judges what is held out best. Setting `stop` ends it
/// after the current step, with nothing kept.
///
/// # Errors
/// Settings or data that cannot work; what the system refuses; [`Error::Interrupted`] after `stop`.
pub fn train_classifier(
    run: &MetaRun,
    progress: OnProgress,
    stop: &AtomicBool,
) -> Result<Classifier> {
    run.settings.check()?;
    progress(Progress::Stage { name: "preparing".into(), total: 0 });
    let all = examples(run.gold, run.predictions, run.labels);
    let incorrect = all.iter().filter(|example| !example.correct).count();
    if incorrect == 0 || incorrect == all.len() {
        return Err(Error::Setting(format!(
            "a classifier needs right and wrong candidates to learn from, and there are {} and {incorrect}: give more text, or predictions of earlier epochs",
            all.len() - incorrect
        )));
    }
    let (train, held_out) = split(all, run.settings.seed);
    if train.is_empty() {
        return Err(Error::Setting(
            "all candidates are in one sentence, so none can be held out: give more text".into(),
        ));
    }
    let mut training = Training::new(run, train, held_out)?;
    training.announce(progress);
    training.epochs(progress, stop)?;
    training.finish()
}

/// A run under way.
struct Training<'a> {
    run: &'a MetaRun<'a>,
    /// Its network is the best one so far.
    classifier: Classifier,
    train: Judged,
    held_out: Judged,
    /// Taken only while the optimiser updates it in place.
    network: Option<Network>,
    optimizer: Optimizer,
    steps: u64,
    /// The best epoch and its accuracy.
    best: Option<(usize, f64)>,
    began: Instant,
}

/// Rows with their answers.
struct Judged {
    rows: Vec<Row>,
    correct: Vec<bool>,
}

impl<'a> Training<'a> {
    fn new(run: &'a MetaRun, train: Vec<Example>, held_out: Vec<Example>) -> Result<Self> {
        let classifier = start(run)?;
        let judged = |examples: Vec<Example>| -> Result<Judged> {
            let prompt = classifier.prompt();
            let row = |(index, example): (usize, &Example)| {
                let text = &run.gold[example.document].text;
                prompt.row(example.document, index, text, &example.entity)
            };
            Ok(Judged {
                rows: examples.iter().enumerate().map(row).collect::<Result<_>>()?,
                correct: examples.iter().map(|example| example.correct).collect(),
            })
        };
        let (train, held_out) = (judged(train)?, judged(held_out)?);
        Ok(Self {
            network: Some(classifier.network.clone().train()),
            optimizer: Optimizer::new(OptimizerKind::AdamW),
            steps: 0,
            best: None,
            began: Instant::now(),
            run,
            train,
            held_out,
            classifier,
        })
    }

    /// Says how much there is to learn from.
    fn announce(&self, progress: OnProgress) {
        let Judged { rows, correct } = &self.train;
        let right = correct.iter().filter(|correct| **correct).count();
        progress(Progress::Note {
            message: format!(
                "{right} correct and {} incorrect candidates to learn from, {} held out",
                rows.len() - right,
                self.held_out.rows.len()
            ),
        });
    }

    fn epochs(&mut self, progress: OnProgress, stop: &AtomicBool) -> Result<()> {
        let MetaSettings { epochs, patience, .. } = *self.run.settings;
        for epoch in 1..=epochs {
            let loss = self.epoch(epoch, progress, stop)?;
            let network = self.network().valid();
            let accuracy = self.accuracy(&network)?;
            let best = self.best.is_none_or(|(_, best)| accuracy > best);
            if best {
                self.best = Some((epoch, accuracy));
                self.classifier.network = network;
            }
            let mark = if best { "  best" } else { "" };
            progress(Progress::Note {
                message: format!(
                    "epoch {epoch}/{epochs}  loss {loss:.4}  accuracy on what is held out {:.2} %{mark}",
                    100.0 * accuracy
                ),
            });
            let since = self.best.map_or(0, |(best, _)| epoch - best);
            if patience > 0 && since >= patience {
                break;
            }
        }
        Ok(())
    }

    /// The mean loss of one epoch.
    fn epoch(&mut self, epoch: usize, progress: OnProgress, stop: &AtomicBool) -> Result<f64> {
        let MetaSettings { epochs, batch_size, seed, .. } = *self.run.settings;
        let lengths: Vec<usize> = self.train.rows.iter().map(|row| row.ids.len()).collect();
        let batches = batches(&lengths, batch_size, seed, epoch);
        let (began, mut sum, mut tokens) = (Instant::now(), 0.0, 0);
        for (index, batch) in batches.iter().enumerate() {
            sum += self.step(batch);
            tokens += batch.iter().map(|&row| lengths[row]).sum::<usize>();
            let seconds = began.elapsed().as_secs_f64().max(1e-9);
            let done = (epoch - 1) * batches.len() + index + 1;
            let left = (epochs * batches.len() - done) as f64;
            progress(Progress::Step {
                epoch,
                epochs,
                step: index + 1,
                steps: batches.len(),
                loss: sum / (index + 1) as f64,
                tokens_per_second: tokens as f64 / seconds,
                seconds_left: left * self.began.elapsed().as_secs_f64() / done as f64,
            });
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
        }
        let loss = sum / batches.len() as f64;
        if !loss.is_finite() {
            return Err(Error::Setting(format!(
                "the loss became {loss} in epoch {epoch}: lower --lr or --head-lr"
            )));
        }
        Ok(loss)
    }

    /// One optimiser step; its loss.
    fn step(&mut self, batch: &[usize]) -> f64 {
        let MetaSettings { lr, head_lr, seed, .. } = *self.run.settings;
        let device = self.run.device.device.clone().autodiff();
        let seed = mix(seed, self.steps);
        seed_dropout(seed);
        device.seed(seed);
        let correct: Vec<bool> = batch.iter().map(|&row| self.train.correct[row]).collect();
        let rows: Vec<&Row> = batch.iter().map(|&row| &self.train.rows[row]).collect();
        let loss = self.network().loss(&self.batch(&rows, &device), &correct);
        let gradients = GradientsParams::from_grads(loss.backward(), self.network());
        let rates =
            Rates { encoder: lr, head: head_lr, transitions: head_lr, decay: 0.0, clip: CLIP };
        let optimizer = &mut self.optimizer;
        self.network = self.network.take().map(|network| optimizer.step(network, gradients, rates));
        self.steps += 1;
        f64::from(loss.into_scalar::<f32>())
    }

    /// The share of what is held out that the network judges rightly.
    fn accuracy(&self, network: &Network) -> Result<f64> {
        let Judged { rows, correct } = &self.held_out;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&row| rows[row].ids.len());
        let mut right = 0;
        for some in order.chunks(JUDGED) {
            let refs: Vec<&Row> = some.iter().map(|&row| &rows[row]).collect();
            let batch = self.batch(&refs, &self.run.device.device);
            let found = block_on(probabilities(network, &batch))?;
            right += some.iter().zip(found).filter(|(row, p)| correct[**row] == (*p > 0.5)).count();
        }
        Ok(right as f64 / rows.len() as f64)
    }

    fn batch(&self, rows: &[&Row], device: &Device) -> Batch {
        let Classifier { tokenizer, encoder, .. } = &self.classifier;
        let granularity = self.run.device.granularity;
        Batch::new(rows, tokenizer.pad_id(), granularity, encoder.max_tokens(), device)
    }

    fn network(&self) -> &Network {
        self.network.as_ref().expect("the network is away during the optimiser's step only")
    }

    /// The classifier of the best epoch.
    fn finish(self) -> Result<Classifier> {
        let (epoch, accuracy) = self.best.ok_or(Error::Interrupted)?;
        let count = |judged: &Judged| judged.correct.iter().filter(|correct| **correct).count();
        let correct = count(&self.train);
        let mut classifier = self.classifier;
        classifier.config.training = Some(MetaFacts {
            settings: serde_json::to_value(self.run.settings)
                .map_err(|error| Error::Setting(error.to_string()))?,
            correct,
            incorrect: self.train.rows.len() - correct,
            held_out: self.held_out.rows.len(),
            held_out_correct: count(&self.held_out) as f64 / self.held_out.rows.len() as f64,
            accuracy,
            epoch,
            device: self.run.device.name.clone(),
        });
        Ok(classifier)
    }
}

/// The encoder with two more tokens, whose embeddings are fresh, and a fresh classifier on top.
pub(super) fn start(run: &MetaRun) -> Result<Classifier> {
    let device = &run.device.device;
    let (published, tokenizer) = run.encoder.open(run.gold)?;
    let (tokenizer, markers) = tokenizer.with_special(MARKERS)?;
    let encoder =
        published.clone().with_vocab_size(published.vocab_size.max(tokenizer.vocab_size()));
    let mut network = seeded(Network::new(&encoder, device), run.settings.seed);
    if let EncoderSource::Pretrained(source) = &run.encoder {
        network.encoder = published.load(source, device)?.with_words_of(&network.encoder);
    }
    let config = ClassifierConfig::new(run.settings.max_length.min(encoder.max_tokens()));
    Ok(Classifier { encoder, tokenizer, markers, config, network })
}
