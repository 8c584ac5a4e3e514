//! The negative log-likelihood of a linear-chain conditional random field.

use burn::tensor::{Bool, Tensor, TensorData};

use super::lse::{ints, log_sum_exp};

/// Smallest sum whose logarithm is taken.
const TINY: f32 = 1e-30;

/// Scores of one tag after another.
#[derive(Debug, Clone)]
pub struct Transitions {
    /// `[to, from]`.
    pub between: Tensor<2>,
    /// Of the first tag, `[to]`.
    pub start: Tensor<1>,
    /// Of the last tag, `[from]`.
    pub end: Tensor<1>,
}

/// Mean over rows of log Z - score(gold), as `[1]` (the CRF of Flair, which SeqCRF of Verma et al. uses).
///
/// score(y) = Σ_t (E_t\[y_t\] + T\[y_t, y_{t-1}\]) with START before the first tag and STOP after the last. `emissions`
/// are `[rows, tokens, tags]`; `gold` holds as many tags as its row has real tokens, at least one.
pub fn crf_loss(emissions: Tensor<3>, transitions: Transitions, gold: &[Vec<usize>]) -> Tensor<1> {
    let rows = emissions.dims()[0];
    let partition = partition(emissions.clone(), &transitions, gold).sum();
    (partition - score(emissions, transitions, gold)) / rows as f64
}

/// log Z of each row, `[rows]`, by the forward recursion.
///
/// The sum over the previous tag is a matrix product of exponentials, each below its largest, so that the recursion
/// keeps `[rows, tags]` numbers a token and not `[rows, tags, tags]`.
fn partition(emissions: Tensor<3>, transitions: &Transitions, gold: &[Vec<usize>]) -> Tensor<1> {
    let [rows, tokens, tags] = emissions.dims();
    let device = emissions.device();
    let at =
        |token: usize| -> Tensor<2> { emissions.clone().narrow(1, token, 1).reshape([rows, tags]) };
    let largest = transitions.between.clone().detach().max();
    let largest: Tensor<2> = largest.unsqueeze();
    let step = (transitions.between.clone() - largest.clone()).exp().transpose();
    let mut alpha = at(0) + transitions.start.clone().unsqueeze::<2>();
    for token in 1..tokens {
        let ended: Vec<bool> = gold.iter().map(|tags| token >= tags.len()).collect();
        if ended.iter().all(|&ended| ended) {
            break;
        }
        let most = alpha.clone().detach().max_dim(1);
        let sums = (alpha.clone() - most.clone()).exp().matmul(step.clone());
        let next = sums.clamp_min(TINY).log() + most + largest.clone() + at(token);
        alpha = if ended.contains(&true) {
            let ended = Tensor::<2, Bool>::from_data(TensorData::new(ended, [rows, 1]), &device);
            next.mask_where(ended.expand([rows, tags]), alpha)
        } else {
            next
        };
    }
    log_sum_exp(alpha + transitions.end.clone().unsqueeze::<2>())
}

/// Sum over rows of the score of their gold tags, `[1]`.
fn score(emissions: Tensor<3>, transitions: Transitions, gold: &[Vec<usize>]) -> Tensor<1> {
    let [rows, tokens, tags] = emissions.dims();
    let device = emissions.device();
    let (mut emitted, mut between) = (Vec::new(), Vec::new());
    for (row, own) in gold.iter().enumerate() {
        let cell = |(at, &tag): (usize, &usize)| ((row * tokens + at) * tags + tag) as i32;
        emitted.extend(own.iter().enumerate().map(cell));
        between.extend(own.windows(2).map(|pair| (pair[1] * tags + pair[0]) as i32));
    }
    let of = |at: Option<&usize>| at.map_or(0, |&tag| tag as i32);
    let first: Vec<i32> = gold.iter().map(|own| of(own.first())).collect();
    let last: Vec<i32> = gold.iter().map(|own| of(own.last())).collect();
    let flat: Tensor<1> = emissions.reshape([rows * tokens * tags]);
    let sum = flat.select(0, ints(emitted, &device)).sum()
        + transitions.start.select(0, ints(first, &device)).sum()
        + transitions.end.select(0, ints(last, &device)).sum();
    if between.is_empty() {
        return sum;
    }
    let flat: Tensor<1> = transitions.between.reshape([tags * tags]);
    sum + flat.select(0, ints(between, &device)).sum()
}
