//! The program as a user meets it: the real binary, its output, its messages and its exit codes.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod combine;
mod conformance;
mod convert;
mod corpus_faults;
mod devices;
mod evaluate;
mod experiment;
mod help;
mod hub;
mod predict;
mod quantize;
mod resume;
mod support;
mod train;
