//! A model's files in, entities out.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use innerspan::data::Document;
use innerspan::device::{self, Selected};
use innerspan::model::source::ModelSource;
use innerspan::model::weights::Precision;
use innerspan::recognizer::{ExtractOptions, Recognizer};
use wasm_bindgen::prelude::*;

use crate::convert;
use crate::task::{Pace, Task};

/// The files of a model, by name.
#[wasm_bindgen]
#[derive(Default)]
pub struct Files(BTreeMap<String, Vec<u8>>);

#[wasm_bindgen]
impl Files {
    /// None yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn add(&mut self, name: String, content: Vec<u8>) {
        self.0.insert(name, content);
    }
}

/// Word pieces of a forward pass: few on the CPU, so that the page can breathe in between; a GPU does not hold it up.
const TOKENS_PER_PASS: usize = if cfg!(feature = "webgpu") { 2048 } else { 256 };

/// A loaded model.
#[wasm_bindgen]
pub struct Model(Rc<Recognizer>);

/// Loads a model; the task's value is a [`Model`]. `adapter` is the name of a graphics adapter, for people; without
/// one it runs on the CPU.
#[wasm_bindgen]
pub fn load(files: Files, precision: String, adapter: Option<String>) -> Task {
    Task::new(async move |_| {
        let model = async {
            let precision: Precision = precision.parse()?;
            let device = select(adapter).await?;
            Recognizer::load(&ModelSource::memory(files.0), precision, &device)
        };
        Ok(Model(Rc::new(model.await.map_err(convert::error)?)).into())
    })
}

/// Whether the GPU is gone for good.
#[wasm_bindgen(js_name = deviceLost)]
pub fn device_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

static LOST: AtomicBool = AtomicBool::new(false);

#[cfg(feature = "webgpu")]
async fn select(adapter: Option<String>) -> innerspan::Result<Selected> {
    let lost = || {
        LOST.store(true, Ordering::Relaxed);
        crate::task::ring();
    };
    match adapter {
        Some(name) => device::webgpu(name, lost).await,
        None => Ok(device::cpu()),
    }
}

#[cfg(not(feature = "webgpu"))]
async fn select(_: Option<String>) -> innerspan::Result<Selected> {
    Ok(device::cpu())
}

#[wasm_bindgen]
impl Model {
    /// The entity types.
    pub fn labels(&self) -> Vec<String> {
        self.0.labels().iter().map(str::to_owned).collect()
    }

    /// Recognises texts; the task's value is one list of entities for each of them.
    pub fn extract(&self, texts: Vec<String>, threshold: Option<f32>) -> Task {
        let recognizer = self.0.clone();
        Task::new(async move |pace| run(&recognizer, texts, threshold, &pace).await)
    }
}

async fn run(
    recognizer: &Recognizer,
    texts: Vec<String>,
    threshold: Option<f32>,
    pace: &Pace,
) -> Result<JsValue, JsValue> {
    let document = |text| Document { text, ..Document::default() };
    let mut documents: Vec<Document> = texts.into_iter().map(document).collect();
    let options = ExtractOptions { threshold };
    let extraction = recognizer.start(&documents, &options).map_err(convert::error)?;
    let mut extraction = extraction.with_tokens_per_pass(TOKENS_PER_PASS);
    loop {
        let more = extraction.step().await.map_err(convert::error)?;
        pace.pause(extraction.done(), extraction.total()).await;
        if !more {
            break;
        }
    }
    for (document, entities) in documents.iter_mut().zip(extraction.finish()) {
        document.entities = entities;
    }
    convert::entities(&documents)
}
