//! What a batch of score matrices should say, as index lists: gold is sparse, the matrices are not.

use std::collections::BTreeSet;
use std::ops::Range;

/// A gold mention in a batch: tokens inclusive, as rows and columns of the score matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// Which window of the batch.
    pub row: usize,
    /// Which type.
    pub label: usize,
    /// First token.
    pub start: usize,
    /// Last token.
    pub end: usize,
}

/// The gold of a batch of score matrices `[batch, types, tokens, tokens]`.
#[derive(Debug, Clone)]
pub struct Target {
    /// The mentions, each once, in order.
    pub mentions: Vec<Mention>,
    /// The tokens of each window that are text: neither special nor padding.
    pub text: Vec<Range<usize>>,
    /// Entity types.
    pub types: usize,
    /// Tokens of the widest window.
    pub tokens: usize,
}

impl Target {
    /// Gold of `text.len()` windows; duplicate mentions collapse.
    ///
    /// # Panics
    /// When a mention lies outside the matrices or ends before it starts: its cell would be masked.
    pub fn new(
        mentions: Vec<Mention>,
        text: Vec<Range<usize>>,
        types: usize,
        tokens: usize,
    ) -> Self {
        let mentions: BTreeSet<Mention> = mentions.into_iter().collect();
        for m in &mentions {
            assert!(
                m.row < text.len() && m.label < types && m.start <= m.end && m.end < tokens,
                "{m:?} is no cell of [{}, {types}, {tokens}, {tokens}]",
                text.len()
            );
        }
        Self { mentions: mentions.into_iter().collect(), text, types, tokens }
    }

    /// Windows of the batch.
    pub fn rows(&self) -> usize {
        self.text.len()
    }

    /// Position of a span in the flattened scores.
    pub fn cell(&self, row: usize, label: usize, start: usize, end: usize) -> i32 {
        let index = ((row * self.types + label) * self.tokens + start) * self.tokens + end;
        i32::try_from(index).expect("a batch of score matrices has fewer than 2³¹ cells")
    }

    /// Position of a mention in the flattened scores.
    pub fn cell_of(&self, mention: &Mention) -> i32 {
        self.cell(mention.row, mention.label, mention.start, mention.end)
    }
}
