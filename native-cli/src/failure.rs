//! How a command ends when it does not end well: one message on stderr, a hint, an exit code.

use std::io::ErrorKind;

use innerspan::Error;

/// Why a command gives up.
#[derive(Debug)]
pub struct Failure {
    /// Empty when nothing is to be said, as when the reader of a pipe has gone.
    message: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// The exit code of work that failed.
    pub const FAILED: u8 = 1;
    /// The exit code of wrong usage, as `clap`'s.
    const USAGE: u8 = 2;
    /// The exit code of work stopped by Ctrl-C, as shells count it.
    const STOPPED: u8 = 130;

    /// Work that failed.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code: Self::FAILED }
    }

    /// Arguments or settings that make no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: Self::USAGE, ..Self::new(message) }
    }

    /// Work that the user stopped.
    pub fn stopped(message: impl Into<String>) -> Self {
        Self { code: Self::STOPPED, ..Self::new(message) }
    }

    /// Adds what to do about it.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// A failure to write to standard output. A reader that went away, as `head` does, is none.
    pub fn stdout(error: std::io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe {
            return Self { message: String::new(), hint: None, code: 0 };
        }
        Self::new(format!("standard output: {error}"))
    }

    /// Prints the message once and returns the exit code.
    pub fn report(&self) -> u8 {
        if !self.message.is_empty() {
            eprintln!("error: {}", self.message);
        }
        if let Some(hint) = &self.hint {
            eprintln!("  hint: {hint}");
        }
        self.code
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::new(error.to_string());
        match &error {
            Error::Io { source, .. } => match source.kind() {
                ErrorKind::NotFound => failure.hint("check the path"),
                ErrorKind::PermissionDenied => failure.hint("check the permissions"),
                ErrorKind::StorageFull => {
                    failure.hint("free some disk space; nothing half-written was left behind")
                }
                _ => failure,
            },
            Error::Interrupted => Self { code: Self::STOPPED, ..failure },
            _ => failure,
        }
    }
}
