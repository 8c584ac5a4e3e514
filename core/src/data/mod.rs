//! Annotated corpora: documents and their entities, in every format people keep them in.

mod brat;
mod conll;
mod convert;
mod document;
mod format;
mod jsonl;
mod labels;
mod lines;
mod pubtator;
mod read;
mod stats;
mod tags;
mod write;

pub use convert::{ConvertOptions, ConvertReport, convert};
pub use document::{Document, Entity};
pub use format::Format;
pub use labels::LabelSet;
pub use read::{Corpus, ReadOptions, Reader, open, open_stream, read};
pub use stats::Stats;
pub use tags::Scheme;
pub use write::{Lost, WordSource, WriteOptions, Writer, brat_annotations};

#[cfg(test)]
mod tests;
