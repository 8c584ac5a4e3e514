//! Gold entities as spans of word pieces, and those that no such span can express.

use serde::Serialize;

use crate::data::Document;
use crate::model::{Pipeline, Prepared, Row};

/// A row to train on.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What the encoder reads.
    pub row: Row,
    /// Gold of the row: first token, last token, label.
    pub gold: Vec<(usize, usize, usize)>,
}

/// Gold entities that training cannot use, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// Begins or ends within a word piece.
    pub within_piece: usize,
    /// Longer than any window.
    pub too_long: usize,
    /// Of a type that the model does not have.
    pub unknown_label: usize,
}

impl Lost {
    /// What a user should read, if anything was lost.
    pub fn message(&self, what: &str) -> Option<String> {
        let Self { within_piece, too_long, unknown_label } = *self;
        let reasons = [
            (within_piece, "for beginning or ending within a word piece of this tokenizer"),
            (too_long, "for being longer than a window (raise --max-length)"),
            (unknown_label, "for having a type that the training data has not"),
        ];
        let parts: Vec<String> = reasons
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, reason)| format!("{count} {reason}"))
            .collect();
        let total = within_piece + too_long + unknown_label;
        (total > 0).then(|| {
            let entities = if total == 1 { "entity" } else { "entities" };
            let parts = parts.join(", ");
            format!("{total} {entities} of the {what} data cannot be expressed: {parts}; counted as missed in evaluation")
        })
    }
}

/// The rows of prepared documents with their gold, and what had to be left out.
pub fn samples(
    pipeline: &Pipeline,
    documents: &[Document],
    prepared: &[Prepared],
) -> (Vec<Sample>, Lost) {
    let mut lost = Lost::default();
    let mut samples = Vec::new();
    for (index, (document, prepared)) in documents.iter().zip(prepared).enumerate() {
        let mut rows: Vec<Sample> = pipeline
            .rows(index, prepared)
            .into_iter()
            .map(|row| Sample { row, gold: Vec::new() })
            .collect();
        for entity in &document.entities {
            let Some(label) = pipeline.config.labels.index(&entity.label) else {
                lost.unknown_label += 1;
                continue;
            };
            let Some((first, last)) = prepared.alignment.pieces_of(entity.start, entity.end) else {
                lost.within_piece += 1;
                continue;
            };
            let mut held = false;
            for sample in &mut rows {
                let window = &prepared.windows[sample.row.window];
                if window.start <= first && last < window.end {
                    let offset = sample.row.text.start;
                    let at = |piece: usize| piece - window.start + offset;
                    sample.gold.push((at(first), at(last), label));
                    held = true;
                }
            }
            lost.too_long += usize::from(!held);
        }
        samples.append(&mut rows);
    }
    (samples, lost)
}

/// The share of the documents' entities that begin and end at word boundaries, in 0..=1; 1 when there are none.
pub fn whole_word_share(documents: &[Document], prepared: &[Prepared]) -> f64 {
    let (mut whole, mut all) = (0usize, 0usize);
    for (document, prepared) in documents.iter().zip(prepared) {
        let alignment = &prepared.alignment;
        for entity in &document.entities {
            if let Some((first, last)) = alignment.pieces_of(entity.start, entity.end) {
                all += 1;
                whole += usize::from(alignment.word_start[first] && alignment.word_end[last]);
            }
        }
    }
    if all == 0 { 1.0 } else { whole as f64 / all as f64 }
}
