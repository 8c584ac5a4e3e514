//! AdamW (Loshchilov and Hutter, 2019).

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};

#[cfg(feature = "native")]
use super::CHUNK;
use super::{Change, to_device, to_host};
use crate::Result;
use crate::model::weights::HostTensors;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// First and second moments by parameter path, flattened.
#[derive(Debug, Default)]
pub(super) struct AdamW {
    moments: BTreeMap<String, (Tensor<1>, Tensor<1>)>,
}

impl AdamW {
    /// The parameter at `path` after step `step` (from 1), as PyTorch does it: decay by `rate · decay`, then
    /// m̂ / (√v̂ + ε), both moments bias-corrected.
    pub fn update<const D: usize>(
        &mut self,
        path: String,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        step: u32,
        change: Change,
    ) -> Tensor<D> {
        let (shape, length) = (parameter.dims(), parameter.shape().num_elements());
        let device = gradient.device();
        let (m, v) = self.moments.remove(&path).unwrap_or_else(|| {
            (Tensor::zeros([length], &device), Tensor::zeros([length], &device))
        });
        let flat = [parameter.reshape([length]), gradient.reshape([length]), m, v];
        let update = Update::new(step as i32, change);
        let apply = if device == Device::flex() { Update::in_place } else { Update::on_device };
        let (updated, m, v) = apply(&update, flat);
        self.moments.insert(path, (m, v));
        updated.reshape(shape)
    }

    pub fn state(&self) -> Result<HostTensors> {
        let mut tensors = HostTensors::new();
        for (path, (m, v)) in &self.moments {
            let path = path.replace('.', "/");
            tensors.insert(format!("m/{path}"), to_host(m)?);
            tensors.insert(format!("v/{path}"), to_host(v)?);
        }
        Ok(tensors)
    }

    pub fn restore(mut state: HostTensors, device: &Device) -> Self {
        let names: Vec<String> = state.keys().cloned().collect();
        let mut moments = BTreeMap::new();
        for path in names.iter().filter_map(|name| name.strip_prefix("m/")) {
            let halves = (state.remove(&format!("m/{path}")), state.remove(&format!("v/{path}")));
            if let (Some(m), Some(v)) = halves {
                let moment = (to_device(m, device), to_device(v, device));
                moments.insert(path.replace('/', "."), moment);
            }
        }
        Self { moments }
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
    fn new(step: i32, Change { rate, keep, scale }: Change) -> Self {
        let bias_1 = 1.0 - BETA_1.powi(step);
        Self { keep, rate: rate / bias_1, bias_2: 1.0 - BETA_2.powi(step), scale }
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
