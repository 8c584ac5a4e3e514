//! A loaded model as JavaScript holds it.

use std::cell::Cell;
use std::sync::Arc;

use innerspan::recognizer::Recognizer;
use napi::Env;
use napi::bindgen_prelude::ObjectFinalize;
use napi_derive::napi;

use crate::event::{Listener, tell};
use crate::failure::Failure;
use crate::queue::{Caller, Job, Queue};
use crate::stop::Stop;

/// The device that was chosen.
#[napi(object)]
#[derive(Clone)]
pub struct Device {
    pub kind: String,
    pub name: String,
    pub reason: String,
}

/// The near end of a model's queue. The model goes when this goes.
#[napi(custom_finalize)]
pub struct Model {
    queue: Arc<Queue>,
    labels: Vec<String>,
    device: Device,
    /// About how much memory the weights take.
    bytes: i64,
    /// Whether the garbage collector knows of them.
    counted: Cell<bool>,
}

#[napi]
impl Model {
    /// The entity types.
    #[napi(getter)]
    pub fn labels(&self) -> Vec<String> {
        self.labels.clone()
    }

    /// Where it runs.
    #[napi(getter)]
    pub fn device(&self) -> Device {
        self.device.clone()
    }

    /// Lets the garbage collector know how much hangs on this small object.
    #[napi]
    pub fn count(&self, env: Env) -> napi::Result<()> {
        if !self.counted.replace(true) {
            env.adjust_external_memory(self.bytes)?;
        }
        Ok(())
    }

    /// Finds the entities of a text. The listener hears at last of `Found` or `Failed`.
    #[napi]
    pub fn extract(&self, text: String, threshold: Option<f64>, stop: &Stop, listener: Listener) {
        let caller = Caller { stop: stop.clone(), listener };
        let job = Job { text, threshold: threshold.map(|value| value as f32), caller };
        if let Err(job) = self.queue.put(job) {
            tell(&job.caller.listener, Failure::disposed());
        }
    }

    /// Ends the model's thread and with it the model; those who wait hear of it.
    #[napi]
    pub fn dispose(&self, env: Env) -> napi::Result<()> {
        self.queue.close();
        if self.counted.replace(false) {
            env.adjust_external_memory(-self.bytes)?;
        }
        Ok(())
    }
}

impl Model {
    pub fn new(recognizer: &Recognizer, queue: Arc<Queue>) -> Self {
        let device = recognizer.device();
        let kind = if device.name.starts_with("CPU") { "cpu" } else { "wgpu" };
        Self {
            queue,
            labels: recognizer.labels().iter().map(str::to_owned).collect(),
            device: Device {
                kind: kind.into(),
                name: device.name.clone(),
                reason: device.reason.clone(),
            },
            bytes: recognizer.parameters() as i64 * size_of::<f32>() as i64,
            counted: Cell::new(false),
        }
    }
}

impl ObjectFinalize for Model {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.dispose(env)
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.queue.close();
    }
}
