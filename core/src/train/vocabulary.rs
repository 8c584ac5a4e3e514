//! A WordPiece vocabulary learnt from the training text, for encoders that start from nothing.

use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, TokenizerImpl};

use crate::data::Document;
use crate::text::Tokenizer;
use crate::{Error, Result};

/// The special tokens of BERT, in the order of their ids.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// A lower-casing BERT tokenizer with at most `size` word pieces learnt from the documents' texts.
///
/// # Errors
/// What the learner refuses, such as documents without text.
pub fn learn_vocabulary(documents: &[Document], size: usize) -> Result<Tokenizer> {
    let refuse =
        |error: tokenizers::Error| Error::Setting(format!("learning a vocabulary: {error}"));
    let mut trainer = WordPieceTrainer::builder()
        .vocab_size(size)
        .show_progress(false)
        .special_tokens(SPECIAL.iter().map(|token| AddedToken::from(*token, true)).collect())
        .build();
    let mut learner: TokenizerImpl<
        WordPiece,
        BertNormalizer,
        BertPreTokenizer,
        tokenizers::processors::bert::BertProcessing,
        tokenizers::decoders::wordpiece::WordPiece,
    > = TokenizerImpl::new(WordPiece::default());
    learner
        .with_normalizer(Some(BertNormalizer::default()))
        .map_err(refuse)?
        .with_pre_tokenizer(Some(BertPreTokenizer));
    learner.train(&mut trainer, documents.iter().map(|d| d.text.as_str())).map_err(refuse)?;
    let vocabulary = learner.get_vocab(true);
    let mut words: Vec<(&String, &u32)> = vocabulary.iter().collect();
    words.sort_by_key(|(_, id)| **id);
    let lines: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
    Tokenizer::from_vocab(lines.join("\n").as_bytes(), true, "the learnt vocabulary")
}
