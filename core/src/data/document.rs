//! A text and what is annotated in it.

use std::ops::Range;

/// A text with its entities. All offsets are UTF-8 byte offsets on character boundaries, half open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The corpus' own name for the document, where it has one.
    pub id: Option<String>,
    /// The text as given.
    pub text: String,
    /// The words, where the corpus was tokenised already; ascending, not overlapping.
    pub words: Option<Vec<Range<usize>>>,
    /// The annotated or recognised entities; nested and overlapping ones allowed.
    pub entities: Vec<Entity>,
}

/// One mention: a typed span of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The entity type.
    pub label: String,
    /// The probability that the model gave it, in [0, 1]; `None` for gold.
    pub score: Option<f32>,
}
