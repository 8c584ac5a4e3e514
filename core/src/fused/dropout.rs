//! Dropout that depends on a seed alone, not on threads or their order.

use std::cell::Cell;

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::nn::Dropout;
use burn::tensor::{Device, Distribution, Tensor};

use super::buffer::{on_cpu, own, rows_and_width, slice_mut};
use super::parallel::{for_each, rows_per_task};
use super::simd::vectorised;

#[cfg(feature = "train")]
mod backward;
#[cfg(feature = "train")]
pub use backward::apply;

thread_local! {
    /// The seed, and how many draws have been made from it.
    static STREAM: Cell<Option<(u64, u64)>> = const { Cell::new(None) };
}

/// Makes what this thread's dropouts drop from here on depend on `seed` alone: once for every
/// training step, before its forward pass. Without it, and on a GPU, they depend on the device's
/// generator, which `Device::seed` sets for all threads together.
pub fn seed_dropout(seed: u64) {
    STREAM.set(Some((seed, 0)));
}

/// Which elements one dropout drops: a function of the row and the column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    seed: u64,
    probability: f64,
}

impl Draw {
    /// The next draw of this thread for `dropout` applied to `x`: nothing where `dropout` would do
    /// nothing, as on a device without autodiff.
    pub fn next<const D: usize>(dropout: &Dropout, x: &Tensor<D>) -> Option<Self> {
        if dropout.prob == 0.0 || !dropout.training.is_enabled() || !x.device().is_autodiff() {
            return None;
        }
        let seed = match STREAM.get() {
            Some((seed, draws)) => {
                STREAM.set(Some((seed, draws.wrapping_add(1))));
                mix(seed ^ mix(draws))
            }
            None if on_cpu(x) => drawn_from_device(&x.device()),
            None => 0,
        };
        Some(Self { seed, probability: dropout.prob })
    }

    /// What multiplies the elements of `row`: 0, or 1 / (1 - p).
    pub fn scale_row(self, row: usize, x: &mut [f32]) {
        let key = mix(self.seed ^ (row as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        scale_row(x, key as u32, (key >> 32) as u32, self.threshold(), self.scale());
    }

    fn scale(self) -> f32 {
        (1.0 / (1.0 - self.probability)) as f32
    }

    /// Drawn numbers have 24 bits; those below are dropped.
    fn threshold(self) -> i32 {
        (self.probability * f64::from(1 << 24)).round() as i32
    }

    /// The draw with the other backends' own generator.
    pub fn with_tensors<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        let keep = 1.0 - self.probability;
        let kept = x.random_like(Distribution::Bernoulli(keep));
        x * kept.mul_scalar(1.0 / keep)
    }
}

/// `x` with each element dropped with the probability of `dropout`, and the others scaled up to
/// keep the mean; only on a device with autodiff.
pub fn dropout<const D: usize>(x: Tensor<D>, dropout: &Dropout) -> Tensor<D> {
    match Draw::next(dropout, &x) {
        None => x,
        Some(draw) if on_cpu(&x) => {
            Tensor::from_dispatch(<Dispatch as Drop>::fused_dropout(x.into_dispatch(), draw))
        }
        Some(draw) => draw.with_tensors(x),
    }
}

#[backend_extension(Flex, Autodiff: cfg(feature = "train"))]
trait Drop: Backend {
    fn fused_dropout(x: FloatTensor<Self>, draw: Draw) -> FloatTensor<Self>;
}

impl Drop for Flex {
    fn fused_dropout(x: FlexTensor, draw: Draw) -> FlexTensor {
        let (rows, width) = rows_and_width(&x);
        let mut x = own(x);
        let block = rows_per_task(rows, width);
        for_each(
            slice_mut(&mut x).chunks_mut((block * width).max(1)).enumerate(),
            |(task, rows)| {
                for (row, x) in rows.chunks_mut(width).enumerate() {
                    draw.scale_row(task * block + row, x);
                }
            },
        );
        x
    }
}

/// 48 bits of the device's generator.
fn drawn_from_device(device: &Device) -> u64 {
    let two = Tensor::<1>::random([2], Distribution::Uniform(0.0, 1.0), device).into_data();
    two.iter::<f64>().fold(0, |bits, x| bits << 24 | (x * f64::from(1 << 24)) as u64)
}

/// The finaliser of SplitMix64.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

vectorised! {
    fn scale_row(x: &mut [f32], key: u32, step: u32, threshold: i32, scale: f32) = scale_row_body
}

/// A counter through a 32-bit hash of two multiplications ("triple32" without its third round, by
/// C. Wellons), keyed before and between them.
#[inline(always)]
fn scale_row_body<const FMA: bool>(x: &mut [f32], key: u32, step: u32, threshold: i32, scale: f32) {
    let mut counter = key;
    for x in x {
        let mut h = counter;
        counter = counter.wrapping_add(0x9E37_79B9);
        h = (h ^ (h >> 17)).wrapping_mul(0xED5A_D4BB).wrapping_add(step);
        h = (h ^ (h >> 11)).wrapping_mul(0xAC4C_1B51);
        h ^= h >> 15;
        let drawn = (h >> 8) as i32;
        *x = if drawn < threshold { 0.0 } else { *x * scale };
    }
}
