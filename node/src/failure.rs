//! Why work failed, in the codes of `js/api.d.ts`.

use std::any::Any;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use innerspan::Error;
use innerspan_hub::HubError;

/// A code and a message that says what to do.
#[derive(Debug, Clone)]
pub struct Failure {
    pub code: &'static str,
    pub message: String,
}

impl Failure {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub fn aborted() -> Self {
        Self::new("aborted", "stopped on request")
    }

    pub fn disposed() -> Self {
        Self::new("disposed", "the recognizer was disposed of")
    }

    /// What `work` returns; a panic becomes a failure, because it would end the thread that others wait for.
    pub fn catch<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|panic| Err(Self::new("internal", panic_message(panic.as_ref()))))
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let what = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(what), _) => what,
        (_, Some(what)) => what.as_str(),
        _ => "a panic",
    };
    format!("this is a bug in innerspan-node, please report it: {what}")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Io { source, .. } if source.kind() == ErrorKind::OutOfMemory => "memory",
            Error::Io { .. } => "io",
            Error::File { .. } => "file",
            Error::Device(_) => "device",
            Error::Setting(_) => "input",
            Error::Interrupted => "aborted",
            _ => "internal",
        };
        Self::new(code, error.to_string())
    }
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        use innerspan_hub::Reason;
        let code = match error.reason {
            Reason::Stopped => return Self::aborted(),
            Reason::Name => "input",
            Reason::Absent => "file",
            Reason::Network => "network",
            Reason::Disk => "io",
        };
        Self::new(code, format!("{}: {}", error.message, error.hint))
    }
}
