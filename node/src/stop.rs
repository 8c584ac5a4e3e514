//! A wish to stop, from JavaScript to the threads that work for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use napi_derive::napi;

/// A switch that turns once; the work looks at it between forward passes.
#[napi]
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

#[napi]
impl Stop {
    /// A switch that is not turned.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Turns it.
    #[napi]
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was turned.
    #[napi(getter)]
    pub fn stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
