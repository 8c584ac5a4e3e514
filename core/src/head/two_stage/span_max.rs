//! Maxima over runs of rows, for any number of runs of any length.

use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Element-wise maxima over runs of rows of a table `[rows, width]`.
///
/// A sparse table: level k holds the maximum of the rows i..i+2ᵏ, so that every run is the maximum of two entries and
/// costs two look-ups, however long it is.
pub struct SpanMax {
    /// `[levels · rows, width]`; what leaves the table means nothing.
    levels: Tensor<2>,
    rows: usize,
}

impl SpanMax {
    /// For runs of up to `longest` rows.
    pub fn new(table: Tensor<2>, longest: usize) -> Self {
        let [rows, _] = table.dims();
        let longest = longest.min(rows);
        let mut levels = vec![table];
        while 1 << levels.len() <= longest {
            let step = 1 << (levels.len() - 1);
            let below = levels[levels.len() - 1].clone();
            let ahead =
                vec![below.clone().narrow(0, step, rows - step), below.clone().narrow(0, 0, step)];
            levels.push(below.max_pair(Tensor::cat(ahead, 0)));
        }
        let levels = if levels.len() == 1 { levels.remove(0) } else { Tensor::cat(levels, 0) };
        Self { levels, rows }
    }

    /// The maxima over `runs`, none of which is empty, `[runs, width]`.
    pub fn of(&self, runs: &[Range<usize>]) -> Tensor<2> {
        let device = self.levels.device();
        let level = |run: &Range<usize>| run.len().ilog2() as usize;
        let first = runs.iter().map(|run| level(run) * self.rows + run.start);
        let first = self.levels.clone().select(0, indices(first, &device));
        if runs.iter().all(|run| run.len().is_power_of_two()) {
            return first;
        }
        let last = runs.iter().map(|run| level(run) * self.rows + run.end - (1 << level(run)));
        first.max_pair(self.levels.clone().select(0, indices(last, &device)))
    }
}

/// Positions as a vector on `device`.
pub fn indices(positions: impl Iterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = positions.map(|position| position as i32).collect();
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}
