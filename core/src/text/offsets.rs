//! The three ways in which people count where a span lies in a text.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// What an offset counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OffsetUnit {
    /// Bytes of UTF-8, as Rust and Go do.
    Byte,
    /// Unicode code points, as Python does.
    #[default]
    Codepoint,
    /// UTF-16 code units, as JavaScript and Java do.
    Utf16,
}

impl OffsetUnit {
    /// How many units `c` is long.
    pub fn len_of(self, c: char) -> usize {
        match self {
            Self::Byte => c.len_utf8(),
            Self::Codepoint => 1,
            Self::Utf16 => c.len_utf16(),
        }
    }

    /// What it counts, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Byte => "bytes",
            Self::Codepoint => "code points",
            Self::Utf16 => "UTF-16 units",
        }
    }
}

impl FromStr for OffsetUnit {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "byte" => Ok(Self::Byte),
            "codepoint" => Ok(Self::Codepoint),
            "utf16" => Ok(Self::Utf16),
            _ => Err(Error::Setting(format!(
                "offsets \"{name}\" are unknown: use byte, codepoint or utf16"
            ))),
        }
    }
}

/// Translates between byte offsets of one text and those of another unit.
///
/// Holds one number for every [`BLOCK`] bytes, and none where all characters are ASCII or the unit is the byte.
#[derive(Debug, Clone)]
pub struct OffsetMap<'a> {
    text: &'a str,
    unit: OffsetUnit,
    /// Units before the first character that begins at or after each multiple of [`BLOCK`] bytes.
    blocks: Option<Vec<usize>>,
    length: usize,
}

/// Bytes that are counted through at a look-up.
const BLOCK: usize = 128;

impl<'a> OffsetMap<'a> {
    /// Reads through `text` once.
    pub fn new(text: &'a str, unit: OffsetUnit) -> Self {
        if unit == OffsetUnit::Byte || text.is_ascii() {
            return Self { text, unit, blocks: None, length: text.len() };
        }
        let mut blocks = Vec::with_capacity(text.len() / BLOCK + 1);
        let mut length = 0;
        for (at, c) in text.char_indices() {
            while blocks.len() * BLOCK <= at {
                blocks.push(length);
            }
            length += unit.len_of(c);
        }
        Self { text, unit, blocks: Some(blocks), length }
    }

    /// The length of the text in this unit.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The offset of a byte. Bytes past the end count as the end, those inside a character as its end.
    pub fn from_byte(&self, byte: usize) -> usize {
        let byte = byte.min(self.text.len());
        let Some(blocks) = &self.blocks else { return byte };
        if byte == self.text.len() {
            return self.length;
        }
        let block = (byte / BLOCK).min(blocks.len() - 1);
        let start = self.block_start(block);
        let between = self.text[start..].char_indices().take_while(|(at, _)| start + at < byte);
        blocks[block] + between.map(|(_, c)| self.unit.len_of(c)).sum::<usize>()
    }

    /// The byte at an offset; `None` past the end and inside a character or surrogate pair.
    pub fn to_byte(&self, offset: usize) -> Option<usize> {
        let Some(blocks) = &self.blocks else {
            return self.text.is_char_boundary(offset).then_some(offset);
        };
        if offset >= self.length {
            return (offset == self.length).then_some(self.text.len());
        }
        let block = blocks.partition_point(|&units| units <= offset) - 1;
        let start = self.block_start(block);
        let mut units = blocks[block];
        for (at, c) in self.text[start..].char_indices() {
            if units >= offset {
                return (units == offset).then_some(start + at);
            }
            units += self.unit.len_of(c);
        }
        None
    }

    /// The first character boundary at or after the start of a block.
    fn block_start(&self, block: usize) -> usize {
        let start = block * BLOCK;
        (start..start + 4).find(|&at| self.text.is_char_boundary(at)).unwrap_or(self.text.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_emoji_is_four_bytes_one_code_point_and_two_utf16_units() {
        let text = "a😀é\r\nb";
        let offsets = |unit| {
            let map = OffsetMap::new(text, unit);
            [1, 5, 7, 8, 9, 10].map(|byte| map.from_byte(byte))
        };
        assert_eq!(offsets(OffsetUnit::Byte), [1, 5, 7, 8, 9, 10]);
        assert_eq!(offsets(OffsetUnit::Codepoint), [1, 2, 3, 4, 5, 6]);
        assert_eq!(offsets(OffsetUnit::Utf16), [1, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn inside_a_character_and_past_the_end_is_nowhere() {
        let at = |unit, offset| OffsetMap::new("a😀", unit).to_byte(offset);
        assert_eq!((at(OffsetUnit::Utf16, 2), at(OffsetUnit::Utf16, 4)), (None, None));
        assert_eq!((at(OffsetUnit::Byte, 3), at(OffsetUnit::Byte, 6)), (None, None));
        assert_eq!((at(OffsetUnit::Codepoint, 2), at(OffsetUnit::Codepoint, 3)), (Some(5), None));
    }

    fn texts() -> impl Strategy<Value = String> {
        let char = prop_oneof![
            any::<char>(),
            prop::sample::select(
                "aZ é漢がक\u{301}\u{200B}\u{200D}\u{FE0F}👩🔬\r\n\u{FEFF}"
                    .chars()
                    .collect::<Vec<_>>()
            ),
        ];
        prop::collection::vec(char, 0..400).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn all_views_of_a_span_are_of_the_same_characters(text in texts(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
            let mut boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            boundaries.push(text.len());
            let (a, b) = (*a.get(&boundaries), *b.get(&boundaries));
            let (start, end) = (a.min(b), a.max(b));
            let slice = &text[start..end];

            let map = OffsetMap::new(&text, OffsetUnit::Codepoint);
            let chars: Vec<char> = text.chars().collect();
            prop_assert_eq!(String::from_iter(&chars[map.from_byte(start)..map.from_byte(end)]), slice);

            let map = OffsetMap::new(&text, OffsetUnit::Utf16);
            let units: Vec<u16> = text.encode_utf16().collect();
            prop_assert_eq!(String::from_utf16(&units[map.from_byte(start)..map.from_byte(end)]).unwrap(), slice);

            for unit in [OffsetUnit::Byte, OffsetUnit::Codepoint, OffsetUnit::Utf16] {
                let map = OffsetMap::new(&text, unit);
                prop_assert_eq!(map.to_byte(map.from_byte(start)), Some(start));
                prop_assert_eq!(map.to_byte(map.from_byte(end)), Some(end));
                prop_assert_eq!(map.to_byte(map.length() + 1), None);
                prop_assert_eq!(map.from_byte(text.len()), map.length());
            }
        }
    }
}
