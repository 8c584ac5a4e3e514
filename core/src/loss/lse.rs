//! Stable log-sum-exp over rows, and ragged rows gathered from a flat score tensor.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

/// Stands for minus infinity where sums must stay finite.
pub(super) const NEVER: f32 = -1e12;

/// log(1 + Σ exp(x)) of each row of `[rows, columns]`, as `[rows]`: log-sum-exp over the row and a zero.
pub(super) fn log_one_plus_sum_exp(x: Tensor<2>) -> Tensor<1> {
    let max = x.clone().detach().max_dim(1).clamp_min(0.0);
    let sum = (x - max.clone()).exp().sum_dim(1) + (-max.clone()).exp();
    (sum.log() + max).squeeze_dim(1)
}

/// log Σ exp(x) of each row of `[rows, columns]`, as `[rows]`; no row is empty.
pub(super) fn log_sum_exp(x: Tensor<2>) -> Tensor<1> {
    let max = x.clone().detach().max_dim(1);
    let sum = (x - max.clone()).exp().sum_dim(1);
    (sum.log() + max).squeeze_dim(1)
}

/// log(1 + eˣ), without overflow.
pub(super) fn softplus(x: Tensor<1>) -> Tensor<1> {
    x.clone().clamp_min(0.0) + (-x.abs()).exp().log1p()
}

/// Rows of unequal length as one index matrix and the mask of its real cells.
pub(super) struct Ragged {
    indices: Vec<i32>,
    real: Vec<bool>,
    rows: usize,
    width: usize,
}

impl Ragged {
    /// Rows of positions in a flat tensor; shorter rows are filled with position 0, masked.
    pub fn new(rows: &[Vec<i32>]) -> Self {
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let filled = |row: &Vec<i32>| -> Vec<(i32, bool)> {
            let padding = std::iter::repeat_n((0, false), width - row.len());
            row.iter().map(|&i| (i, true)).chain(padding).collect()
        };
        let (indices, real) = rows.iter().flat_map(filled).unzip();
        Self { indices, real, rows: rows.len(), width }
    }

    /// The values at these positions of `flat`, `[rows, width]`; masked cells hold `fill`.
    pub fn gather(&self, flat: Tensor<1>, fill: f32) -> Tensor<2> {
        let device = flat.device();
        let shape = [self.rows, self.width];
        let values = flat.select(0, ints(self.indices.clone(), &device)).reshape(shape);
        if self.real.iter().all(|&real| real) {
            return values;
        }
        let masked: Vec<bool> = self.real.iter().map(|real| !real).collect();
        values
            .mask_fill(Tensor::<2, Bool>::from_data(TensorData::new(masked, shape), &device), fill)
    }
}

/// A vector of indices on `device`.
pub(super) fn ints(values: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}
