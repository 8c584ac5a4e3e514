//! Lines of untrusted files: bounded, UTF-8, numbered.

use std::io::{BufRead, Read};

use crate::{Error, Result};

/// Most bytes of a line.
const LIMIT: u64 = 64 << 20;

/// What the readers read from.
pub(super) type Input = Box<dyn BufRead + Send>;

/// The lines of a file without their ends (`\n` or `\r\n`) and without a byte-order mark.
pub(super) struct Lines {
    input: Input,
    name: String,
    number: usize,
    returned: Option<String>,
}

impl Lines {
    /// `name` is what messages call the file.
    pub fn new(input: Input, name: &str) -> Self {
        Self { input, name: name.to_owned(), number: 0, returned: None }
    }

    /// The next line; after an [`Error::Corpus`] the one after it.
    pub fn next(&mut self) -> Result<Option<String>> {
        if let Some(line) = self.returned.take() {
            self.number += 1;
            return Ok(Some(line));
        }
        let mut bytes = Vec::new();
        let io = |error| Error::io(&self.name, error);
        (&mut self.input).take(LIMIT).read_until(b'\n', &mut bytes).map_err(io)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        if bytes.len() as u64 == LIMIT && bytes.last() != Some(&b'\n') {
            self.input.skip_until(b'\n').map_err(|error| Error::io(&self.name, error))?;
            return Err(self.error(format!(
                "the line is longer than {} MiB, the most that is read; is the whole file one line?",
                LIMIT >> 20
            )));
        }
        let line = String::from_utf8(bytes).map_err(|error| self.not_utf8(&error))?;
        let line = match line.strip_prefix('\u{FEFF}') {
            Some(line) if self.number == 1 => line,
            _ => &line,
        };
        let line = line.strip_suffix('\n').unwrap_or(line);
        Ok(Some(line.strip_suffix('\r').unwrap_or(line).to_owned()))
    }

    /// Hands the last line back, to be read again.
    pub fn unread(&mut self, line: String) {
        self.number -= 1;
        self.returned = Some(line);
    }

    /// The number of the last line, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// An error about the last line.
    pub fn error(&self, message: impl Into<String>) -> Error {
        self.error_at(self.number, message)
    }

    /// An error about an earlier line.
    pub fn error_at(&self, line: usize, message: impl Into<String>) -> Error {
        Error::corpus(&self.name, line, message)
    }

    fn not_utf8(&self, error: &std::string::FromUtf8Error) -> Error {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        if self.number == 1 && matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) {
            return self.error("the file is UTF-16; convert it with `iconv -f utf-16 -t utf-8`");
        }
        self.error(format!(
            "byte 0x{:02X} at column {} is not UTF-8; if the file is Latin-1, convert it with `iconv -f latin1 -t utf-8`",
            bytes[at],
            at + 1
        ))
    }
}

/// The beginning of a line for a message.
pub(super) fn shown(line: &str) -> String {
    let mut start: String = line.chars().take(40).collect();
    if start.len() < line.len() {
        start.push('…');
    }
    format!("`{}`", start.replace('\t', " "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn lines(bytes: &[u8]) -> Lines {
        Lines::new(Box::new(std::io::Cursor::new(bytes.to_vec())), "corpus.jsonl")
    }

    #[test]
    fn byte_order_marks_and_carriage_returns_are_no_text() {
        let mut own = lines("\u{FEFF}a\r\n\u{FEFF}b\nc".as_bytes());
        assert_eq!(own.next().unwrap().as_deref(), Some("a"));
        assert_eq!(own.next().unwrap().as_deref(), Some("\u{FEFF}b"));
        assert_eq!(own.next().unwrap().as_deref(), Some("c"));
        assert_eq!((own.number(), own.next().unwrap()), (3, None));
    }

    #[test]
    fn latin_1_is_named_with_line_byte_and_cure() {
        let mut own = lines(b"ok\nna\xEFve\nok");
        own.next().unwrap();
        assert_eq!(
            own.next().unwrap_err().to_string(),
            "corpus.jsonl:2: byte 0xEF at column 3 is not UTF-8; if the file is Latin-1, convert it with `iconv -f latin1 -t utf-8`"
        );
        assert_eq!(own.next().unwrap().as_deref(), Some("ok"));
        assert_eq!(
            lines(b"\xFF\xFEa\0").next().unwrap_err().to_string(),
            "corpus.jsonl:1: the file is UTF-16; convert it with `iconv -f utf-16 -t utf-8`"
        );
    }

    #[test]
    fn a_line_without_end_is_not_held_in_memory() {
        let endless = std::io::repeat(b'x').take(LIMIT + 10).chain(&b"\nok"[..]);
        let mut own = Lines::new(Box::new(std::io::BufReader::new(endless)), "c");
        assert_eq!(
            own.next().unwrap_err().to_string(),
            "c:1: the line is longer than 64 MiB, the most that is read; is the whole file one line?"
        );
        assert_eq!(own.next().unwrap().as_deref(), Some("ok"));
    }
}
