//! Loading a model, on the thread that then serves it.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread;

use innerspan::combine::EnsembleConfig;
use innerspan::device::{self, DeviceChoice};
use innerspan::encoder::CONFIG_FILE;
use innerspan::model::TOKENIZER_FILE;
use innerspan::model::source::ModelSource;
use innerspan::model::weights::Precision;
use innerspan::recognizer::Recognizer;
use innerspan_hub::{HubName, Watch};
use napi_derive::napi;

use crate::event::{Event, Listener, tell, tell_if_there};
use crate::exit;
use crate::failure::Failure;
use crate::files::Files;
use crate::model::Model;
use crate::queue::Queue;
use crate::stop::Stop;
use crate::worker;

/// Deep enough for any model; only what is used counts as memory.
const STACK: usize = 8 << 20;

/// What to load, and how.
struct Order {
    source: Source,
    device: String,
    precision: String,
    stop: Stop,
}

enum Source {
    /// A folder, or a model on the hub as `hf:ORG/NAME`.
    Named(String),
    Files(ModelSource),
}

/// Loads a folder, or a model of the hub. The listener hears at last of `Loaded` or `Failed`.
#[napi]
pub fn load(name: String, device: String, precision: String, stop: &Stop, listener: Listener) {
    let source = Source::Named(name);
    start(Order { source, device, precision, stop: stop.clone() }, listener);
}

/// Loads files that are in memory, which leave `files`.
#[napi]
pub fn load_files(
    files: &mut Files,
    device: String,
    precision: String,
    stop: &Stop,
    listener: Listener,
) {
    let source = Source::Files(ModelSource::memory(files.take()));
    start(Order { source, device, precision, stop: stop.clone() }, listener);
}

fn start(order: Order, listener: Listener) {
    let queue = Arc::new(Queue::default());
    exit::remember(&queue);
    let listener = order.stop.hold(listener);
    let thread = thread::Builder::new().name("innerspan".into()).stack_size(STACK);
    let (theirs, own) = (listener.clone(), queue.clone());
    let spawned = thread.spawn(move || {
        let end = Failure::catch(|| {
            run(order, theirs, &own);
            Ok(())
        });
        let failure = end.err().unwrap_or_else(Failure::disposed);
        for job in own.leave() {
            tell(&job.caller.listener, failure.clone());
        }
    });
    if let Err(error) = spawned {
        queue.leave();
        let failure = Failure::new("memory", format!("no thread could be started: {error}"));
        tell_if_there(&listener, failure);
    }
}

/// The whole life of a model's thread.
fn run(order: Order, listener: Weak<Listener>, queue: &Arc<Queue>) {
    let recognizer = match Failure::catch(|| order.carry_out(&listener, queue)) {
        Ok(recognizer) => recognizer,
        Err(failure) => return tell_if_there(&listener, failure),
    };
    tell_if_there(&listener, Event::Loaded { model: Model::new(&recognizer, queue.clone()) });
    worker::serve(&recognizer, queue);
}

impl Order {
    fn carry_out(self, listener: &Weak<Listener>, queue: &Queue) -> Result<Recognizer, Failure> {
        let precision: Precision = self.precision.parse()?;
        let choice: DeviceChoice =
            self.device.parse().map_err(|message| Failure::new("input", message))?;
        let source = match self.source {
            Source::Files(source) => source,
            Source::Named(name) => {
                let weights = precision.file();
                let mut reporter = Reporter::new(listener, weights, &self.stop, queue);
                ModelSource::folder(queue.away(|| folder(&name, weights, &mut reporter))?)
            }
        };
        go_on(&self.stop, queue)?;
        tell_if_there(listener, Event::Build);
        let device = device::select(choice)?;
        go_on(&self.stop, queue)?;
        let recognizer = Recognizer::load(&source, precision, &device)?;
        go_on(&self.stop, queue)?;
        Ok(recognizer)
    }
}

fn go_on(stop: &Stop, queue: &Queue) -> Result<(), Failure> {
    if stop.stopped() || queue.closed() { Err(Failure::aborted()) } else { Ok(()) }
}

/// The folder with the files of a model, downloaded if it is one of the hub.
fn folder(name: &str, weights: &str, reporter: &mut Reporter) -> Result<PathBuf, Failure> {
    let folder = match HubName::parse(name) {
        Some(model) => model?.model_folder(weights, reporter)?,
        None => name.into(),
    };
    // what is wrong with a configuration is said when the model is loaded
    let ensemble = EnsembleConfig::read(&ModelSource::folder(&folder)).ok().flatten();
    let parts = ensemble.map_or(Vec::new(), |config| config.ensemble.folders());
    let folders = parts.iter().map(|name| folder.join(name)).chain([folder.clone()]);
    let files =
        folders.flat_map(|at| [CONFIG_FILE, TOKENIZER_FILE, weights].map(|file| at.join(file)));
    let size = |file| fs::metadata(file).map_or(0, |file| file.len());
    let bytes = files.map(size).sum::<u64>() as f64;
    let event = Event::Bytes { file: weights.into(), loaded: bytes, total: bytes };
    tell_if_there(reporter.listener, event);
    Ok(folder)
}

/// Reports downloads, and stops them when their call is over or the environment ends. The weights are the last of them;
/// only then the sum of all is known.
struct Reporter<'a> {
    listener: &'a Weak<Listener>,
    weights: &'static str,
    stop: &'a Stop,
    queue: &'a Queue,
    file: String,
    /// Bytes of this file, and of those before it.
    size: u64,
    before: u64,
    received: u64,
    reported: u64,
}

impl<'a> Reporter<'a> {
    /// Bytes between two reports.
    const STEP: u64 = 1 << 20;

    fn new(
        listener: &'a Weak<Listener>,
        weights: &'static str,
        stop: &'a Stop,
        queue: &'a Queue,
    ) -> Self {
        let file = String::new();
        Self { listener, weights, stop, queue, file, size: 0, before: 0, received: 0, reported: 0 }
    }

    fn report(&mut self) {
        let total = if self.file == self.weights { self.before + self.size } else { 0 };
        let loaded = self.before + self.received;
        let (loaded, total) = (loaded as f64, total as f64);
        tell_if_there(self.listener, Event::Bytes { file: self.file.clone(), loaded, total });
        self.reported = self.received;
    }
}

impl Watch for Reporter<'_> {
    fn begun(&mut self, file: &str, bytes: u64) {
        if self.file != file {
            self.before += self.size;
        }
        (self.file, self.size, self.received) = (file.to_owned(), bytes, 0);
        self.report();
    }

    fn received(&mut self, bytes: u64) {
        self.received += bytes;
        if self.received >= self.reported + Self::STEP || self.received == self.size {
            self.report();
        }
    }

    fn go_on(&self) -> bool {
        !self.stop.stopped() && !self.queue.closed()
    }
}
