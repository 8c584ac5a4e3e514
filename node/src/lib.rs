//! The native half of the npm package `innerspan-node`: a model on a thread of its own, and what JavaScript needs to
//! hand it texts. Everything that is about JavaScript values is done in `js/`.

mod event;
mod exit;
mod failure;
mod files;
mod load;
mod model;
mod queue;
mod stop;
mod worker;

/// Every tensor operation takes and gives back memory; this allocator keeps it warm.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
