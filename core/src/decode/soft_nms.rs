//! Soft-NMS: a span lowers the scores of others that overlap it much (Bodla et al. 2017; Locate and Label, Alg. 1).

use std::cmp::Ordering;
use std::ops::Range;

use super::threshold::ScoredSpan;

/// How spans compete.
#[derive(Debug, Clone, Copy)]
pub struct SoftNms {
    /// u: what multiplies the score of a span that overlaps a better one.
    pub decay: f32,
    /// k: from this intersection over union on it does.
    pub iou: f64,
    /// δ: the score that a span exceeds to be kept.
    pub threshold: f32,
    /// Whether a span that crosses a better one (overlaps it without nesting) is dropped.
    pub drop_crossing: bool,
}

impl SoftNms {
    /// The spans that are left, best first, with their lowered scores. Of several types on one span the best counts;
    /// ties go to the earlier start, then the earlier end, then the lower type.
    pub fn of(&self, mut spans: Vec<ScoredSpan>) -> Vec<ScoredSpan> {
        spans.sort_by(best_first);
        let mut seen = std::collections::HashSet::new();
        spans.retain(|span| seen.insert((span.start, span.end)));
        let mut kept: Vec<ScoredSpan> = Vec::new();
        while !spans.is_empty() {
            let best = spans.remove(0);
            if best.probability <= self.threshold {
                break;
            }
            if self.drop_crossing && kept.iter().any(|other| crosses(&best, other)) {
                continue;
            }
            for other in &mut spans {
                if iou(&range(&best), &range(other)) >= self.iou {
                    other.probability *= self.decay;
                }
            }
            spans.sort_by(best_first);
            kept.push(best);
        }
        kept
    }
}

/// Intersection over union of two ranges; 0 when both are empty.
pub fn iou(a: &Range<usize>, b: &Range<usize>) -> f64 {
    let shared = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    let whole = a.len() + b.len() - shared;
    if whole == 0 { 0.0 } else { shared as f64 / whole as f64 }
}

fn best_first(a: &ScoredSpan, b: &ScoredSpan) -> Ordering {
    let place = |span: &ScoredSpan| (span.start, span.end, span.label);
    b.probability.total_cmp(&a.probability).then_with(|| place(a).cmp(&place(b)))
}

fn range(span: &ScoredSpan) -> Range<usize> {
    span.start..span.end + 1
}

fn crosses(a: &ScoredSpan, b: &ScoredSpan) -> bool {
    let one_way =
        |a: &ScoredSpan, b: &ScoredSpan| a.start < b.start && b.start <= a.end && a.end < b.end;
    one_way(a, b) || one_way(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: SoftNms = SoftNms { decay: 0.9, iou: 0.6, threshold: 0.55, drop_crossing: false };

    fn span(start: usize, end: usize, label: usize, probability: f32) -> ScoredSpan {
        ScoredSpan { start, end, label, probability }
    }

    /// Start, end, type and score in thousandths.
    fn kept(rules: SoftNms, spans: Vec<ScoredSpan>) -> Vec<(usize, usize, usize, u32)> {
        let found = rules.of(spans);
        found
            .iter()
            .map(|s| (s.start, s.end, s.label, (s.probability * 1e3).round() as u32))
            .collect()
    }

    #[test]
    fn overlapping_spans_lose_score_and_those_below_the_threshold_go() {
        let spans = vec![
            span(0, 4, 1, 0.9),
            span(0, 3, 1, 0.6), // · 0.9 = 0.54
            span(1, 4, 1, 0.62),
            span(5, 7, 2, 0.5),
            span(0, 4, 2, 0.58), // the same span with a lower score
        ];
        assert_eq!(kept(RULES, spans), [(0, 4, 1, 900), (1, 4, 1, 558)]);
    }

    #[test]
    fn a_lowered_span_falls_behind_and_can_be_lowered_again() {
        // (0,5) lowers (0,4) (5/6) and (1,4) (4/6): .8 → .72, .76 → .684; (0,4) then lowers (1,4) (4/5): .6156;
        // (9,9) comes between them
        let spans =
            vec![span(0, 5, 0, 0.9), span(0, 4, 0, 0.8), span(1, 4, 0, 0.76), span(9, 9, 0, 0.7)];
        let expected = [(0, 5, 0, 900), (0, 4, 0, 720), (9, 9, 0, 700), (1, 4, 0, 616)];
        assert_eq!(kept(RULES, spans), expected);
    }

    #[test]
    fn the_limit_of_overlap_is_part_of_it() {
        // 3 of 5 words: exactly 0.6
        assert_eq!(kept(RULES, vec![span(0, 3, 0, 0.9), span(1, 4, 0, 0.6)]), [(0, 3, 0, 900)]);
        let above = SoftNms { iou: 0.600_001, ..RULES };
        assert_eq!(kept(above, vec![span(0, 3, 0, 0.9), span(1, 4, 0, 0.6)]).len(), 2);
    }

    #[test]
    fn ties_go_to_the_first() {
        let spans =
            vec![span(3, 3, 0, 0.7), span(1, 2, 1, 0.7), span(1, 2, 0, 0.7), span(1, 1, 5, 0.7)];
        let found = kept(RULES, spans);
        assert_eq!(found, [(1, 1, 5, 700), (1, 2, 0, 700), (3, 3, 0, 700)]);
    }

    #[test]
    fn of_crossing_spans_the_better_stays_if_asked_for() {
        let spans =
            || vec![span(0, 3, 0, 0.9), span(3, 6, 0, 0.8), span(4, 5, 0, 0.7), span(1, 2, 0, 0.6)];
        assert_eq!(kept(RULES, spans()).len(), 4);
        let strict = SoftNms { drop_crossing: true, ..RULES };
        assert_eq!(kept(strict, spans()), [(0, 3, 0, 900), (4, 5, 0, 700), (1, 2, 0, 600)]);
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert!(RULES.of(vec![]).is_empty());
        assert_eq!(iou(&(0..0), &(3..3)), 0.0);
        assert_eq!(iou(&(0..2), &(2..4)), 0.0);
        assert_eq!(iou(&(0..4), &(2..6)), 2.0 / 6.0);
    }
}
