//! The compiled half of the npm package `innerspan`: a thin layer between `wasm/js` and the crate `innerspan`.
//!
//! JavaScript drives all work through [`task::Task`], one turn at a time. Nothing runs by itself, so a trap is always
//! inside a call that JavaScript made and can catch.
#![cfg(target_arch = "wasm32")]

mod convert;
mod fault;
mod model;
mod task;
