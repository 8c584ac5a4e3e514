//! brat: a text in `NAME.txt` and its annotations in `NAME.ann`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::lines::{Lines, shown};
use super::pubtator::place;
use super::read::{Issues, ReadOptions, Source};
use super::{Document, Entity};
use crate::text::{OffsetMap, OffsetUnit};
use crate::{Error, Result};

/// Most bytes of a text.
const LIMIT: u64 = 256 << 20;

pub(super) struct Brat {
    /// Paths without extension, the next one last.
    left: Vec<PathBuf>,
    unit: OffsetUnit,
}

impl Brat {
    /// The one pair that `path` is half of.
    pub fn pair(path: &Path, options: &ReadOptions) -> Self {
        Self { left: vec![path.with_extension("")], unit: options.offsets }
    }

    /// All pairs of a folder, numbers in names in their order.
    pub fn folder(path: &Path, options: &ReadOptions) -> Result<Self> {
        let io = |error| Error::io(path, error);
        let mut left = Vec::new();
        for entry in std::fs::read_dir(path).map_err(io)? {
            let file = entry.map_err(io)?.path();
            if matches!(file.extension().and_then(|e| e.to_str()), Some("txt" | "ann")) {
                left.push(file.with_extension(""));
            }
        }
        left.sort_by_cached_key(|path| std::cmp::Reverse(natural(&path.to_string_lossy())));
        left.dedup();
        if left.is_empty() {
            return Err(Error::file(
                path,
                "the folder has no .txt and .ann files; of a folder only brat is read",
            ));
        }
        Ok(Self { left, unit: options.offsets })
    }

    fn document(&self, stem: &Path, text: String, issues: &mut Issues) -> Result<Document> {
        let path = with_extension(stem, ".ann");
        let id = stem.file_name().map(|name| decoded(&name.to_string_lossy()));
        let mut document = Document { id, text, ..Document::default() };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(document),
            Err(error) => return Err(Error::io(&path, error)),
        };
        let mut lines = Lines::new(Box::new(BufReader::new(file)), &path.display().to_string());
        let map = OffsetMap::new(&document.text, self.unit);
        loop {
            let line = match lines.next() {
                Ok(None) => break,
                Ok(Some(line)) => line,
                Err(error) => {
                    issues.invalid(error, "lines")?;
                    continue;
                }
            };
            match annotation(&line, &document.text, &map, self.unit) {
                Ok(Annotation::Entity(entity)) => document.entities.push(entity),
                Ok(Annotation::Discontinuous) => {
                    let error = lines
                        .error(format!("left out, because it is discontinuous: {}", shown(&line)));
                    issues.discontinuous(error.to_string());
                }
                Ok(Annotation::Other) => {}
                Err(wrong) => issues.invalid(lines.error(wrong), "lines")?,
            }
        }
        Ok(document)
    }
}

impl Source for Brat {
    fn next(&mut self, issues: &mut Issues) -> Result<Option<Document>> {
        while let Some(stem) = self.left.pop() {
            match read_text(&with_extension(&stem, ".txt")) {
                Ok(text) => return self.document(&stem, text, issues).map(Some),
                Err(error) => issues.invalid(error, "documents")?,
            }
        }
        Ok(None)
    }
}

/// Whether a folder has annotations of brat.
pub(super) fn is_folder(path: &Path) -> Result<bool> {
    let io = |error| Error::io(path, error);
    for entry in std::fs::read_dir(path).map_err(io)? {
        if entry.map_err(io)?.path().extension().is_some_and(|extension| extension == "ann") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds an extension to a name that may have dots of its own.
fn with_extension(stem: &Path, extension: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(extension);
    PathBuf::from(name)
}

fn read_text(path: &Path) -> Result<String> {
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::file(path, "there is no such text beside its .ann file")
        }
        _ => Error::io(path, error),
    })?;
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| Error::io(path, error))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Error::file(
            path,
            format!("the text is longer than {} MiB, the most that is read", LIMIT >> 20),
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        Error::corpus(path, line, format!(
            "byte 0x{:02X} is not UTF-8; if the file is Latin-1, convert it with `iconv -f latin1 -t utf-8`",
            error.as_bytes()[at]
        ))
    })?;
    Ok(match text.strip_prefix('\u{FEFF}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

enum Annotation {
    Entity(Entity),
    Discontinuous,
    /// A relation, event, attribute, normalisation or note.
    Other,
}

/// `T1<tab>TYPE START END[;START END…]<tab>TEXT`; offsets are code points.
fn annotation(
    line: &str,
    text: &str,
    map: &OffsetMap<'_>,
    unit: OffsetUnit,
) -> Result<Annotation, String> {
    match line.chars().next() {
        None | Some('R' | 'E' | 'A' | 'N' | 'M' | '#' | '*') => return Ok(Annotation::Other),
        Some('T') => {}
        Some(_) => {
            return Err(format!(
                "expected an annotation such as `T1 TYPE 0 4 text`, found {}",
                shown(line)
            ));
        }
    }
    let mut fields = line.splitn(3, '\t');
    let (_, span, mention) = (fields.next(), fields.next(), fields.next());
    let Some((label, span)) = span.and_then(|span| span.split_once(' ')) else {
        return Err(format!(
            "expected type, start and end after the first tab, found {}",
            shown(line)
        ));
    };
    let mut parts = Vec::new();
    for part in span.split(';') {
        let Some((start, end)) = part.split_once(' ') else {
            return Err(format!("expected start and end, found {}", shown(part)));
        };
        parts.push(place(start, end, map, unit)?);
    }
    // brat also divides an entity where a line ends, which leaves it whole
    let divided = parts.windows(2).any(|pair| {
        text.get(pair[0].1..pair[1].0).is_none_or(|between| !between.trim().is_empty())
    });
    if divided {
        return Ok(Annotation::Discontinuous);
    }
    let (start, end) = (parts[0].0, parts[parts.len() - 1].1);
    match mention {
        Some(mention) if !same_mention(mention, &text[start..end]) => Err(format!(
            "its text is \"{mention}\", but the document has \"{}\" there",
            &text[start..end]
        )),
        _ => Ok(Annotation::Entity(Entity { start, end, label: label.to_owned(), score: None })),
    }
}

/// Whether two texts have the same letters and digits, or, without any, differ in white space only. Corpora as published
/// differ from their texts in quotes and spaces.
pub(super) fn same_mention(a: &str, b: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let visible = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    match (letters(a), letters(b)) {
        (a_letters, b_letters) if !a_letters.is_empty() || !b_letters.is_empty() => {
            a_letters == b_letters
        }
        _ => visible(a) == visible(b),
    }
}

/// The annotations of a document as the content of an `.ann` file; white space in types becomes `_`.
pub fn annotations(document: &Document, unit: OffsetUnit) -> String {
    let map = OffsetMap::new(&document.text, unit);
    let mut written = String::new();
    for (index, entity) in document.entities.iter().enumerate() {
        let label = entity.label.replace(char::is_whitespace, "_");
        let mut parts = Vec::new();
        let mut at = entity.start;
        for line in document.text_of(entity).split('\n') {
            if !line.is_empty() {
                parts.push(format!("{} {}", map.from_byte(at), map.from_byte(at + line.len())));
            }
            at += line.len() + 1;
        }
        if parts.is_empty() {
            parts.push(format!("{} {}", map.from_byte(entity.start), map.from_byte(entity.end)));
        }
        let mention = document.text_of(entity).replace(['\n', '\r', '\t'], " ");
        written.push_str(&format!("T{}\t{label} {}\t{mention}\n", index + 1, parts.join(";")));
    }
    written
}

/// A file name that [`decoded`] turns back: everything but letters, digits, `-`, `_` and inner `.` as `%XX`.
pub(super) fn encoded(id: &str) -> String {
    let plain = |(at, byte): (usize, &u8)| {
        byte.is_ascii_alphanumeric() || b"-_".contains(byte) || (*byte == b'.' && at > 0)
    };
    let byte = |at: (usize, &u8)| {
        if plain(at) { char::from(*at.1).to_string() } else { format!("%{:02X}", at.1) }
    };
    id.as_bytes().iter().take(80).enumerate().map(byte).collect()
}

fn decoded(name: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex =
            after.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| name.to_owned())
}

/// A sort key in which `a2` comes before `a10`.
fn natural(name: &str) -> Vec<(String, u128)> {
    let mut key = vec![(String::new(), 0u128)];
    let mut in_number = false;
    for c in name.chars() {
        match c.to_digit(10) {
            Some(digit) => {
                if let Some((_, number)) = key.last_mut() {
                    *number = number.saturating_mul(10).saturating_add(u128::from(digit));
                }
                in_number = true;
            }
            None => {
                if std::mem::take(&mut in_number) {
                    key.push((String::new(), 0));
                }
                if let Some((letters, _)) = key.last_mut() {
                    letters.push(c);
                }
            }
        }
    }
    key
}
