//! The one type that every surface wraps: a model folder in, entities out.

use crate::Result;
use crate::combine::{Ensemble, EnsembleConfig, Method};
#[cfg(not(target_arch = "wasm32"))]
use crate::data::Entity;
use crate::data::{Document, LabelSet};
use crate::device::Selected;
use crate::model::source::ModelSource;
use crate::model::weights::Precision;
use crate::model::{Ending, Extraction, Judging, ModelConfig, ModelFolder, Passes, Prepared};
#[cfg(feature = "train")]
use crate::train::{Lost, samples};

/// A loaded model: a single one, or an ensemble.
#[derive(Debug)]
pub struct Recognizer {
    loaded: Loaded,
    device: Selected,
}

#[derive(Debug)]
enum Loaded {
    Model(Box<ModelFolder>),
    Ensemble(Box<Ensemble>),
}

/// What a caller may choose per call.
#[derive(Debug, Clone, Default)]
pub struct ExtractOptions {
    /// The probability that an entity exceeds; `None` for the model's own. With the classifier of an ensemble, the
    /// probability of being correct, and its members keep their own.
    pub threshold: Option<f32>,
}

impl Recognizer {
    /// Loads a model folder onto a device, from its weights of a precision.
    ///
    /// # Errors
    /// Any file that is missing, damaged, of a newer version or at odds with the others, by name.
    pub fn load(source: &ModelSource, precision: Precision, device: &Selected) -> Result<Self> {
        let loaded = match EnsembleConfig::read(source)? {
            None => Loaded::Model(Box::new(ModelFolder::load(source, precision, &device.device)?)),
            Some(config) => Loaded::Ensemble(Box::new(Ensemble::load(
                source,
                config,
                precision,
                &device.device,
            )?)),
        };
        Ok(Self { loaded, device: device.clone() })
    }

    /// Refuses a folder whose `config.json` is no model's, without loading anything else.
    ///
    /// # Errors
    /// Why it is none.
    pub fn check(source: &ModelSource) -> Result<()> {
        match EnsembleConfig::read(source)? {
            None => ModelConfig::read(source).map(drop),
            Some(_) => Ok(()),
        }
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
        self.begin(documents, None, options)
    }

    /// As [`start`](Self::start); documents of a corpus come with what stands before and after them.
    fn begin(
        &self,
        documents: &[Document],
        corpus: Option<[Option<&Document>; 2]>,
        options: &ExtractOptions,
    ) -> Result<Extraction<'_>> {
        let ensemble = match &self.loaded {
            Loaded::Model(member) => {
                let passes = self.passes(member, documents, corpus, options.threshold)?;
                return Ok(Extraction::combined(vec![passes], Ending::Alone));
            }
            Loaded::Ensemble(ensemble) => ensemble,
        };
        let (ending, threshold) = match (ensemble.config.ensemble.method, &ensemble.classifier) {
            (Method::Majority, _) => (Ending::Majority, options.threshold),
            (Method::Meta, Some(classifier)) => {
                let judging = Judging {
                    classifier,
                    texts: documents.iter().map(|document| document.text.clone()).collect(),
                    threshold: options.threshold,
                    device: &self.device,
                    tokens_per_pass: usize::MAX,
                    filter: None,
                    share: 0,
                };
                (Ending::Meta(Box::new(judging)), None)
            }
            (Method::Union | Method::Meta, _) => (Ending::Union, options.threshold),
        };
        let members = ensemble.members.iter();
        let members = members.map(|member| self.passes(member, documents, corpus, threshold));
        Ok(Extraction::combined(members.collect::<Result<_>>()?, ending))
    }

    /// Documents before the first pass of one model.
    fn passes<'a>(
        &'a self,
        folder: &'a ModelFolder,
        documents: &[Document],
        corpus: Option<[Option<&Document>; 2]>,
        threshold: Option<f32>,
    ) -> Result<Passes<'a>> {
        let ModelFolder { pipeline, model, .. } = folder;
        let prepared = match corpus {
            None => prepare(folder, documents)?,
            Some(around) => prepare_among(folder, documents, around)?,
        };
        Ok(Passes::new(pipeline, model, prepared, threshold, &self.device))
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

    /// The documents, which follow each other in a corpus between `before` and `after`, with their entities replaced by
    /// what the model finds; a model that reads neighbouring documents does.
    ///
    /// # Errors
    /// What the tokenizer refuses, or a device that fails.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn extract_in_corpus(
        &self,
        before: Option<&Document>,
        documents: &[Document],
        after: Option<&Document>,
        options: &ExtractOptions,
    ) -> Result<Vec<Document>> {
        let found = self.begin(documents, Some([before, after]), options)?.run(|_| true)?;
        let with = |(document, entities): (&Document, _)| Document { entities, ..document.clone() };
        Ok(documents.iter().zip(found).map(with).collect())
    }

    /// How many gold entities of the documents no prediction can equal, and why; of an ensemble, for the member that
    /// can express most.
    ///
    /// # Errors
    /// What the tokenizer refuses.
    #[cfg(feature = "train")]
    pub fn unreachable(&self, documents: &[Document]) -> Result<Lost> {
        let mut least: Option<Lost> = None;
        for member in self.members() {
            let lost = samples(&member.pipeline, documents, &prepare(member, documents)?).1;
            if least.is_none_or(|least| lost.total() < least.total()) {
                least = Some(lost);
            }
        }
        Ok(least.unwrap_or_default())
    }

    /// The entity types.
    pub fn labels(&self) -> &LabelSet {
        match &self.loaded {
            Loaded::Model(model) => &model.pipeline.config.labels,
            Loaded::Ensemble(ensemble) => &ensemble.config.labels,
        }
    }

    /// Whether it reads the neighbours of a document of a corpus along with it.
    pub fn reads_neighbours(&self) -> bool {
        self.members().iter().any(|member| member.pipeline.config.head.context() > 0)
    }

    /// The device it runs on.
    pub fn device(&self) -> &Selected {
        &self.device
    }

    /// How many numbers were learnt.
    pub fn parameters(&self) -> usize {
        match &self.loaded {
            Loaded::Model(model) => model.parameters(),
            Loaded::Ensemble(ensemble) => ensemble.parameters(),
        }
    }

    fn members(&self) -> &[ModelFolder] {
        match &self.loaded {
            Loaded::Model(model) => std::slice::from_ref(model),
            Loaded::Ensemble(ensemble) => &ensemble.members,
        }
    }
}

fn prepare(folder: &ModelFolder, documents: &[Document]) -> Result<Vec<Prepared>> {
    documents.iter().map(|document| folder.pipeline.prepare(document)).collect()
}

/// Documents of a corpus, which stand between those `around` them.
fn prepare_among(
    folder: &ModelFolder,
    documents: &[Document],
    [before, after]: [Option<&Document>; 2],
) -> Result<Vec<Prepared>> {
    let all = before.into_iter().chain(documents).chain(after);
    let mut prepared: Vec<Prepared> =
        all.map(|document| folder.pipeline.prepare(document)).collect::<Result<_>>()?;
    folder.pipeline.join(&mut prepared);
    let own = usize::from(before.is_some());
    prepared.drain(..own);
    prepared.truncate(documents.len());
    Ok(prepared)
}
