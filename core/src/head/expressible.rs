//! What of a gold annotation a head can express at all.

use std::collections::HashMap;

use super::HeadSettings;

/// Why a head cannot express a gold span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// It overlaps a longer one, and a token has one tag.
    Overlaps,
    /// It has more tokens than the widest span that is classified.
    TooWide,
    /// The same span has another type already, and a span has one class.
    SecondType,
}

impl HeadSettings {
    /// Whether it finds runs of whole words only, whatever the data holds.
    pub fn on_words(&self) -> bool {
        matches!(self, Self::TwoStage(_))
    }

    /// For each span of a document (first token, last token, type) why this head cannot express it, if so.
    ///
    /// Of overlapping spans a tagger keeps the longest, the first of equals, as in Verma et al.; a copy of a span that
    /// can be expressed can be too.
    pub fn limits(&self, spans: &[(usize, usize, usize)]) -> Vec<Option<Limit>> {
        match *self {
            Self::GlobalPointer { .. } | Self::EfficientGlobalPointer { .. } => {
                vec![None; spans.len()]
            }
            Self::Tagger | Self::Crf { .. } => longest_apart(spans),
            Self::SpanClassifier { width } => one_type_each(spans, width),
            Self::TwoStage(_) => one_type_each(spans, usize::MAX),
        }
    }
}

fn longest_apart(spans: &[(usize, usize, usize)]) -> Vec<Option<Limit>> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|&index| {
        let (first, last, _) = spans[index];
        (std::cmp::Reverse(last - first), first)
    });
    let tokens = spans.iter().map(|&(_, last, _)| last + 1).max().unwrap_or(0);
    let mut owner: Vec<Option<usize>> = vec![None; tokens];
    let mut limits = vec![None; spans.len()];
    for index in order {
        let (first, last, _) = spans[index];
        match owner[first..=last].iter().find_map(|owner| *owner) {
            None => owner[first..=last].fill(Some(index)),
            Some(other) if spans[other] == spans[index] => {}
            Some(_) => limits[index] = Some(Limit::Overlaps),
        }
    }
    limits
}

fn one_type_each(spans: &[(usize, usize, usize)], width: usize) -> Vec<Option<Limit>> {
    let mut types = HashMap::new();
    let limit = |&(first, last, label): &(usize, usize, usize)| {
        if last - first >= width {
            return Some(Limit::TooWide);
        }
        let own = *types.entry((first, last)).or_insert(label);
        (own != label).then_some(Limit::SecondType)
    };
    spans.iter().map(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tagger_keeps_the_longest_of_overlapping_spans() {
        // [0,1] in [0,4]; [4,6] crosses it; [8,8] twice, and once with another type
        let spans = [(0, 1, 0), (0, 4, 1), (4, 6, 0), (8, 8, 2), (8, 8, 2), (8, 8, 0)];
        let overlaps = Some(Limit::Overlaps);
        let expected = [overlaps, None, overlaps, None, None, overlaps];
        assert_eq!(HeadSettings::Tagger.limits(&spans), expected);
        assert_eq!(HeadSettings::Crf { constrained: true }.limits(&spans), expected);
    }

    #[test]
    fn a_span_classifier_gives_a_span_of_its_width_one_type() {
        let spans = [(0, 1, 0), (0, 2, 1), (0, 3, 1), (0, 1, 2), (0, 1, 0)];
        let (wide, second) = (Some(Limit::TooWide), Some(Limit::SecondType));
        let head = HeadSettings::SpanClassifier { width: 3 };
        assert_eq!(head.limits(&spans), [None, None, wide, second, None]);
    }

    #[test]
    fn a_two_stage_head_gives_a_span_of_any_width_one_type() {
        let spans = [(0, 1, 0), (0, 999, 1), (0, 1, 2), (0, 1, 0)];
        let head = HeadSettings::TwoStage(crate::head::TwoStageSettings::default());
        assert_eq!(head.limits(&spans), [None, None, Some(Limit::SecondType), None]);
    }

    #[test]
    fn a_pointer_expresses_everything() {
        let spans = [(0, 1, 0), (0, 9, 1), (0, 9, 2)];
        assert_eq!(HeadSettings::GlobalPointer { size: 2 }.limits(&spans), [None; 3]);
    }
}
