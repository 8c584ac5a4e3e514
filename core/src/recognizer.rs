//! The one type that every surface wraps: a model folder in, entities out.

use burn::module::Module;

use crate::Result;
use crate::data::{Document, Entity, LabelSet};
use crate::device::Selected;
use crate::encoder::EncoderConfig;
use crate::model::source::ModelSource;
use crate::model::{ModelConfig, ModelFolder};
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
    /// Loads a model folder onto a device.
    ///
    /// # Errors
    /// Any file that is missing, damaged, of a newer version or at odds with the others, by name.
    pub fn load(source: &ModelSource, device: &Selected) -> Result<Self> {
        let folder = ModelFolder::load(source, &device.device)?;
        Ok(Self { folder, device: device.clone() })
    }

    /// The entities of a text, in UTF-8 byte offsets: by start, longer ones first.
    ///
    /// # Errors
    /// What the tokenizer refuses.
    pub fn extract(&self, text: &str, options: &ExtractOptions) -> Result<Vec<Entity>> {
        let document = Document { text: text.to_owned(), ..Document::default() };
        let documents = self.extract_documents(vec![document], options)?;
        Ok(documents.into_iter().flat_map(|document| document.entities).collect())
    }

    /// The documents with their entities replaced by what the model finds. Documents are batched by length; words
    /// that a document brings along are kept whole.
    ///
    /// # Errors
    /// What the tokenizer refuses.
    pub fn extract_documents(
        &self,
        mut documents: Vec<Document>,
        options: &ExtractOptions,
    ) -> Result<Vec<Document>> {
        let pipeline = &self.folder.pipeline;
        let prepared: Vec<_> =
            documents.iter().map(|document| pipeline.prepare(document)).collect::<Result<_>>()?;
        let Selected { device, granularity, .. } = &self.device;
        let found = pipeline.recognise(
            &self.folder.model,
            &prepared,
            options.threshold,
            device,
            *granularity,
            |_| true,
        );
        for (document, entities) in documents.iter_mut().zip(found) {
            document.entities = entities;
        }
        Ok(documents)
    }

    /// How many gold entities of the documents no prediction can equal, and why.
    ///
    /// # Errors
    /// What the tokenizer refuses.
    pub fn unreachable(&self, documents: &[Document]) -> Result<Lost> {
        let pipeline = &self.folder.pipeline;
        let prepared: Vec<_> =
            documents.iter().map(|document| pipeline.prepare(document)).collect::<Result<_>>()?;
        Ok(samples(pipeline, documents, &prepared).1)
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
