//! Gold entities as spans of word pieces, and those that no such span can express.

use std::ops::AddAssign;

use serde::Serialize;

use crate::data::Document;
use crate::head::Limit;
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
    /// Overlaps a longer one, and the head gives a token one tag.
    pub overlapping: usize,
    /// Wider than the spans that the head classifies.
    pub too_wide: usize,
    /// A further type of a span, and the head gives a span one class.
    pub second_type: usize,
    /// Begins or ends within a word, and the head finds words.
    pub within_word: usize,
}

impl AddAssign for Lost {
    fn add_assign(&mut self, other: Self) {
        self.within_piece += other.within_piece;
        self.too_long += other.too_long;
        self.unknown_label += other.unknown_label;
        self.overlapping += other.overlapping;
        self.too_wide += other.too_wide;
        self.second_type += other.second_type;
        self.within_word += other.within_word;
    }
}

impl Lost {
    /// All of them.
    pub fn total(&self) -> usize {
        let Self {
            within_piece,
            too_long,
            unknown_label,
            overlapping,
            too_wide,
            second_type,
            within_word,
        } = self;
        within_piece + too_long + unknown_label + overlapping + too_wide + second_type + within_word
    }

    /// What a user should read, if anything was lost.
    pub fn message(&self, what: &str) -> Option<String> {
        let reasons = [
            (self.within_piece, "for beginning or ending within a word piece of this tokenizer"),
            (self.too_long, "for being longer than a window (raise --max-length)"),
            (self.unknown_label, "for having a type that the training data has not"),
            (
                self.overlapping,
                "for overlapping a longer one, since this head gives a token one tag (other heads nest)",
            ),
            (self.too_wide, "for being wider than the spans of this head (raise --span-width)"),
            (self.second_type, "for being of a span that has another type already"),
            (
                self.within_word,
                "for beginning or ending within a word, since this head finds whole words (others do not mind)",
            ),
        ];
        let parts: Vec<String> = reasons
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, reason)| format!("{count} {reason}"))
            .collect();
        let total = self.total();
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
        let spans = spans(pipeline, document, prepared, &mut lost);
        let limits = pipeline.config.head.limits(&spans);
        for (&(first, last, label), limit) in spans.iter().zip(limits) {
            match limit {
                Some(Limit::Overlaps) => lost.overlapping += 1,
                Some(Limit::TooWide) => lost.too_wide += 1,
                Some(Limit::SecondType) => lost.second_type += 1,
                None => {
                    let held = put(&mut rows, prepared, (first, last, label));
                    lost.too_long += usize::from(!held);
                }
            }
        }
        samples.append(&mut rows);
    }
    (samples, lost)
}

/// The entities of a document as first piece, last piece and label, where there are such.
fn spans(
    pipeline: &Pipeline,
    document: &Document,
    prepared: &Prepared,
    lost: &mut Lost,
) -> Vec<(usize, usize, usize)> {
    let mut spans = Vec::with_capacity(document.entities.len());
    for entity in &document.entities {
        let Some(label) = pipeline.config.labels.index(&entity.label) else {
            lost.unknown_label += 1;
            continue;
        };
        match prepared.alignment.pieces_of(entity.start, entity.end) {
            Some((first, last))
                if pipeline.config.head.on_words()
                    && !prepared.alignment.whole_words(first, last) =>
            {
                lost.within_word += 1;
            }
            Some((first, last)) => spans.push((first, last, label)),
            None => lost.within_piece += 1,
        }
    }
    spans
}

/// Adds a span of a document's pieces to the gold of every row that holds it; false where none does.
fn put(
    rows: &mut [Sample],
    prepared: &Prepared,
    (first, last, label): (usize, usize, usize),
) -> bool {
    let mut held = false;
    for sample in rows {
        let window = &prepared.windows[sample.row.window];
        if window.start <= first && last < window.end {
            let offset = sample.row.layout.text.start;
            let at = |piece: usize| piece - window.start + offset;
            sample.gold.push((at(first), at(last), label));
            held = true;
        }
    }
    held
}

/// The share of the documents' entities that begin and end at word boundaries, in 0..=1; 1 when there are none.
pub fn whole_word_share(documents: &[Document], prepared: &[Prepared]) -> f64 {
    let (mut whole, mut all) = (0usize, 0usize);
    for (document, prepared) in documents.iter().zip(prepared) {
        let alignment = &prepared.alignment;
        for entity in &document.entities {
            if let Some((first, last)) = alignment.pieces_of(entity.start, entity.end) {
                all += 1;
                whole += usize::from(alignment.whole_words(first, last));
            }
        }
    }
    if all == 0 { 1.0 } else { whole as f64 / all as f64 }
}
