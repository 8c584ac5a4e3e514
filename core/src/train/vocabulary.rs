//! A vocabulary learnt from the training text, for encoders that start from nothing.

use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, DecoderWrapper, TokenizerImpl};

use crate::data::Document;
use crate::text::Tokenizer;
use crate::{Error, Result};

/// The special tokens of BERT, in the order of their ids.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// A lower-casing tokenizer with at most `size` pieces learnt from the documents' texts, and BERT's special tokens.
///
/// Byte-pair encoding, because the library's WordPiece learner numbers its pieces in an order that changes from
/// run to run.
///
/// # Errors
/// What the learner refuses.
pub fn learn_vocabulary(documents: &[Document], size: usize) -> Result<Tokenizer> {
    let refuse =
        |error: tokenizers::Error| Error::Setting(format!("learning a vocabulary: {error}"));
    let mut trainer = BpeTrainer::builder()
        .vocab_size(size)
        .show_progress(false)
        .special_tokens(SPECIAL.iter().map(|token| AddedToken::from(*token, true)).collect())
        .build();
    let model = BPE::builder().unk_token("[UNK]".into()).build().map_err(refuse)?;
    let mut learner: TokenizerImpl<
        BPE,
        BertNormalizer,
        BertPreTokenizer,
        BertProcessing,
        DecoderWrapper,
    > = TokenizerImpl::new(model);
    learner
        .with_normalizer(Some(BertNormalizer::default()))
        .map_err(refuse)?
        .with_pre_tokenizer(Some(BertPreTokenizer))
        .with_post_processor(Some(BertProcessing::new(("[SEP]".into(), 3), ("[CLS]".into(), 2))));
    learner.train(&mut trainer, documents.iter().map(|d| d.text.as_str())).map_err(refuse)?;
    let json = learner.to_string(false).map_err(refuse)?;
    Tokenizer::from_json(json.as_bytes(), "the learnt vocabulary")
}
