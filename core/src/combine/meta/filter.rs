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

/// Candidates that are written down at a time: few enough that whoever drives this soon has another turn, and enough
/// for passes of about one length.
const CHUNK: usize = 256;

/// Keeps those candidates that the classifier takes for correct.
#[derive(Debug)]
pub struct Filter<'a> {
    classifier: &'a Classifier,
    device: &'a Selected,
    threshold: f32,
    texts: Vec<String>,
    /// By document.
    candidates: Vec<Vec<Entity>>,
    /// Document and index of those that are not written down yet, the last one first.
    left: Vec<(usize, usize)>,
    /// Those that are, ascending by length, from the end of which passes are taken.
    rows: Vec<Row>,
    total: usize,
    tokens_per_pass: usize,
}

impl<'a> Filter<'a> {
    /// The candidates of each text, to be kept if their probability of being correct exceeds `threshold`.
    pub fn new(
        classifier: &'a Classifier,
        texts: Vec<String>,
        mut candidates: Vec<Vec<Entity>>,
        threshold: Option<f32>,
        device: &'a Selected,
    ) -> Self {
        let mut left = Vec::new();
        for (document, entities) in candidates.iter_mut().enumerate() {
            for (index, entity) in entities.iter_mut().enumerate() {
                entity.score = None;
                left.push((document, index));
            }
        }
        left.reverse();
        Self {
            classifier,
            device,
            threshold: threshold.unwrap_or(LIKELIER),
            texts,
            candidates,
            total: left.len(),
            left,
            rows: Vec::new(),
            tokens_per_pass: TOKENS,
        }
    }

    /// The same with at most `tokens` word pieces in a forward pass (but at least one candidate).
    pub fn with_tokens_per_pass(self, tokens: usize) -> Self {
        Self { tokens_per_pass: tokens.min(TOKENS), ..self }
    }

    /// How many candidates there are.
    pub fn total(&self) -> usize {
        self.total
    }

    /// How many candidates are done.
    pub fn done(&self) -> usize {
        self.total - self.left.len() - self.rows.len()
    }

    /// One forward pass over candidates that are left; false when none is.
    ///
    /// # Errors
    /// What the tokenizer refuses, or [`Error::Device`] when the device fails.
    pub async fn step(&mut self) -> Result<bool> {
        if self.rows.is_empty() {
            self.write_down()?;
        }
        let fits =
            |rows: &[Row]| rows.len() * rows[rows.len() - 1].ids.len() <= self.tokens_per_pass;
        let first = (0..self.rows.len()).find(|&at| fits(&self.rows[at..]));
        let first = first.or(self.rows.len().checked_sub(1));
        let Some(first) = first else { return Ok(false) };
        let rows = self.rows.split_off(first);
        let Classifier { network, tokenizer, encoder, .. } = self.classifier;
        let refs: Vec<&Row> = rows.iter().collect();
        let batch = Batch::on(&refs, tokenizer.pad_id(), encoder.max_tokens(), self.device);
        for (row, correct) in rows.iter().zip(probabilities(network, &batch).await?) {
            self.candidates[row.document][row.window].score = Some(correct);
        }
        Ok(self.done() < self.total)
    }

    /// Makes rows of the next candidates.
    fn write_down(&mut self) -> Result<()> {
        let prompt = self.classifier.prompt();
        for (document, index) in self.left.split_off(self.left.len().saturating_sub(CHUNK)) {
            let entity = &self.candidates[document][index];
            self.rows.push(prompt.row(document, index, &self.texts[document], entity)?);
        }
        self.rows.sort_by_key(|row| row.ids.len());
        Ok(())
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
