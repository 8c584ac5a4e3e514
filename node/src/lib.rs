//! The native half of the npm package `innerspan-node`: a model on a thread of its own, and what JavaScript needs to
//! hand it texts. Everything that is about JavaScript values is done in `js/`.
//!
//! It has the system's allocator, unlike the command line: mimalloc takes the thread that loads it for the one that ends
//! last, and crashes where that was a worker thread.

mod event;
mod exit;
mod failure;
mod files;
mod load;
mod model;
mod queue;
mod stop;
mod worker;
