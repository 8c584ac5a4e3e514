//! What long work reports, on every surface: the command line draws it, Node.js and the page pass it on.

use serde::Serialize;

/// One report of long work.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Progress {
    /// A stage began that has `total` steps (0: unknown).
    Stage {
        /// What is being done, for people.
        name: String,
        /// How many steps it has.
        total: usize,
    },
    /// The stage is at `done` steps.
    Advanced {
        /// Steps done so far.
        done: usize,
    },
    /// One optimiser step of training was taken.
    Step {
        /// Epoch, from 1.
        epoch: usize,
        /// All epochs.
        epochs: usize,
        /// Optimiser steps done in this epoch.
        step: usize,
        /// Optimiser steps of an epoch.
        steps: usize,
        /// Mean loss of the epoch so far.
        loss: f64,
        /// Tokens (word pieces, without padding) trained on per second.
        tokens_per_second: f64,
        /// Seconds left until the last epoch ends, as far as can be told.
        seconds_left: f64,
    },
    /// An epoch ended and was evaluated.
    Epoch {
        /// Epoch, from 1.
        epoch: usize,
        /// All epochs.
        epochs: usize,
        /// Mean training loss.
        loss: f64,
        /// Dev strict precision, recall and F1, in 0..1.
        precision: f64,
        /// See `precision`.
        recall: f64,
        /// See `precision`.
        f1: f64,
        /// Dev F1 of spans whatever their type.
        boundary_f1: f64,
        /// Whether this is the best epoch so far.
        best: bool,
        /// Seconds since training began (over all resumed runs).
        seconds: f64,
    },
    /// Something that the user should know and that does not stop the work.
    Note {
        /// What it is.
        message: String,
    },
}

/// Receives the reports of long work.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress);
