//! How good predictions are: strict and boundary scores, by type, length and nesting, and what went wrong; whether one
//! system is better than another, and whether scores are probabilities.

mod bootstrap;
mod errors;
mod reliability;
mod report;
mod score;
mod sentence;

pub use bootstrap::{Bootstrap, Difference};
pub use errors::ErrorCounts;
pub use reliability::{Bin, Reliability};
pub use report::{Length, MacroAverage, Report, evaluate};
pub use score::Score;
pub use sentence::strict_by_document;
