//! Draws downloads from the Hugging Face hub.

use std::io::IsTerminal;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use innerspan_hub::{HubError, Reason, Watch};

use crate::failure::Failure;
use crate::stderr;

/// A bar on a terminal, a line for each file elsewhere.
#[derive(Default)]
pub struct Downloads {
    bar: Option<ProgressBar>,
}

impl Watch for Downloads {
    fn begun(&mut self, file: &str, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(0);
            return;
        }
        if !std::io::stderr().is_terminal() {
            stderr::say(format!("downloading {file} ({})", HumanBytes(bytes)));
        }
        let style = ProgressStyle::with_template(
            "{msg} {bar:24.cyan/dim} {bytes}/{total_bytes}  {bytes_per_sec}, {eta} left",
        );
        let bar = if stderr::quiet() { ProgressBar::hidden() } else { ProgressBar::new(bytes) };
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        bar.set_message(file.to_owned());
        self.bar = Some(bar);
    }

    fn received(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    fn ended(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn again(&mut self, note: &str) {
        self.ended();
        stderr::say(format!("note: {note}, trying again"));
    }
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        let failure = match error.reason {
            Reason::Name => Self::usage(error.message),
            _ => Self::new(error.message),
        };
        failure.hint(error.hint)
    }
}
