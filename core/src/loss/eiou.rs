//! EIoU: how far the spans that score high around a gold mention are from it, as boxes.

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor, TensorData};

use super::lse::{NEVER, ints};
use super::settings::{BoxReading, EiouMean, LossSettings};
use super::target::{Mention, Target};

/// Smallest IoU that the logarithm sees.
const IOU_FLOOR: f64 = 1e-3;

/// A half-open interval of tokens; possibly fractional.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Where it starts.
    pub start: f64,
    /// Where it ends, exclusive.
    pub end: f64,
}

/// Eq. 3 of EIoU-EMC for a predicted and a gold box of height 1: 0 if and only if they are equal.
///
/// Read as -ln IoU + ρ²/(enclosing diagonal)² + α·V, with V = 4/π² (arctan b_gold - arctan b)² and
/// α = V / ((1 - IoU) + V): as printed, minimising `1 + ln IoU` would push boxes apart, the second term could
/// exceed 1, and V would not lie in [0, 1].
pub fn box_distance(predicted: Interval, gold: Interval) -> f64 {
    let length = predicted.end - predicted.start;
    let gold_length = gold.end - gold.start;
    let inter = (predicted.end.min(gold.end) - predicted.start.max(gold.start)).max(0.0);
    let iou = inter / (length + gold_length - inter);
    let enclosing = predicted.end.max(gold.end) - predicted.start.min(gold.start);
    let centres = (predicted.start + predicted.end - gold.start - gold.end) / 2.0;
    let v = 4.0 / std::f64::consts::PI.powi(2) * (gold_length.atan() - length.atan()).powi(2);
    let alpha = v / ((1.0 - iou) + v + 1e-7);
    -iou.max(IOU_FLOOR).ln() + centres.powi(2) / (enclosing.powi(2) + 1.0) + alpha * v
}

/// The distance between each gold mention and the box read from the scores around it, as a mean over what the
/// settings say, `[1]`; 0 where there is no gold. `scores` are `[batch, types, tokens, tokens]`, masked.
pub fn eiou(scores: Tensor<4>, target: &Target, settings: &LossSettings) -> Tensor<1> {
    let device = scores.device();
    if target.mentions.is_empty() {
        return scores.sum().mul_scalar(0.0);
    }
    let candidates: Vec<Vec<(usize, usize)>> =
        target.mentions.iter().map(|gold| around(gold, target, settings.window)).collect();
    let width = candidates.iter().map(Vec::len).max().unwrap_or(0);
    let shape = [candidates.len(), width];

    let mut cells = vec![0i32; shape[0] * width];
    let mut masked = vec![true; shape[0] * width];
    let mut spans = vec![Interval { start: 0.0, end: 1.0 }; shape[0] * width];
    for (g, (gold, candidates)) in target.mentions.iter().zip(&candidates).enumerate() {
        for (k, &(start, end)) in candidates.iter().enumerate() {
            cells[g * width + k] = target.cell(gold.row, gold.label, start, end);
            masked[g * width + k] = false;
            spans[g * width + k] = interval(start, end);
        }
    }
    let total: usize = scores.dims().iter().product();
    let around: Tensor<2> = scores.reshape([total]).select(0, ints(cells, &device)).reshape(shape);
    let masked = Tensor::<2, Bool>::from_data(TensorData::new(masked, shape), &device);
    let p = softmax((around / settings.temperature).mask_fill(masked, NEVER), 1);
    let matrix = |values: Vec<f32>| Tensor::<2>::from_data(TensorData::new(values, shape), &device);

    let distances = match settings.boxes {
        BoxReading::ExpectedRisk => {
            let distances = target.mentions.iter().enumerate().flat_map(|(g, gold)| {
                let gold = interval(gold.start, gold.end);
                spans[g * width..(g + 1) * width].iter().map(move |s| box_distance(*s, gold) as f32)
            });
            (p * matrix(distances.collect())).sum_dim(1)
        }
        BoxReading::SoftBox => {
            let starts = matrix(spans.iter().map(|s| s.start as f32).collect());
            let ends = matrix(spans.iter().map(|s| s.end as f32).collect());
            let column = |of: fn(&Mention) -> f64| {
                let values: Vec<f32> = target.mentions.iter().map(|m| of(m) as f32).collect();
                Tensor::<2>::from_data(TensorData::new(values, [shape[0], 1]), &device)
            };
            soft_distance(
                (p.clone() * starts).sum_dim(1),
                (p * ends).sum_dim(1),
                column(|m| m.start as f64),
                column(|m| m.end as f64 + 1.0),
            )
        }
    };
    let count = match settings.eiou_mean {
        EiouMean::Mentions => target.mentions.len(),
        EiouMean::Types => target.rows() * target.types,
    };
    distances.sum() / count as f64
}

/// [`box_distance`] on tensors `[mentions, 1]`, differentiable in the predicted box; α is a constant to the gradient.
fn soft_distance(
    start: Tensor<2>,
    end: Tensor<2>,
    gold_start: Tensor<2>,
    gold_end: Tensor<2>,
) -> Tensor<2> {
    let length = end.clone() - start.clone();
    let gold_length = gold_end.clone() - gold_start.clone();
    let inter = (end.clone().min_pair(gold_end.clone())
        - start.clone().max_pair(gold_start.clone()))
    .clamp_min(0.0);
    let union = length.clone() + gold_length.clone() - inter.clone();
    let iou = inter / union;
    let enclosing =
        end.clone().max_pair(gold_end.clone()) - start.clone().min_pair(gold_start.clone());
    let centres = (start + end - gold_start - gold_end) / 2.0;
    let v = (gold_length.atan() - length.atan()).square() * (4.0 / std::f64::consts::PI.powi(2));
    let alpha = (v.clone() / (v.clone() - iou.clone() + (1.0 + 1e-7))).detach();
    -iou.clamp_min(IOU_FLOOR).log() + centres.square() / (enclosing.square() + 1.0) + alpha * v
}

/// Spans of the text that overlap `gold` and start and end at most `window` tokens from it, the mention itself
/// included, other gold mentions of its type excluded.
fn around(gold: &Mention, target: &Target, window: usize) -> Vec<(usize, usize)> {
    let text = &target.text[gold.row];
    let near = |token: usize| {
        let low = token.saturating_sub(window).max(text.start);
        low..(token + window + 1).min(text.end)
    };
    let is_other_gold = |start: usize, end: usize| {
        (start, end) != (gold.start, gold.end)
            && target.mentions.binary_search(&Mention { start, end, ..*gold }).is_ok()
    };
    near(gold.start)
        .flat_map(|start| near(gold.end).map(move |end| (start, end)))
        .filter(|&(start, end)| start <= end && start <= gold.end && end >= gold.start)
        .filter(|&(start, end)| !is_other_gold(start, end))
        .collect()
}

/// Tokens `start..=end` as an interval.
fn interval(start: usize, end: usize) -> Interval {
    Interval { start: start as f64, end: end as f64 + 1.0 }
}
