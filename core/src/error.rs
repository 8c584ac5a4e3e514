//! The one error type: every message names what was wrong and what to do about it.

use std::path::Path;

/// What can go wrong outside the program's own control.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to read or write a file.
    #[error("{path}: {source}")]
    Io {
        /// The file, as the user named it.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of a corpus cannot be used.
    #[error("{path}:{line}: {message}")]
    Corpus {
        /// The corpus file.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// What was found there and what to do.
        message: String,
    },
    /// A file of a model or encoder folder cannot be used.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: String,
        /// What was found and what to do.
        message: String,
    },
    /// A setting, or a combination of settings, that makes no sense.
    #[error("{0}")]
    Setting(String),
    /// The device asked for cannot be used.
    #[error("{0}")]
    Device(String),
    /// The work was stopped on request; what was done so far is saved where `resume` finds it.
    #[error("stopped on request")]
    Interrupted,
}

/// The result of anything that reads, writes or runs on a device.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An [`Error::Io`] about `path`.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io { path: path.as_ref().display().to_string(), source }
    }

    /// An [`Error::Corpus`] about line `line` (from 1) of `path`.
    pub fn corpus(path: impl AsRef<Path>, line: usize, message: impl Into<String>) -> Self {
        Self::Corpus { path: path.as_ref().display().to_string(), line, message: message.into() }
    }

    /// An [`Error::File`] about `path`.
    pub fn file(path: impl AsRef<Path>, message: impl Into<String>) -> Self {
        Self::File { path: path.as_ref().display().to_string(), message: message.into() }
    }

    /// A stable word for programs, the same on every surface.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Corpus { .. } => "corpus",
            Self::File { .. } => "file",
            Self::Setting(_) => "setting",
            Self::Device(_) => "device",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Refuses a setting outside `low..=high`, NaN included.
pub(crate) fn in_range(name: &str, value: f64, low: f64, high: f64) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::Setting(format!("{name} is {value}: give a number from {low} to {high}")))
}
