//! The words of a batch, one after another without padding.

use std::ops::Range;

use burn::tensor::Tensor;

use super::span_max::SpanMax;
use crate::loss::Mention;
use crate::model::Layout;

/// Which tokens the words of a batch are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The first word of each row, and how many words there are.
    first: Vec<usize>,
    /// Of each word, in its row.
    tokens: Vec<Range<usize>>,
    /// The row of each word.
    rows: Vec<usize>,
}

impl Words {
    /// The words of all rows.
    pub fn new(layouts: &[Layout]) -> Self {
        let mut words = Self { first: vec![0], tokens: Vec::new(), rows: Vec::new() };
        for (row, layout) in layouts.iter().enumerate() {
            words.tokens.extend(layout.words.iter().cloned());
            words.rows.resize(words.tokens.len(), row);
            words.first.push(words.tokens.len());
        }
        words
    }

    /// Rows of the batch.
    pub fn rows(&self) -> usize {
        self.first.len() - 1
    }

    /// The words of a row.
    pub fn of(&self, row: usize) -> Range<usize> {
        self.first[row]..self.first[row + 1]
    }

    /// The words of the row of a word.
    pub fn around(&self, word: usize) -> Range<usize> {
        self.of(self.rows[word])
    }

    /// The row of a word.
    pub fn row(&self, word: usize) -> usize {
        self.rows[word]
    }

    /// Words of the longest row.
    pub fn longest(&self) -> usize {
        (0..self.rows()).map(|row| self.of(row).len()).max().unwrap_or(0)
    }

    /// The words of a mention; `None` where it begins or ends within one.
    pub fn of_mention(&self, mention: &Mention) -> Option<Range<usize>> {
        let row = self.of(mention.row);
        let tokens = &self.tokens[row.clone()];
        let first = tokens.binary_search_by_key(&mention.start, |word| word.start).ok()?;
        let last = tokens.binary_search_by_key(&(mention.end + 1), |word| word.end).ok()?;
        (first <= last).then(|| row.start + first..row.start + last + 1)
    }

    /// First and last token of some words of a row.
    pub fn tokens(&self, words: &Range<usize>) -> (usize, usize) {
        (self.tokens[words.start].start, self.tokens[words.end - 1].end - 1)
    }

    /// A vector for each word, `[words, hidden]`, from hidden states `[rows, tokens, hidden]`: the maximum over its
    /// pieces.
    pub fn pool(&self, hidden: Tensor<3>) -> Tensor<2> {
        let [rows, tokens, width] = hidden.dims();
        let place = |(word, pieces): (usize, &Range<usize>)| {
            let at = self.rows[word] * tokens;
            at + pieces.start..at + pieces.end
        };
        let runs: Vec<Range<usize>> = self.tokens.iter().enumerate().map(place).collect();
        let longest = runs.iter().map(Range::len).max().unwrap_or(0);
        SpanMax::new(hidden.reshape([rows * tokens, width]), longest).of(&runs)
    }
}
