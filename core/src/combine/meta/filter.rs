//! Candidates on their way through the classifier, one forward pass at a time.

use super::classifier::Classifier;
use super::network::Network;
use crate::data::Entity;
use crate::device::Selected;
use crate::model::{Batch, Row};
use crate::{Error, Result};

/// Most tokens of one forward pass, padding included.
const TOKENS: usize = 2048;
/// The probability from which a candidate is correct where nobody says otherwise: the likelier of the two classes.
const LIKELIER: f32 = 0.5;

/// Keeps those candidates that the classifier takes for correct.
#[derive(Debug)]
pub struct Filter<'a> {
    classifier: &'a Classifier,
    device: &'a Selected,
    threshold: f32,
    /// By document.
    candidates: Vec<Vec<Entity>>,
    /// Ascending by length, so that a pass holds rows of about one length.
    rows: Vec<Row>,
    done: usize,
    tokens_per_pass: usize,
}

impl<'a> Filter<'a> {
    /// The candidates of each text, to be kept if their probability of being correct exceeds `threshold`.
    ///
    /// # Errors
    /// What the tokenizer refuses.
    pub fn new(
        classifier: &'a Classifier,
        texts: &[String],
        mut candidates: Vec<Vec<Entity>>,
        threshold: Option<f32>,
        device: &'a Selected,
    ) -> Result<Self> {
        let prompt = classifier.prompt();
        let mut rows = Vec::new();
        for (document, (text, entities)) in texts.iter().zip(&mut candidates).enumerate() {
            for (index, entity) in entities.iter_mut().enumerate() {
                entity.score = None;
                rows.push(prompt.row(document, index, text, entity)?);
            }
        }
        rows.sort_by_key(|row| row.ids.len());
        let threshold = threshold.unwrap_or(LIKELIER);
        Ok(Self {
            classifier,
            device,
            threshold,
            candidates,
            rows,
            done: 0,
            tokens_per_pass: TOKENS,
        })
    }

    /// The same with at most `tokens` word pieces in a forward pass (but at least one candidate).
    pub fn with_tokens_per_pass(self, tokens: usize) -> Self {
        Self { tokens_per_pass: tokens.min(TOKENS), ..self }
    }

    /// How many candidates there are.
    pub fn total(&self) -> usize {
        self.rows.len()
    }

    /// How many candidates are done.
    pub fn done(&self) -> usize {
        self.done
    }

    /// One forward pass over the shortest candidates that are left; false when none is.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails.
    pub async fn step(&mut self) -> Result<bool> {
        let left = &self.rows[self.done..];
        if left.is_empty() {
            return Ok(false);
        }
        let fits = |count: usize| count * left[count - 1].ids.len() <= self.tokens_per_pass;
        let count = (2..=left.len()).take_while(|&count| fits(count)).last().unwrap_or(1);
        let rows = &left[..count];
        let Classifier { network, tokenizer, encoder, .. } = self.classifier;
        let refs: Vec<&Row> = rows.iter().collect();
        let batch = Batch::on(&refs, tokenizer.pad_id(), encoder.max_tokens(), self.device);
        for (row, correct) in rows.iter().zip(probabilities(network, &batch).await?) {
            self.candidates[row.document][row.window].score = Some(correct);
        }
        self.done += count;
        Ok(self.done < self.rows.len())
    }

    /// All steps on this thread; the candidates that are kept.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn run(mut self) -> Result<Vec<Vec<Entity>>> {
        while futures_lite::future::block_on(self.step())? {}
        Ok(self.finish())
    }

    /// The candidates that are kept, by document; their score is the probability of being correct.
    pub fn finish(mut self) -> Vec<Vec<Entity>> {
        let threshold = self.threshold;
        for entities in &mut self.candidates {
            entities.retain(|entity| entity.score.is_some_and(|score| score > threshold));
        }
        self.candidates
    }
}

/// The probability of being correct of each row.
pub(super) async fn probabilities(network: &Network, batch: &Batch) -> Result<Vec<f32>> {
    let failed = |error: String| Error::Device(format!("the device failed: {error}"));
    let scores = network.forward(batch).into_data_async().await;
    let scores: Vec<f32> = scores
        .map_err(|error| failed(error.to_string()))?
        .convert::<f32>()
        .try_into_vec()
        .map_err(|error| failed(format!("{error:?}")))?;
    Ok(scores.as_chunks::<2>().0.iter().map(|[_, correct]| correct.exp()).collect())
}
