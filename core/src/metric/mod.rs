//! How good predictions are: strict and boundary scores, by type, length and nesting, and what went wrong.

mod errors;
mod report;
mod score;

pub use errors::ErrorCounts;
pub use report::{Report, evaluate};
pub use score::Score;
