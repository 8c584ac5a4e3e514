//! From scores to spans.

mod chain;
mod owner;
mod soft_nms;
mod tags;
mod threshold;

pub use chain::{Beliefs, Chain};
pub use owner::owner;
pub use soft_nms::{SoftNms, iou};
pub use tags::{Tags, best, tagged_spans};
pub use threshold::{ScoredSpan, above_threshold};
