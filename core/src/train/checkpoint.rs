//! Training state on disk, from which a killed run goes on as if it had never stopped.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::optimizer::Optimizer;
use super::settings::TrainSettings;
use crate::encoder::EncoderConfig;
use crate::model::NerModel;
use crate::model::source::ModelSource;
use crate::model::weights::{
    Checkpoint as Weights, Precision, WEIGHTS_FILE, load_into, load_tensors, save_module,
    save_tensors, write_atomically,
};
use crate::{Error, Result};

/// Names the folder of the newest complete checkpoint; replaced atomically.
const POINTER: &str = "checkpoint.json";
const MOMENTS_FILE: &str = "optimizer.safetensors";
const STATE_FILE: &str = "state.json";
const PREFIX: &str = "checkpoint-";

/// How an epoch went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Mean training loss.
    pub loss: f64,
    /// Dev strict precision, in 0..=1.
    pub precision: f64,
    /// Dev strict recall, in 0..=1.
    pub recall: f64,
    /// Dev strict F1, in 0..=1.
    pub f1: f64,
    /// Dev F1 of spans whatever their type, in 0..=1.
    pub boundary_f1: f64,
    /// Seconds of training and evaluation since the run began, all parts of a resumed run together.
    pub seconds: f64,
    /// Those of optimiser steps alone.
    #[serde(default)]
    pub training_seconds: f64,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// What the run was started with.
    pub settings: TrainSettings,
    /// Fingerprint of the training and dev data.
    pub data: u64,
    /// Epochs finished.
    pub epoch: usize,
    /// Batches of the current epoch finished.
    pub batch: usize,
    /// Optimiser steps taken.
    pub steps: u32,
    /// Sum of the losses of the current epoch's batches.
    #[serde(with = "exact")]
    pub loss_sum: f64,
    /// Finished epochs.
    pub curve: Vec<EpochRecord>,
    /// Seconds so far.
    pub seconds: f64,
    /// Those of optimiser steps alone.
    #[serde(default)]
    pub training_seconds: f64,
}

impl State {
    /// Goes on to the next epoch.
    pub fn next_epoch(&mut self) {
        self.epoch += 1;
        self.batch = 0;
        self.loss_sum = 0.0;
    }

    /// The state before the first step.
    pub fn new(settings: &TrainSettings, data: u64) -> Self {
        Self {
            settings: settings.clone(),
            data,
            epoch: 0,
            batch: 0,
            steps: 0,
            loss_sum: 0.0,
            curve: Vec::new(),
            seconds: 0.0,
            training_seconds: 0.0,
        }
    }

    /// The best epoch: the highest F1, the first of equals.
    pub fn best(&self) -> Option<&EpochRecord> {
        self.curve.iter().rev().max_by(|a, b| a.f1.total_cmp(&b.f1))
    }

    /// Writes the state, the weights and the optimiser as the newest checkpoint of `out`, then drops older ones.
    pub fn save(
        &self,
        out: &Path,
        encoder: &EncoderConfig,
        model: &NerModel,
        optimizer: &Optimizer,
    ) -> Result<()> {
        let name = format!("{PREFIX}{}-{}", self.epoch, self.batch);
        let folder = out.join(&name);
        fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        save_module(model, &folder.join(WEIGHTS_FILE), Precision::F32, |p| encoder.tensor_name(p))?;
        save_tensors(&folder.join(MOMENTS_FILE), &optimizer.state()?)?;
        write_json(&folder.join(STATE_FILE), self)?;
        write_json(&out.join(POINTER), &name)?;
        remove_others(out, Some(&name))
    }

    /// The newest checkpoint of `out`: the state, the trained weights put into `model`, and the optimiser.
    ///
    /// # Errors
    /// A folder without one, or a damaged one.
    pub fn load(
        out: &Path,
        encoder: &EncoderConfig,
        model: NerModel,
    ) -> Result<(Self, NerModel, Optimizer)> {
        let name: String = read_json(&out.join(POINTER))?;
        let folder = out.join(&name);
        let state: Self = read_json(&folder.join(STATE_FILE))?;
        let source = ModelSource::folder(&folder);
        let weights = Weights::open_file(&source, WEIGHTS_FILE)?;
        let model =
            load_into(model, &weights, |path| encoder.tensor_name(path))?.map(&mut RowMajor);
        let device = crate::model::device_of(&model);
        let moments = load_tensors(&source, MOMENTS_FILE)?;
        let kind = state.settings.optimizer;
        let optimizer = Optimizer::restore(kind, moments, state.steps, &device);
        Ok((state, model, optimizer))
    }

    /// Whether `out` holds a checkpoint.
    pub fn exists(out: &Path) -> bool {
        out.join(POINTER).is_file()
    }

    /// Removes the checkpoints of a finished run.
    pub fn clear(out: &Path) -> Result<()> {
        match fs::remove_file(out.join(POINTER)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io(out.join(POINTER), error));
            }
            _ => {}
        }
        remove_others(out, None)
    }
}

/// Gives every weight memory of its own in row-major order, as the optimiser leaves it: the last bit of a product can
/// depend on how its factors lie in memory.
struct RowMajor;

impl ModuleMapper for RowMajor {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let (device, tracked) = (tensor.device(), tensor.is_require_grad());
            Tensor::from_data(tensor.into_data(), &device).set_require_grad(tracked)
        })
    }
}

/// A float as its bits: reading its decimal digits back may miss the last bit.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

/// Removes all checkpoint folders but `keep`.
fn remove_others(out: &Path, keep: Option<&str>) -> Result<()> {
    let entries = fs::read_dir(out).map_err(|e| Error::io(out, e))?;
    let stale: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok())
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(PREFIX) && Some(&*name) != keep && entry.path().is_dir()
        })
        .map(|entry| entry.path())
        .collect();
    for folder in stale {
        fs::remove_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    }
    Ok(())
}

/// Writes a value as JSON, atomically.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write_atomically(path, |file| {
        serde_json::to_writer_pretty(file, value).map_err(|e| Error::io(path, e.into()))
    })
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(|e| Error::io(path, e))?;
    serde_json::from_slice(&bytes)
        .map_err(|e| Error::file(path, format!("damaged ({e}); start again without --resume")))
}
