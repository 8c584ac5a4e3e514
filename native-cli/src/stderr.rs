//! What is said to people while work goes on: always on stderr, so that stdout holds results only.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::EnvFilter;

static QUIET: AtomicBool = AtomicBool::new(false);

/// Sets up logging: `INNERSPAN_LOG` decides, else the number of `-v`.
pub fn set_up(verbose: u8, quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
    let filter = EnvFilter::try_from_env("INNERSPAN_LOG").unwrap_or_else(|_| {
        EnvFilter::new(match verbose {
            0 => "error",
            1 => "error,innerspan=info",
            _ => "info,innerspan=debug",
        })
    });
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// Whether the user asked for silence.
pub fn quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Says something, unless the user asked for silence.
pub fn say(message: impl AsRef<str>) {
    if !quiet() {
        eprintln!("{}", message.as_ref());
    }
}

/// A count with its noun: `1 entity`, `2 entities`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
