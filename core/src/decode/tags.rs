//! BIO tags of tokens: from mentions, and back to spans.

use std::ops::Range;

use super::threshold::ScoredSpan;
use crate::loss::Target;

/// The tags of so many types: for each type B, then I; O last.
#[derive(Debug, Clone, Copy)]
pub struct Tags(pub usize);

impl Tags {
    /// How many tags there are.
    pub fn count(self) -> usize {
        2 * self.0 + 1
    }

    /// The tag of a token outside of entities.
    pub fn outside(self) -> usize {
        2 * self.0
    }

    /// The type of a tag and whether it begins an entity; `None` for O.
    pub fn split(self, tag: usize) -> Option<(usize, bool)> {
        (tag < self.outside()).then_some((tag / 2, tag.is_multiple_of(2)))
    }

    /// Whether `tag` may follow `before`: an I follows the B or an I of its type only.
    pub fn may_follow(self, tag: usize, before: Option<usize>) -> bool {
        match self.split(tag) {
            Some((label, false)) => before
                .and_then(|before| self.split(before))
                .is_some_and(|(other, _)| other == label),
            _ => true,
        }
    }

    /// The tags of the first `lengths[r]` tokens of each row. Where mentions overlap the later one overwrites.
    pub fn of(self, target: &Target, lengths: &[usize]) -> Vec<Vec<usize>> {
        let mut tags: Vec<Vec<usize>> =
            lengths.iter().map(|&length| vec![self.outside(); length]).collect();
        for mention in &target.mentions {
            tags[mention.row][mention.start..=mention.end].fill(2 * mention.label + 1);
            tags[mention.row][mention.start] = 2 * mention.label;
        }
        tags
    }
}

/// The spans that tags say within the tokens `text`, each with the probability that `together` gives its first and
/// last token.
///
/// A span opens at B, and closes at O, at the next B and at an I of another type, which opens nothing (Verma et al.).
pub fn tagged_spans(
    tags: Tags,
    chosen: &[usize],
    text: Range<usize>,
    together: impl Fn(usize, usize) -> f32,
) -> Vec<ScoredSpan> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    let mut close = |open: Option<(usize, usize)>, end: usize| {
        if let Some((start, label)) = open {
            found.push(ScoredSpan { start, end, label, probability: together(start, end) });
        }
    };
    for token in text.clone() {
        open = match (tags.split(chosen[token]), open) {
            (Some((label, false)), Some((_, same))) if label == same => continue,
            (said, before) => {
                close(before, token.wrapping_sub(1));
                said.filter(|&(_, begins)| begins).map(|(label, _)| (token, label))
            }
        };
    }
    close(open, text.end.wrapping_sub(1));
    found
}

/// The index of the largest value, the first of equals.
pub fn best(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Mention;

    const B_A: usize = 0;
    const I_A: usize = 1;
    const B_B: usize = 2;
    const I_B: usize = 3;
    const O: usize = 4;

    fn read(chosen: &[usize]) -> Vec<(usize, usize, usize)> {
        let found = tagged_spans(Tags(2), chosen, 1..chosen.len() - 1, |_, _| 1.0);
        found.iter().map(|s| (s.start, s.end, s.label)).collect()
    }

    #[test]
    fn a_span_closes_at_o_at_b_and_at_another_type() {
        assert_eq!(read(&[O, B_A, I_A, O, B_B, B_B, I_B, O]), [(1, 2, 0), (4, 4, 1), (5, 6, 1)]);
        assert_eq!(read(&[O, B_A, I_B, I_A, O, O]), [(1, 1, 0)]);
        assert_eq!(read(&[O, O, B_B, I_B, O]), [(2, 3, 1)]);
    }

    #[test]
    fn an_i_without_a_b_opens_nothing() {
        assert!(read(&[O, I_A, I_A, O, O]).is_empty());
    }

    #[test]
    fn special_tokens_are_in_no_span() {
        assert_eq!(read(&[B_A, I_A, B_B, I_B]), [(2, 2, 1)]);
    }

    #[test]
    fn the_probability_of_a_span_is_that_of_its_ends() {
        let together = |first: usize, last: usize| first as f32 + last as f32 / 10.0;
        let found = tagged_spans(Tags(2), &[O, B_A, I_A, B_A, O], 1..4, together);
        let found: Vec<f32> = found.iter().map(|span| span.probability).collect();
        assert_eq!(found, [1.2, 3.3]);
    }

    #[test]
    fn tags_of_mentions_read_back_as_the_mentions() {
        let mention = |row, label, start, end| Mention { row, label, start, end };
        let mentions = vec![mention(0, 1, 1, 2), mention(0, 1, 3, 3), mention(1, 0, 1, 1)];
        let target = Target::new(mentions, vec![1..4, 1..2], 2, 5);
        let tags = Tags(2).of(&target, &[5, 3]);
        assert_eq!(tags, [vec![O, B_B, I_B, B_B, O], vec![O, B_A, O]]);
        assert_eq!(read(&tags[0]), [(1, 2, 1), (3, 3, 1)]);
    }

    #[test]
    fn an_i_follows_its_own_type_only() {
        let tags = Tags(2);
        assert!(tags.may_follow(I_A, Some(B_A)) && tags.may_follow(I_A, Some(I_A)));
        assert!(!tags.may_follow(I_A, Some(B_B)) && !tags.may_follow(I_A, Some(O)));
        assert!(!tags.may_follow(I_A, None) && tags.may_follow(O, None));
        assert!(tags.may_follow(B_A, Some(I_B)) && tags.may_follow(O, Some(I_B)));
    }
}
