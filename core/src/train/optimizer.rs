//! AdamW (Loshchilov and Hutter, 2019) over a module, with one learning rate for the encoder and one for the head.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use crate::model::weights::{HostTensor, HostTensors};
use crate::{Error, Result};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;
/// How the names of a CRF's transitions end.
const TRANSITIONS: &str = "transitions";
/// Numbers that one thread updates at a time on a CPU.
#[cfg(feature = "native")]
const CHUNK: usize = 1 << 16;

/// The optimiser and its state: first and second moments of every parameter that has had a gradient.
#[derive(Debug, Default)]
pub struct AdamW {
    /// Steps taken.
    steps: u32,
    /// By parameter path, flattened.
    moments: BTreeMap<String, (Tensor<1>, Tensor<1>)>,
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

impl AdamW {
    /// Takes one step, as PyTorch does it: decay by `rate · decay`, then m̂ / (√v̂ + ε), both moments bias-corrected.
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
        let host = |tensor: &Tensor<1>| -> Result<HostTensor> {
            let values: Vec<f32> =
                tensor.try_to_vec_as().map_err(|e| Error::Device(e.to_string()))?;
            Ok(HostTensor { shape: vec![values.len()], values })
        };
        let mut tensors = HostTensors::new();
        for (path, (m, v)) in &self.moments {
            let path = path.replace('.', "/");
            tensors.insert(format!("m/{path}"), host(m)?);
            tensors.insert(format!("v/{path}"), host(v)?);
        }
        Ok(tensors)
    }

    /// An optimiser that goes on from [`state`](Self::state) after `steps` steps.
    pub fn restore(state: HostTensors, steps: u32, device: &Device) -> Self {
        let mut halves = BTreeMap::new();
        for (name, tensor) in state {
            let length = tensor.values.len();
            let tensor = Tensor::<1>::from_data(TensorData::new(tensor.values, [length]), device);
            halves.insert(name, tensor);
        }
        let moments = halves
            .iter()
            .filter_map(|(name, m)| {
                let path = name.strip_prefix("m/")?;
                let v = halves.get(&format!("v/{path}"))?;
                Some((path.replace('/', "."), (m.clone(), v.clone())))
            })
            .collect();
        Self { steps, moments }
    }
}

/// One traversal of the module.
struct Step<'a> {
    optimizer: &'a mut AdamW,
    gradients: GradientsParams,
    rates: Rates,
    scale: f64,
    path: Vec<String>,
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
        let update = Update::new(self.optimizer.steps as i32, rate, decay, self.scale);
        let moments = &mut self.optimizer.moments;
        param.map(|tensor| {
            let (shape, tracked) = (tensor.dims(), tensor.is_require_grad());
            let length = tensor.shape().num_elements();
            let device = gradient.device();
            let (m, v) = moments.remove(&path).unwrap_or_else(|| {
                (Tensor::zeros([length], &device), Tensor::zeros([length], &device))
            });
            let flat = [tensor.inner().reshape([length]), gradient.reshape([length]), m, v];
            let apply = if device == Device::flex() { Update::in_place } else { Update::on_device };
            let (updated, m, v) = apply(&update, flat);
            moments.insert(path, (m, v));
            Tensor::from_inner(updated.reshape(shape)).set_require_grad(tracked)
        })
    }
}

/// The arithmetic of one step for one parameter.
struct Update {
    /// What the parameter keeps after weight decay.
    keep: f64,
    /// Learning rate over the bias correction of the first moment.
    rate: f64,
    /// Bias correction of the second moment.
    bias_2: f64,
    /// On the gradient, for clipping.
    scale: f64,
}

impl Update {
    fn new(step: i32, rate: f64, decay: f64, scale: f64) -> Self {
        let bias_1 = 1.0 - BETA_1.powi(step);
        Self { keep: 1.0 - decay, rate: rate / bias_1, bias_2: 1.0 - BETA_2.powi(step), scale }
    }

    /// Parameter, gradient, first and second moment in; parameter and moments out.
    fn on_device(&self, [p, g, m, v]: [Tensor<1>; 4]) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
        let g = g * self.scale;
        let m = m * BETA_1 + g.clone() * (1.0 - BETA_1);
        let v = v * BETA_2 + g.square() * (1.0 - BETA_2);
        let denominator = (v.clone() / self.bias_2).sqrt() + EPSILON;
        (p * self.keep - (m.clone() / denominator) * self.rate, m, v)
    }

    /// The same in one pass over memory: on a CPU the many passes of [`on_device`](Self::on_device) cost more than
    /// the gradients themselves.
    fn in_place(&self, [p, g, m, v]: [Tensor<1>; 4]) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
        let device = p.device();
        let [mut p, g, mut m, mut v] = [p, g, m, v].map(Tensor::into_data);
        let slices = (
            p.as_mut_slice::<f32>().expect("parameters are f32"),
            g.as_slice::<f32>().expect("gradients are f32"),
            m.as_mut_slice::<f32>().expect("moments are f32"),
            v.as_mut_slice::<f32>().expect("moments are f32"),
        );
        self.each(slices);
        (
            Tensor::from_data(p, &device),
            Tensor::from_data(m, &device),
            Tensor::from_data(v, &device),
        )
    }

    fn each(&self, (p, g, m, v): (&mut [f32], &[f32], &mut [f32], &mut [f32])) {
        #[cfg(feature = "native")]
        {
            use rayon::prelude::*;
            let pairs = p.par_chunks_mut(CHUNK).zip(g.par_chunks(CHUNK));
            let moments = m.par_chunks_mut(CHUNK).zip(v.par_chunks_mut(CHUNK));
            pairs.zip(moments).for_each(|((p, g), (m, v))| self.chunk(p, g, m, v));
        }
        #[cfg(not(feature = "native"))]
        self.chunk(p, g, m, v);
    }

    fn chunk(&self, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        let (keep, rate, scale) = (self.keep as f32, self.rate as f32, self.scale as f32);
        let bias_2 = 1.0 / self.bias_2 as f32;
        let (beta_1, beta_2, epsilon) = (BETA_1 as f32, BETA_2 as f32, EPSILON as f32);
        for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            let g = g * scale;
            *m = *m * beta_1 + g * (1.0 - beta_1);
            *v = *v * beta_2 + g * g * (1.0 - beta_2);
            *p = *p * keep - rate * *m / ((*v * bias_2).sqrt() + epsilon);
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use burn::nn::{Linear, LinearConfig};

    /// y = x·w + b with w = (0.5, -1.5), b = 0.25.
    fn linear(device: &Device) -> Linear {
        let mut linear = LinearConfig::new(2, 1).init(device);
        let weight = Tensor::<2>::from_data([[0.5f32], [-1.5]], device);
        linear.weight = Param::from_tensor(weight.require_grad());
        linear.bias =
            Some(Param::from_tensor(Tensor::<1>::from_data([0.25f32], device).require_grad()));
        linear
    }

    fn gradients(linear: &Linear, x: [f32; 2]) -> GradientsParams {
        let x = Tensor::<2>::from_data([x], &linear.weight.device());
        let loss = linear.forward(x).square().sum();
        GradientsParams::from_grads(loss.backward(), linear)
    }

    #[test]
    fn two_steps_agree_with_pytorch() {
        // torch.optim.AdamW(lr=0.1, weight_decay=0.01 on w, 0 on b) on (x·w + b)², x = (1, 2) then (-1, 0.5).
        let device = Device::flex().autodiff();
        let mut linear = linear(&device);
        let mut optimizer = AdamW::default();
        let rates = Rates { encoder: 9.0, transitions: 9.0, head: 0.1, decay: 0.01, clip: 0.0 };
        for x in [[1.0, 2.0], [-1.0, 0.5]] {
            let gradients = gradients(&linear, x);
            linear = optimizer.step(linear, gradients, rates);
        }
        let (weight, bias) = by_hand();
        let found: Vec<f32> = linear.weight.val().try_into_vec_as().unwrap();
        for (found, expected) in found.iter().zip(weight) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} instead of {expected}");
        }
        let found = f64::from(linear.bias.unwrap().val().into_scalar::<f32>());
        assert!((found - bias).abs() < 1e-5, "{found} instead of {bias}");
    }

    /// The same two steps in double precision.
    fn by_hand() -> ([f64; 2], f64) {
        let (mut p, mut m, mut v) = ([0.5, -1.5, 0.25], [0.0; 3], [0.0; 3]);
        for (t, x) in [(1, [1.0, 2.0, 1.0]), (2, [-1.0, 0.5, 1.0])] {
            let y: f64 = (0..3).map(|i| p[i] * x[i]).sum();
            for i in 0..3 {
                let g = 2.0 * y * x[i];
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let (m_hat, v_hat) =
                    (m[i] / (1.0 - 0.9f64.powi(t)), v[i] / (1.0 - 0.999f64.powi(t)));
                let decay = if i < 2 { 0.001 } else { 0.0 };
                p[i] = p[i] * (1.0 - decay) - 0.1 * m_hat / (v_hat.sqrt() + 1e-8);
            }
        }
        ([p[0], p[1]], p[2])
    }

    #[test]
    fn clipping_scales_all_gradients_by_their_common_norm() {
        let device = Device::flex().autodiff();
        let linear = linear(&device);
        // y = 0.5 - 3 + 0.25 = -2.25; gradient 2y·(1, 2, 1), norm 4.5·√6.
        let gradients = gradients(&linear, [1.0, 2.0]);
        let expected = 2.0 / (4.5 * 6f64.sqrt() + 1e-6);
        assert!((clip_factor(&linear, &gradients, 2.0) - expected).abs() < 1e-6);
        assert_eq!(clip_factor(&linear, &gradients, 100.0), 1.0);
        assert_eq!(clip_factor(&linear, &gradients, 0.0), 1.0);
    }

    #[test]
    fn restored_state_goes_on_as_if_never_saved() {
        let device = Device::flex().autodiff();
        let rates = Rates { encoder: 0.0, transitions: 0.0, head: 0.1, decay: 0.01, clip: 1.0 };
        let mut linear = linear(&device);
        let mut optimizer = AdamW::default();
        let first = gradients(&linear, [1.0, 2.0]);
        linear = optimizer.step(linear, first, rates);
        let mut restored = AdamW::restore(optimizer.state().unwrap(), 1, &device.clone().inner());
        let second = |linear: &Linear| gradients(linear, [-1.0, 0.5]);
        let expected = optimizer.step(linear.clone(), second(&linear), rates);
        let found = restored.step(linear.clone(), second(&linear), rates);
        assert_eq!(found.weight.val().into_data(), expected.weight.val().into_data());
    }
}
