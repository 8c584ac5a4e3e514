//! Nested named-entity recognition: text handling, encoders, heads, losses, decoding and training,
//! on any device that Burn reaches. The surfaces (command line, browser, Node.js) only wrap this.

#![cfg_attr(not(feature = "train"), allow(dead_code, unused_imports))] // what training alone uses

pub mod combine;
pub mod data;
pub mod decode;
pub mod device;
pub mod encoder;
pub mod error;
mod fresh;
pub(crate) mod fused;
pub(crate) mod hash;
pub mod head;
pub mod loss;
#[cfg(feature = "train")]
pub mod metric;
pub mod model;
pub mod progress;
pub mod recognizer;
pub mod text;
#[cfg(feature = "train")]
pub mod train;

pub use error::{Error, Result};
