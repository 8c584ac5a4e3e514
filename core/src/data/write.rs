//! Writing documents, one at a time.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::{Document, Format, brat, conll, jsonl, pubtator};
use crate::text::{OffsetUnit, split_words};

pub use super::brat::annotations as brat_annotations;

/// Where the words come from when a format needs them and the document has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WordSource {
    /// Runs of letters and digits, and every other visible character.
    #[default]
    Split,
    /// What white space divides: for texts that were made by joining words.
    Spaces,
}

/// How to write documents.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// The format.
    pub format: Format,
    /// What offsets count.
    pub offsets: OffsetUnit,
    /// Words of documents that have none; they are also divided where entities begin and end.
    pub words: WordSource,
    /// JSON lines with `text`: whether to add the words that a document brought along.
    pub keep_words: bool,
    /// CoNLL: the number of tag columns, hence of nesting layers; `None` for as many as each document needs.
    pub layers: Option<usize>,
}

impl WriteOptions {
    /// Plain choices for a format.
    pub fn new(format: Format) -> Self {
        let offsets = OffsetUnit::default();
        Self { format, offsets, words: WordSource::default(), keep_words: false, layers: None }
    }
}

/// What a format could not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// Entities.
    pub entities: usize,
    /// Documents without a token, in CoNLL.
    pub documents: usize,
    /// The first of them and why.
    pub notes: Vec<String>,
}

impl Lost {
    const NOTES: usize = 20;

    fn entity(&mut self, document: &Document, index: usize, why: &str) {
        self.entities += 1;
        if self.notes.len() < Self::NOTES {
            let entity = &document.entities[index];
            let id = document.id.as_deref().map(|id| format!("{id}: ")).unwrap_or_default();
            self.notes.push(format!(
                "{id}{} \"{}\" at byte {} left out: {why}",
                entity.label,
                document.text_of(entity),
                entity.start
            ));
        }
    }
}

/// Writes documents in a format of lines (all but brat, which is pairs of files: see [`brat_annotations`]).
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    options: WriteOptions,
    written: usize,
    lost: Lost,
}

impl<W: Write> Writer<W> {
    /// Writes to `output`, which should be buffered.
    pub fn new(output: W, options: WriteOptions) -> Self {
        Self { output, options, written: 0, lost: Lost::default() }
    }

    /// Writes a document.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&mut self, document: &Document) -> io::Result<()> {
        self.written += 1;
        let text = match self.options.format {
            Format::Jsonl => {
                jsonl::text_line(document, self.options.offsets, self.options.keep_words) + "\n"
            }
            Format::JsonlTokens => self.token_line(document),
            Format::Conll => self.sentence(document),
            Format::PubTator => pubtator::article(document, self.written, self.options.offsets),
            Format::Brat => brat::annotations(document, self.options.offsets),
            Format::Text => {
                for index in 0..document.entities.len() {
                    self.lost.entity(document, index, "plain text holds no entities");
                }
                document.text.replace(['\n', '\r'], " ") + "\n"
            }
        };
        self.output.write_all(text.as_bytes())
    }

    /// What is written to.
    pub fn output(&mut self) -> &mut W {
        &mut self.output
    }

    /// What could not be written so far.
    pub fn lost(&self) -> &Lost {
        &self.lost
    }

    /// Flushes, and hands back what could not be written.
    ///
    /// # Errors
    /// The system's.
    pub fn finish(mut self) -> io::Result<Lost> {
        self.output.flush()?;
        Ok(self.lost)
    }

    fn token_line(&mut self, document: &Document) -> String {
        let Tokens { tokens, entities, lost } = Tokens::of(document, self.options.words);
        self.lost_within_words(document, &lost);
        jsonl::token_line(document.id.as_deref(), tokens, entities) + "\n"
    }

    fn sentence(&mut self, document: &Document) -> String {
        let Tokens { tokens, entities, lost } = Tokens::of(document, self.options.words);
        self.lost_within_words(document, &lost);
        if tokens.is_empty() {
            self.lost.documents += 1;
            return String::new();
        }
        let flat = |text: &str| text.replace(['\t', '\n', '\r'], " ");
        let tokens: Vec<String> = tokens.into_iter().map(flat).collect();
        let mut layers = conll::layers(&entities);
        let count = self.options.layers.unwrap_or(layers.len()).max(1);
        for (start, end, label) in layers.drain(count.min(layers.len())..).flatten() {
            self.lost.entities += 1;
            if self.lost.notes.len() < Lost::NOTES {
                let words = tokens[start..end].join(" ");
                self.lost.notes.push(format!(
                    "{label} \"{words}\" left out: nested deeper than {count} tag columns hold"
                ));
            }
        }
        layers.resize(count, Vec::new());
        conll::sentence(document.id.as_deref(), &tokens, &layers) + "\n"
    }

    fn lost_within_words(&mut self, document: &Document, lost: &[usize]) {
        for &index in lost {
            self.lost.entity(document, index, "it begins or ends within a word or at white space");
        }
    }
}

/// How many CoNLL tag columns hold all entities of a document.
pub(super) fn layers_needed(document: &Document, words: WordSource) -> usize {
    conll::layers(&Tokens::of(document, words).entities).len()
}

/// A document as words.
struct Tokens<'a> {
    tokens: Vec<&'a str>,
    /// First word, end (exclusive) and label.
    entities: Vec<(usize, usize, &'a str)>,
    /// Entities that are no run of words.
    lost: Vec<usize>,
}

impl<'a> Tokens<'a> {
    fn of(document: &'a Document, source: WordSource) -> Self {
        let words = match &document.words {
            Some(words) => words.clone(),
            None => {
                let text = &document.text;
                let words = match source {
                    WordSource::Split => split_words(text),
                    WordSource::Spaces => text
                        .split_whitespace()
                        .map(|word| {
                            let start = word.as_ptr() as usize - text.as_ptr() as usize;
                            start..start + word.len()
                        })
                        .collect(),
                };
                divided(words, document)
            }
        };
        let mut own = Self { tokens: Vec::new(), entities: Vec::new(), lost: Vec::new() };
        for (index, entity) in document.entities.iter().enumerate() {
            let first = words.binary_search_by_key(&entity.start, |word| word.start);
            let last = words.binary_search_by_key(&entity.end, |word| word.end);
            match (first, last) {
                (Ok(first), Ok(last)) if first <= last => {
                    own.entities.push((first, last + 1, &entity.label));
                }
                _ => own.lost.push(index),
            }
        }
        own.tokens = words.into_iter().map(|word| &document.text[word]).collect();
        own
    }
}

/// The words, divided where entities begin and end.
fn divided(words: Vec<std::ops::Range<usize>>, document: &Document) -> Vec<std::ops::Range<usize>> {
    let mut cuts: Vec<usize> =
        document.entities.iter().flat_map(|entity| [entity.start, entity.end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut cuts = cuts.into_iter().peekable();
    let mut divided = Vec::with_capacity(words.len());
    for word in words {
        let mut start = word.start;
        while let Some(cut) = cuts.next_if(|&cut| cut < word.end) {
            if cut > start {
                divided.push(start..cut);
                start = cut;
            }
        }
        divided.push(start..word.end);
    }
    divided
}
