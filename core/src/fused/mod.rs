//! Operations of an encoder and of its optimiser in one pass each. Every one is a function on
//! tensors with the same result on every backend: on the CPU backend in f32 a kernel with its own
//! backward pass, on a browser's GPU a kernel in WGSL, elsewhere a composition of Burn's operations.

mod attention;
mod buffer;
#[cfg(feature = "train")]
mod column_sums;
mod dropout;
mod gelu;
#[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
mod gpu;
mod layer_norm;
mod linear;
mod matmul;
mod matrix;
pub(crate) mod parallel;
mod simd;

pub use attention::{Heads, KeyMask, attention};
pub use dropout::{Draw, dropout, seed_dropout};
pub use gelu::gelu;
pub use layer_norm::{add_layer_norm, layer_norm};
pub use linear::linear;
pub use matmul::matmul;

#[cfg(test)]
mod tests;
