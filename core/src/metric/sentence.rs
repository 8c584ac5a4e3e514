//! What one document has right.

use std::collections::BTreeSet;

use super::errors::Typed;
use super::score::Score;
use crate::data::Document;

/// The distinct entities of a document.
pub(super) fn typed(document: &Document) -> BTreeSet<Typed<'_>> {
    document.entities.iter().map(|e| (e.start, e.end, e.label.as_str())).collect()
}

/// Counts over two sets.
pub(super) fn count<T: Ord>(gold: &BTreeSet<T>, predicted: &BTreeSet<T>) -> Score {
    Score {
        correct: gold.intersection(predicted).count(),
        predicted: predicted.len(),
        gold: gold.len(),
    }
}

/// Strict counts by document.
///
/// # Panics
/// When the two do not hold the same number of documents.
pub fn strict_by_document(gold: &[Document], predicted: &[Document]) -> Vec<Score> {
    assert_eq!(gold.len(), predicted.len(), "one prediction for each gold document");
    gold.iter().zip(predicted).map(|(g, p)| count(&typed(g), &typed(p))).collect()
}
