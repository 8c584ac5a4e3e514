//! Cross-entropy of tags of tokens and of classes of spans.

use std::collections::HashSet;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};

use super::lse::{ints, log_sum_exp};
use super::target::Target;
use crate::decode::Tags;

/// Mean over the real tokens of a batch, special ones included, of -log p(tag), as `[1]` (SEQ of Verma et al.).
///
/// `logits` are `[rows, tokens, tags]`; row `r` has `lengths[r]` real tokens.
pub fn token_cross_entropy(logits: Tensor<3>, lengths: &[usize], target: &Target) -> Tensor<1> {
    let [rows, tokens, tags] = logits.dims();
    let device = logits.device();
    let gold = Tags(target.types).of(target, lengths);
    let cells: Vec<i32> = gold
        .iter()
        .enumerate()
        .flat_map(|(row, tags_of)| {
            let cell = move |(at, &tag): (usize, &usize)| ((row * tokens + at) * tags + tag) as i32;
            tags_of.iter().enumerate().map(cell)
        })
        .collect();
    let flat: Tensor<1> = log_softmax(logits, 2).reshape([rows * tokens * tags]);
    -flat.select(0, ints(cells, &device)).mean()
}

/// Mean over all spans of real tokens, special ones included, of -log p(class), as `[1]` (SpanPred of Verma et al.).
///
/// `logits` are `[rows, tokens (start), widths, types + 1]`, "no entity" last; row `r` has `lengths[r]` real tokens.
/// Of several types of a span the first counts; mentions wider than `widths` are left out.
pub fn span_cross_entropy(logits: Tensor<4>, lengths: &[usize], target: &Target) -> Tensor<1> {
    let [rows, tokens, widths, classes] = logits.dims();
    let device = logits.device();
    let cells = rows * tokens * widths;
    let mut real = vec![0f32; cells];
    let mut count = 0usize;
    for (row, &length) in lengths.iter().enumerate() {
        for start in 0..length {
            let fits = widths.min(length - start);
            let at = (row * tokens + start) * widths;
            real[at..at + fits].fill(1.0);
            count += fits;
        }
    }
    let table: Tensor<2> = logits.reshape([cells, classes]);
    let none: Tensor<1> = table.clone().narrow(1, classes - 1, 1).squeeze_dim(1);
    let real = Tensor::<1>::from_data(TensorData::new(real, [cells]), &device);
    let negative = ((log_sum_exp(table.clone()) - none.clone()) * real).sum();

    let mut seen = HashSet::new();
    let mut spans: Vec<i32> = Vec::new();
    let mut gold: Vec<i32> = Vec::new();
    for mention in &target.mentions {
        let width = mention.end - mention.start;
        let span = (((mention.row * tokens) + mention.start) * widths + width) as i32;
        if width < widths && seen.insert(span) {
            spans.push(span);
            gold.push(span * classes as i32 + mention.label as i32);
        }
    }
    let total = match spans.is_empty() {
        true => negative,
        false => {
            let flat: Tensor<1> = table.reshape([cells * classes]);
            let instead =
                none.select(0, ints(spans, &device)) - flat.select(0, ints(gold, &device));
            negative + instead.sum()
        }
    };
    total / count.max(1) as f64
}
