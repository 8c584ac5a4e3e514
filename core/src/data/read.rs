//! Reading corpora of any format, one document at a time.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::brat::Brat;
use super::conll::Conll;
use super::jsonl::Jsonl;
use super::lines::{Input, Lines};
use super::pubtator::PubTator;
use super::tags::Scheme;
use super::{Document, Format};
use crate::text::OffsetUnit;
use crate::{Error, Result};

/// How to read a corpus.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The format; `None` to tell it from the name and the first bytes.
    pub format: Option<Format>,
    /// What offsets in the files count.
    pub offsets: OffsetUnit,
    /// Whether to leave out what is invalid, and count it, instead of stopping there.
    pub skip_invalid: bool,
    /// CoNLL: the tagging scheme; `None` to tell IOB1 from the others by the tags themselves.
    pub scheme: Option<Scheme>,
    /// CoNLL: the columns that hold tags, one per nesting layer, counted from 0; `None` for the last ones that look so.
    pub tag_columns: Option<Vec<usize>>,
}

/// A corpus in memory.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    /// All documents, in the order of the file.
    pub documents: Vec<Document>,
    /// How many lines, sentences or annotations were invalid and left out.
    pub skipped: usize,
    /// How many discontinuous annotations were left out: a span has one start and one end.
    pub discontinuous: usize,
    /// What was left out and why; the first of each only, when there is much.
    pub notes: Vec<String>,
}

/// Reads a whole file or brat folder.
///
/// # Errors
/// What is invalid, by file and line, unless `skip_invalid`; and a corpus without documents.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Corpus> {
    let mut reader = open(path, options)?;
    let documents = reader.by_ref().collect::<Result<Vec<_>>>()?;
    if documents.is_empty() {
        let skipped = match reader.skipped() {
            0 => String::new(),
            skipped => format!(" besides {skipped} invalid ones; the first: {}", reader.notes()[0]),
        };
        return Err(Error::file(path, format!("holds no documents{skipped}")));
    }
    let Issues { skipped, discontinuous, notes, .. } = reader.issues;
    Ok(Corpus { documents, skipped, discontinuous, notes })
}

/// Opens a file or brat folder; memory stays that of one document.
///
/// # Errors
/// A file that cannot be opened.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Reader> {
    let io = |error| Error::io(path, error);
    let about = std::fs::metadata(path).map_err(io)?;
    if about.is_dir() {
        if let Some(format) = options.format.filter(|format| *format != Format::Brat) {
            return Err(Error::file(
                path,
                format!("is a folder, which {} is not kept in", format.name()),
            ));
        }
        return Ok(Reader::new(Format::Brat, Box::new(Brat::folder(path, options)?), options));
    }
    let mut input = BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?);
    let head = input.fill_buf().map_err(io)?;
    let format = options.format.unwrap_or_else(|| Format::guess(path, head));
    if format == Format::Brat {
        return Ok(Reader::new(format, Box::new(Brat::pair(path, options)), options));
    }
    let mut options = options.clone();
    if format == Format::Conll && options.scheme.is_none() && about.is_file() {
        options.scheme = Some(super::conll::scheme_of(path, &options)?);
    }
    Ok(of_lines(format, Box::new(input), &path.display().to_string(), &options))
}

/// Reads from a stream; `name` is what messages call it.
///
/// # Errors
/// The system's; and brat, which is pairs of files.
pub fn open_stream(
    mut input: impl BufRead + Send + 'static,
    name: &str,
    options: &ReadOptions,
) -> Result<Reader> {
    let head = input.fill_buf().map_err(|error| Error::io(name, error))?;
    let format = options.format.unwrap_or_else(|| Format::guess(Path::new(name), head));
    if format == Format::Brat {
        return Err(Error::file(
            name,
            "brat is pairs of .txt and .ann files, which a stream cannot hold",
        ));
    }
    Ok(of_lines(format, Box::new(input), name, options))
}

fn of_lines(format: Format, input: Input, name: &str, options: &ReadOptions) -> Reader {
    let lines = Lines::new(input, name);
    let source: Box<dyn Source> = match format {
        Format::Jsonl | Format::JsonlTokens => Box::new(Jsonl::new(lines, format, options.offsets)),
        Format::Conll => Box::new(Conll::new(lines, options)),
        Format::PubTator => Box::new(PubTator::new(lines, options.offsets)),
        Format::Text | Format::Brat => Box::new(Plain(lines)),
    };
    Reader::new(format, source, options)
}

/// The documents of a corpus, one at a time; ends after the first error.
pub struct Reader {
    format: Format,
    source: Box<dyn Source>,
    issues: Issues,
    ended: bool,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("format", &self.format)
            .field("issues", &self.issues)
            .finish()
    }
}

impl Reader {
    fn new(format: Format, source: Box<dyn Source>, options: &ReadOptions) -> Self {
        let issues = Issues { skip: options.skip_invalid, ..Issues::default() };
        Self { format, source, issues, ended: false }
    }

    /// The format, forced or told.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many lines, sentences or annotations were left out so far.
    pub fn skipped(&self) -> usize {
        self.issues.skipped
    }

    /// How many discontinuous annotations were left out so far.
    pub fn discontinuous(&self) -> usize {
        self.issues.discontinuous
    }

    /// What was left out so far and why.
    pub fn notes(&self) -> &[String] {
        &self.issues.notes
    }
}

impl Iterator for Reader {
    type Item = Result<Document>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.source.next(&mut self.issues).transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// What yields the documents of one format.
pub(super) trait Source: Send {
    /// The next document; hands what is invalid to `issues`.
    fn next(&mut self, issues: &mut Issues) -> Result<Option<Document>>;
}

/// What was wrong with a corpus so far.
#[derive(Debug, Default)]
pub(super) struct Issues {
    skip: bool,
    skipped: usize,
    discontinuous: usize,
    notes: Vec<String>,
}

impl Issues {
    /// Most notes that are kept.
    const NOTES: usize = 20;

    /// Counts `error` and goes on, or stops there. `what` can be left out with it: "lines", "sentences" …
    pub fn invalid(&mut self, error: Error, what: &str) -> Result<()> {
        match error {
            error @ Error::Corpus { .. } if self.skip => {
                self.skipped += 1;
                self.note(error.to_string());
                Ok(())
            }
            Error::Corpus { path, line, message } => Err(Error::Corpus {
                path,
                line,
                message: format!("{message} (--skip-invalid leaves such {what} out)"),
            }),
            error => Err(error),
        }
    }

    /// Counts an annotation in several parts, which is left out.
    pub fn discontinuous(&mut self, message: String) {
        self.discontinuous += 1;
        self.note(message);
    }

    fn note(&mut self, message: String) {
        if self.notes.len() < Self::NOTES {
            self.notes.push(message);
        }
    }
}

/// Plain text: a document per line that is not blank.
struct Plain(Lines);

impl Source for Plain {
    fn next(&mut self, issues: &mut Issues) -> Result<Option<Document>> {
        loop {
            match self.0.next() {
                Ok(Some(text)) if text.trim().is_empty() => {}
                Ok(text) => return Ok(text.map(|text| Document { text, ..Document::default() })),
                Err(error) => issues.invalid(error, "lines")?,
            }
        }
    }
}
