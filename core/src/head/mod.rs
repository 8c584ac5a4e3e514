//! What makes entities of hidden states: one file a head.

mod crf;
mod efficient_global_pointer;
mod expressible;
mod global_pointer;
mod mask;
mod rope;
mod settings;
mod span_classifier;
mod tagger;
#[cfg(test)]
mod tests;
mod two_stage;

use burn::module::Module;
use burn::tensor::Tensor;

pub use crf::Crf;
pub use efficient_global_pointer::EfficientGlobalPointer;
pub use expressible::Limit;
pub use global_pointer::GlobalPointer;
pub use mask::NO_SPAN;
pub use rope::Rope;
pub use settings::{HeadKind, HeadSettings};
pub use span_classifier::SpanClassifier;
pub use tagger::Tagger;
pub use two_stage::{Form, TwoStage, TwoStageSettings, WordList};

use crate::decode::{ScoredSpan, above_threshold};
use crate::loss::{LossSettings, Moment, Target, span_cross_entropy, token_cross_entropy};
use crate::model::Batch;
use crate::{Error, Result};

/// A head with its weights.
#[allow(clippy::large_enum_variant)] // a model has one
#[derive(Module, Debug)]
pub enum Head {
    /// See [`GlobalPointer`].
    GlobalPointer(GlobalPointer),
    /// See [`EfficientGlobalPointer`].
    EfficientGlobalPointer(EfficientGlobalPointer),
    /// See [`Tagger`].
    Tagger(Tagger),
    /// See [`Crf`].
    Crf(Crf),
    /// See [`SpanClassifier`].
    SpanClassifier(SpanClassifier),
    /// See [`TwoStage`].
    TwoStage(TwoStage),
}

impl Head {
    /// It reads the mean of so many of the encoder's last hidden states.
    pub fn layers(&self) -> usize {
        match self {
            Self::TwoStage(_) => 4,
            _ => 1,
        }
    }

    /// About how many numbers it makes of a row of `tokens`; for estimates of memory.
    pub fn numbers(&self, tokens: usize) -> usize {
        match self {
            Self::GlobalPointer(head) => head.numbers(tokens),
            Self::EfficientGlobalPointer(head) => head.numbers(tokens),
            Self::Tagger(head) => head.numbers(tokens),
            Self::Crf(head) => head.numbers(tokens),
            Self::SpanClassifier(head) => head.numbers(tokens),
            Self::TwoStage(head) => head.numbers(tokens),
        }
    }

    /// The same with the static vectors of the words of its settings, `[words + 1, size]`; as it is for heads without.
    pub fn with_vectors(self, vectors: Tensor<2>) -> Self {
        match self {
            Self::TwoStage(head) => Self::TwoStage(head.with_vectors(vectors)),
            head => head,
        }
    }

    /// The loss of a batch, `[1]`, from hidden states `[rows, tokens, hidden]`. `settings` choose among the losses of
    /// heads that score spans; each other head has its own.
    pub fn loss(
        &self,
        hidden: Tensor<3>,
        batch: &Batch,
        target: &Target,
        settings: &LossSettings,
        moment: Moment,
    ) -> Tensor<1> {
        let mask = batch.mask.clone();
        match self {
            Self::GlobalPointer(head) => settings.of(head.forward(hidden, mask), target, moment),
            Self::EfficientGlobalPointer(head) => {
                settings.of(head.forward(hidden, mask), target, moment)
            }
            Self::Tagger(head) => token_cross_entropy(head.forward(hidden), &batch.lengths, target),
            Self::Crf(head) => head.loss(hidden, &batch.lengths, target),
            Self::SpanClassifier(head) => {
                span_cross_entropy(head.forward(hidden), &batch.lengths, target)
            }
            Self::TwoStage(head) => head.loss(hidden, batch, target, moment.seed),
        }
    }

    /// The entities of each row, with a probability that exceeds `threshold`, from hidden states
    /// `[rows, tokens, hidden]`.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails.
    pub async fn find(
        &self,
        hidden: Tensor<3>,
        batch: &Batch,
        threshold: f32,
    ) -> Result<Vec<Vec<ScoredSpan>>> {
        let mask = batch.mask.clone();
        let mut found = match self {
            Self::GlobalPointer(head) => {
                return spans_above(head.forward(hidden, mask), batch, threshold).await;
            }
            Self::EfficientGlobalPointer(head) => {
                return spans_above(head.forward(hidden, mask), batch, threshold).await;
            }
            Self::Tagger(head) => head.find(hidden, batch).await?,
            Self::Crf(head) => head.find(hidden, batch).await?,
            Self::SpanClassifier(head) => head.find(hidden, batch).await?,
            Self::TwoStage(head) => return head.find(hidden, batch, threshold).await,
        };
        for spans in &mut found {
            spans.retain(|span| span.probability > threshold);
        }
        Ok(found)
    }
}

/// What lies above the threshold in scores `[rows, types, tokens, tokens]`.
async fn spans_above(
    scores: Tensor<4>,
    batch: &Batch,
    threshold: f32,
) -> Result<Vec<Vec<ScoredSpan>>> {
    let [_, types, tokens, _] = scores.dims();
    let scores = read(scores).await?;
    let rows = scores.chunks_exact((types * tokens * tokens).max(1)).zip(&batch.layouts);
    let found = |(scores, layout): (&[f32], &crate::model::Layout)| {
        above_threshold(scores, types, tokens, layout.text.clone(), threshold)
    };
    Ok(rows.map(found).collect())
}

/// The values of a tensor, in row-major order.
///
/// # Errors
/// [`Error::Device`] when the device fails.
pub(crate) async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let failed = |error: String| Error::Device(format!("the device failed: {error}"));
    let data = tensor.into_data_async().await.map_err(|error| failed(error.to_string()))?;
    data.convert::<f32>().try_into_vec().map_err(|error| failed(format!("{error:?}")))
}
