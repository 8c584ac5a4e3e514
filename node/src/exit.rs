//! The end of a JavaScript environment: of the process, or of one of its worker threads.

use std::cell::RefCell;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use napi::bindgen_prelude::Object;
use napi::{Env, Result};
use napi_derive::napi;

use crate::queue::Queue;

/// How long a forward pass or a load may still run; what takes longer is left behind.
const PATIENCE: Duration = Duration::from_secs(5);

thread_local! {
    /// The models of the environment on this thread.
    static QUEUES: RefCell<Vec<Weak<Queue>>> = const { RefCell::new(Vec::new()) };
}

/// Has this thread's models end with its environment.
#[napi(module_exports)]
pub fn init(_exports: Object, env: Env) -> Result<()> {
    env.add_env_cleanup_hook((), |()| end_all())?;
    Ok(())
}

/// Counts a model among those of this environment.
pub fn remember(queue: &Arc<Queue>) {
    QUEUES.with_borrow_mut(|queues| {
        queues.retain(|queue| queue.strong_count() > 0);
        queues.push(Arc::downgrade(queue));
    });
}

fn end_all() {
    let queues = QUEUES.try_with(RefCell::take).unwrap_or_default();
    let queues: Vec<Arc<Queue>> = queues.iter().filter_map(Weak::upgrade).collect();
    let deadline = Instant::now() + PATIENCE;
    for queue in &queues {
        queue.close();
    }
    for queue in &queues {
        queue.wait_until_left(deadline);
    }
}
