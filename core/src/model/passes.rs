//! The way of prepared documents through a model, one forward pass at a time.

use std::borrow::Cow;

use super::batch::{Batch, Row};
use super::ner::NerModel;
use super::pipeline::{Pipeline, Prepared};
use crate::Result;
use crate::data::Entity;
use crate::device::Selected;

/// Most tokens of one forward pass, padding included.
const TOKENS: usize = 2048;
/// Most numbers that the head makes in one forward pass: 48 MB in f32.
const NUMBERS: usize = 12 << 20;
/// Most word pieces of padding in one forward pass on the CPU; another pass costs about as much. A GPU prefers few passes.
const PADDING: usize = 64;
/// How many copies of a head's projections, and of its scores, are alive at once.
const COPIES: usize = 4;

/// Documents on their way through one model.
#[derive(Debug)]
pub(crate) struct Passes<'a> {
    pipeline: &'a Pipeline,
    model: &'a NerModel,
    device: &'a Selected,
    prepared: Cow<'a, [Prepared]>,
    threshold: f32,
    /// Ascending by length, so that a pass holds rows of about one length.
    rows: Vec<Row>,
    done: usize,
    tokens_per_pass: usize,
    found: Vec<Vec<Entity>>,
}

impl<'a> Passes<'a> {
    /// The entities of `prepared` that exceed `threshold`, or the model's own.
    pub fn new(
        pipeline: &'a Pipeline,
        model: &'a NerModel,
        prepared: impl Into<Cow<'a, [Prepared]>>,
        threshold: Option<f32>,
        device: &'a Selected,
    ) -> Self {
        let prepared = prepared.into();
        let mut rows: Vec<Row> =
            prepared.iter().enumerate().flat_map(|(at, p)| pipeline.rows(at, p)).collect();
        rows.sort_by_key(|row| row.ids.len());
        let found = vec![Vec::new(); prepared.len()];
        let threshold = threshold.unwrap_or(pipeline.config.decode.threshold);
        Self {
            pipeline,
            model,
            device,
            prepared,
            threshold,
            rows,
            done: 0,
            tokens_per_pass: TOKENS,
            found,
        }
    }

    /// The same with at most `tokens` word pieces in a forward pass (but at least one window).
    pub fn with_tokens_per_pass(self, tokens: usize) -> Self {
        Self { tokens_per_pass: tokens.min(TOKENS), ..self }
    }

    /// How many windows of text there are.
    pub fn total(&self) -> usize {
        self.rows.len()
    }

    /// How many windows of text are done.
    pub fn done(&self) -> usize {
        self.done
    }

    /// One forward pass over the shortest windows that are left; false when none is.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) when the device fails.
    pub async fn step(&mut self) -> Result<bool> {
        let left = &self.rows[self.done..];
        if left.is_empty() {
            return Ok(false);
        }
        let rows = &left[..self.fitting(left)];
        let refs: Vec<&Row> = rows.iter().collect();
        let limit = self.model.encoder.max_tokens();
        let pad = self.pipeline.tokenizer.pad_id();
        let batch = Batch::on(&refs, pad, limit, self.device);
        let found = self.model.find(&batch, self.threshold).await?;
        for (row, spans) in rows.iter().zip(found) {
            let document = &self.prepared[row.document];
            let entities =
                spans.iter().filter_map(|span| self.pipeline.entity(document, row, span));
            self.found[row.document].extend(entities);
        }
        self.done += rows.len();
        Ok(self.done < self.rows.len())
    }

    /// The entities of each document so far: by start, longest first, then label; in UTF-8 bytes.
    pub fn finish(mut self) -> Vec<Vec<Entity>> {
        for entities in &mut self.found {
            entities.sort_by(|a: &Entity, b: &Entity| {
                (a.start, b.end, &a.label).cmp(&(b.start, a.end, &b.label))
            });
        }
        self.found
    }

    /// How many of `rows`, which are in ascending length, fit into one forward pass; at least one.
    fn fitting(&self, rows: &[Row]) -> usize {
        let fits = |count: usize| {
            let longest = rows[count - 1].ids.len();
            let numbers = self.model.head.numbers(longest);
            count * longest <= self.tokens_per_pass && count * COPIES * numbers <= NUMBERS
        };
        let mut pieces = rows[0].ids.len();
        let mut dense = |count: usize| {
            let longest = rows[count - 1].ids.len();
            pieces += longest;
            self.device.granularity > 1 || count * longest - pieces <= PADDING
        };
        (2..=rows.len()).take_while(|&count| fits(count) && dense(count)).last().unwrap_or(1)
    }
}
