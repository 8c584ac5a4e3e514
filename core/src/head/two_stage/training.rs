//! What training minimises: λ₁ of the filter, λ₂ of the regressor and λ₃ of the classifier (Eq. 17), each a mean.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};

use super::representation::{Boundary, Table};
use super::seeds::{Example, adjust, examples, pair, weight};
use super::span_max::indices;
use super::words::Words;
use super::{NONE, TwoStage};
use crate::loss::{Target, binary_focal, focal_cross_entropy, overlap, smooth_l1};
use crate::model::Batch;

/// The gold of one sentence: its spans in words, each once, and their types.
#[derive(Debug, Clone, Default)]
struct Gold {
    spans: Vec<Range<usize>>,
    labels: Vec<usize>,
}

/// An adjusted example as the classifier should see it.
struct Reassigned {
    span: Range<usize>,
    class: usize,
    weight: f32,
}

impl TwoStage {
    /// The loss of a batch, `[1]`, from hidden states `[rows, tokens, hidden]`; `seed` draws the negatives. Mentions
    /// that do not begin and end with words are left out, and of several types on one span the first counts.
    pub fn loss(&self, hidden: Tensor<3>, batch: &Batch, target: &Target, seed: u64) -> Tensor<1> {
        let words = Words::new(&batch.layouts);
        let gold = gold_of_rows(&words, target);
        let sample = |(row, gold): (usize, &Gold)| {
            let seed = crate::hash::mix(seed, row as u64);
            examples(words.of(row), &gold.spans, &self.settings, seed)
        };
        let examples: Vec<Example> = gold.iter().enumerate().flat_map(sample).collect();
        if examples.is_empty() {
            return hidden.sum() * 0.0;
        }
        let table = Table::new(self.vectors(hidden, batch, &words), words.longest());
        let spans: Vec<Range<usize>> = examples.iter().map(|e| e.span.clone()).collect();

        let logits = self.filter.forward(&table, &spans, Boundary::Inner, &words, &self.dropout);
        let filter = self.filter_loss(logits, &examples);
        let offsets =
            self.regressor.forward(&table, &spans, Boundary::Outer, &words, &self.dropout);
        let adjusted = adjusted(&offsets, &spans, &words);
        let mut loss = filter * self.settings.filter_weight;
        if examples.iter().any(|example| example.positive) {
            let regressor = self.regressor_loss(offsets, &examples, &gold, &words);
            loss = loss + regressor * self.settings.regressor_weight;
        }
        let reassigned = self.reassigned(adjusted, &gold, &words);
        if !reassigned.is_empty() {
            let spans: Vec<Range<usize>> = reassigned.iter().map(|r| r.span.clone()).collect();
            let dropout = &self.dropout;
            let logits = self.classifier.forward(&table, &spans, Boundary::Inner, &words, dropout);
            loss =
                loss + self.classifier_loss(logits, &reassigned) * self.settings.classifier_weight;
        }
        loss
    }

    /// Eq. 12, from logits `[examples, 1]`.
    fn filter_loss(&self, logits: Tensor<2>, examples: &[Example]) -> Tensor<1> {
        let positive: Vec<bool> = examples.iter().map(|example| example.positive).collect();
        let weights = examples.iter().map(|example| {
            let iou = example.paired.map_or(0.0, |(_, iou)| iou);
            weight(iou, example.positive, self.settings.soft) as f32
        });
        let weights = floats(weights.collect(), &logits.device());
        let losses = binary_focal(logits.squeeze_dim(1), &positive, self.settings.filter_gamma);
        (losses * weights).mean()
    }

    /// Eq. 13 over the positive examples, of which there is one, from offsets `[examples, 2]`.
    fn regressor_loss(
        &self,
        offsets: Tensor<2>,
        examples: &[Example],
        gold: &[Gold],
        words: &Words,
    ) -> Tensor<1> {
        let device = offsets.device();
        let (mut positive, mut weights) = (Vec::new(), Vec::new());
        let [mut start, mut end, mut gold_start, mut gold_end] = [const { Vec::<f32>::new() }; 4];
        for (at, example) in examples.iter().enumerate().filter(|(_, example)| example.positive) {
            let Some((index, iou)) = example.paired else { continue };
            let row = words.row(example.span.start);
            let of = &gold[row].spans[index];
            // counted from the sentence's first word: small numbers are exact
            let first = words.of(row).start;
            positive.push(at);
            weights.push(weight(iou, true, self.settings.soft) as f32);
            start.push((example.span.start - first) as f32);
            end.push((example.span.end - first) as f32);
            gold_start.push((of.start - first) as f32);
            gold_end.push((of.end - first) as f32);
        }
        let offsets = offsets.select(0, indices(positive.into_iter(), &device));
        let side = |at: usize| -> Tensor<1> { offsets.clone().narrow(1, at, 1).squeeze_dim(1) };
        let [start, end, gold_start, gold_end, weights] =
            [start, end, gold_start, gold_end, weights].map(|values| floats(values, &device));
        let (start, end) = (start + side(0), end + side(1));
        let boundaries = smooth_l1(start.clone() - gold_start.clone())
            + smooth_l1(end.clone() - gold_end.clone());
        (boundaries * weights).mean() + overlap(start, end, gold_start, gold_end).mean()
    }

    /// The class of each adjusted span: that of the gold span that now overlaps it most, if by α₂.
    fn reassigned(
        &self,
        spans: Vec<Range<usize>>,
        gold: &[Gold],
        words: &Words,
    ) -> Vec<Reassigned> {
        let of = |span: Range<usize>| {
            let gold = &gold[words.row(span.start)];
            let (index, iou) = pair(&span, &gold.spans).unwrap_or((0, 0.0));
            let belongs = iou > 0.0 && iou >= self.settings.class_iou;
            let class = if belongs { gold.labels[index] + 1 } else { NONE };
            Reassigned { span, class, weight: weight(iou, belongs, self.settings.soft) as f32 }
        };
        spans.into_iter().map(of).collect()
    }

    /// Eq. 16, from logits `[spans, types + 1]`.
    fn classifier_loss(&self, logits: Tensor<2>, spans: &[Reassigned]) -> Tensor<1> {
        let weights = floats(spans.iter().map(|span| span.weight).collect(), &logits.device());
        let classes: Vec<usize> = spans.iter().map(|span| span.class).collect();
        (focal_cross_entropy(logits, &classes, self.settings.classifier_gamma) * weights).mean()
    }
}

/// The gold of each row.
fn gold_of_rows(words: &Words, target: &Target) -> Vec<Gold> {
    let mut rows = vec![Gold::default(); words.rows()];
    for mention in &target.mentions {
        let gold = &mut rows[mention.row];
        if let Some(span) = words.of_mention(mention)
            && !gold.spans.contains(&span)
        {
            gold.spans.push(span);
            gold.labels.push(mention.label);
        }
    }
    rows
}

/// Spans moved by what the regressor says now; no gradient flows through the rounding. Those with nothing left are
/// dropped.
fn adjusted(offsets: &Tensor<2>, spans: &[Range<usize>], words: &Words) -> Vec<Range<usize>> {
    let offsets: Vec<f32> =
        offsets.clone().detach().try_into_vec_as().expect("offsets of a device that works");
    let moved = spans.iter().zip(offsets.as_chunks::<2>().0);
    moved.filter_map(|(span, by)| adjust(span, *by, &words.around(span.start))).collect()
}

fn floats(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}
