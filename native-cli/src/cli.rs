//! The arguments: every command, and what all commands share.

use clap::{ArgAction, Parser, Subcommand};

use crate::commands::{
    combine, completions, convert, demo, devices, evaluate, experiment, inspect, predict, quantize,
    stats, train,
};
use crate::failure::Failure;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan demo
  innerspan train --train train.jsonl --dev dev.jsonl --encoder ./biobert --out model
  innerspan predict --model model --text 'mutant p53 protein'

Exit codes: 0 done, 1 failed, 2 used wrongly, 130 stopped by Ctrl-C with everything saved.
INNERSPAN_LOG=debug says more on stderr; NO_COLOR=1 takes colours away.";

/// Recognises named entities, nested ones included: trains, evaluates and runs models.
#[derive(Debug, Parser)]
#[command(name = "innerspan", version, after_help = EXAMPLES, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// Says more on stderr; twice for debugging
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Says nothing on stderr but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Trains a model on annotated text
    Train(Box<train::Train>),
    /// Scores a model against annotated text
    Evaluate(evaluate::Evaluate),
    /// Trains several systems on several corpora and compares them
    Experiment(experiment::Experiment),
    /// Finds entities in text
    Predict(predict::Predict),
    /// Makes one system of several
    Combine(Box<combine::Combine>),
    /// Stores the weights of a model in fewer bytes
    Quantize(quantize::Quantize),
    /// Rewrites annotated text in another format
    Convert(convert::Convert),
    /// Counts what annotated text holds: types, lengths, nesting, imbalance
    Stats(stats::Stats),
    /// Describes a model or encoder folder
    Inspect(inspect::Inspect),
    /// Lists the devices that models can run on
    Devices(devices::Devices),
    /// Trains and shows a small model, without any download
    Demo(demo::Demo),
    /// Prints a completion script for a shell
    Completions(completions::Completions),
}

impl Command {
    /// Does it.
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Train(command) => command.run(),
            Self::Evaluate(command) => command.run(),
            Self::Experiment(command) => command.run(),
            Self::Predict(command) => command.run(),
            Self::Combine(command) => command.run(),
            Self::Quantize(command) => command.run(),
            Self::Convert(command) => command.run(),
            Self::Stats(command) => command.run(),
            Self::Inspect(command) => command.run(),
            Self::Devices(command) => command.run(),
            Self::Demo(command) => command.run(),
            Self::Completions(command) => command.run(),
        }
    }
}
