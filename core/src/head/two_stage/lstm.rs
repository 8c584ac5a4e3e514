//! Long short-term memory over sequences of unequal length (Hochreiter and Schmidhuber 1997).

use std::ops::Range;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Device, Tensor};

use super::span_max::indices;
use crate::encoder::ops;
use crate::fresh;

/// Two LSTMs, one from left to right and one from right to left, side by side.
#[derive(Module, Debug)]
pub struct BiLstm {
    right: Lstm,
    left: Lstm,
}

/// One direction. The gates are, in this order, input, forget, cell and output.
#[derive(Module, Debug)]
struct Lstm {
    /// `inputs → 4 · size`, with the bias.
    input: Linear,
    /// `size → 4 · size`, without a bias.
    recurrent: Linear,
}

impl BiLstm {
    /// Over rows of width `inputs`, with `size` units each way.
    pub fn new(inputs: usize, size: usize, device: &Device) -> Self {
        Self { right: Lstm::new(inputs, size, device), left: Lstm::new(inputs, size, device) }
    }

    /// States `[rows, 2 · size]` of rows `[rows, inputs]`. `sequences` are runs of rows that follow each other and
    /// cover all of them; empty ones do not matter. What follows a sequence has no part in its states.
    pub fn forward(&self, x: Tensor<2>, sequences: &[Range<usize>]) -> Tensor<2> {
        let longest = sequences.iter().map(Range::len).max().unwrap_or(0);
        if longest == 0 {
            let [rows, _] = x.dims();
            return Tensor::zeros([rows, 2 * self.right.size()], &x.device());
        }
        let right = self.right.forward(x.clone(), sequences, longest, |of, step| of.start + step);
        let left = self.left.forward(x, sequences, longest, |of, step| of.end - 1 - step);
        Tensor::cat(vec![right, left], 1)
    }
}

impl Lstm {
    fn new(inputs: usize, size: usize, device: &Device) -> Self {
        Self {
            input: fresh::linear(LinearConfig::new(inputs, 4 * size), device),
            recurrent: fresh::linear(LinearConfig::new(size, 4 * size).with_bias(false), device),
        }
    }

    fn size(&self) -> usize {
        self.recurrent.weight.dims()[0]
    }

    /// `at` says which row a sequence is at in a step.
    fn forward(
        &self,
        x: Tensor<2>,
        sequences: &[Range<usize>],
        longest: usize,
        at: impl Fn(&Range<usize>, usize) -> usize,
    ) -> Tensor<2> {
        let device = x.device();
        let [rows, _] = x.dims();
        let (count, size) = (sequences.len(), self.size());
        // a sequence that has ended goes on with the first row, which nobody looks at
        let (mut order, mut place) = (Vec::with_capacity(longest * count), vec![0; rows]);
        for step in 0..longest {
            for sequence in sequences {
                let row = if step < sequence.len() { at(sequence, step) } else { 0 };
                if step < sequence.len() {
                    place[row] = order.len();
                }
                order.push(row);
            }
        }
        let gates = ops::linear(x, &self.input).select(0, indices(order.into_iter(), &device));
        let mut hidden: Option<Tensor<2>> = None;
        let mut cell: Option<Tensor<2>> = None;
        let mut states = Vec::with_capacity(longest);
        for step in 0..longest {
            let mut gates = gates.clone().narrow(0, step * count, count);
            if let Some(hidden) = hidden {
                gates = gates + ops::linear(hidden, &self.recurrent);
            }
            let gate = |at: usize| gates.clone().narrow(1, at * size, size);
            let fresh = sigmoid(gate(0)) * tanh(gate(2));
            let now = match cell {
                Some(cell) => sigmoid(gate(1)) * cell + fresh,
                None => fresh,
            };
            let state = sigmoid(gate(3)) * tanh(now.clone());
            cell = Some(now);
            hidden = Some(state.clone());
            states.push(state);
        }
        Tensor::cat(states, 0).select(0, indices(place.into_iter(), &device))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use burn::tensor::TensorData;

    use super::*;
    use crate::train::seeded;

    const INPUTS: usize = 3;
    const SIZE: usize = 2;

    fn rows(count: usize, device: &Device) -> Tensor<2> {
        let values: Vec<f32> = (0..count * INPUTS).map(|i| (i as f32 * 1.7).sin() * 2.0).collect();
        Tensor::from_data(TensorData::new(values, [count, INPUTS]), device)
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.try_into_vec_as().unwrap()
    }

    /// By the equations, unit by unit: i, f, o = σ(Wx + Uh), g = tanh(Wx + Uh), c = f c + i g, h = o tanh(c).
    fn by_hand(lstm: &Lstm, x: &[f32]) -> Vec<Vec<f32>> {
        let (w, u) = (values(lstm.input.weight.val()), values(lstm.recurrent.weight.val()));
        let (mut h, mut c) = (vec![0.0; SIZE], vec![0.0; SIZE]);
        let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
        let mut states = Vec::new();
        for x in x.chunks_exact(INPUTS) {
            let gate = |at: usize| -> f32 {
                let from_input: f32 = (0..INPUTS).map(|i| x[i] * w[i * 4 * SIZE + at]).sum();
                from_input + (0..SIZE).map(|i| h[i] * u[i * 4 * SIZE + at]).sum::<f32>()
            };
            let gates: Vec<f32> = (0..4 * SIZE).map(gate).collect();
            for unit in 0..SIZE {
                let of = |gate: usize| gates[gate * SIZE + unit];
                c[unit] = sigmoid(of(1)) * c[unit] + sigmoid(of(0)) * of(2).tanh();
                h[unit] = sigmoid(of(3)) * c[unit].tanh();
            }
            states.push(h.clone());
        }
        states
    }

    #[test]
    fn each_sequence_runs_both_ways_on_its_own() {
        let device = Device::flex();
        let lstm = seeded(BiLstm::new(INPUTS, SIZE, &device), 3);
        let found = values(lstm.forward(rows(6, &device), &[0..4, 4..4, 4..6]));
        let x = values(rows(6, &device));
        for sequence in [0..4usize, 4..6] {
            let own = &x[sequence.start * INPUTS..sequence.end * INPUTS];
            let reversed: Vec<f32> = own.chunks_exact(INPUTS).rev().flatten().copied().collect();
            let right = by_hand(&lstm.right, own);
            let mut left = by_hand(&lstm.left, &reversed);
            left.reverse();
            for (at, row) in sequence.enumerate() {
                let expected = [right[at].clone(), left[at].clone()].concat();
                let found = &found[row * 2 * SIZE..(row + 1) * 2 * SIZE];
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-5, "{row}: {found} vs {expected}");
                }
            }
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let of = |device: &Device| seeded(BiLstm::new(INPUTS, SIZE, device), 3);
        let sequences = [0..3, 3..4];
        let device = Device::flex().autodiff();
        let x = rows(4, &device).require_grad();
        let loss = of(&device).forward(x.clone(), &sequences).square().sum();
        let found = values(x.grad(&loss.backward()).unwrap());
        let device = Device::flex();
        let lstm = of(&device);
        let start = values(rows(4, &device));
        for (at, found) in found.iter().enumerate() {
            let moved = |by: f32| {
                let mut values = start.clone();
                values[at] += by;
                let x = Tensor::from_data(TensorData::new(values, [4, INPUTS]), &device);
                f64::from(lstm.forward(x, &sequences).square().sum().into_scalar::<f32>())
            };
            let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((f64::from(*found) - expected).abs() < 1e-3, "{at}: {found} vs {expected}");
        }
    }

    #[test]
    fn nothing_has_no_states() {
        let device = Device::flex();
        let lstm = BiLstm::new(INPUTS, SIZE, &device);
        assert_eq!(lstm.forward(rows(0, &device), &[0..0]).dims(), [0, 2 * SIZE]);
    }
}
