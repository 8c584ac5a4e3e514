//! The gradients of a linear map.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};

use super::super::buffer::{contiguous, rows_and_width, slice, tensor};
use super::super::column_sums::column_sums;
use super::super::matrix::{Matrix, product_parallel};
use super::{Linear, matrix};

impl<C: CheckpointStrategy> Linear for Autodiff<Flex, C> {
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let (x, weight, bias) =
            (x.into_primitive(), weight.into_primitive(), bias.into_primitive());
        match LinearBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let x = contiguous(x);
                let y = Flex::fused_linear(x.clone(), weight.clone(), bias);
                prep.finish((x, weight), y)
            }
            OpsKind::UnTracked(prep) => prep.finish(Flex::fused_linear(x, weight, bias)),
        }
    }
}

#[derive(Debug)]
struct LinearBackward;

impl Backward<Flex, 3> for LinearBackward {
    type State = (FlexTensor, FlexTensor);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (x, weight) = ops.state;
        let [x_node, weight_node, bias_node] = ops.parents;
        if let Some(node) = x_node {
            let dx = product(matrix(&dy), matrix(&weight).t(), x.shape()[0], x.shape()[1]);
            grads.register::<Flex>(node.id, dx);
        }
        if let Some(node) = weight_node {
            let dw = product(matrix(&x).t(), matrix(&dy), weight.shape()[0], weight.shape()[1]);
            grads.register::<Flex>(node.id, dw);
        }
        if let Some(node) = bias_node {
            let (_, width) = rows_and_width(&dy);
            grads.register::<Flex>(node.id, tensor(column_sums(slice(&dy), width), [width]));
        }
    }
}

fn product(lhs: Matrix, rhs: Matrix, rows: usize, columns: usize) -> FlexTensor {
    let mut out = vec![0.0; rows * columns];
    product_parallel(&mut out, lhs, rhs, false);
    tensor(out, [rows, columns])
}
