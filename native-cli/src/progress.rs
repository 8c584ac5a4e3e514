//! Draws the reports of long work: bars on a terminal, a plain line every few seconds elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use innerspan::progress::Progress;

use crate::stderr;

/// Time between two plain lines.
const EVERY: Duration = Duration::from_secs(5);

/// Receives [`Progress`] and shows it on stderr.
pub struct Reporter {
    bar: Option<ProgressBar>,
    stage: String,
    total: usize,
    last_line: Option<Instant>,
}

impl Reporter {
    /// Bars if stderr is a terminal, lines otherwise, nothing with `--quiet`.
    pub fn new() -> Self {
        let bar = (std::io::stderr().is_terminal() && !stderr::quiet())
            .then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8)));
        Self { bar, stage: String::new(), total: 0, last_line: None }
    }

    /// Shows one report.
    pub fn show(&mut self, progress: Progress) {
        match progress {
            Progress::Stage { name, total } => self.stage(name, total),
            Progress::Advanced { done } => self.advanced(done),
            Progress::Step {
                epoch,
                epochs,
                step,
                steps,
                loss,
                tokens_per_second,
                seconds_left,
            } => {
                let speed =
                    format!("{tokens_per_second:.0} tokens/s, {} left", duration(seconds_left));
                match self.bar.clone() {
                    Some(bar) => {
                        bar.set_prefix(format!("epoch {epoch}/{epochs}"));
                        bar.set_message(format!("loss {loss:.4}, {speed}"));
                        draw(&bar, steps, step);
                    }
                    None if self.is_due() => stderr::say(format!(
                        "epoch {epoch}/{epochs}, step {step}/{steps}: loss {loss:.4}, {speed}"
                    )),
                    None => {}
                }
            }
            Progress::Epoch {
                epoch,
                epochs,
                loss,
                precision,
                recall,
                f1,
                boundary_f1,
                best,
                seconds,
            } => {
                let width = epochs.to_string().len();
                let [p, r, f, b] = [precision, recall, f1, boundary_f1].map(|ratio| ratio * 100.0);
                let mark = if best { "  best" } else { "" };
                self.line(&format!(
                    "epoch {epoch:>width$}/{epochs}  loss {loss:<8.4}  dev P {p:5.2}  R {r:5.2}  F1 {f:5.2}  boundary F1 {b:5.2}  {:>7}{mark}",
                    duration(seconds)
                ));
            }
            Progress::Note { message } => self.line(&format!("note: {message}")),
        }
    }

    /// A line that stays.
    pub fn line(&mut self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| stderr::say(line)),
            None => stderr::say(line),
        }
        self.last_line = Some(Instant::now());
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn stage(&mut self, name: String, total: usize) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(name.clone());
            bar.set_message("");
            draw(bar, total, 0);
        }
        (self.stage, self.total) = (name, total);
    }

    fn advanced(&mut self, done: usize) {
        match self.bar.clone() {
            Some(bar) => bar.set_position(done as u64),
            None if self.is_due() => match self.total {
                0 => stderr::say(format!("{}: {done}", self.stage)),
                total => stderr::say(format!("{}: {done}/{total}", self.stage)),
            },
            None => {}
        }
    }

    /// Whether the next plain line may be written; if so, it is taken as written.
    fn is_due(&mut self) -> bool {
        let due = self.last_line.is_none_or(|last| last.elapsed() >= EVERY);
        if due {
            self.last_line = Some(Instant::now());
        }
        due
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Sets the length and position of a bar; a length of 0 is an unknown one.
fn draw(bar: &ProgressBar, total: usize, done: usize) {
    let template = if total == 0 {
        "{prefix} {spinner} {msg}"
    } else {
        "{prefix} {bar:24.cyan/dim} {pos}/{len}  {msg}"
    };
    if bar.length() != Some(total as u64) || done == 0 {
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        bar.set_length(total as u64);
    }
    bar.set_position(done as u64);
}

/// Seconds for people: `45 s`, `3:07 min`, `2:05 h`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{}:{:02} min", whole / 60, whole % 60),
        _ => format!("{}:{:02} h", whole / 3600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_grow_with_their_unit() {
        assert_eq!(duration(45.4), "45 s");
        assert_eq!(duration(187.0), "3:07 min");
        assert_eq!(duration(7500.0), "2:05 h");
        assert_eq!(duration(f64::NAN), "0 s");
    }
}
