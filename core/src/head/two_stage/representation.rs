//! Vectors of spans, and the small networks that read them.

use std::ops::Range;

use burn::module::Module;
use burn::nn::{Dropout, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::span_max::{SpanMax, indices};
use super::words::Words;
use crate::encoder::ops;
use crate::fresh;

/// The words of a batch as vectors, from which those of spans are made.
pub struct Table {
    /// `[words, hidden]`.
    words: Tensor<2>,
    maxima: SpanMax,
}

/// Which two words stand for the boundaries of a span, next to the maximum over all of its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// Its first and its last (Eq. 2 and 9).
    Inner,
    /// The one before it and the one after it, where its sentence has them (Eq. 4).
    Outer,
}

impl Boundary {
    fn of(self, span: &Range<usize>, words: &Words) -> (usize, usize) {
        let sentence = words.around(span.start);
        match self {
            Self::Inner => (span.start, span.end - 1),
            Self::Outer => {
                (span.start.saturating_sub(1).max(sentence.start), span.end.min(sentence.end - 1))
            }
        }
    }
}

impl Table {
    /// For spans of up to `longest` words.
    pub fn new(words: Tensor<2>, longest: usize) -> Self {
        Self { maxima: SpanMax::new(words.clone(), longest), words }
    }

    /// \[first; last; maximum\] of each span, `[spans, 3 · hidden]`.
    pub fn spans(&self, spans: &[Range<usize>], boundary: Boundary, words: &Words) -> Tensor<2> {
        let (first, last) = self.boundaries(spans, boundary, words);
        let at = |places: Vec<usize>| {
            let places = indices(places.into_iter(), &self.words.device());
            self.words.clone().select(0, places)
        };
        Tensor::cat(vec![at(first), at(last), self.maxima.of(spans)], 1)
    }

    fn boundaries(
        &self,
        spans: &[Range<usize>],
        boundary: Boundary,
        words: &Words,
    ) -> (Vec<usize>, Vec<usize>) {
        spans.iter().map(|span| boundary.of(span, words)).unzip()
    }
}

/// Two linear maps with GELU between them, on the vectors of spans (Eq. 3, 5 and 10).
#[derive(Module, Debug)]
pub struct SpanMlp {
    /// `3 · hidden → hidden`, of \[first; last; maximum\].
    dense: Linear,
    /// `hidden → outputs`.
    out: Linear,
}

impl SpanMlp {
    /// Over words of width `hidden`.
    pub fn new(hidden: usize, outputs: usize, device: &Device) -> Self {
        Self {
            dense: fresh::linear(LinearConfig::new(3 * hidden, hidden), device),
            out: fresh::linear(LinearConfig::new(hidden, outputs), device),
        }
    }

    /// The same with an output that is `offsets` whatever it reads.
    #[cfg(test)]
    pub fn with_offsets(self, offsets: [f32; 2]) -> Self {
        let bias = Tensor::from_data(offsets, &self.dense.weight.device());
        let weight = self.out.weight.map(|weight| weight.zeros_like());
        let bias = Some(burn::module::Param::from_tensor(bias));
        Self { out: Linear { weight, bias }, ..self }
    }

    /// Width of its input and of its hidden layer.
    pub fn shape(&self) -> [usize; 2] {
        self.dense.weight.dims()
    }

    /// `[spans, outputs]`. Dropout falls on the vectors of the spans.
    pub fn forward(
        &self,
        table: &Table,
        spans: &[Range<usize>],
        boundary: Boundary,
        words: &Words,
        dropout: &Dropout,
    ) -> Tensor<2> {
        let vectors = ops::dropout(table.spans(spans, boundary, words), dropout);
        ops::linear(ops::gelu(ops::linear(vectors, &self.dense)), &self.out)
    }

    /// The same without dropout, and cheaper for many spans: what the boundaries contribute is worked out once for
    /// each word, W \[f; l; m\] = F f + L l + M m.
    pub fn forward_many(
        &self,
        table: &Table,
        spans: &[Range<usize>],
        boundary: Boundary,
        words: &Words,
    ) -> Tensor<2> {
        let weight = self.dense.weight.val();
        let [_, hidden] = weight.dims();
        let device = weight.device();
        let part = |at: usize| weight.clone().narrow(0, at * hidden, hidden);
        let (first, last) = table.boundaries(spans, boundary, words);
        let first = ops::matmul(table.words.clone(), part(0))
            .select(0, indices(first.into_iter(), &device));
        let last =
            ops::matmul(table.words.clone(), part(1)).select(0, indices(last.into_iter(), &device));
        let mut sum = ops::matmul(table.maxima.of(spans), part(2)) + first + last;
        if let Some(bias) = &self.dense.bias {
            sum = sum + bias.val().unsqueeze();
        }
        ops::linear(ops::gelu(sum), &self.out)
    }
}
