//! Entities for people to look at: nested highlights in a terminal and in HTML, and the report of a run.

pub mod curve;
pub mod html;
pub mod layers;
pub mod palette;
pub mod report;
pub mod terminal;
pub mod verdict;
pub mod wrap;

#[cfg(test)]
mod sample;

pub use palette::Palette;
