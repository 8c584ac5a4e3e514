//! What the head can know of words beside the encoder's states: static vectors, characters, and the words around.

use std::collections::HashMap;
use std::ops::Range;

use burn::module::{Module, Param};
use burn::nn::{Dropout, Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};

use super::TwoStageSettings;
use super::lstm::BiLstm;
use super::span_max::indices;
use super::words::Words;
use crate::encoder::ops;
use crate::fresh;

/// Width of the vector of a character.
const CHARACTER: usize = 50;
/// What is no printable ASCII character.
const UNKNOWN: u8 = 0;
/// Ends every word.
const END: u8 = 96;
/// Characters that have a vector.
const CHARACTERS: usize = 97;
/// Longest word in characters; the rest is left out.
const LONGEST: usize = 64;

/// A word as the features see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// Its row in the table of vectors, 0 for a word without one.
    pub vector: usize,
    /// Its characters and the end of the word; empty where nobody reads them.
    pub characters: Vec<u8>,
}

impl Form {
    /// What a head with `settings` reads of `word`.
    pub fn new(word: &str, settings: &TwoStageSettings) -> Self {
        let character = |c: char| match c {
            '!'..='~' => c as u8 - b' ',
            _ => UNKNOWN,
        };
        let mut form = Self::default();
        if let Some(list) = &settings.word_list {
            form.vector = list.row(word);
        }
        if settings.char_size > 0 {
            form.characters = word.chars().take(LONGEST).map(character).collect();
            form.characters.push(END);
        }
        form
    }
}

/// The optional parts between the words' vectors and those of spans.
#[derive(Module, Debug)]
pub struct Features {
    /// `[words + 1, size]`, never trained.
    word_vectors: Option<Param<Tensor<2>>>,
    characters: Option<Characters>,
    /// Back to the encoder's width, where no BiLSTM does that.
    fuse: Option<Linear>,
    bilstm: Option<BiLstm>,
}

/// The mean of a BiLSTM over the characters of a word.
#[derive(Module, Debug)]
struct Characters {
    embedding: Embedding,
    bilstm: BiLstm,
}

impl Features {
    /// Over words of width `input`, to width `hidden`, which is even where a BiLSTM runs over them.
    pub fn new(input: usize, hidden: usize, settings: &TwoStageSettings, device: &Device) -> Self {
        let list = settings.word_list.as_ref();
        let size = settings.char_size;
        let all = input + list.map_or(0, |list| list.size()) + 2 * size;
        Self {
            word_vectors: list.map(|list| fresh::zeros([list.rows(), list.size()], device)),
            characters: (size > 0).then(|| Characters {
                embedding: fresh::embedding(EmbeddingConfig::new(CHARACTERS, CHARACTER), device),
                bilstm: BiLstm::new(CHARACTER, size, device),
            }),
            fuse: (all > input && !settings.bilstm)
                .then(|| fresh::linear(LinearConfig::new(all, hidden), device)),
            bilstm: settings.bilstm.then(|| BiLstm::new(all, hidden / 2, device)),
        }
    }

    /// The same with a table of vectors.
    pub fn with_vectors(self, vectors: Tensor<2>) -> Self {
        let word_vectors = self.word_vectors.map(|table| table.map(|_| vectors));
        Self { word_vectors, ..self }
    }

    /// `[words, hidden]` of words `[words, input]`, with all that is known of them. `forms` has each of them.
    pub fn forward(
        &self,
        words: Tensor<2>,
        layout: &Words,
        forms: &[&Form],
        dropout: &Dropout,
    ) -> Tensor<2> {
        let device = words.device();
        let mut parts = vec![words];
        if let Some(table) = &self.word_vectors {
            let rows = indices(forms.iter().map(|form| form.vector), &device);
            let vectors = table.val().detach().select(0, rows);
            parts.push(ops::dropout(vectors, dropout));
        }
        if let Some(characters) = &self.characters {
            let vectors = characters.forward(forms, &device);
            parts.push(ops::dropout(vectors, dropout));
        }
        let mut words = if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(parts, 1) };
        if let Some(fuse) = &self.fuse {
            words = ops::linear(words, fuse);
        }
        if let Some(bilstm) = &self.bilstm {
            let sequences: Vec<Range<usize>> =
                (0..layout.rows()).map(|row| layout.of(row)).collect();
            words = bilstm.forward(words, &sequences);
        }
        words
    }
}

impl Characters {
    /// `[words, 2 · size]`; words that are there more than once are worked out once.
    fn forward(&self, forms: &[&Form], device: &Device) -> Tensor<2> {
        let mut index = HashMap::new();
        let mut unique: Vec<&[u8]> = Vec::new();
        let mut which = Vec::with_capacity(forms.len());
        for form in forms {
            let at = *index.entry(form.characters.as_slice()).or_insert_with(|| {
                unique.push(&form.characters);
                unique.len() - 1
            });
            which.push(at);
        }
        let mut runs = Vec::with_capacity(unique.len());
        let mut at = 0;
        for word in &unique {
            runs.push(at..at + word.len());
            at += word.len();
        }
        let all = unique.iter().flat_map(|word| word.iter().map(|&c| usize::from(c)));
        let states = self.embedding.weight.val().select(0, indices(all, device));
        let means = mean_of_runs(self.bilstm.forward(states, &runs), &runs);
        means.select(0, indices(which.into_iter(), device))
    }
}

/// The mean of each run of rows of `[rows, width]`, `[runs, width]`; 0 for empty runs.
fn mean_of_runs(rows: Tensor<2>, runs: &[Range<usize>]) -> Tensor<2> {
    let device = rows.device();
    let [_, width] = rows.dims();
    let longest = runs.iter().map(Range::len).max().unwrap_or(0).max(1);
    let mut shares = Vec::with_capacity(runs.len() * longest);
    let mut order = Vec::with_capacity(runs.len() * longest);
    for run in runs {
        for at in 0..longest {
            let inside = at < run.len();
            order.push(if inside { run.start + at } else { 0 });
            shares.push(if inside { 1.0 / run.len() as f32 } else { 0.0 });
        }
    }
    let shares = TensorData::new(shares, [runs.len(), longest, 1]);
    let padded = rows.select(0, indices(order.into_iter(), &device));
    let padded: Tensor<3> = padded.reshape([runs.len(), longest, width]);
    (padded * Tensor::from_data(shares, &device)).sum_dim(1).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn characters_are_printable_ascii_and_end_with_an_end() {
        let settings = TwoStageSettings { char_size: 4, ..TwoStageSettings::default() };
        let form = Form::new("a!~é", &settings);
        assert_eq!(form.characters, [b'a' - 32, 1, 94, UNKNOWN, END]);
        assert_eq!(Form::new(&"x".repeat(999), &settings).characters.len(), LONGEST + 1);
        assert_eq!(Form::new("a", &TwoStageSettings::default()), Form::default());
    }

    #[test]
    fn means_are_those_of_each_run() {
        let device = Device::flex();
        let rows = Tensor::from_data([[1.0, 0.0], [3.0, 4.0], [5.0, -1.0]], &device);
        let found = mean_of_runs(rows, &[0..2, 2..2, 2..3]);
        let found: Vec<f32> = found.try_into_vec_as().unwrap();
        assert_eq!(found, [2.0, 2.0, 0.0, 0.0, 5.0, -1.0]);
    }

    #[test]
    fn equal_words_have_equal_characters_and_others_have_not() {
        let device = Device::flex();
        let settings = TwoStageSettings { char_size: 3, ..TwoStageSettings::default() };
        let features = crate::train::seeded(Features::new(4, 4, &settings, &device), 2);
        let words = ["cell", "cells", "cell"].map(|word| Form::new(word, &settings));
        let forms: Vec<&Form> = words.iter().collect();
        let found = features.characters.unwrap().forward(&forms, &device);
        let found: Vec<f32> = found.try_into_vec_as().unwrap();
        assert_eq!(found[..6], found[12..]);
        assert_ne!(found[..6], found[6..12]);
    }
}
