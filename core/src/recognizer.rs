//! The one type that every surface wraps: a model folder in, entities out.

use burn::module::Module;

use crate::Result;
#[cfg(not(target_arch = "wasm32"))]
use crate::data::Entity;
use crate::data::{Document, LabelSet};
use crate::device::Selected;
use crate::encoder::EncoderConfig;
use crate::model::source::ModelSource;
use crate::model::weights::Precision;
use crate::model::{Extraction, ModelConfig, ModelFolder, Prepared};
#[cfg(feature = "train")]
use crate::train::{Lost, samples};

/// A loaded model.
#[derive(Debug)]
pub struct Recognizer {
    folder: ModelFolder,
    device: Selected,
}

/// What a caller may choose per call.
#[derive(Debug, Clone, Default)]
pub struct ExtractOptions {
    /// The probability that an entity exceeds; `None` for the model's own.
    pub threshold: Option<f32>,
}

impl Recognizer {
    /// Loads a model folder onto a device, from its weights of a precision.
    ///
    /// # Errors
    /// Any file that is missing, damaged, of a newer version or at odds with the others, by name.
    pub fn load(source: &ModelSource, precision: Precision, device: &Selected) -> Result<Self> {
        let folder = ModelFolder::load(source, precision, &device.device)?;
        Ok(Self { folder, device: device.clone() })
    }

    /// Splits documents into windows that are ready for the model. Words that a document brings along are kept whole.
    ///
    /// # Errors
    /// What the tokenizer refuses.
    pub fn start(
        &self,
        documents: &[Document],
        options: &ExtractOptions,
    ) -> Result<Extraction<'_>> {
        let ModelFolder { pipeline, model, .. } = &self.folder;
        let prepared = self.prepare(documents)?;
        Ok(Extraction::new(pipeline, model, prepared, options.threshold, &self.device))
    }

    fn prepare(&self, documents: &[Document]) -> Result<Vec<Prepared>> {
        documents.iter().map(|document| self.folder.pipeline.prepare(document)).collect()
    }

    /// The entities of a text, in UTF-8 byte offsets: by start, longer ones first.
    ///
    /// # Errors
    /// What the tokenizer refuses, or a device that fails.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn extract(&self, text: &str, options: &ExtractOptions) -> Result<Vec<Entity>> {
        let document = Document { text: text.to_owned(), ..Document::default() };
        let documents = self.extract_documents(vec![document], options)?;
        Ok(documents.into_iter().flat_map(|document| document.entities).collect())
    }

    /// The documents with their entities replaced by what the model finds.
    ///
    /// # Errors
    /// What the tokenizer refuses, or a device that fails.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn extract_documents(
        &self,
        mut documents: Vec<Document>,
        options: &ExtractOptions,
    ) -> Result<Vec<Document>> {
        let found = self.start(&documents, options)?.run(|_| true)?;
        for (document, entities) in documents.iter_mut().zip(found) {
            document.entities = entities;
        }
        Ok(documents)
    }

    /// How many gold entities of the documents no prediction can equal, and why.
    ///
    /// # Errors
    /// What the tokenizer refuses.
    #[cfg(feature = "train")]
    pub fn unreachable(&self, documents: &[Document]) -> Result<Lost> {
        let prepared = self.prepare(documents)?;
        Ok(samples(&self.folder.pipeline, documents, &prepared).1)
    }

    /// The entity types.
    pub fn labels(&self) -> &LabelSet {
        &self.folder.pipeline.config.labels
    }

    /// The device it runs on.
    pub fn device(&self) -> &Selected {
        &self.device
    }

    /// The configuration of the model.
    pub fn config(&self) -> &ModelConfig {
        &self.folder.pipeline.config
    }

    /// The configuration of the encoder.
    pub fn encoder(&self) -> &EncoderConfig {
        &self.folder.encoder
    }

    /// How many numbers were learnt.
    pub fn parameters(&self) -> usize {
        self.folder.model.num_params()
    }
}
