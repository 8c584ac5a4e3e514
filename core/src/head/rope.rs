//! Rotary position embedding, so that a span's score depends on the distance of its ends.

use burn::tensor::{Device, Tensor, TensorData};

use crate::encoder::ops;

/// Base of the geometric progression of angles.
const BASE: f64 = 10_000.0;

/// The rotations of positions `0..tokens` for vectors of an even width.
///
/// Pairs are interleaved, as in Global Pointer: `(x₂ₜ, x₂ₜ₊₁)` turns by `m · 10000^(-2t/width)` at position `m`.
#[derive(Debug, Clone)]
pub struct Rope {
    /// `[tokens, width]`, each angle's cosine twice.
    cos: Tensor<2>,
    /// `[tokens, width]`, each angle's sine twice.
    sin: Tensor<2>,
    /// `[width, width]`: `x · turn = (-x₁, x₀, -x₃, x₂, …)`.
    turn: Tensor<2>,
}

impl Rope {
    /// The rotations of `tokens` positions, computed in double precision.
    pub fn new(tokens: usize, width: usize, device: &Device) -> Self {
        let angle = |position: usize, channel: usize| {
            let t = (channel / 2) as f64;
            position as f64 * BASE.powf(-2.0 * t / width as f64)
        };
        let table = |of: fn(f64) -> f64| {
            let values: Vec<f32> =
                (0..tokens).flat_map(|m| (0..width).map(move |c| of(angle(m, c)) as f32)).collect();
            Tensor::from_data(TensorData::new(values, [tokens, width]), device)
        };
        let mut turn = vec![0f32; width * width];
        for even in (0..width).step_by(2) {
            turn[(even + 1) * width + even] = -1.0;
            turn[even * width + even + 1] = 1.0;
        }
        Self {
            cos: table(f64::cos),
            sin: table(f64::sin),
            turn: Tensor::from_data(TensorData::new(turn, [width, width]), device),
        }
    }

    /// Rotates each of `x` `[…, tokens, width]` by its position; any leading axes.
    pub fn rotate<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let turned = ops::matmul(x.clone(), self.turn.clone().unsqueeze());
        x * self.cos.clone().unsqueeze() + turned * self.sin.clone().unsqueeze()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// q·k after rotation and 1/√d, for d = 4, q = (1,2,3,4), k = (.5,-1,.25,2).
    fn score(m: usize, n: usize) -> f32 {
        let device = Device::flex();
        let at = |position: usize, values: [f32; 4]| {
            let mut rows = vec![0f32; 5 * 4];
            rows[position * 4..position * 4 + 4].copy_from_slice(&values);
            Rope::new(5, 4, &device)
                .rotate(Tensor::<2>::from_data(TensorData::new(rows, [5, 4]), &device))
                .slice([position..position + 1, 0..4])
        };
        let q = at(m, [1.0, 2.0, 3.0, 4.0]);
        let k = at(n, [0.5, -1.0, 0.25, 2.0]);
        (q * k).sum().into_scalar::<f32>() / 2.0
    }

    #[test]
    fn scores_depend_on_the_distance_alone() {
        assert!((score(0, 0) - 3.625).abs() < 1e-5);
        for (m, n) in [(1, 3), (2, 4), (0, 2)] {
            assert!((score(m, n) - 5.545_536).abs() < 1e-5, "{m},{n}: {}", score(m, n));
        }
    }
}
