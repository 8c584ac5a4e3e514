//! The door between JavaScript's thread and that of a model.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::event::Listener;
use crate::stop::Stop;

/// A text that waits for the model.
pub struct Job {
    pub text: String,
    /// The probability that an entity exceeds; `None` for the model's own.
    pub threshold: Option<f32>,
    pub caller: Caller,
}

/// Who asked.
pub struct Caller {
    pub stop: Stop,
    pub listener: Listener,
}

/// Jobs on their way to a model's thread.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    /// No more jobs come, and the thread is to end.
    closed: bool,
    /// The thread has ended.
    left: bool,
    /// The thread waits for a network, which may take long.
    away: bool,
}

impl Queue {
    /// Hands a job over, or back when the queue is closed.
    pub fn put(&self, job: Job) -> Result<(), Job> {
        let mut state = self.state();
        if state.closed {
            return Err(job);
        }
        state.jobs.push(job);
        self.changed.notify_all();
        Ok(())
    }

    /// The jobs that have come since the last call, waiting for one if `wait`; `None` when the queue is closed.
    pub fn take(&self, wait: bool) -> Option<Vec<Job>> {
        let mut state = self.state();
        while wait && state.jobs.is_empty() && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (!state.closed).then(|| std::mem::take(&mut state.jobs))
    }

    /// Takes no more jobs and lets the thread end after its pass.
    pub fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Does work that waits for a network, for which the end of a process need not wait.
    pub fn away<T>(&self, work: impl FnOnce() -> T) -> T {
        self.state().away = true;
        let result = work();
        self.state().away = false;
        result
    }

    /// Whether no more jobs come.
    pub fn closed(&self) -> bool {
        self.state().closed
    }

    /// The thread ends: what is still waiting.
    pub fn leave(&self) -> Vec<Job> {
        let mut state = self.state();
        state.closed = true;
        state.left = true;
        self.changed.notify_all();
        std::mem::take(&mut state.jobs)
    }

    /// Waits for the thread to end, but not past `deadline`.
    pub fn wait_until_left(&self, deadline: Instant) {
        let mut state = self.state();
        while !state.left && !state.away {
            let patience = deadline.saturating_duration_since(Instant::now());
            if patience == Duration::ZERO {
                return;
            }
            let woken = self.changed.wait_timeout(state, patience);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
