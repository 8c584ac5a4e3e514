//! The gradient of GELU.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

use super::super::buffer::{contiguous, own, rows_and_width, slice, slice_mut};
use super::super::parallel::{for_each, rows_per_task};
use super::super::simd::{mul_add, vectorised};
use super::{Gelu, normal};

impl<C: CheckpointStrategy> Gelu for Autodiff<Flex, C> {
    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match GeluBackward.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let x = contiguous(x.into_primitive());
                prep.finish(x.clone(), Flex::fused_gelu(x))
            }
            OpsKind::UnTracked(prep) => prep.finish(Flex::fused_gelu(x.into_primitive())),
        }
    }
}

#[derive(Debug)]
struct GeluBackward;

impl Backward<Flex, 1> for GeluBackward {
    type State = FlexTensor;

    fn backward(self, ops: Ops<FlexTensor, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        if let [Some(parent)] = ops.parents {
            grads.register::<Flex>(parent.id, input_gradient(&ops.state, gradient));
        }
    }
}

fn input_gradient(x: &FlexTensor, gradient: FlexTensor) -> FlexTensor {
    let (rows, width) = rows_and_width(x);
    let block = rows_per_task(rows, width) * width.max(1);
    let mut gradient = own(gradient);
    for_each(
        slice_mut(&mut gradient).chunks_mut(block).zip(slice(x).chunks(block)),
        |(gradient, x)| backward(gradient, x),
    );
    gradient
}

vectorised! {
    /// `gradient ← gradient·(Φ(x) + x·φ(x))`
    fn backward(gradient: &mut [f32], x: &[f32]) = backward_body
}

#[inline(always)]
fn backward_body<const FMA: bool>(gradient: &mut [f32], x: &[f32]) {
    for (gradient, &x) in gradient.iter_mut().zip(x) {
        let (distribution, density) = normal::<FMA>(x);
        *gradient *= mul_add::<FMA>(x, density, distribution);
    }
}
