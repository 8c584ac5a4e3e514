//! The CPU backend's tensors as slices, and slices as tensors.

use burn::backend::flex::FlexTensor;
use burn::backend::{DispatchDevice, TensorMetadata};
use burn::tensor::{DType, Shape, Tensor, TensorData};

use super::parallel::{for_each, rows_per_task};

/// Whether an operation on `x` may take the path written for the CPU backend.
pub fn on_cpu<const D: usize>(x: &Tensor<D>) -> bool {
    let device = x.device();
    let flex = match device.as_dispatch() {
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "train")]
        DispatchDevice::Autodiff(inner) => matches!(**inner, DispatchDevice::Flex(_)),
        #[allow(unreachable_patterns)] // with the CPU backend alone
        _ => false,
    };
    flex && x.dtype() == DType::F32
}

/// `x` with its elements in row-major order, as [`slice`] needs them; free if they are.
pub fn contiguous(x: FlexTensor) -> FlexTensor {
    if x.layout().is_contiguous() { x } else { x.to_contiguous() }
}

/// The elements of a [`contiguous`] tensor.
pub fn slice(x: &FlexTensor) -> &[f32] {
    x.as_slice().expect("a contiguous f32 tensor")
}

/// A tensor of `data` in row-major order.
pub fn tensor(data: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(data, shape))
}

/// The rows and columns of a tensor seen as a matrix whose rows are its last dimension.
pub fn rows_and_width(x: &FlexTensor) -> (usize, usize) {
    let shape = x.shape();
    let width = shape.as_slice().last().copied().unwrap_or(1);
    (shape.num_elements().checked_div(width).unwrap_or(0), width)
}

/// What `change` makes of `x`, in blocks of whole rows over all threads: in place where nobody else
/// holds `x`, otherwise in a copy.
pub fn map_in_place(x: FlexTensor, change: impl Fn(&mut [f32]) + Sync + Send) -> FlexTensor {
    let (rows, width) = rows_and_width(&x);
    let block = (rows_per_task(rows, width) * width).max(1);
    match try_own(x) {
        Ok(mut x) => {
            for_each(slice_mut(&mut x).chunks_mut(block), change);
            x
        }
        Err(x) => {
            let from = slice(&x);
            let mut to = vec![0.0; from.len()];
            for_each(to.chunks_mut(block).zip(from.chunks(block)), |(to, from)| {
                to.copy_from_slice(from);
                change(to);
            });
            tensor(to, x.shape())
        }
    }
}

/// `x` to change in place, contiguous and over its whole buffer; or, where somebody else holds it,
/// `x` as [`contiguous`].
pub fn try_own(x: FlexTensor) -> Result<FlexTensor, FlexTensor> {
    let mut x = contiguous(x);
    let whole = x.layout().start_offset() == 0
        && x.bytes().len() == x.layout().num_elements() * size_of::<f32>();
    if whole && x.try_storage_mut::<f32>().is_some() { Ok(x) } else { Err(x) }
}

/// As [`try_own`], with a copy where somebody else holds `x`.
pub fn own(x: FlexTensor) -> FlexTensor {
    try_own(x).unwrap_or_else(|x| tensor(slice(&x).to_vec(), x.shape()))
}

/// The elements of a tensor from [`own`].
pub fn slice_mut(x: &mut FlexTensor) -> &mut [f32] {
    x.storage_mut()
}
