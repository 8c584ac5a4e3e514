//! What scores spans: one file a head.

mod efficient_global_pointer;
mod global_pointer;
mod mask;
mod rope;

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use serde::{Deserialize, Serialize};

pub use efficient_global_pointer::EfficientGlobalPointer;
pub use global_pointer::GlobalPointer;
pub use mask::NO_SPAN;
pub use rope::Rope;

/// The heads by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// One query and key per type (Global Pointer).
    GlobalPointer,
    /// One query and key for all types, plus a bias per type (Efficient Global Pointer).
    EfficientGlobalPointer,
}

impl HeadKind {
    /// A head of this kind for `types` entity types, over hidden states of width `hidden`.
    pub fn init(self, hidden: usize, types: usize, size: usize, device: &Device) -> Head {
        match self {
            Self::GlobalPointer => {
                Head::GlobalPointer(GlobalPointer::new(hidden, types, size, device))
            }
            Self::EfficientGlobalPointer => Head::EfficientGlobalPointer(
                EfficientGlobalPointer::new(hidden, types, size, device),
            ),
        }
    }
}

/// A head with its weights.
#[derive(Module, Debug)]
pub enum Head {
    /// See [`GlobalPointer`].
    GlobalPointer(GlobalPointer),
    /// See [`EfficientGlobalPointer`].
    EfficientGlobalPointer(EfficientGlobalPointer),
}

impl Head {
    /// How many numbers it makes of a token before it scores spans; for estimates of memory.
    pub fn width(&self) -> usize {
        match self {
            Self::GlobalPointer(head) => head.width(),
            Self::EfficientGlobalPointer(head) => head.width(),
        }
    }

    /// Scores of all spans, `[batch, types, tokens (start), tokens (end)]`, from hidden states
    /// `[batch, tokens, hidden]` and the mask of real tokens; cells that are no span hold [`NO_SPAN`].
    pub fn forward(&self, hidden: Tensor<3>, mask: Option<Tensor<2, Bool>>) -> Tensor<4> {
        match self {
            Self::GlobalPointer(head) => head.forward(hidden, mask),
            Self::EfficientGlobalPointer(head) => head.forward(hidden, mask),
        }
    }
}
