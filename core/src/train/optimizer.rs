//! The optimisers over a module, with one learning rate for the encoder, one for a CRF's transitions and one for the rest.

mod adafactor;
mod adamw;
#[cfg(test)]
mod tests;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use self::adafactor::Adafactor;
use self::adamw::AdamW;
use crate::model::weights::{HostTensor, HostTensors};
use crate::{Error, Result};

/// Numbers that one thread updates at a time on a CPU.
const CHUNK: usize = 1 << 16;
/// How the names of a CRF's transitions end.
const TRANSITIONS: &str = "transitions";

/// The optimisers by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
    AdamW,
    /// Adafactor (Shazeer and Stern, 2018) at a given learning rate: neither relative steps nor steps scaled by the
    /// parameter, no first moment.
    Adafactor,
}

/// What one step uses.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Learning rate of parameters below `encoder.`.
    pub encoder: f64,
    /// Learning rate of the transitions of a CRF.
    pub transitions: f64,
    /// Learning rate of all others.
    pub head: f64,
    /// Decoupled weight decay of parameters that are neither biases, layer norms nor transitions.
    pub decay: f64,
    /// Largest L2 norm of all gradients together; 0 for no clipping.
    pub clip: f64,
}

impl Rates {
    /// The learning rate of the parameter at a path.
    fn of(&self, path: &str) -> f64 {
        match path {
            path if path.starts_with("encoder.") => self.encoder,
            path if path.ends_with(TRANSITIONS) => self.transitions,
            _ => self.head,
        }
    }
}

/// An optimiser and its state: the moments of every parameter that has had a gradient.
#[derive(Debug)]
pub struct Optimizer {
    /// Steps taken.
    steps: u32,
    rule: Rule,
}

/// How a parameter follows its gradient.
#[derive(Debug)]
enum Rule {
    AdamW(AdamW),
    Adafactor(Adafactor),
}

impl Optimizer {
    /// An optimiser before its first step.
    pub fn new(kind: OptimizerKind) -> Self {
        let rule = match kind {
            OptimizerKind::AdamW => Rule::AdamW(AdamW::default()),
            OptimizerKind::Adafactor => Rule::Adafactor(Adafactor::default()),
        };
        Self { steps: 0, rule }
    }

    /// Takes one step.
    pub fn step<M: Module>(&mut self, module: M, gradients: GradientsParams, rates: Rates) -> M {
        let scale = clip_factor(&module, &gradients, rates.clip);
        self.steps += 1;
        let path = Vec::new();
        module.map(&mut Step { optimizer: self, gradients, rates, scale, path })
    }

    /// The state as tensors by name, which has slashes for dots so that nobody takes it for a weight's.
    ///
    /// # Errors
    /// A device that cannot be read.
    pub fn state(&self) -> Result<HostTensors> {
        match &self.rule {
            Rule::AdamW(rule) => rule.state(),
            Rule::Adafactor(rule) => rule.state(),
        }
    }

    /// An optimiser that goes on from [`state`](Self::state) after `steps` steps.
    pub fn restore(kind: OptimizerKind, state: HostTensors, steps: u32, device: &Device) -> Self {
        let rule = match kind {
            OptimizerKind::AdamW => Rule::AdamW(AdamW::restore(state, device)),
            OptimizerKind::Adafactor => Rule::Adafactor(Adafactor::restore(state, device)),
        };
        Self { steps, rule }
    }
}

/// One traversal of the module.
struct Step<'a> {
    optimizer: &'a mut Optimizer,
    gradients: GradientsParams,
    rates: Rates,
    scale: f64,
    path: Vec<String>,
}

/// What happens to one parameter in one step.
#[derive(Debug, Clone, Copy)]
struct Change {
    /// Its learning rate.
    rate: f64,
    /// What it keeps after weight decay.
    keep: f64,
    /// On its gradient, for clipping.
    scale: f64,
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let path = self.path.join(".");
        let rate = self.rates.of(&path);
        let decay = if decays(&path) { rate * self.rates.decay } else { 0.0 };
        let change = Change { rate, keep: 1.0 - decay, scale: self.scale };
        let Optimizer { steps, rule } = &mut *self.optimizer;
        param.map(|tensor| {
            let tracked = tensor.is_require_grad();
            let tensor = tensor.inner();
            let updated = match rule {
                Rule::AdamW(rule) => rule.update(path, tensor, gradient, *steps, change),
                Rule::Adafactor(rule) => rule.update(path, tensor, gradient, change),
            };
            Tensor::from_inner(updated).set_require_grad(tracked)
        })
    }
}

/// Whether weight decay acts on a parameter: not on biases, layer norms and transitions.
fn decays(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    !matches!(last, "bias" | "gamma" | "beta") && !last.ends_with(TRANSITIONS)
}

/// What all gradients are multiplied with so that their common L2 norm is at most `limit`.
fn clip_factor<M: Module>(module: &M, gradients: &GradientsParams, limit: f64) -> f64 {
    if limit == 0.0 {
        return 1.0;
    }
    struct Norm<'a> {
        gradients: &'a GradientsParams,
        sum: Option<Tensor<1>>,
    }
    impl ModuleVisitor for Norm<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                let square = gradient.square().sum();
                self.sum = Some(match self.sum.take() {
                    Some(sum) => sum + square,
                    None => square,
                });
            }
        }
    }
    let mut norm = Norm { gradients, sum: None };
    module.visit(&mut norm);
    let norm = norm.sum.map_or(0.0, |sum| f64::from(sum.into_scalar::<f32>()).sqrt());
    // As torch.nn.utils.clip_grad_norm_.
    (limit / (norm + 1e-6)).min(1.0)
}

/// A moment as it is saved.
fn to_host(tensor: &Tensor<1>) -> Result<HostTensor> {
    let values: Vec<f32> = tensor.try_to_vec_as().map_err(|e| Error::Device(e.to_string()))?;
    Ok(HostTensor { shape: vec![values.len()], values })
}

/// A saved moment on a device.
fn to_device(tensor: HostTensor, device: &Device) -> Tensor<1> {
    let length = tensor.values.len();
    Tensor::from_data(TensorData::new(tensor.values, [length]), device)
}
