//! From a document to rows of word pieces, and from scored spans back to entities.

use std::ops::Range;

use super::batch::{Layout, Row};
use super::folder::ModelConfig;
use crate::Result;
use crate::data::{Document, Entity};
use crate::decode::{ScoredSpan, owner};
use crate::head::Form;
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
    /// The text, where the head reads the letters of words.
    text: Option<String>,
    /// The pieces that come before and after it in its corpus, as far as the head wants some.
    around: [Vec<u32>; 2],
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
        let text = self.config.head.reads_words().map(|_| document.text.clone());
        let around = [Vec::new(), Vec::new()];
        Ok(Prepared { pieces, alignment, windows, text, around })
    }

    /// Tells documents of their neighbours: they are all those of a corpus, or of a part of it, in order. Nothing
    /// happens where the head does not care.
    pub fn join(&self, documents: &mut [Prepared]) {
        let context = self.config.head.context();
        if context == 0 {
            return;
        }
        for at in 1..documents.len() {
            let [before, after] = &mut documents[at - 1..=at] else { return };
            let from = before.pieces.ids.len().saturating_sub(context);
            after.around[0] = before.pieces.ids[from..].to_vec();
            before.around[1] = after.pieces.ids.iter().take(context).copied().collect();
        }
    }

    /// The rows of a prepared document. Where it fits into one window with room to spare, its neighbours fill it.
    pub fn rows(&self, document: usize, prepared: &Prepared) -> Vec<Row> {
        let (prefix, suffix) = (self.tokenizer.prefix(), self.tokenizer.suffix());
        let row = |(window, pieces): (usize, &Range<usize>)| {
            let alone = prepared.windows.len() == 1;
            let room = self.config.window.max_length;
            let room = room.saturating_sub(prefix.len() + pieces.len() + suffix.len());
            let [before, after] = &prepared.around;
            let left = if alone { before.len().min(room / 2) } else { 0 };
            let right = if alone { after.len().min(room - left) } else { 0 };
            let at = prefix.len() + left;
            let words = words(&prepared.alignment, pieces, at);
            let forms = match (self.config.head.reads_words(), &prepared.text) {
                (Some(settings), Some(text)) => {
                    let piece = |token: usize| token - at + pieces.start;
                    let of = |word: &Range<usize>| {
                        letters(text, &prepared.pieces, piece(word.start), piece(word.end - 1))
                    };
                    words.iter().map(|word| Form::new(of(word), settings)).collect()
                }
                _ => Vec::new(),
            };
            let text = at..at + pieces.len();
            let (before, after) = (&before[before.len() - left..], &after[..right]);
            let ids =
                [prefix, before, &prepared.pieces.ids[pieces.clone()], after, suffix].concat();
            Row { document, window, ids, layout: Layout { text, words, forms } }
        };
        prepared.windows.iter().enumerate().map(row).collect()
    }

    /// The words of a document, in lower case.
    pub fn vocabulary(&self, document: &Document, prepared: &Prepared) -> Vec<String> {
        let pieces = &prepared.pieces;
        let words = words(&prepared.alignment, &(0..pieces.ids.len()), 0);
        let letters =
            |word: Range<usize>| letters(&document.text, pieces, word.start, word.end - 1);
        words.into_iter().map(|word| letters(word).to_lowercase()).collect()
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
        let whole_words = !self.config.decode.word_boundaries || alignment.whole_words(start, end);
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

/// The text of the pieces `first..=last`.
fn letters<'a>(text: &'a str, pieces: &Pieces, first: usize, last: usize) -> &'a str {
    text.get(pieces.spans[first].start..pieces.spans[last].end).unwrap_or_default()
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
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::head::{HeadSettings, TwoStageSettings};
    use crate::model::{DecodeSettings, WindowSettings};

    fn pipeline(context: usize, max_length: usize) -> Pipeline {
        let text = "the cells of a mouse";
        let document = Document { text: text.to_owned(), ..Document::default() };
        let tokenizer = crate::train::learn_vocabulary(&[document], 200).unwrap();
        let entity = crate::data::Entity { start: 0, end: 1, label: "A".into(), score: None };
        let labelled = Document { text: "x".into(), entities: vec![entity], ..Document::default() };
        let settings = TwoStageSettings { context, char_size: 1, ..TwoStageSettings::default() };
        let config = ModelConfig {
            format_version: 1,
            labels: crate::data::LabelSet::from_documents(&[labelled]),
            head: HeadSettings::TwoStage(settings),
            decode: DecodeSettings { threshold: 0.5, word_boundaries: true },
            window: WindowSettings { max_length, stride: 2 },
            training: None,
        };
        Pipeline { tokenizer, config }
    }

    fn joined(pipeline: &Pipeline, texts: &[&str]) -> Vec<Row> {
        let prepare = |text: &&str| {
            let document = Document { text: (*text).to_owned(), ..Document::default() };
            pipeline.prepare(&document).unwrap()
        };
        let mut prepared: Vec<Prepared> = texts.iter().map(prepare).collect();
        pipeline.join(&mut prepared);
        prepared.iter().enumerate().flat_map(|(at, of)| pipeline.rows(at, of)).collect()
    }

    #[test]
    fn neighbours_are_read_but_are_no_text() {
        let texts = ["the cells", "of a mouse", "the mouse"];
        let alone = joined(&pipeline(0, 64), &texts);
        let [first, middle, last] =
            [0, 1, 2].map(|at| &alone[at].ids[alone[at].layout.text.clone()]);
        let rows = joined(&pipeline(1, 64), &texts);
        let expected = [
            &alone[1].ids[..1],
            &first[first.len() - 1..],
            middle,
            &last[..1],
            &alone[1].ids[alone[1].ids.len() - 1..],
        ];
        assert_eq!(rows[1].ids, expected.concat());
        for (row, own) in rows.iter().zip([first, middle, last]) {
            assert_eq!(&row.ids[row.layout.text.clone()], own);
            assert_eq!(row.layout.words.len(), row.layout.forms.len());
        }
        let letters = |form: &Form| form.characters.len() - 1;
        assert_eq!(rows[1].layout.forms.iter().map(letters).collect::<Vec<_>>(), [2, 1, 5]);
        assert_eq!(rows[0].ids.len(), alone[0].ids.len() + 1);
        assert_eq!(alone[1].ids.len(), rows[1].ids.len() - 2);
    }

    #[test]
    fn neighbours_never_make_a_row_too_long() {
        let texts = ["the cells of a mouse", "the cells", "of a mouse of a mouse of a mouse"];
        for max_length in [8, 9, 12] {
            let rows = joined(&pipeline(50, max_length), &texts);
            assert!(rows.iter().all(|row| row.ids.len() <= max_length), "{max_length}");
        }
    }

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
