//! Why a model could not be had from the hub.

use std::fmt;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The name is none.
    Name,
    /// The model or one of its files is not there.
    Absent,
    /// The hub could not be reached, or refused.
    Network,
    /// There is nowhere to keep the files.
    Disk,
    /// The files are no longer wanted.
    Stopped,
}

/// A failure, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubError {
    /// What kind it is.
    pub reason: Reason,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

impl fmt::Display for HubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.hint)
    }
}

impl std::error::Error for HubError {}
