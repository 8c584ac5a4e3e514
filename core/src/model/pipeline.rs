//! From a document to rows of word pieces, and from scored spans back to entities.

use std::ops::Range;

use burn::tensor::Device;

use super::batch::{Batch, Row};
use super::folder::ModelConfig;
use super::ner::NerModel;
use crate::Result;
use crate::data::{Document, Entity};
use crate::decode::{ScoredSpan, above_threshold, owner};
use crate::text::{Alignment, Pieces, Tokenizer, windows};

/// Most cells of the score matrices of one forward pass.
const CELLS: usize = 8 << 20;
/// Most tokens of one forward pass, padding included.
const TOKENS: usize = 2048;

/// The text handling of a model.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Splits text into word pieces.
    pub tokenizer: Tokenizer,
    /// Labels, windows and decoding.
    pub config: ModelConfig,
}

/// A document split into word pieces and windows.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The word pieces of the whole document.
    pub pieces: Pieces,
    /// How they lie in the words.
    pub alignment: Alignment,
    /// The pieces of each window.
    pub windows: Vec<Range<usize>>,
}

impl Pipeline {
    /// Tokenises a document.
    ///
    /// # Errors
    /// What the tokenizer refuses.
    pub fn prepare(&self, document: &Document) -> Result<Prepared> {
        let pieces = self.tokenizer.encode(&document.text)?;
        let alignment = Alignment::new(document, &pieces);
        let special = self.tokenizer.prefix().len() + self.tokenizer.suffix().len();
        let window = &self.config.window;
        let capacity = window.max_length.saturating_sub(special).max(1);
        let windows = windows(pieces.ids.len(), capacity, window.stride.min(capacity / 2));
        Ok(Prepared { pieces, alignment, windows })
    }

    /// The rows of a prepared document.
    pub fn rows(&self, document: usize, prepared: &Prepared) -> Vec<Row> {
        let (prefix, suffix) = (self.tokenizer.prefix(), self.tokenizer.suffix());
        let row = |(window, pieces): (usize, &Range<usize>)| Row {
            document,
            window,
            ids: [prefix, &prepared.pieces.ids[pieces.clone()], suffix].concat(),
            text: prefix.len()..prefix.len() + pieces.len(),
        };
        prepared.windows.iter().enumerate().map(row).collect()
    }

    /// Runs the model over prepared documents: their entities by start, longest first, then label.
    ///
    /// `threshold` overrides the model's own; `done` hears how many rows are finished and may stop the work by
    /// returning false, which leaves the rest without entities.
    pub fn recognise(
        &self,
        model: &NerModel,
        prepared: &[Prepared],
        threshold: Option<f32>,
        device: &Device,
        granularity: usize,
        mut done: impl FnMut(usize) -> bool,
    ) -> Vec<Vec<Entity>> {
        let threshold = threshold.unwrap_or(self.config.decode.threshold);
        let mut rows: Vec<Row> =
            prepared.iter().enumerate().flat_map(|(at, p)| self.rows(at, p)).collect();
        rows.sort_by_key(|row| row.ids.len());
        let mut found = vec![Vec::new(); prepared.len()];
        let mut finished = 0;
        while finished < rows.len() {
            let batch = &rows[finished..finished + self.fitting(&rows[finished..])];
            self.recognise_batch(
                model,
                batch,
                prepared,
                threshold,
                device,
                granularity,
                &mut found,
            );
            finished += batch.len();
            if !done(finished) {
                break;
            }
        }
        for entities in &mut found {
            entities.sort_by(|a: &Entity, b: &Entity| {
                (a.start, b.end, &a.label).cmp(&(b.start, a.end, &b.label))
            });
        }
        found
    }

    /// How many of `rows`, which are in ascending length, fit into one forward pass; at least one.
    fn fitting(&self, rows: &[Row]) -> usize {
        let fits = |count: usize| {
            let tokens = rows[count - 1].ids.len();
            let cells = count * self.config.labels.len() * tokens * tokens;
            count * tokens <= TOKENS && cells <= CELLS
        };
        (1..=rows.len()).take_while(|&count| count == 1 || fits(count)).last().unwrap_or(1)
    }

    /// One forward pass.
    #[allow(clippy::too_many_arguments)]
    fn recognise_batch(
        &self,
        model: &NerModel,
        rows: &[Row],
        prepared: &[Prepared],
        threshold: f32,
        device: &Device,
        granularity: usize,
        found: &mut [Vec<Entity>],
    ) {
        let refs: Vec<&Row> = rows.iter().collect();
        let limit = model.encoder.max_tokens();
        let batch = Batch::new(&refs, self.tokenizer.pad_id(), granularity, limit, device);
        let scores: Vec<f32> =
            model.forward(&batch).try_into_vec_as().expect("scores are finite f32 on every device");
        let types = self.config.labels.len();
        let size = types * batch.tokens * batch.tokens;
        for (row, scores) in rows.iter().zip(scores.chunks_exact(size.max(1))) {
            let spans = above_threshold(scores, types, batch.tokens, row.text.clone(), threshold);
            let document = &prepared[row.document];
            found[row.document]
                .extend(spans.iter().filter_map(|span| self.entity(document, row, span)));
        }
    }

    /// The entity of a span, unless another window decides about it or it is no run of whole words.
    fn entity(&self, document: &Prepared, row: &Row, span: &ScoredSpan) -> Option<Entity> {
        let offset = document.windows[row.window].start;
        let start = offset + span.start - row.text.start;
        let end = offset + span.end - row.text.start;
        let decides = || {
            document.windows.len() == 1
                || owner(&document.windows, document.pieces.ids.len(), start, end + 1)
                    == Some(row.window)
        };
        let alignment = &document.alignment;
        let whole_words = !self.config.decode.word_boundaries
            || (alignment.word_start[start] && alignment.word_end[end]);
        let (from, to) = (document.pieces.spans[start].start, document.pieces.spans[end].end);
        let covers =
            !document.pieces.spans[start].is_empty() && !document.pieces.spans[end].is_empty();
        (whole_words && covers && from < to && decides()).then(|| Entity {
            start: from,
            end: to,
            label: self.config.labels.name(span.label).to_owned(),
            score: Some(span.probability),
        })
    }
}
