//! Words of raw text, where a corpus brings none of its own.

use std::ops::Range;

use super::marks::continues;

/// How far back the letter under a pile of combining marks is looked for.
const PILE: usize = 32;

/// Whether a word may begin at `byte`: not inside a character with its marks, and not inside a run of letters and
/// digits. In scripts that put no space between words every character may begin one.
pub fn is_word_start(text: &str, byte: usize) -> bool {
    is_boundary(text, byte)
}

/// Whether a word may end at `byte`; see [`is_word_start`].
pub fn is_word_end(text: &str, byte: usize) -> bool {
    is_boundary(text, byte)
}

/// The words of a text: runs of letters and digits, and every other character that is not white space.
pub fn split_words(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut before = Class::Space;
    for (at, c) in text.char_indices() {
        let class = Class::of(c);
        let end = at + c.len_utf8();
        match words.last_mut() {
            Some(word) if before.holds(class) => word.end = end,
            _ if class != Class::Space => words.push(at..end),
            _ => {}
        }
        before = before.then(class);
    }
    words
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    /// A letter or digit of a script with spaces between words.
    Letter,
    /// Continues the character before it.
    Mark,
    /// U+200D, which also ties the next character.
    Joiner,
    Other,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => Self::Letter,
            '\u{200D}' => Self::Joiner,
            _ if c.is_whitespace() => Self::Space,
            _ if continues(c) => Self::Mark,
            _ if c.is_alphanumeric() && !is_unspaced(c) => Self::Letter,
            _ => Self::Other,
        }
    }

    /// Whether no word boundary lies between a character of this class and one of class `next`.
    fn holds(self, next: Self) -> bool {
        match (self, next) {
            (Self::Space, _) | (_, Self::Space) => false,
            (_, Self::Mark | Self::Joiner) | (Self::Joiner, _) => true,
            (before, after) => before == Self::Letter && after == Self::Letter,
        }
    }

    /// What the text up to and including a character of class `next` ends in.
    fn then(self, next: Self) -> Self {
        match next {
            Self::Mark if !matches!(self, Self::Space | Self::Joiner) => self,
            Self::Mark => Self::Other,
            next => next,
        }
    }
}

fn is_boundary(text: &str, byte: usize) -> bool {
    if !text.is_char_boundary(byte) {
        return false;
    }
    let Some(after) = text[byte..].chars().next().map(Class::of) else { return true };
    let mut back = text[..byte].chars().rev().map(Class::of);
    let before = match back.next() {
        None => Class::Space,
        Some(Class::Mark) => match back.take(PILE).find(|class| *class != Class::Mark) {
            Some(Class::Space | Class::Joiner) | None => Class::Other,
            Some(class) => class,
        },
        Some(class) => class,
    };
    !before.holds(after)
}

/// Scripts that are written without spaces between words, or where entities end inside what spaces delimit.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF      // Thai, Lao
        | 0x1000..=0x109F    // Burmese
        | 0x1100..=0x11FF    // Hangul letters
        | 0x1780..=0x17FF    // Khmer
        | 0x2E80..=0xA4CF    // CJK, kana, bopomofo, Yi
        | 0xA960..=0xA97F | 0xAC00..=0xD7FF // Hangul
        | 0xF900..=0xFAFF | 0xFF66..=0xFFDC // compatibility and half-width forms
        | 0x1B000..=0x1B2FF  // older kana
        | 0x20000..=0x3FFFF) // CJK extensions
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<&str> {
        split_words(text).into_iter().map(|word| &text[word]).collect()
    }

    #[test]
    fn letters_and_digits_run_together_and_everything_else_stands_alone() {
        assert_eq!(words("IL-2 (p53), 5µM"), ["IL", "-", "2", "(", "p53", ")", ",", "5µM"]);
        assert_eq!(words(" \r\n\t"), [""; 0]);
    }

    #[test]
    fn marks_stay_with_their_letter_and_joined_emoji_stay_whole() {
        assert_eq!(words("cafe\u{301}s हिन्दी"), ["cafe\u{301}s", "हिन्दी"]);
        assert_eq!(words("a👩‍🔬👍🏽b"), ["a", "👩‍🔬", "👍🏽", "b"]);
        assert_eq!(words("soft\u{AD}ware"), ["soft\u{AD}ware"]);
        assert_eq!(words(" \u{301}x"), ["\u{301}", "x"]);
    }

    #[test]
    fn characters_of_unspaced_scripts_are_words() {
        assert_eq!(words("IL2基因表达"), ["IL2", "基", "因", "表", "达"]);
        assert_eq!(words("がん"), ["が", "ん"]);
    }

    #[test]
    fn a_boundary_is_never_inside_a_character() {
        assert!(!is_word_start("é", 1) && is_word_start("é", 0) && is_word_end("é", 2));
        assert!(!is_word_end("cafe\u{301}s", 6) && !is_word_end("e\u{301}", 1));
        assert!(!is_word_start("x", 7));
    }

    proptest! {
        #[test]
        fn words_begin_and_end_where_words_may(text in "[aé1 \u{301}漢\u{200D}👩.\u{200B}\r\n]{0,12}") {
            let words = split_words(&text);
            for word in &words {
                prop_assert!(is_word_start(&text, word.start) && is_word_end(&text, word.end));
                let inner = text[word.clone()].char_indices().skip(1);
                for (at, _) in inner {
                    prop_assert!(!is_word_start(&text, word.start + at), "{at} in {word:?}");
                }
            }
            let covered: usize = words.iter().map(|word| word.len()).sum();
            let visible: usize = text.chars().filter(|c| !c.is_whitespace()).map(char::len_utf8).sum();
            prop_assert_eq!(covered, visible);
        }
    }
}
