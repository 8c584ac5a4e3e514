//! A linear map with its bias: `x·W + b`.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use super::buffer::{contiguous, on_cpu, rows_and_width, slice, tensor};
use super::column_sums::column_sums;
use super::matrix::{Matrix, product_parallel};
use super::parallel::{for_each, rows_per_task};

/// `x·weight + bias`: `x` is `[rows, input]`, `weight` `[input, output]`, `bias` `[output]`, the
/// result `[rows, output]`. A transposed view serves as weight without being copied.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    if on_cpu(&x) && on_cpu(&weight) && on_cpu(&bias) {
        let (x, weight, bias) = (x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch());
        Tensor::from_dispatch(<Dispatch as Linear>::fused_linear(x, weight, bias))
    } else {
        x.matmul(weight) + bias.unsqueeze()
    }
}

#[backend_extension(Flex, Autodiff)]
trait Linear: Backend {
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl Linear for Flex {
    fn fused_linear(x: FlexTensor, weight: FlexTensor, bias: FlexTensor) -> FlexTensor {
        let (x, bias) = (contiguous(x), contiguous(bias));
        let [rows, output] = [rows_and_width(&x).0, weight.shape()[1]];
        let bias = slice(&bias);
        assert_eq!(bias.len(), output, "a bias of another width than the weight");
        let mut y = vec![0.0; rows * output];
        let block = rows_per_task(rows, output) * output;
        for_each(y.chunks_mut(block.max(1)), |y| {
            y.chunks_exact_mut(output).for_each(|y| y.copy_from_slice(bias));
        });
        product_parallel(&mut y, matrix(&x), matrix(&weight), true);
        tensor(y, [rows, output])
    }
}

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

/// A two-dimensional tensor with the strides that it has.
fn matrix(x: &FlexTensor) -> Matrix<'_> {
    let shape = x.shape();
    let [rows, columns] = [shape[0], shape[1]];
    let layout = x.layout();
    let storage = &x.storage::<f32>()[layout.start_offset()..];
    let strides = [layout.strides()[0], layout.strides()[1]].map(|stride| stride.unsigned_abs());
    debug_assert!(layout.strides().iter().all(|&stride| stride >= 0), "a flipped matrix");
    Matrix::strided(storage, [rows, columns], strides)
}
