//! Focal loss: what is predicted well already counts little (Lin et al. 2017).

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};

use super::lse::{ints, softplus};

/// -(1-pₜ)^γ log pₜ of each example, `[examples]`, where pₜ is the sigmoid of its logit or, where it is not `positive`,
/// one minus that (Locate and Label, Eq. 12).
pub fn binary_focal(logits: Tensor<1>, positive: &[bool], gamma: f64) -> Tensor<1> {
    let signs: Vec<f32> = positive.iter().map(|&is| if is { 1.0 } else { -1.0 }).collect();
    let signs = Tensor::<1>::from_data(TensorData::new(signs, [positive.len()]), &logits.device());
    let toward = logits * signs;
    // log pₜ = -softplus(-z) and log(1-pₜ) = -softplus(z)
    let loss = softplus(-toward.clone());
    if gamma == 0.0 { loss } else { (softplus(toward) * -gamma).exp() * loss }
}

/// -(1-p)^γ log p of each example, `[examples]`, where p is the softmax of its row of `logits`
/// (`[examples, classes]`) at its class; cross-entropy for γ = 0.
pub fn focal_cross_entropy(logits: Tensor<2>, classes: &[usize], gamma: f64) -> Tensor<1> {
    let [examples, width] = logits.dims();
    let device = logits.device();
    let cells = classes.iter().enumerate().map(|(at, class)| (at * width + class) as i32).collect();
    let flat: Tensor<1> = log_softmax(logits, 1).reshape([examples * width]);
    let log_p = flat.select(0, ints(cells, &device));
    if gamma == 0.0 {
        return -log_p;
    }
    // the floor keeps the slope of the power finite
    let missing = (log_p.clone().exp() * -1.0 + 1.0).clamp_min(1e-6);
    -(missing.powf_scalar(gamma) * log_p)
}
