//! From a document to rows of word pieces, and from scored spans back to entities.

use std::ops::Range;

use super::batch::{Layout, Row};
use super::folder::ModelConfig;
use crate::Result;
use crate::data::{Document, Entity};
use crate::decode::{ScoredSpan, owner};
use crate::text::{Alignment, Pieces, Tokenizer, windows};

/// The text handling of a model.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Splits text into word pieces.
    pub tokenizer: Tokenizer,
    /// Labels, windows and decoding.
    pub config: ModelConfig,
}

/// A document split into word pieces and windows.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The word pieces of the whole document.
    pub pieces: Pieces,
    /// How they lie in the words.
    pub alignment: Alignment,
    /// The pieces of each window.
    pub windows: Vec<Range<usize>>,
}

impl Pipeline {
    /// Tokenises a document.
    ///
    /// # Errors
    /// What the tokenizer refuses.
    pub fn prepare(&self, document: &Document) -> Result<Prepared> {
        let pieces = self.tokenizer.encode(&document.text)?;
        let alignment = Alignment::new(document, &pieces);
        let special = self.tokenizer.prefix().len() + self.tokenizer.suffix().len();
        let window = &self.config.window;
        let capacity = window.max_length.saturating_sub(special).max(1);
        let windows = windows(pieces.ids.len(), capacity, window.stride.min(capacity / 2));
        Ok(Prepared { pieces, alignment, windows })
    }

    /// The rows of a prepared document.
    pub fn rows(&self, document: usize, prepared: &Prepared) -> Vec<Row> {
        let (prefix, suffix) = (self.tokenizer.prefix(), self.tokenizer.suffix());
        let row = |(window, pieces): (usize, &Range<usize>)| Row {
            document,
            window,
            ids: [prefix, &prepared.pieces.ids[pieces.clone()], suffix].concat(),
            layout: Layout {
                text: prefix.len()..prefix.len() + pieces.len(),
                words: words(&prepared.alignment, pieces, prefix.len()),
            },
        };
        prepared.windows.iter().enumerate().map(row).collect()
    }

    /// The entity of a span, unless another window decides about it or it is no run of whole words.
    pub(super) fn entity(
        &self,
        document: &Prepared,
        row: &Row,
        span: &ScoredSpan,
    ) -> Option<Entity> {
        let offset = document.windows[row.window].start;
        let start = offset + span.start - row.layout.text.start;
        let end = offset + span.end - row.layout.text.start;
        let decides = || {
            document.windows.len() == 1
                || owner(&document.windows, document.pieces.ids.len(), start, end + 1)
                    == Some(row.window)
        };
        let alignment = &document.alignment;
        let whole_words = !self.config.decode.word_boundaries
            || (alignment.word_start[start] && alignment.word_end[end]);
        let (from, to) = (document.pieces.spans[start].start, document.pieces.spans[end].end);
        let covers =
            !document.pieces.spans[start].is_empty() && !document.pieces.spans[end].is_empty();
        (whole_words && covers && from < to && decides()).then(|| Entity {
            start: from,
            end: to,
            label: self.config.labels.name(span.label).to_owned(),
            score: Some(span.probability),
        })
    }
}

/// The words among the pieces `window`, as tokens of a row whose text begins at token `at`. What a window cuts off a
/// word is a word of the window.
fn words(alignment: &Alignment, window: &Range<usize>, at: usize) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for piece in window.clone() {
        let token = piece - window.start + at;
        if alignment.word_start[piece] || words.is_empty() {
            words.push(token..token + 1);
            open = true;
        } else if open && let Some(word) = words.last_mut() {
            word.end = token + 1;
        }
        // what comes between words, such as a piece for a space, is of none
        open &= !alignment.word_end[piece];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_pieces_from_where_they_begin_to_where_they_end() {
        let document = Document { text: "hyperglycemia of x".to_owned(), ..Document::default() };
        let spans = vec![0..5, 5..9, 9..13, 14..16, 17..18];
        let pieces = Pieces { ids: vec![0; spans.len()], spans };
        let alignment = Alignment::new(&document, &pieces);
        assert_eq!(words(&alignment, &(0..5), 1), [1..4, 4..5, 5..6]);
        assert_eq!(words(&alignment, &(1..4), 1), [1..3, 3..4]);
        assert!(words(&alignment, &(2..2), 1).is_empty());
    }
}
