//! From text to the word pieces of an encoder, with the exact place of each piece.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokenizers::models::bpe::Vocab;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, Encoding, Model};

use super::marks::continues;
use crate::{Error, Result};

/// Any tokenizer that a Hugging Face `tokenizer.json` describes, or a bare BERT vocabulary.
///
/// Text that spells a special token (`[SEP]`) is read as text.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    path: String,
    prefix: Vec<u32>,
    suffix: Vec<u32>,
    pad: u32,
    vocab_size: usize,
}

/// The word pieces of a text, without special tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pieces {
    /// What the encoder knows each piece as.
    pub ids: Vec<u32>,
    /// Bytes of the text that each piece stands for: whole characters without the white space around them, starts
    /// and ends never descending. Pieces of one character have all of it; some pieces have nothing.
    pub spans: Vec<Range<usize>>,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`; truncation and padding that it asks for are left out.
    ///
    /// # Errors
    /// Anything in `bytes` that is no tokenizer; `path` is what the message calls it.
    pub fn from_json(bytes: &[u8], path: &str) -> Result<Self> {
        guarded(path, || Self::parse(bytes, path))
    }

    fn parse(bytes: &[u8], path: &str) -> Result<Self> {
        let inner = tokenizers::Tokenizer::from_bytes(bytes).map_err(|error| {
            Error::file(path, format!("not a tokenizer that can be used: {error}; expected the tokenizer.json of a Hugging Face model"))
        })?;
        let own = Self::new(inner, path)?;
        // what is damaged shows here rather than at the first text; unknown characters may be refused
        let _ = own.inner.encode(PROBE, false);
        Ok(own)
    }

    /// A BERT tokenizer from a `vocab.txt`, which has one word piece per line.
    ///
    /// # Errors
    /// Bytes that are not UTF-8, and a vocabulary without `[UNK]`, `[CLS]` or `[SEP]`.
    pub fn from_vocab(bytes: &[u8], lower_case: bool, path: &str) -> Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line =
                bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() + 1;
            Error::file(
                path,
                format!(
                    "line {line} is not UTF-8; expected a vocabulary with one word piece per line"
                ),
            )
        })?;
        let lines = text.strip_prefix('\u{FEFF}').unwrap_or(text).lines();
        let pieces: Vec<(String, u32)> = lines.map(str::to_owned).zip(0..).collect();
        let model = WordPiece::builder()
            .vocab(pieces.into_iter().collect::<Vocab>())
            .unk_token("[UNK]".to_owned())
            .build()
            .map_err(|error| Error::file(path, error.to_string()))?;
        let special = |token: &str| {
            model.token_to_id(token).map(|id| (token.to_owned(), id)).ok_or_else(|| {
                Error::file(path, format!("the vocabulary has no {token}, which a BERT vocabulary has; use the model's tokenizer.json instead"))
            })
        };
        special("[UNK]")?;
        let post = BertProcessing::new(special("[SEP]")?, special("[CLS]")?);
        let known: Vec<AddedToken> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
            .iter()
            .filter(|token| model.token_to_id(token).is_some())
            .map(|token| AddedToken::from(*token, true))
            .collect();
        let refuse = |error: tokenizers::Error| Error::file(path, error.to_string());
        let mut inner = tokenizers::Tokenizer::new(model);
        inner
            .with_normalizer(Some(BertNormalizer::new(true, true, None, lower_case)))
            .map_err(refuse)?
            .with_pre_tokenizer(Some(BertPreTokenizer))
            .with_post_processor(Some(post))
            .with_decoder(Some(tokenizers::decoders::wordpiece::WordPiece::default()));
        inner.add_special_tokens(known).map_err(refuse)?;
        Self::new(inner, path)
    }

    fn new(mut inner: tokenizers::Tokenizer, path: &str) -> Result<Self> {
        let refuse = |error: tokenizers::Error| Error::file(path, error.to_string());
        let padding = inner.get_padding().map(|padding| padding.pad_token.clone());
        inner.with_truncation(None).map_err(refuse)?.with_padding(None);
        inner.set_encode_special_tokens(true);
        // what the post-processor puts around one piece
        let mut probe = Encoding::default();
        probe.merge_with(piece(), false);
        let around = inner.post_process(probe, None, true).map_err(refuse)?;
        let (ids, special) = (around.get_ids(), around.get_special_tokens_mask());
        let at = special.iter().position(|&mask| mask == 0).ok_or_else(|| {
            Error::file(path, "its post-processor drops the text and leaves special tokens only")
        })?;
        let (prefix, suffix) = (ids[..at].to_vec(), ids[at + 1..].to_vec());
        let pad = padding.iter().map(String::as_str).chain(["[PAD]", "<pad>"]);
        let pad = pad.into_iter().find_map(|token| inner.token_to_id(token)).unwrap_or(0);
        let vocabulary = inner.get_vocab(true);
        let largest = vocabulary.values().chain(&prefix).chain(&suffix).max();
        let Some(&largest) = largest.filter(|_| !vocabulary.is_empty()) else {
            return Err(Error::file(path, "the vocabulary is empty"));
        };
        Ok(Self {
            path: path.to_owned(),
            prefix,
            suffix,
            pad,
            vocab_size: largest as usize + 1,
            inner,
        })
    }

    /// The tokenizer as a `tokenizer.json`.
    pub fn to_json(&self) -> String {
        self.inner.to_string(false).expect("what was read or built can be written")
    }

    /// One more than the largest id that comes out, hence the rows that an embedding needs.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The id of a token, special ones included.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The same with more special tokens, and their ids. Those that it has already keep theirs; text that spells one
    /// stays text.
    ///
    /// # Errors
    /// A vocabulary whose ids have gaps, so that a new token takes the id of another one.
    pub fn with_special<const N: usize>(&self, tokens: [&str; N]) -> Result<(Self, [u32; N])> {
        let refuse = |error: tokenizers::Error| Error::file(&self.path, error.to_string());
        let before = self.inner.get_vocab(true);
        let mut inner = self.inner.clone();
        inner
            .add_special_tokens(tokens.map(|token| AddedToken::from(token, true)))
            .map_err(refuse)?;
        let ids = tokens.map(|token| inner.token_to_id(token).unwrap_or(0));
        let taken = |(token, id): (&&str, &u32)| {
            before.get(*token) != Some(id) && before.values().any(|other| other == id)
        };
        if tokens.iter().zip(&ids).any(taken) {
            return Err(Error::file(
                &self.path,
                "its ids have gaps, so that no special tokens can be added; use another encoder",
            ));
        }
        Ok((Self::new(inner, &self.path)?, ids))
    }

    /// The id that fills rows up to the same length.
    pub fn pad_id(&self) -> u32 {
        self.pad
    }

    /// Special tokens before a text.
    pub fn prefix(&self) -> &[u32] {
        &self.prefix
    }

    /// Special tokens after a text.
    pub fn suffix(&self) -> &[u32] {
        &self.suffix
    }

    /// Splits a text.
    ///
    /// # Errors
    /// A tokenizer without a piece for unknown characters, when the text has one.
    pub fn encode(&self, text: &str) -> Result<Pieces> {
        let encoding = guarded(&self.path, || {
            self.inner.encode(text, false).map_err(|error| {
                Error::file(&self.path, format!("this text cannot be split: {error}"))
            })
        })?;
        let spans = spans(text, encoding.get_offsets(), encoding.get_tokens());
        Ok(Pieces { ids: encoding.get_ids().to_vec(), spans })
    }
}

/// Characters of several scripts and lengths.
const PROBE: &str = "A word, naïve e\u{301} 漢字 \u{1F469}\u{200D}\u{1F52C} \u{0}x";

/// Turns a panic of the `tokenizers` crate, which trusts some parts of its files, into an error.
fn guarded<T>(path: &str, run: impl FnOnce() -> Result<T>) -> Result<T> {
    #[cfg(panic = "abort")]
    let _guard = Guard::new(path);
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(Error::file(
            path,
            "the tokenizer fails on its own data; the file is damaged, get it again",
        ))
    })
}

#[cfg(panic = "abort")]
thread_local! {
    static GUARDED: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

/// The tokenizer's file while the `tokenizers` crate works on it: what is to blame for a panic, for whoever sees the
/// program end where panics cannot be caught.
#[cfg(panic = "abort")]
pub fn guarded_file() -> Option<String> {
    GUARDED.take()
}

#[cfg(panic = "abort")]
struct Guard;

#[cfg(panic = "abort")]
impl Guard {
    fn new(path: &str) -> Self {
        GUARDED.set(Some(path.to_owned()));
        Self
    }
}

#[cfg(panic = "abort")]
impl Drop for Guard {
    fn drop(&mut self) {
        GUARDED.set(None);
    }
}

/// An encoding of a single piece that is no special token.
fn piece() -> Encoding {
    Encoding::from_tokens(vec![tokenizers::Token::new(0, "a".to_owned(), (0, 1))], 0)
}

/// What [`Pieces::spans`] promises, from what the `tokenizers` crate reports.
fn spans(text: &str, offsets: &[(usize, usize)], tokens: &[String]) -> Vec<Range<usize>> {
    let mut floor = Range { start: 0, end: 0 };
    let mut spans: Vec<Range<usize>> = offsets
        .iter()
        .zip(tokens)
        .map(|(&(start, end), token)| {
            let span = visible(text, start, end, token);
            if !span.is_empty() {
                floor = span.start.max(floor.start)..span.end.max(floor.end);
                return floor.clone();
            }
            let at = span.start.clamp(floor.start, floor.end.max(span.start));
            at..at
        })
        .collect();
    keep_marks(text, &mut spans);
    spans
}

/// Whole characters of a piece without the white space around them.
fn visible(text: &str, start: usize, end: usize, token: &str) -> Range<usize> {
    let mut start = start.min(text.len());
    let mut end = end.clamp(start, text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let inside = &text[start..end];
    let start = start + (inside.len() - inside.trim_start().len());
    let inside = inside.trim();
    // a bare word marker ("▁" of Metaspace, "Ġ" of byte-level BPE) that was put before the first word
    let is_marker = |c: char| c == '▁' || c == 'Ġ';
    if token.chars().all(is_marker) && !inside.chars().all(is_marker) {
        return start..start;
    }
    start..start + inside.len()
}

/// Gives marks and joiners that a normalizer dropped to the piece before them.
fn keep_marks(text: &str, spans: &mut [Range<usize>]) {
    let mut next = text.len();
    let (mut seen, mut extended) = (usize::MAX, usize::MAX);
    for span in spans.iter_mut().rev().filter(|span| span.start < span.end) {
        if span.end != seen {
            seen = span.end;
            let gap = text.get(span.end..next).unwrap_or_default();
            let marks =
                gap.chars().take_while(|&c| continues(c)).map(char::len_utf8).sum::<usize>();
            extended = span.end + marks;
        }
        span.end = extended;
        next = span.start;
    }
}

#[cfg(test)]
mod tests;
