//! Text on a grid of terminal cells: what may be shown, how wide it is, where a line breaks.

use std::ops::Range;

use innerspan::data::{Document, Entity};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The same document with every character that a terminal would obey (escapes, controls, changes of direction)
/// replaced by one that it shows. Line feeds stay; tabs and carriage returns become spaces.
pub fn printable(doc: &Document) -> Document {
    let mut shown = Document { text: String::with_capacity(doc.text.len()), ..Document::default() };
    let mut moved = vec![0; doc.text.len() + 1]; // byte of `doc.text` to byte of `shown.text`
    for (at, c) in doc.text.char_indices() {
        moved[at] = shown.text.len();
        shown.text.push(visible(c));
    }
    moved[doc.text.len()] = shown.text.len();
    for (_, e) in super::layers::drawable(&doc.text, &doc.entities) {
        let label = e.label.chars().map(visible).map(|c| if c == '\n' { ' ' } else { c }).collect();
        shown.entities.push(Entity {
            start: moved[e.start],
            end: moved[e.end],
            label,
            score: e.score,
        });
    }
    shown
}

fn visible(c: char) -> char {
    match c {
        '\n' => c,
        '\t' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// Terminal columns that `text` takes: two for CJK and emoji, none for combining marks.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// Cuts `text` into lines of at most `width` columns (one character where even that is wider), at spaces where
/// possible and around wide characters, which need none. Spaces at the end of a line belong to no line.
pub fn wrap(text: &str, width: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let offset = line.as_ptr() as usize - text.as_ptr() as usize;
        let (mut start, mut used, mut may_break) = (0, 0, None);
        let mut previous = ' ';
        for (at, c) in line.char_indices() {
            let wide = c.width().unwrap_or(0);
            let glued = wide == 0 || previous == '\u{200d}';
            if !glued
                && at > start
                && (previous.is_whitespace() || wide == 2 || previous.width() == Some(2))
            {
                may_break = Some(at);
            }
            used += wide;
            if used > width && !glued && at > start && !c.is_whitespace() {
                let cut = may_break.unwrap_or(at);
                lines.push(trimmed(line, start, cut, offset));
                (start, used, may_break) = (cut, columns(&line[cut..at]) + wide, None);
            }
            previous = c;
        }
        lines.push(trimmed(line, start, line.len(), offset));
    }
    lines
}

fn trimmed(line: &str, start: usize, end: usize, offset: usize) -> Range<usize> {
    let length = line[start..end].trim_end().len();
    offset + start..offset + start + length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: usize) -> Vec<&str> {
        wrap(text, width).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn lines_break_at_spaces_and_keep_within_the_width() {
        assert_eq!(lines("the bilge pump sings", 10), ["the bilge", "pump sings"]);
        assert_eq!(lines("one\ntwo\n", 10), ["one", "two", ""]);
        assert_eq!(lines("", 10), [""]);
    }

    #[test]
    fn a_word_wider_than_the_line_is_cut() {
        assert_eq!(lines("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(lines("海燕", 1), ["海", "燕"]);
    }

    #[test]
    fn wide_characters_take_two_columns_and_break_without_spaces() {
        assert_eq!(lines("海燕丸が入港", 5), ["海燕", "丸が", "入港"]);
        assert_eq!(columns("海燕丸"), 6);
        assert_eq!(columns("⚓"), 2);
    }

    #[test]
    fn combining_marks_take_none_and_stay_with_their_letter() {
        assert_eq!(columns("e\u{301}"), 1);
        assert_eq!(lines("e\u{301}e\u{301}e\u{301}", 2), ["e\u{301}e\u{301}", "e\u{301}"]);
    }

    #[test]
    fn escapes_are_shown_and_entities_move_with_them() {
        let entity = |start, end| Entity { start, end, label: "A\u{1b}[0m".into(), score: None };
        let doc = Document {
            text: "\u{1b}[31mred\u{202e}".into(),
            entities: vec![entity(5, 8)],
            ..Default::default()
        };
        let shown = printable(&doc);
        assert_eq!(shown.text, "\u{fffd}[31mred\u{fffd}");
        assert_eq!(&shown.text[shown.entities[0].start..shown.entities[0].end], "red");
        assert_eq!(shown.entities[0].label, "A\u{fffd}[0m");
    }
}
