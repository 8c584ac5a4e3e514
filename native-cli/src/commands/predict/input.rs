//! The texts to read, one after another and never all at once.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

use innerspan::Error;
use innerspan::data::{Document, Format, ReadOptions, Reader, open, open_stream};

use crate::corpus;
use crate::failure::Failure;
use crate::stderr;

/// Longest piece of a text line in bytes; longer lines are cut at a sentence's end or a space.
const LONGEST_PIECE: usize = 64 << 10;

/// A document and where it stands in its source.
pub struct Item {
    pub document: Document,
    /// Code points before its text in a text file; in other sources, in the texts joined by line ends.
    pub at: usize,
    /// The documents before and after it in its corpus, for a model that reads them.
    pub neighbours: [Option<Document>; 2],
}

impl Item {
    /// A text on its own.
    fn alone(document: Document, at: usize) -> Self {
        Self { document, at, neighbours: [None, None] }
    }
}

/// Where texts come from.
#[derive(Debug)]
pub enum Source {
    /// The command line.
    Text(String),
    /// Standard input.
    Stdin,
    /// A file, or a folder of a corpus.
    Path(PathBuf),
}

/// Where items go; an error ends the reading.
type Sender = SyncSender<Result<Item, Failure>>;

/// The receiver has gone, or a failure was sent: reading ends.
struct Ended;

impl Source {
    /// `-` is standard input.
    pub fn new(path: &Path) -> Self {
        if path == Path::new("-") { Self::Stdin } else { Self::Path(path.to_owned()) }
    }

    /// Refuses a file that is not there before anything else is done.
    pub fn check(&self) -> Result<(), Failure> {
        if let Self::Path(path) = self {
            std::fs::metadata(path).map_err(|error| Error::io(path, error))?;
        }
        Ok(())
    }

    /// How messages name it.
    fn name(&self) -> String {
        match self {
            Self::Text(_) => "--text".into(),
            Self::Stdin => "standard input".into(),
            Self::Path(path) => path.display().to_string(),
        }
    }
}

/// Reads all sources into `sender`, and says what was left out. With `joined`, documents of a corpus know their
/// neighbours, for which each waits for the next.
pub fn read(sources: Vec<Source>, options: &ReadOptions, joined: bool, sender: &Sender) {
    let mut reading = Reading { sender, options, joined, skipped: 0, cut: false };
    for source in sources {
        if reading.source(&source).is_err() {
            break;
        }
    }
    if reading.skipped > 0 {
        let lines = stderr::count(reading.skipped, "line was", "lines were");
        stderr::say(format!("note: {lines} invalid and left out"));
    }
}

struct Reading<'a> {
    sender: &'a Sender,
    options: &'a ReadOptions,
    joined: bool,
    /// Lines of text left out.
    skipped: usize,
    /// Whether it was said that long lines are cut.
    cut: bool,
}

impl Reading<'_> {
    fn source(&mut self, source: &Source) -> Result<(), Ended> {
        let name = source.name();
        match source {
            Source::Text(text) => {
                let document = Document { text: text.clone(), ..Document::default() };
                self.send(Item::alone(document, 0))
            }
            Source::Stdin => {
                let mut input = BufReader::new(std::io::stdin());
                match self.format(Path::new(&name), &mut input) {
                    Err(error) => self.fail(error),
                    Ok(Format::Text) => self.text_lines(input, &name),
                    Ok(_) => self.corpus(&name, open_stream(input, &name, self.options)),
                }
            }
            Source::Path(path) if path.is_dir() => self.corpus(&name, open(path, self.options)),
            Source::Path(path) => {
                let file = File::open(path).map_err(|error| Error::io(path, error));
                let mut input = match file {
                    Ok(file) => BufReader::new(file),
                    Err(error) => return self.fail(error),
                };
                match self.format(path, &mut input) {
                    Err(error) => self.fail(error),
                    Ok(Format::Text) => self.text_lines(input, &name),
                    Ok(_) => self.corpus(&name, open(path, self.options)),
                }
            }
        }
    }

    /// The format asked for, else that of the first bytes.
    fn format(&self, path: &Path, input: &mut impl BufRead) -> innerspan::Result<Format> {
        if let Some(format) = self.options.format {
            return Ok(format);
        }
        let head = input.fill_buf().map_err(|error| Error::io(path, error))?;
        Ok(Format::guess(path, head))
    }

    /// The documents of a corpus in any format but text.
    fn corpus(&mut self, name: &str, reader: innerspan::Result<Reader>) -> Result<(), Ended> {
        let mut reader = match reader {
            Ok(reader) => reader,
            Err(error) => return self.fail(error),
        };
        let mut at = 0;
        let mut waiting: Option<Item> = None;
        for document in reader.by_ref() {
            let document = match document {
                Ok(document) => document,
                Err(error) => {
                    waiting.map_or(Ok(()), |item| self.send(item))?;
                    return self.fail(error);
                }
            };
            let length = document.text.chars().count() + 1;
            let mut item = Item::alone(document, at);
            at += length;
            if !self.joined {
                self.send(item)?;
                continue;
            }
            if let Some(mut before) = waiting.take() {
                before.neighbours[1] = Some(item.document.clone());
                item.neighbours[0] = Some(before.document.clone());
                self.send(before)?;
            }
            waiting = Some(item);
        }
        waiting.map_or(Ok(()), |item| self.send(item))?;
        corpus::left_out(Path::new(name), &reader);
        Ok(())
    }

    /// The lines of a text that are not blank; those that are too long in pieces.
    fn text_lines(&mut self, mut reader: impl BufRead, name: &str) -> Result<(), Ended> {
        let (mut bytes, mut at, mut line) = (Vec::new(), 0, 1);
        loop {
            let room = (LONGEST_PIECE - bytes.len()) as u64;
            match reader.by_ref().take(room).read_until(b'\n', &mut bytes) {
                Ok(_) if bytes.is_empty() => return Ok(()),
                Ok(_) => {}
                Err(error) => return self.fail(Error::io(name, error)),
            }
            let is_whole = bytes.ends_with(b"\n") || bytes.len() < LONGEST_PIECE;
            let rest = if is_whole { Vec::new() } else { bytes.split_off(cut(&bytes)) };
            if !is_whole && !std::mem::replace(&mut self.cut, true) {
                let limit = LONGEST_PIECE >> 10;
                stderr::say(format!(
                    "note: {name}:{line}: longer than {limit} KiB; such lines are read in pieces"
                ));
            }
            match utf8(&bytes) {
                Ok(text) => {
                    let start = if at == 0 && text.starts_with('\u{feff}') {
                        '\u{feff}'.len_utf8()
                    } else {
                        0
                    };
                    let end = text
                        .strip_suffix('\n')
                        .map_or(text, |t| t.strip_suffix('\r').unwrap_or(t))
                        .len();
                    let document = Document {
                        text: text[start..end.max(start)].to_owned(),
                        ..Document::default()
                    };
                    let item = Item::alone(document, at + text[..start].chars().count());
                    at += text.chars().count();
                    if !item.document.text.trim().is_empty() {
                        self.send(item)?;
                    }
                }
                Err(message) => self.invalid(name, line, message)?,
            }
            line += usize::from(bytes.ends_with(b"\n"));
            bytes = rest;
        }
    }

    fn invalid(&mut self, name: &str, line: usize, message: String) -> Result<(), Ended> {
        if self.options.skip_invalid {
            self.skipped += 1;
            return Ok(());
        }
        self.fail(Error::corpus(name, line, message))
    }

    fn send(&self, item: Item) -> Result<(), Ended> {
        self.sender.send(Ok(item)).map_err(|_| Ended)
    }

    fn fail(&self, error: Error) -> Result<(), Ended> {
        // nobody is left to hear it if this fails
        let _ = self.sender.send(Err(error.into()));
        Err(Ended)
    }
}

/// The text of bytes, or which byte is none.
fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        format!(
            "byte {} (0x{:02X}) is not UTF-8: convert the file, as with `iconv -f latin1 -t utf-8`",
            at + 1,
            bytes[at]
        )
    })
}

/// Where to cut a line that is too long: after the last sentence, else after the last space, else between characters.
fn cut(bytes: &[u8]) -> usize {
    let half = bytes.len() / 2;
    let ends_sentence = |pair: &[u8]| matches!(pair[0], b'.' | b'!' | b'?') && pair[1] == b' ';
    if let Some(at) = bytes[half..].windows(2).rposition(ends_sentence) {
        return half + at + 2;
    }
    if let Some(at) = bytes[half..].iter().rposition(u8::is_ascii_whitespace) {
        return half + at + 1;
    }
    let continues = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    let tail = bytes.iter().rev().take(3).take_while(|byte| continues(byte)).count();
    bytes.len() - tail - 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(usize, String)> {
        let (sender, receiver) = sync_channel(1000);
        let options = ReadOptions::default();
        let mut reading =
            Reading { sender: &sender, options: &options, joined: false, skipped: 0, cut: false };
        assert!(reading.text_lines(bytes, "x").is_ok());
        drop(sender);
        receiver
            .iter()
            .map(|item| item.unwrap())
            .map(|item| (item.at, item.document.text))
            .collect()
    }

    #[test]
    fn documents_of_a_corpus_know_their_neighbours_if_asked_to() {
        let corpus = "{\"text\":\"a\"}\n{\"text\":\"b\"}\n{\"text\":\"c\"}\n";
        for joined in [true, false] {
            let (sender, receiver) = sync_channel(1000);
            let options = ReadOptions::default();
            let mut reading =
                Reading { sender: &sender, options: &options, joined, skipped: 0, cut: false };
            let reader = open_stream(corpus.as_bytes(), "x.jsonl", &options);
            assert!(reading.corpus("x.jsonl", reader).is_ok());
            drop(sender);
            let text = |document: &Document| document.text.clone();
            let read: Vec<[Option<String>; 3]> = receiver
                .iter()
                .map(|item| item.unwrap())
                .map(|item| {
                    let [before, after] = item.neighbours.each_ref().map(Option::as_ref);
                    [before.map(text), Some(item.document.text.clone()), after.map(text)]
                })
                .collect();
            let some = |text: &str| Some(text.to_owned());
            let (a, b, c) = (some("a"), some("b"), some("c"));
            let expected = if joined {
                [[None, a.clone(), b.clone()], [a, b.clone(), c.clone()], [b, c, None]]
            } else {
                [[None, a, None], [None, b, None], [None, c, None]]
            };
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn lines_know_how_many_code_points_come_before_them() {
        let read = lines("\u{feff}né\r\n\nx 😀\nlast".as_bytes());
        let expected = [(1, "né"), (6, "x 😀"), (10, "last")];
        assert_eq!(read, expected.map(|(at, text)| (at, text.to_owned())));
    }

    #[test]
    fn a_line_without_end_is_read_in_pieces_that_join_to_it() {
        for text in ["word and word. ".repeat(20_000), "x".repeat(200_001), "é".repeat(100_000)] {
            let read = lines(text.as_bytes());
            assert!(read.len() > 3);
            assert!(read.iter().all(|(_, piece)| piece.len() <= LONGEST_PIECE));
            let joined: String = read.iter().map(|(_, piece)| piece.as_str()).collect();
            assert_eq!(joined, text);
            let (at, piece) = &read[1];
            assert!(text.chars().skip(*at).take(20).eq(piece.chars().take(20)));
        }
    }

    #[test]
    fn sentences_stay_whole_where_they_can() {
        let read = lines("A b c. ".repeat(20_000).as_bytes());
        assert!(read.iter().all(|(_, piece)| piece.starts_with("A b c.")));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named() {
        assert!(utf8(b"caf\xe9").unwrap_err().contains("byte 4 (0xE9)"));
    }
}
