//! What a run starts from: an encoder, a tokenizer, and the text handling that the data calls for.

use std::collections::HashSet;

use burn::tensor::Device;

use super::gold::whole_word_share;
use super::init::seeded;
use super::settings::TrainSettings;
use super::vocabulary::learn_vocabulary;
use super::word_vectors::WordVectors;
use crate::data::{Document, LabelSet};
use crate::encoder::EncoderConfig;
use crate::head::HeadSettings;
use crate::model::source::ModelSource;
use crate::model::{
    DecodeSettings, FORMAT_VERSION, ModelConfig, NerModel, Pipeline, Prepared, WindowSettings,
    read_tokenizer,
};
use crate::text::Tokenizer;
use crate::{Error, Result};

/// Word pieces of the vocabulary of a tiny encoder.
const TINY_VOCABULARY: usize = 2000;
/// Entities end at word boundaries if at least this share of the training entities does.
const WHOLE_WORDS: f64 = 0.99;

/// Where the encoder comes from.
#[derive(Debug, Clone)]
pub enum EncoderSource {
    /// A small BERT with fresh weights and a vocabulary learnt from the training text.
    Tiny,
    /// A folder as Hugging Face publishes it.
    Pretrained(ModelSource),
}

impl EncoderSource {
    /// The encoder's configuration and tokenizer; a tiny one learns its vocabulary from `documents`.
    pub(crate) fn open(&self, documents: &[Document]) -> Result<(EncoderConfig, Tokenizer)> {
        match self {
            Self::Tiny => {
                let tokenizer = learn_vocabulary(documents, TINY_VOCABULARY)?;
                Ok((EncoderConfig::tiny(tokenizer.vocab_size()), tokenizer))
            }
            Self::Pretrained(source) => {
                let encoder = EncoderConfig::read(source)?;
                let tokenizer = read_tokenizer(source, &encoder)?;
                Ok((encoder, tokenizer))
            }
        }
    }
}

/// An untrained model with its text handling.
pub(super) struct Start {
    pub encoder: EncoderConfig,
    pub pipeline: Pipeline,
    pub model: NerModel,
    /// The training documents, tokenised.
    pub prepared: Vec<Prepared>,
    /// What a user should know.
    pub note: Option<String>,
}

impl Start {
    /// Loads or makes the encoder, adds a fresh head, and tokenises the training documents.
    pub fn new(
        source: &EncoderSource,
        settings: &TrainSettings,
        documents: &[Document],
        device: &Device,
    ) -> Result<Self> {
        let labels = LabelSet::from_documents(documents);
        if labels.is_empty() {
            return Err(Error::Setting(
                "the training data holds no entities, so there is nothing to learn".into(),
            ));
        }
        let (mut encoder, tokenizer) = source.open(documents)?;
        if let Some(dropout) = settings.dropout {
            (encoder.hidden_dropout, encoder.attention_dropout) = (dropout, dropout);
        }
        let max_length = settings.max_length.min(encoder.max_tokens());
        let config = ModelConfig {
            format_version: FORMAT_VERSION,
            labels,
            head: settings.head(),
            decode: DecodeSettings {
                threshold: settings.threshold.unwrap_or(settings.head.threshold()),
                word_boundaries: true,
            },
            window: WindowSettings {
                max_length,
                stride: settings.stride.min((max_length / 2).saturating_sub(1)),
            },
            training: None,
        };
        let mut pipeline = Pipeline { tokenizer, config };
        let mut prepared = prepare(&pipeline, documents)?;
        let vectors = word_vectors(&mut pipeline, settings, documents, &prepared)?;
        let mut note = None;
        if let Some((_, coverage)) = &vectors {
            note = Some(coverage.clone());
            prepared = prepare(&pipeline, documents)?;
        }
        let fresh = NerModel::new(&encoder, &pipeline.config, device);
        let mut model = seeded(fresh, settings.seed);
        if let Some((vectors, _)) = vectors {
            model.head = model.head.with_vectors(vectors.tensor(device));
        }
        if let EncoderSource::Pretrained(source) = source {
            model.encoder = encoder.load(source, device)?;
        }
        pipeline.config.decode.word_boundaries =
            whole_word_share(documents, &prepared) >= WHOLE_WORDS;
        Ok(Self { encoder, pipeline, model, prepared, note })
    }
}

/// The static vectors of the words of the training documents, if there are to be some, and how many have one; the words
/// go into the head's settings.
fn word_vectors(
    pipeline: &mut Pipeline,
    settings: &TrainSettings,
    documents: &[Document],
    prepared: &[Prepared],
) -> Result<Option<(WordVectors, String)>> {
    let Some(path) = &settings.word_vectors else { return Ok(None) };
    let HeadSettings::TwoStage(mut head) = pipeline.config.head.clone() else { return Ok(None) };
    let of = |(document, prepared)| pipeline.vocabulary(document, prepared);
    let words: HashSet<String> = documents.iter().zip(prepared).flat_map(of).collect();
    let vectors = WordVectors::read(path, &words)?;
    let coverage = format!(
        "{} of the {} words of the training data have a vector in {}",
        vectors.list.rows() - 1,
        words.len(),
        path.display()
    );
    head.word_list = Some(vectors.list.clone());
    pipeline.config.head = HeadSettings::TwoStage(head);
    Ok(Some((vectors, coverage)))
}

/// Tokenises documents.
pub(super) fn prepare(pipeline: &Pipeline, documents: &[Document]) -> Result<Vec<Prepared>> {
    documents.iter().map(|document| pipeline.prepare(document)).collect()
}
