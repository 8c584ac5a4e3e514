//! Fresh weights that depend on the seed and the parameter alone, not on the device or on what else runs.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::hash::{FNV_START, fnv_1a, mix};

/// `module` with fresh weights: linear maps uniform in ±1/√inputs, biases, the transitions of a CRF and the last layer
/// of a regressor 0, layer norms 1 and 0, embeddings N(0, 0.02).
pub fn seeded<M: Module>(module: M, seed: u64) -> M {
    module.map(&mut Init { seed, path: Vec::new() })
}

struct Init {
    seed: u64,
    /// Names of fields, and the types of the modules that have them.
    path: Vec<(String, String)>,
}

impl ModuleMapper for Init {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push((name.to_owned(), container_type.to_owned()));
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
        let container = self.path.last().map_or("", |(_, container)| container.as_str());
        let mut random =
            ChaCha8Rng::seed_from_u64(mix(self.seed, fnv_1a(FNV_START, path.join(".").bytes())));
        let name = path.last().copied().unwrap_or_default();
        param.map(|tensor| {
            let (shape, tracked) = (tensor.shape(), tensor.is_require_grad());
            let count = shape.num_elements();
            let values: Vec<f32> = match (container, name) {
                (_, "gamma") => vec![1.0; count],
                (_, "beta" | "bias") => vec![0.0; count],
                (_, name) if name.ends_with("transitions") => vec![0.0; count],
                _ if path.ends_with(&["regressor", "out", "weight"]) => vec![0.0; count],
                ("Struct:Linear", _) => {
                    let bound = 1.0 / (shape[0] as f32).sqrt();
                    (0..count).map(|_| random.random_range(-bound..bound)).collect()
                }
                _ => (0..count).map(|_| 0.02 * normal(&mut random)).collect(),
            };
            let device = tensor.device();
            Tensor::from_data(TensorData::new(values, shape), &device).set_require_grad(tracked)
        })
    }
}

/// A standard normal number (Box and Muller).
fn normal(random: &mut ChaCha8Rng) -> f32 {
    let (u, v): (f64, f64) = (random.random(), random.random());
    ((-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
}
