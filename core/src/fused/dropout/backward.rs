//! The gradient of dropout.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

use super::{Draw, Drop};

/// `x` with the elements dropped that `draw` drops: dropout's forward and its backward pass.
pub fn apply(x: FlexTensor, draw: Draw) -> FlexTensor {
    Flex::fused_dropout(x, draw)
}

impl<C: CheckpointStrategy> Drop for Autodiff<Flex, C> {
    fn fused_dropout(x: FloatTensor<Self>, draw: Draw) -> FloatTensor<Self> {
        match DropBackward.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                prep.finish(draw, Flex::fused_dropout(x.into_primitive(), draw))
            }
            OpsKind::UnTracked(prep) => prep.finish(Flex::fused_dropout(x.into_primitive(), draw)),
        }
    }
}

#[derive(Debug)]
struct DropBackward;

impl Backward<Flex, 1> for DropBackward {
    type State = Draw;

    fn backward(self, ops: Ops<Draw, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        if let [Some(parent)] = ops.parents {
            grads.register::<Flex>(parent.id, Flex::fused_dropout(gradient, ops.state));
        }
    }
}
