//! Locate and Label: seed spans are filtered, their boundaries moved, and what comes out is classified (Shen et al.
//! 2021).

mod features;
mod lstm;
mod representation;
mod seeds;
mod settings;
mod span_max;
#[cfg(test)]
mod tests;
mod training;
mod word_list;
mod words;

use std::collections::HashSet;
use std::ops::Range;

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::activation::{sigmoid, softmax};
use burn::tensor::{Device, Tensor};

pub use features::Form;
pub use settings::TwoStageSettings;
pub use word_list::WordList;

use self::features::Features;
use self::representation::{Boundary, SpanMlp, Table};
use self::seeds::{adjust, seeds};
use self::words::Words;
use super::read;
use crate::Result;
use crate::decode::{ScoredSpan, SoftNms, best};
use crate::model::{Batch, Layout};

/// A filter of seed spans, a regressor of their boundaries and a classifier of what comes out, all over vectors of
/// words.
#[derive(Module, Debug)]
pub struct TwoStage {
    features: Option<Features>,
    /// To one logit: whether a seed belongs to an entity.
    filter: SpanMlp,
    /// To the offsets of start and end, in words.
    regressor: SpanMlp,
    /// To "no entity", then the types.
    classifier: SpanMlp,
    dropout: Dropout,
    #[module(skip)]
    settings: TwoStageSettings,
}

/// The class of no entity.
const NONE: usize = 0;

impl TwoStage {
    /// A head for `types` entity types over hidden states of width `hidden`.
    pub fn new(hidden: usize, types: usize, settings: &TwoStageSettings, device: &Device) -> Self {
        let input = hidden;
        // half of the width for either direction of a BiLSTM
        let hidden = if settings.bilstm { (hidden / 2).max(1) * 2 } else { hidden };
        Self {
            features: settings
                .any_feature()
                .then(|| Features::new(input, hidden, settings, device)),
            filter: SpanMlp::new(hidden, 1, device),
            regressor: SpanMlp::new(hidden, 2, device),
            classifier: SpanMlp::new(hidden, types + 1, device),
            dropout: DropoutConfig::new(settings.head_dropout).init(),
            settings: settings.clone(),
        }
    }

    /// About how many numbers it makes of a row of `tokens`.
    pub fn numbers(&self, tokens: usize) -> usize {
        let [_, hidden] = self.filter.shape();
        tokens * self.settings.longest_seed().min(tokens) * hidden
    }

    /// The entities of each row whose score, after Soft-NMS, exceeds `threshold`.
    ///
    /// # Errors
    /// A device that fails.
    pub async fn find(
        &self,
        hidden: Tensor<3>,
        batch: &Batch,
        threshold: f32,
    ) -> Result<Vec<Vec<ScoredSpan>>> {
        let words = Words::new(&batch.layouts);
        let mut found = vec![Vec::new(); words.rows()];
        let longest = self.settings.longest_seed();
        let lengths: Vec<usize> = (1..=longest).collect();
        let all: Vec<Range<usize>> =
            (0..words.rows()).flat_map(|row| seeds(words.of(row), &lengths)).collect();
        if all.is_empty() {
            return Ok(found);
        }
        // an adjusted seed can be as long as its sentence
        let table = Table::new(self.vectors(hidden, batch, &words), words.longest());
        let kept = self.filtered(&table, all, &words).await?;
        let moved = self.adjusted(&table, &kept, &words).await?;
        for (span, label, probability) in self.classified(&table, moved, &words).await? {
            let row = words.row(span.start);
            found[row].push(ScoredSpan {
                start: span.start,
                end: span.end - 1,
                label,
                probability,
            });
        }
        let rules = SoftNms {
            decay: self.settings.decay as f32,
            iou: self.settings.decay_iou,
            threshold,
            drop_crossing: self.settings.drop_crossing,
        };
        let in_tokens = |span: ScoredSpan| {
            let (start, end) = words.tokens(&(span.start..span.end + 1));
            ScoredSpan { start, end, ..span }
        };
        Ok(found.into_iter().map(|of| rules.of(of).into_iter().map(in_tokens).collect()).collect())
    }

    /// What stands for each word, `[words, hidden]`.
    fn vectors(&self, hidden: Tensor<3>, batch: &Batch, words: &Words) -> Tensor<2> {
        let pooled = words.pool(hidden);
        let Some(features) = &self.features else { return pooled };
        let unknown = Form::default();
        let of = |layout| {
            let Layout { words, forms, .. }: &Layout = layout;
            (0..words.len()).map(|word| forms.get(word).unwrap_or(&unknown))
        };
        let forms: Vec<&Form> = batch.layouts.iter().flat_map(of).collect();
        features.forward(pooled, words, &forms, &self.dropout)
    }

    /// The same with the vectors of the words of its settings, `[words + 1, size]`.
    pub fn with_vectors(self, vectors: Tensor<2>) -> Self {
        let features = self.features.map(|features| features.with_vectors(vectors));
        Self { features, ..self }
    }

    /// The seeds that the filter keeps.
    async fn filtered(
        &self,
        table: &Table,
        mut spans: Vec<Range<usize>>,
        words: &Words,
    ) -> Result<Vec<Range<usize>>> {
        let logits = self.filter.forward_many(table, &spans, Boundary::Inner, words);
        let probabilities = read(sigmoid(logits)).await?;
        let mut keep = probabilities.iter().map(|&p| f64::from(p) > self.settings.filter_threshold);
        spans.retain(|_| keep.next().unwrap_or(false));
        Ok(spans)
    }

    /// Where the regressor moves them, each once.
    async fn adjusted(
        &self,
        table: &Table,
        spans: &[Range<usize>],
        words: &Words,
    ) -> Result<Vec<Range<usize>>> {
        if spans.is_empty() {
            return Ok(Vec::new());
        }
        let offsets = self.regressor.forward_many(table, spans, Boundary::Outer, words);
        let offsets = read(offsets).await?;
        let mut seen = HashSet::new();
        let moved = spans.iter().zip(offsets.as_chunks::<2>().0);
        Ok(moved
            .filter_map(|(span, by)| adjust(span, *by, &words.around(span.start)))
            .filter(|span| seen.insert(span.clone()))
            .collect())
    }

    /// Those that are entities, with type and probability.
    async fn classified(
        &self,
        table: &Table,
        spans: Vec<Range<usize>>,
        words: &Words,
    ) -> Result<Vec<(Range<usize>, usize, f32)>> {
        if spans.is_empty() {
            return Ok(Vec::new());
        }
        let logits = self.classifier.forward_many(table, &spans, Boundary::Inner, words);
        let [_, classes] = logits.dims();
        let probabilities = read(softmax(logits, 1)).await?;
        let rows = spans.into_iter().zip(probabilities.chunks_exact(classes));
        Ok(rows
            .filter_map(|(span, row)| {
                let class = best(row);
                (class != NONE).then(|| (span, class - 1, row[class]))
            })
            .collect())
    }
}
