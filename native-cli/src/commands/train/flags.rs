//! The options that set one training setting each.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use innerspan::head::HeadKind;
use innerspan::loss::{BoxReading, EiouMean, EmcReading, LossKind};
use innerspan::train::{OptimizerKind, Schedule, TrainSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;

const HEADS: &[&str] = &[
    "global-pointer",
    "efficient-global-pointer",
    "tagger",
    "crf",
    "span-classifier",
    "two-stage",
];
const LOSSES: &[&str] = &["zlpr", "eiou-emc"];
const OPTIMIZERS: &[&str] = &["adamw", "adafactor"];
const SCHEDULES: &[&str] = &["linear", "constant"];
const BOXES: &[&str] = &["expected-risk", "soft-box"];
const EIOU_MEANS: &[&str] = &["mentions", "types"];
const EMCS: &[&str] = &["anchored", "zlpr", "softplus-zlpr", "literal"];

/// Overrides of single settings; those that are absent stay as they are.
#[derive(Debug, Args)]
pub struct Flags {
    /// What finds entities: tagger is SEQ, crf SeqCRF, span-classifier SpanPred, two-stage Locate and
    /// Label [default: global-pointer]
    #[arg(long, value_parser = named::<HeadKind>(HEADS), help_heading = "Model")]
    head: Option<HeadKind>,
    /// Width of the head's queries and keys [default: 64]
    #[arg(long, value_name = "N", help_heading = "Model")]
    head_size: Option<usize>,
    /// Tokens of the widest span, for span-classifier [default: 32]
    #[arg(long, value_name = "N", help_heading = "Model")]
    span_width: Option<usize>,
    /// Decodes valid sequences of tags only, for crf [default: false]
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", help_heading = "Model")]
    constrained: Option<bool>,
    /// Probability that an entity exceeds [default: 0.5 for pointers; 0.8 for two-stage; 0 for the
    /// others, which choose]
    #[arg(long, value_name = "X", help_heading = "Model")]
    threshold: Option<f32>,
    /// Longest window in word pieces; longer sentences are cut into overlapping ones [default: 256]
    #[arg(long, value_name = "N", help_heading = "Model")]
    max_length: Option<usize>,
    /// Word pieces that neighbouring windows share [default: 64]
    #[arg(long, value_name = "N", help_heading = "Model")]
    stride: Option<usize>,

    /// Passes over the training data [default: 15]
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    epochs: Option<usize>,
    /// Ends training after so many optimiser steps, however many epochs are left; 0 for never [default: 0]
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    max_steps: Option<usize>,
    /// Windows per forward pass [default: 16]
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    batch_size: Option<usize>,
    /// Forward passes per optimiser step [default: 1]
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    accumulate: Option<usize>,
    /// What turns gradients into steps [default: adamw]
    #[arg(long, value_parser = named::<OptimizerKind>(OPTIMIZERS), help_heading = "Optimisation")]
    optimizer: Option<OptimizerKind>,
    /// Learning rate of the encoder [default: 1e-4]
    #[arg(long, value_name = "X", help_heading = "Optimisation")]
    lr: Option<f64>,
    /// Learning rate of the head [default: 1e-3]
    #[arg(long, value_name = "X", help_heading = "Optimisation")]
    head_lr: Option<f64>,
    /// Learning rate of the transitions of a crf [default: 0.001]
    #[arg(long, value_name = "X", help_heading = "Optimisation")]
    transition_lr: Option<f64>,
    /// Decoupled weight decay, never on biases and LayerNorm [default: 0.01]
    #[arg(long, value_name = "X", help_heading = "Optimisation")]
    weight_decay: Option<f64>,
    /// Share of all steps in which the learning rate rises from 0 [default: 0.1]
    #[arg(long, value_name = "X", help_heading = "Optimisation")]
    warmup: Option<f64>,
    /// What the learning rate does afterwards [default: linear]
    #[arg(long, value_parser = named::<Schedule>(SCHEDULES), help_heading = "Optimisation")]
    schedule: Option<Schedule>,
    /// Largest norm of the gradient; 0 for no clipping [default: 1]
    #[arg(long, value_name = "X", help_heading = "Optimisation")]
    clip: Option<f64>,
    /// Dropout of the encoder [default: as its config.json says]
    #[arg(long, value_name = "X", help_heading = "Optimisation")]
    dropout: Option<f64>,
    /// Evaluates after every so many epochs, and after the last [default: 1]
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    eval_every: Option<usize>,
    /// Epochs without a better F1 after which training stops; 0 for never [default: 0]
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    patience: Option<usize>,
    /// Keeps what every epoch predicts in the development data, which `combine --method meta` learns from
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", help_heading = "Optimisation")]
    keep_predictions: Option<bool>,
    /// Share of the training data to use, evenly spaced [default: 1]
    #[arg(long, value_name = "X", help_heading = "Optimisation")]
    train_fraction: Option<f64>,
    /// Seeds weights, order and dropout: same seed, same device, same model [default: 1]
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    seed: Option<u64>,

    /// What is minimised [default: zlpr]
    #[arg(long, value_parser = named::<LossKind>(LOSSES), help_heading = "Loss")]
    loss: Option<LossKind>,
    /// Weight of EIoU against EMC, for eiou-emc [default: 0.2]
    #[arg(long, value_name = "X", help_heading = "Loss")]
    beta: Option<f64>,
    /// Epochs over which beta rises from 0 [default: 1]
    #[arg(long, value_name = "X", help_heading = "Loss")]
    beta_warmup: Option<f64>,
    /// How EIoU reads a predicted box from scores [default: expected-risk]
    #[arg(long, value_parser = named::<BoxReading>(BOXES), help_heading = "Loss")]
    boxes: Option<BoxReading>,
    /// Temperature of EIoU's softmax over candidate spans [default: 1]
    #[arg(long, value_name = "X", help_heading = "Loss")]
    temperature: Option<f64>,
    /// EIoU's candidates begin and end at most so many tokens from the gold span's [default: 5]
    #[arg(long, value_name = "N", help_heading = "Loss")]
    window: Option<usize>,
    /// What EIoU is a mean over; with types a mention weighs in it what it weighs in zlpr [default: mentions]
    #[arg(long, value_parser = named::<EiouMean>(EIOU_MEANS), help_heading = "Loss")]
    eiou_mean: Option<EiouMean>,
    /// Which reading of EMC to use [default: anchored]
    #[arg(long, value_parser = named::<EmcReading>(EMCS), help_heading = "Loss")]
    emc: Option<EmcReading>,
    /// Weight of the ranking term of the anchored EMC [default: 0.1]
    #[arg(long, value_name = "X", help_heading = "Loss")]
    omega: Option<f64>,
    /// Compares entities of one sentence in the ranking term, not of the whole batch [default: true]
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", help_heading = "Loss")]
    rank_within_sentence: Option<bool>,

    /// Words of the spans that are looked at, as 1-5,7,9 [default: 1-11]
    #[arg(long, value_name = "N,…", value_parser = lengths, help_heading = "Two-stage")]
    seed_lengths: Option<Lengths>,
    /// Overlap with an entity (intersection over union) above which a seed belongs to it [default: 0.7]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    pair_iou: Option<f64>,
    /// Seeds without an entity per seed with one [default: 5]
    #[arg(long, value_name = "N", help_heading = "Two-stage")]
    negatives: Option<usize>,
    /// Overlap from which an adjusted seed has the type of its entity [default: 1]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    class_iou: Option<f64>,
    /// Power of the weights of partial matches; 0 for no weights [default: 1]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    soft: Option<f64>,
    /// Focus of the filter's loss [default: 2]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    filter_gamma: Option<f64>,
    /// Focus of the classifier's loss; 0 for cross-entropy [default: 0]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    classifier_gamma: Option<f64>,
    /// Weight of the filter's loss [default: 1]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    filter_weight: Option<f64>,
    /// Weight of the regressor's loss [default: 0.1]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    regressor_weight: Option<f64>,
    /// Weight of the classifier's loss [default: 1]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    classifier_weight: Option<f64>,
    /// Dropout of what filter, regressor and classifier read [default: 0.5]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    head_dropout: Option<f64>,
    /// Probability above which the filter keeps a seed [default: 1/6]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    filter_threshold: Option<f64>,
    /// What multiplies the score of a span that overlaps a better one [default: 0.9]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    decay: Option<f64>,
    /// Overlap from which it does [default: 0.7]
    #[arg(long, value_name = "X", help_heading = "Two-stage")]
    decay_iou: Option<f64>,
    /// Drops spans that cross a better one [default: false]
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", help_heading = "Two-stage")]
    drop_crossing: Option<bool>,
    /// Runs a BiLSTM over the words [default: false]
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", help_heading = "Two-stage")]
    bilstm: Option<bool>,
    /// Units of a BiLSTM over the characters of a word, each way; 0 for none [default: 0]
    #[arg(long, value_name = "N", help_heading = "Two-stage")]
    char_size: Option<usize>,
    /// Word pieces of the neighbouring sentences of a corpus to read on either side [default: 0]
    #[arg(long, value_name = "N", help_heading = "Two-stage")]
    context: Option<usize>,
    /// Static word vectors as GloVe and word2vec write them in text, for the words of the training data
    #[arg(long, value_name = "FILE", help_heading = "Two-stage")]
    word_vectors: Option<PathBuf>,
}

/// Some lengths; a type of its own, for clap takes a vector as an option that is given several times.
#[derive(Debug, Clone)]
struct Lengths(Vec<usize>);

/// Reads numbers and ranges of numbers: `1-5,7,9`.
fn lengths(text: &str) -> Result<Lengths, String> {
    let mut lengths = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| match text.trim().parse::<usize>() {
            Ok(number @ 1..=512) => Ok(number),
            _ => Err(format!("'{text}' is no number from 1 to 512; write lengths as 1-5,7,9")),
        };
        lengths.extend(number(first)?..=number(last)?);
    }
    Ok(Lengths(lengths))
}

impl Flags {
    /// Puts what was given into `settings`.
    pub fn apply(&self, settings: &mut TrainSettings) {
        fn put<T: Copy>(setting: &mut T, flag: Option<T>) {
            if let Some(value) = flag {
                *setting = value;
            }
        }
        put(&mut settings.head, self.head);
        put(&mut settings.head_size, self.head_size);
        put(&mut settings.span_width, self.span_width);
        put(&mut settings.constrained, self.constrained);
        settings.threshold = self.threshold.or(settings.threshold);
        put(&mut settings.max_length, self.max_length);
        put(&mut settings.stride, self.stride);
        put(&mut settings.epochs, self.epochs);
        put(&mut settings.max_steps, self.max_steps);
        put(&mut settings.batch_size, self.batch_size);
        put(&mut settings.accumulate, self.accumulate);
        put(&mut settings.optimizer, self.optimizer);
        put(&mut settings.lr, self.lr);
        put(&mut settings.head_lr, self.head_lr);
        put(&mut settings.transition_lr, self.transition_lr);
        put(&mut settings.weight_decay, self.weight_decay);
        put(&mut settings.warmup, self.warmup);
        put(&mut settings.schedule, self.schedule);
        put(&mut settings.clip, self.clip);
        settings.dropout = self.dropout.or(settings.dropout);
        put(&mut settings.eval_every, self.eval_every);
        put(&mut settings.patience, self.patience);
        put(&mut settings.keep_predictions, self.keep_predictions);
        put(&mut settings.train_fraction, self.train_fraction);
        put(&mut settings.seed, self.seed);
        put(&mut settings.loss.kind, self.loss);
        put(&mut settings.loss.beta, self.beta);
        put(&mut settings.loss.beta_warmup, self.beta_warmup);
        put(&mut settings.loss.boxes, self.boxes);
        put(&mut settings.loss.temperature, self.temperature);
        put(&mut settings.loss.window, self.window);
        put(&mut settings.loss.eiou_mean, self.eiou_mean);
        put(&mut settings.loss.emc, self.emc);
        put(&mut settings.loss.omega, self.omega);
        put(&mut settings.loss.rank_within_sentence, self.rank_within_sentence);
        let two_stage = &mut settings.two_stage;
        if let Some(Lengths(lengths)) = &self.seed_lengths {
            two_stage.seed_lengths.clone_from(lengths);
        }
        put(&mut two_stage.pair_iou, self.pair_iou);
        put(&mut two_stage.negatives, self.negatives);
        put(&mut two_stage.class_iou, self.class_iou);
        put(&mut two_stage.soft, self.soft);
        put(&mut two_stage.filter_gamma, self.filter_gamma);
        put(&mut two_stage.classifier_gamma, self.classifier_gamma);
        put(&mut two_stage.filter_weight, self.filter_weight);
        put(&mut two_stage.regressor_weight, self.regressor_weight);
        put(&mut two_stage.classifier_weight, self.classifier_weight);
        put(&mut two_stage.head_dropout, self.head_dropout);
        put(&mut two_stage.filter_threshold, self.filter_threshold);
        put(&mut two_stage.decay, self.decay);
        put(&mut two_stage.decay_iou, self.decay_iou);
        put(&mut two_stage.drop_crossing, self.drop_crossing);
        put(&mut two_stage.bilstm, self.bilstm);
        put(&mut two_stage.char_size, self.char_size);
        put(&mut two_stage.context, self.context);
        if self.word_vectors.is_some() {
            settings.word_vectors.clone_from(&self.word_vectors);
        }
    }
}

/// Reads one of `names` into the enum that serde knows under them.
fn named<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| serde_json::from_value(Value::String(name)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    #[test]
    fn every_name_in_the_help_is_one_that_the_settings_know() {
        for (flag, names) in [
            ("--head", HEADS),
            ("--loss", LOSSES),
            ("--optimizer", OPTIMIZERS),
            ("--schedule", SCHEDULES),
            ("--boxes", BOXES),
            ("--eiou-mean", EIOU_MEANS),
            ("--emc", EMCS),
        ] {
            for name in names {
                Line::try_parse_from(["x", flag, name]).unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }

    #[test]
    fn lengths_are_numbers_and_ranges() {
        assert_eq!(lengths("1-3,7, 9").unwrap().0, [1, 2, 3, 7, 9]);
        for wrong in ["", "0", "1-", "a", "1-9999", "1,,2"] {
            assert!(lengths(wrong).unwrap_err().contains("1-5,7,9"), "{wrong}");
        }
        let given = ["x", "--seed-lengths", "2-3", "--bilstm"];
        let mut settings = TrainSettings::default();
        Line::parse_from(given).flags.apply(&mut settings);
        assert_eq!(settings.two_stage.seed_lengths, [2, 3]);
        assert!(settings.two_stage.bilstm);
    }

    #[test]
    fn every_setting_has_an_option_and_nothing_given_changes_nothing() {
        let mut settings = TrainSettings::default();
        Line::parse_from(["x"]).flags.apply(&mut settings);
        assert_eq!(settings, TrainSettings::default());

        let options: Vec<String> = <Line as clap::CommandFactory>::command()
            .get_arguments()
            .filter_map(|argument| argument.get_long().map(str::to_owned))
            .collect();
        let table = toml::Table::try_from(&settings).unwrap();
        let loss = table["loss"].as_table().unwrap();
        let two_stage = table["two-stage"].as_table().unwrap();
        let all = table.keys().chain(loss.keys()).chain(two_stage.keys());
        for key in all.filter(|key| !["kind", "two-stage"].contains(&key.as_str())) {
            assert!(options.contains(key), "no option for {key}");
        }
    }
}
