//! The options that set one training setting each.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use innerspan::head::HeadKind;
use innerspan::loss::{BoxReading, EmcReading, LossKind};
use innerspan::train::{Schedule, TrainSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;

const HEADS: &[&str] =
    &["global-pointer", "efficient-global-pointer", "tagger", "crf", "span-classifier"];
const LOSSES: &[&str] = &["zlpr", "eiou-emc"];
const SCHEDULES: &[&str] = &["linear", "constant"];
const BOXES: &[&str] = &["expected-risk", "soft-box"];
const EMCS: &[&str] = &["anchored", "zlpr", "softplus-zlpr", "literal"];

/// Overrides of single settings; those that are absent stay as they are.
#[derive(Debug, Args)]
pub struct Flags {
    /// What finds entities: tagger is SEQ, crf SeqCRF, span-classifier SpanPred [default: global-pointer]
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
    /// Probability that an entity exceeds [default: 0.5 for pointers; 0 for the others, which choose]
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
    /// Windows per forward pass [default: 16]
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    batch_size: Option<usize>,
    /// Forward passes per optimiser step [default: 1]
    #[arg(long, value_name = "N", help_heading = "Optimisation")]
    accumulate: Option<usize>,
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
    /// Which reading of EMC to use [default: anchored]
    #[arg(long, value_parser = named::<EmcReading>(EMCS), help_heading = "Loss")]
    emc: Option<EmcReading>,
    /// Weight of the ranking term of the anchored EMC [default: 0.1]
    #[arg(long, value_name = "X", help_heading = "Loss")]
    omega: Option<f64>,
    /// Compares entities of one sentence in the ranking term, not of the whole batch [default: true]
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", help_heading = "Loss")]
    rank_within_sentence: Option<bool>,
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
        put(&mut settings.batch_size, self.batch_size);
        put(&mut settings.accumulate, self.accumulate);
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
        put(&mut settings.train_fraction, self.train_fraction);
        put(&mut settings.seed, self.seed);
        put(&mut settings.loss.kind, self.loss);
        put(&mut settings.loss.beta, self.beta);
        put(&mut settings.loss.beta_warmup, self.beta_warmup);
        put(&mut settings.loss.boxes, self.boxes);
        put(&mut settings.loss.temperature, self.temperature);
        put(&mut settings.loss.window, self.window);
        put(&mut settings.loss.emc, self.emc);
        put(&mut settings.loss.omega, self.omega);
        put(&mut settings.loss.rank_within_sentence, self.rank_within_sentence);
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
            ("--schedule", SCHEDULES),
            ("--boxes", BOXES),
            ("--emc", EMCS),
        ] {
            for name in names {
                Line::try_parse_from(["x", flag, name]).unwrap_or_else(|error| panic!("{error}"));
            }
        }
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
        for key in table.keys().chain(loss.keys()).filter(|key| *key != "kind") {
            assert!(options.contains(key), "no option for {key}");
        }
    }
}
