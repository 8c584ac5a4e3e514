//! How far predicted boundaries are from gold ones: each on its own, and as spans.

use burn::tensor::Tensor;

/// x²/2 where |x| < 1, else |x| - 1/2, of each element (Locate and Label, Eq. 14).
pub fn smooth_l1(x: Tensor<1>) -> Tensor<1> {
    let size = x.abs();
    let near = size.clone().clamp_max(1.0);
    near.clone().square() * 0.5 + (size - near)
}

/// 1 - (min of ends - max of starts) / (max of ends - min of starts) of each pair of spans, whose ends are exclusive:
/// 0 for equal spans, 1 where they touch, and up to 2 where they are apart (Locate and Label, Eq. 15).
pub fn overlap(
    start: Tensor<1>,
    end: Tensor<1>,
    gold_start: Tensor<1>,
    gold_end: Tensor<1>,
) -> Tensor<1> {
    let shared =
        end.clone().min_pair(gold_end.clone()) - start.clone().max_pair(gold_start.clone());
    let whole = end.max_pair(gold_end) - start.min_pair(gold_start);
    (shared / whole) * -1.0 + 1.0
}
