//! Work that JavaScript drives, so that between two turns it can breathe, stop, or hear of progress.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use js_sys::Function;
use wasm_bindgen::prelude::*;

thread_local! {
    static WAKE: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Sets the function that is called when some task that waits should have another turn.
#[wasm_bindgen(js_name = onWake)]
pub fn on_wake(wake: Function) {
    WAKE.set(Some(wake));
}

/// How a turn ended.
#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum Turn {
    /// There is more to do.
    Paused,
    /// There is more to do once `onWake`'s function was called.
    Waiting,
    /// [`Task::value`] is there.
    Ready,
}

/// A piece of work.
#[wasm_bindgen]
pub struct Task {
    work: Option<Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>>,
    value: JsValue,
    pace: Rc<Pace>,
}

/// How far a task is.
#[derive(Default)]
pub struct Pace {
    done: Cell<usize>,
    total: Cell<usize>,
    paused: Cell<bool>,
}

impl Pace {
    /// Ends the turn.
    pub async fn pause(&self, done: usize, total: usize) {
        self.done.set(done);
        self.total.set(total);
        self.paused.set(true);
        poll_fn(|_| if self.paused.get() { Poll::Pending } else { Poll::Ready(()) }).await
    }
}

impl Task {
    /// Work that has not begun.
    pub fn new<F>(work: impl FnOnce(Rc<Pace>) -> F) -> Self
    where
        F: Future<Output = Result<JsValue, JsValue>> + 'static,
    {
        let pace = Rc::<Pace>::default();
        Self { work: Some(Box::pin(work(pace.clone()))), value: JsValue::UNDEFINED, pace }
    }
}

#[wasm_bindgen]
impl Task {
    /// Works until it pauses, waits or is ready.
    ///
    /// # Errors
    /// What the work fails with.
    pub fn turn(&mut self) -> Result<Turn, JsValue> {
        let Some(work) = &mut self.work else { return Ok(Turn::Ready) };
        self.pace.paused.set(false);
        let waker = Waker::from(Arc::new(Bell));
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending if self.pace.paused.get() => Ok(Turn::Paused),
            Poll::Pending => Ok(Turn::Waiting),
            Poll::Ready(result) => {
                self.work = None;
                self.value = result?;
                Ok(Turn::Ready)
            }
        }
    }

    /// What came out; undefined before the task is ready, and after it was taken.
    pub fn value(&mut self) -> JsValue {
        std::mem::take(&mut self.value)
    }

    /// Steps done so far.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> usize {
        self.pace.done.get()
    }

    /// Steps in all.
    #[wasm_bindgen(getter)]
    pub fn total(&self) -> usize {
        self.pace.total.get()
    }
}

/// Wakes all tasks that wait; a turn too many does no harm.
struct Bell;

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        ring();
    }
}

/// Gives all tasks that wait another turn.
pub fn ring() {
    WAKE.with_borrow(|wake| {
        if let Some(wake) = wake {
            // JavaScript's function only resolves promises
            let _ = wake.call0(&JsValue::UNDEFINED);
        }
    });
}
