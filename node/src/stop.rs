//! A wish to stop, from JavaScript to the threads that work for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use napi_derive::napi;

use crate::event::Listener;

/// A switch that turns once; the work looks at it between its steps.
#[napi]
#[derive(Clone, Default)]
pub struct Stop(Arc<Switch>);

#[derive(Default)]
struct Switch {
    turned: AtomicBool,
    listener: Mutex<Option<Arc<Listener>>>,
}

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
        self.0.turned.store(true, Ordering::Relaxed);
        drop(self.0.listener.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Whether it was turned.
    #[napi(getter)]
    pub fn stopped(&self) -> bool {
        self.0.turned.load(Ordering::Relaxed)
    }
}

impl Stop {
    /// Holds a listener, and with it the process, until the switch is turned: work that waits for a network may not
    /// notice for a long time, and the process need not wait for it.
    pub fn hold(&self, listener: Listener) -> Weak<Listener> {
        let listener = Arc::new(listener);
        let theirs = Arc::downgrade(&listener);
        if !self.stopped() {
            *self.0.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
        }
        theirs
    }
}
