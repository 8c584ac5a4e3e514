//! Annotated corpora: documents and their entities, in every format people keep them in.

mod document;

pub use document::{Document, Entity};
