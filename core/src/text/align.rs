//! How word pieces lie in words and entities.

use super::{Pieces, is_word_end, is_word_start};
use crate::data::Document;

/// Where words and entities of a document begin and end, in pieces.
#[derive(Debug, Clone)]
pub struct Alignment {
    /// Whether a word begins where the piece does; of pieces that share a character only the first, of pieces that
    /// cover nothing none.
    pub word_start: Vec<bool>,
    /// Whether a word ends where the piece does; of pieces that share a character only the last.
    pub word_end: Vec<bool>,
    /// First byte and index of the pieces that begin where none before them does, ascending.
    starts: Vec<(usize, usize)>,
    /// Last byte and index of the pieces that end where none after them does, ascending.
    ends: Vec<(usize, usize)>,
}

impl Alignment {
    /// Words are the document's own, or else those of its text.
    pub fn new(document: &Document, pieces: &Pieces) -> Self {
        let (mut starts, mut ends) = (Vec::<(usize, usize)>::new(), Vec::<(usize, usize)>::new());
        for (index, span) in pieces.spans.iter().enumerate().filter(|(_, span)| !span.is_empty()) {
            if starts.last().is_none_or(|&(start, _)| start < span.start) {
                starts.push((span.start, index));
            }
            match ends.last_mut() {
                Some(last) if last.0 == span.end => last.1 = index,
                _ => ends.push((span.end, index)),
            }
        }
        let text = &document.text;
        let begins = |byte: usize| match &document.words {
            Some(words) => words.binary_search_by_key(&byte, |word| word.start).is_ok(),
            None => is_word_start(text, byte),
        };
        let finishes = |byte: usize| match &document.words {
            Some(words) => words.binary_search_by_key(&byte, |word| word.end).is_ok(),
            None => is_word_end(text, byte),
        };
        let mut word_start = vec![false; pieces.spans.len()];
        let mut word_end = word_start.clone();
        for &(byte, index) in &starts {
            word_start[index] = begins(byte);
        }
        for &(byte, index) in &ends {
            word_end[index] = finishes(byte);
        }
        Self { word_start, word_end, starts, ends }
    }

    /// Whether the pieces `first..=last` begin and end where words do.
    pub fn whole_words(&self, first: usize, last: usize) -> bool {
        self.word_start[first] && self.word_end[last]
    }

    /// The first and last piece of the bytes `start..end`; `None` when pieces do not begin or end exactly there.
    pub fn pieces_of(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let find = |at: &[(usize, usize)], byte: usize| {
            at.binary_search_by_key(&byte, |&(byte, _)| byte).ok().map(|found| at[found].1)
        };
        let (first, last) = (find(&self.starts, start)?, find(&self.ends, end)?);
        (first <= last).then_some((first, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(
        text: &str,
        words: Option<Vec<std::ops::Range<usize>>>,
        spans: &[(usize, usize)],
    ) -> Alignment {
        let document = Document { text: text.to_owned(), words, ..Document::default() };
        let spans: Vec<_> = spans.iter().map(|&(start, end)| start..end).collect();
        Alignment::new(&document, &Pieces { ids: vec![0; spans.len()], spans })
    }

    #[test]
    fn entities_are_found_where_pieces_begin_and_end_and_nowhere_else() {
        let own = aligned("hyperglycemia", None, &[(0, 5), (5, 9), (9, 13)]);
        assert_eq!(own.pieces_of(0, 13), Some((0, 2)));
        assert_eq!(own.pieces_of(5, 9), Some((1, 1)));
        assert_eq!(own.pieces_of(0, 4), None);
        assert_eq!(own.pieces_of(9, 5), None);
        assert_eq!(own.word_start, [true, false, false]);
        assert_eq!(own.word_end, [false, false, true]);
    }

    #[test]
    fn pieces_of_one_character_are_taken_together() {
        // "a😀b": byte-level pieces a, four of the emoji, b
        let own = aligned("a😀b", None, &[(0, 1), (1, 5), (1, 5), (1, 5), (1, 5), (5, 6)]);
        assert_eq!(own.pieces_of(1, 5), Some((1, 4)));
        assert_eq!(own.word_start, [true, true, false, false, false, true]);
        assert_eq!(own.word_end, [true, false, false, false, true, true]);
    }

    #[test]
    fn pieces_that_cover_nothing_are_never_a_boundary() {
        let own = aligned("a b", None, &[(0, 0), (0, 1), (2, 2), (2, 3)]);
        assert_eq!(own.pieces_of(0, 3), Some((1, 3)));
        assert_eq!(own.word_start, [false, true, false, true]);
        assert_eq!(own.word_end, [false, true, false, true]);
    }

    #[test]
    fn words_of_the_corpus_come_before_those_of_the_text() {
        let own = aligned("c-fos x", Some(vec![0..5, 6..7]), &[(0, 1), (1, 2), (2, 5), (6, 7)]);
        assert_eq!(own.word_start, [true, false, false, true]);
        assert_eq!(own.word_end, [false, false, true, true]);
    }
}
