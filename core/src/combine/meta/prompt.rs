//! What the classifier reads of a candidate: its type, then its sentence with markers around the mention (§4.7 of
//! Verma et al.).

use crate::Result;
use crate::data::Entity;
use crate::model::{Layout, Row};
use crate::text::Tokenizer;

/// Bytes of text for each word piece of the window that are looked at on either side of a mention, so that a mention in
/// a book costs no more than one in a sentence.
const BYTES_PER_PIECE: usize = 16;

/// Writes candidates down for the classifier.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prompt<'a> {
    pub tokenizer: &'a Tokenizer,
    /// The ids of `[e]` and `[/e]`.
    pub markers: [u32; 2],
    /// Longest row in word pieces, special tokens included.
    pub max_length: usize,
}

impl Prompt<'_> {
    /// The row of the word pieces of `type before [e] mention [/e] after`, for candidate number `candidate` of a
    /// document. Text that spells a marker is text.
    ///
    /// # Errors
    /// What the tokenizer refuses.
    pub fn row(
        &self,
        document: usize,
        candidate: usize,
        text: &str,
        entity: &Entity,
    ) -> Result<Row> {
        let [before, mention, after] = self.around(text, entity);
        let label = self.tokenizer.encode(&entity.label)?.ids;
        let (before, mention, after) =
            (self.pieces(before)?, self.pieces(mention)?, self.pieces(after)?);
        let (prefix, suffix) = (self.tokenizer.prefix(), self.tokenizer.suffix());
        let special = prefix.len() + suffix.len() + self.markers.len();
        let kept = fit(
            self.max_length.saturating_sub(special),
            [label.len(), before.len(), mention.len(), after.len()],
        );
        let [open, close] = self.markers;
        let ids = [
            prefix,
            &label[..kept[0]],
            &before[before.len() - kept[1]..],
            &[open],
            &mention[..kept[2].div_ceil(2)],
            &mention[mention.len() - kept[2] / 2..],
            &[close],
            &after[..kept[3]],
            suffix,
        ]
        .concat();
        Ok(Row { document, window: candidate, ids, layout: Layout::default() })
    }

    /// The word pieces of a part of the text.
    fn pieces(&self, part: &str) -> Result<Vec<u32>> {
        let part = part.trim();
        if part.is_empty() {
            return Ok(Vec::new());
        }
        // the space before a word matters to byte-level tokenizers
        self.tokenizer.encode(&format!(" {part}")).map(|pieces| pieces.ids)
    }

    /// The text before, in and after a mention, without what no window can hold.
    fn around<'t>(&self, text: &'t str, entity: &Entity) -> [&'t str; 3] {
        let reach = self.max_length * BYTES_PER_PIECE;
        let start = text.ceil_char_boundary(entity.start.saturating_sub(reach));
        let end = text.floor_char_boundary(entity.end.saturating_add(reach).min(text.len()));
        [&text[start..entity.start], &text[entity.start..entity.end], &text[entity.end..end]]
    }
}

/// How many word pieces are kept of the type, the text before, the mention and the text after, so that together they
/// are at most `capacity`: the context goes first, evenly on both sides, where a short side leaves its share to the
/// other; then the middle of the mention. The type has at most a quarter.
fn fit(capacity: usize, [label, before, mention, after]: [usize; 4]) -> [usize; 4] {
    let label = label.min(capacity / 4);
    let mention = mention.min(capacity - label);
    let room = capacity - label - mention;
    let before = before.min((room / 2).max(room.saturating_sub(after)));
    [label, before, mention, after.min(room - before)]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// One piece for each letter and sign: the id is its place in the vocabulary.
    fn letters() -> Tokenizer {
        let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\ne\nx\n[\n]\n/\n##a\n##b\n##x\n";
        Tokenizer::from_vocab(vocabulary.as_bytes(), true, "vocab.txt").unwrap()
    }

    fn ids(max_length: usize, text: &str, (start, end, label): (usize, usize, &str)) -> Vec<u32> {
        let tokenizer = letters();
        let prompt = Prompt { tokenizer: &tokenizer, markers: [90, 91], max_length };
        let entity = Entity { start, end, label: label.to_owned(), score: None };
        prompt.row(0, 0, text, &entity).unwrap().ids
    }

    #[test]
    fn the_type_comes_first_and_markers_stand_around_the_mention() {
        // [CLS] x | a b | [e] c d [/e] | a | [SEP]
        assert_eq!(ids(20, "a b c d a", (4, 7, "x")), [2, 9, 4, 5, 90, 6, 7, 91, 4, 3]);
        // at both edges of the text, and within a word
        assert_eq!(ids(20, "a", (0, 1, "x")), [2, 9, 90, 4, 91, 3]);
        assert_eq!(ids(20, "xab", (1, 2, "x")), [2, 9, 9, 90, 4, 91, 5, 3]);
    }

    #[test]
    fn text_that_spells_a_marker_is_no_marker() {
        // [ e ] and [ / e ] are three and four pieces of text
        let expected = [2, 9, 10, 8, 11, 90, 4, 91, 10, 12, 8, 11, 3];
        assert_eq!(ids(20, "[e] a [/e]", (4, 5, "x")), expected);
    }

    #[test]
    fn long_context_is_cut_evenly() {
        // 9 pieces: [CLS] x [e] [/e] [SEP] leave 4, the mention takes 1, so 3 are left: 1 before, 2 after
        let text = "a a a a c b b b b";
        assert_eq!(ids(9, text, (8, 9, "x")), [2, 9, 4, 90, 6, 91, 5, 5, 3]);
        // near an edge the other side has the rest
        assert_eq!(ids(9, "c b b b b b", (0, 1, "x")), [2, 9, 90, 6, 91, 5, 5, 5, 3]);
        assert_eq!(ids(9, "b b b b b c", (10, 11, "x")), [2, 9, 5, 5, 5, 90, 6, 91, 3]);
    }

    #[test]
    fn a_mention_that_fills_the_window_loses_its_middle() {
        // 10 pieces: 6 besides [CLS] [e] [/e] [SEP], of which the type may have 1
        let found = ids(10, "x a b c d e a b c d x", (2, 19, "x"));
        assert_eq!(found, [2, 9, 90, 4, 5, 6, 6, 7, 91, 3]);
    }

    #[test]
    fn the_parts_never_exceed_the_capacity_and_use_it() {
        for capacity in 0..20 {
            for label in 0..8 {
                for before in 0..8 {
                    for mention in 0..8 {
                        let parts = [label, before, mention, 5];
                        let kept = fit(capacity, parts);
                        assert!(kept.iter().zip(parts).all(|(kept, all)| *kept <= all));
                        let sum: usize = kept.iter().sum();
                        assert!(sum <= capacity, "{parts:?} in {capacity}: {kept:?}");
                        let cut = parts.iter().sum::<usize>() > sum;
                        let label_cut = kept[0] < label;
                        assert!(
                            !cut || label_cut || sum == capacity,
                            "{parts:?} in {capacity}: {kept:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn of_a_book_only_the_surroundings_are_read() {
        let text = format!("{}c{}", "a ".repeat(1 << 20), " b".repeat(1 << 20));
        let at = 2 << 20;
        assert_eq!(ids(9, &text, (at, at + 1, "x")), [2, 9, 4, 90, 6, 91, 5, 5, 3]);
        let tokenizer = letters();
        let prompt = Prompt { tokenizer: &tokenizer, markers: [90, 91], max_length: 9 };
        let entity = Entity { start: at, end: at + 1, label: "x".into(), score: None };
        assert!(prompt.around(&text, &entity).iter().all(|part| part.len() <= 9 * 16));
    }
}
