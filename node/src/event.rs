//! What JavaScript hears of work that it asked for.

use std::sync::Weak;

use napi::Status;
use napi::bindgen_prelude::{Float32Array, Uint32Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::failure::Failure;
use crate::model::Model;

/// One report. `Loaded`, `Found` and `Failed` are the last of their call.
#[napi(discriminant = "type", object_from_js = false)]
pub enum Event {
    /// So many bytes of a file are there; `total` is 0 while it is unknown.
    Bytes { file: String, loaded: f64, total: f64 },
    /// The files are there, the model is being built.
    Build,
    /// The model is ready.
    Loaded { model: Model },
    /// So many windows of a text are done.
    Windows { done: u32, total: u32 },
    /// The entities of a text: start and end in UTF-16 units and the index of the label, three numbers each, and their
    /// scores.
    Found { spans: Uint32Array, scores: Float32Array },
    /// Nothing came of it.
    Failed { code: String, message: String },
}

impl From<Failure> for Event {
    fn from(failure: Failure) -> Self {
        Self::Failed { code: failure.code.into(), message: failure.message }
    }
}

/// A function of JavaScript that can be called from any thread. It keeps the process alive until it is dropped.
pub type Listener = ThreadsafeFunction<Event, (), Event, Status, false>;

/// Reports to JavaScript. Where its environment has ended meanwhile, nobody is there to hear.
pub fn tell(listener: &Listener, event: impl Into<Event>) {
    listener.call(event.into(), ThreadsafeFunctionCallMode::NonBlocking);
}

/// The same to a listener that may have gone.
pub fn tell_if_there(listener: &Weak<Listener>, event: impl Into<Event>) {
    if let Some(listener) = listener.upgrade() {
        tell(&listener, event);
    }
}
