//! From scores to spans.

mod owner;
mod threshold;

pub use owner::owner;
pub use threshold::{ScoredSpan, above_threshold};
