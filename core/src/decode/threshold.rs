//! Every span whose probability exceeds the threshold is an entity: nested, crossing and multi-typed ones alike.

use std::ops::Range;

/// A span that the model takes for an entity; tokens of its window, inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredSpan {
    /// First token.
    pub start: usize,
    /// Last token.
    pub end: usize,
    /// Which type.
    pub label: usize,
    /// Sigmoid of its score.
    pub probability: f32,
}

/// The spans within the tokens `text` of one window's scores `[types, tokens, tokens]` (row-major) whose
/// probability exceeds `threshold`; at 0.5 those with a positive score. In order of type, start and end.
///
/// # Panics
/// When `scores` does not hold `types · tokens²` values.
pub fn above_threshold(
    scores: &[f32],
    types: usize,
    tokens: usize,
    text: Range<usize>,
    threshold: f32,
) -> Vec<ScoredSpan> {
    assert_eq!(scores.len(), types * tokens * tokens);
    let least = (threshold / (1.0 - threshold)).ln();
    let mut found = Vec::new();
    for label in 0..types {
        for start in text.clone() {
            let row = (label * tokens + start) * tokens;
            for end in start..text.end {
                let score = scores[row + end];
                if score > least {
                    found.push(ScoredSpan { start, end, label, probability: sigmoid(score) });
                }
            }
        }
    }
    found
}

/// 1 / (1 + e⁻ˣ).
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(threshold: f32) -> Vec<(usize, usize, usize)> {
        // Token 0 is special; token 3 padding. One type; rows are starts.
        #[rustfmt::skip]
        let scores = [
            9.0,  9.0,  9.0, 9.0,
           -9.0,  0.1, -0.1, 9.0,
           -9.0, -9.0,  2.0, 9.0,
           -9.0, -9.0, -9.0, 9.0,
        ];
        above_threshold(&scores, 1, 4, 1..3, threshold)
            .iter()
            .map(|s| (s.label, s.start, s.end))
            .collect()
    }

    #[test]
    fn positive_scores_within_the_text_are_entities() {
        assert_eq!(spans(0.5), [(0, 1, 1), (0, 2, 2)]);
    }

    #[test]
    fn the_threshold_is_a_probability() {
        assert_eq!(spans(0.6), [(0, 2, 2)]); // sigmoid(0.1) = 0.525, sigmoid(2) = 0.881
        assert_eq!(spans(0.4), [(0, 1, 1), (0, 1, 2), (0, 2, 2)]); // sigmoid(-0.1) = 0.475
        assert!(spans(1.0).is_empty());
        assert_eq!(spans(0.0).len(), 3);
    }
}
