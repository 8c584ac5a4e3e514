//! Which spans are looked at, and what of them training should learn.

use std::ops::Range;

use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::TwoStageSettings;
use crate::decode::iou;

/// Negatives that even a sentence without entities has.
const LEAST_NEGATIVES: usize = 2;

/// Spans of a sentence to train on.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Its words.
    pub span: Range<usize>,
    /// Which gold span overlaps it most, the first of equals, and their intersection over union, which is not 0.
    pub paired: Option<(usize, f64)>,
    /// Whether that is enough for it to belong to the gold span.
    pub positive: bool,
}

/// The spans of the words of a sentence that have one of `lengths`, each once; those that would leave the sentence end
/// with it. By start, then in the order of the lengths.
pub fn seeds(words: Range<usize>, lengths: &[usize]) -> Vec<Range<usize>> {
    let mut spans = Vec::with_capacity(words.len() * lengths.len());
    for start in words.clone() {
        let from = spans.len();
        for length in lengths {
            let span = start..words.end.min(start + length);
            if !spans[from..].contains(&span) {
                spans.push(span);
            }
        }
    }
    spans
}

/// The gold span with the largest intersection over union with `span`, the first of equals; `None` where none overlaps.
pub fn pair(span: &Range<usize>, gold: &[Range<usize>]) -> Option<(usize, f64)> {
    let mut best = None;
    for (index, gold) in gold.iter().enumerate() {
        let iou = iou(span, gold);
        if iou > best.map_or(0.0, |(_, most)| most) {
            best = Some((index, iou));
        }
    }
    best
}

/// What to train on in a sentence with the gold spans `gold`, each of which is there once: every seed that belongs to
/// one, the gold spans that are no seeds themselves, and a sample of the other seeds.
pub fn examples(
    words: Range<usize>,
    gold: &[Range<usize>],
    settings: &TwoStageSettings,
    seed: u64,
) -> Vec<Example> {
    let (mut examples, mut rest) = (Vec::new(), Vec::new());
    for span in seeds(words, &settings.seed_lengths) {
        let paired = pair(&span, gold);
        let positive = paired.is_some_and(|(_, iou)| iou > settings.pair_iou || iou == 1.0);
        let to = if positive { &mut examples } else { &mut rest };
        to.push(Example { span, paired, positive });
    }
    for (index, span) in gold.iter().enumerate() {
        if !examples.iter().any(|example| example.span == *span) {
            let paired = Some((index, 1.0));
            examples.push(Example { span: span.clone(), paired, positive: true });
        }
    }
    let wanted = settings.negatives * examples.len() + LEAST_NEGATIVES;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen = sample(&mut random, rest.len(), wanted.min(rest.len())).into_vec();
    chosen.sort_unstable();
    examples.extend(chosen.into_iter().map(|at| rest[at].clone()));
    examples
}

/// How much an example counts whose intersection over union with its gold span is `iou` (Eq. 11): the less the more
/// it is in doubt whether it `belongs` to it.
pub fn weight(iou: f64, belongs: bool, eta: f64) -> f64 {
    if belongs { iou.powf(eta) } else { (1.0 - iou).powf(eta) }
}

/// A span whose boundaries are moved by `offsets`, in words: rounded to the nearest, and kept within `sentence`
/// (Eq. 6 and 7); `None` where nothing is left.
pub fn adjust(
    span: &Range<usize>,
    offsets: [f32; 2],
    sentence: &Range<usize>,
) -> Option<Range<usize>> {
    let moved = |at: usize, by: f32| {
        let by = (by + 0.5).floor() as i64; // saturates
        (at as i64).saturating_add(by)
    };
    let start = moved(span.start, offsets[0]).max(sentence.start as i64);
    let end = moved(span.end, offsets[1]).min(sentence.end as i64);
    (start < end).then_some(start as usize..end as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_have_every_length_from_every_start_and_end_with_the_sentence() {
        assert_eq!(seeds(4..7, &[1, 3]), [4..5, 4..7, 5..6, 5..7, 6..7]);
        assert_eq!(seeds(0..2, &[2, 1, 5]), [0..2, 0..1, 1..2]);
        assert_eq!(seeds(3..4, &[1, 2, 3]).len(), 1);
        assert!(seeds(3..3, &[1, 2]).is_empty());
    }

    #[test]
    fn spans_pair_with_the_gold_that_overlaps_them_most_the_first_of_equals() {
        let gold = [0..2, 2..4, 0..8];
        assert_eq!(pair(&(1..3), &gold), Some((0, 1.0 / 3.0)));
        assert_eq!(pair(&(2..4), &gold), Some((1, 1.0)));
        assert_eq!(pair(&(4..8), &gold), Some((2, 0.5)));
        assert_eq!(pair(&(8..9), &gold), None);
        assert_eq!(pair(&(0..1), &[]), None);
    }

    fn of(
        words: Range<usize>,
        gold: &[Range<usize>],
        lengths: &[usize],
        seed: u64,
    ) -> Vec<Example> {
        let seed_lengths = lengths.to_vec();
        examples(words, gold, &TwoStageSettings { seed_lengths, ..Default::default() }, seed)
    }

    #[test]
    fn seeds_that_share_more_than_seven_tenths_with_gold_are_positive() {
        // of 0..4: 0..3 and 1..4 share 3/4, 0..5 4/5, 1..5 only 3/5
        let found = of(0..6, &[0..4], &[3, 4, 5], 1);
        let positive: Vec<_> =
            found.iter().filter(|e| e.positive).map(|e| e.span.clone()).collect();
        assert_eq!(positive, [0..3, 0..4, 0..5, 1..4]);
        let ious: Vec<f64> = found.iter().filter_map(|e| e.paired.map(|(_, iou)| iou)).collect();
        assert_eq!(ious[..4], [0.75, 1.0, 0.8, 0.75]);
        // 7 of 10 words are not more than seven tenths
        assert!(of(0..10, &[0..10], &[7], 1).iter().all(|e| e.positive == (e.span == (0..10))));
    }

    #[test]
    fn gold_that_is_no_seed_is_an_example_too() {
        let found = of(0..20, &[0..20, 3..4], &[1, 2], 1);
        let whole = Example { span: 0..20, paired: Some((0, 1.0)), positive: true };
        assert!(found.contains(&whole));
        assert_eq!(found.iter().filter(|e| e.positive).count(), 2);
        assert_eq!(found.iter().filter(|e| e.span == (3..4)).count(), 1);
    }

    #[test]
    fn negatives_are_five_a_positive_and_two_more_each_once() {
        let found = of(0..50, &[3..5, 9..10], &[1, 2, 3], 7);
        assert_eq!(found.iter().filter(|e| e.positive).count(), 2);
        let negative: Vec<&Example> = found.iter().filter(|e| !e.positive).collect();
        assert_eq!(negative.len(), 12);
        let mut spans: Vec<_> = negative.iter().map(|e| (e.span.start, e.span.end)).collect();
        spans.dedup();
        assert_eq!(spans.len(), 12);
    }

    #[test]
    fn the_seed_alone_decides_about_the_sample() {
        let sample = |seed| of(0..50, &[3..5], &[1, 2, 3], seed);
        assert_eq!(sample(3), sample(3));
        assert_ne!(sample(3), sample(4));
    }

    #[test]
    fn a_sentence_has_the_negatives_that_it_has() {
        assert_eq!(of(0..50, &[], &[1, 2], 1).len(), 2);
        assert_eq!(of(4..5, &[], &[1, 2], 1).len(), 1);
        // every seed is gold: nothing is left
        assert_eq!(of(4..5, &[4..5], &[1, 2], 1).len(), 1);
        assert!(of(4..4, &[], &[1, 2], 1).is_empty());
    }

    #[test]
    fn partial_matches_count_less() {
        assert_eq!(weight(0.8, true, 1.0), 0.8);
        assert_eq!(weight(0.6, false, 1.0), 0.4);
        assert_eq!(weight(0.6, false, 0.0), 1.0);
        assert_eq!(weight(0.0, false, 1.0), 1.0);
        assert_eq!(weight(0.5, true, 2.0), 0.25);
    }

    #[test]
    fn boundaries_move_to_the_nearest_word_within_the_sentence() {
        assert_eq!(adjust(&(5..8), [-1.4, 0.5], &(0..20)), Some(4..9));
        assert_eq!(adjust(&(5..8), [0.49, -0.5], &(0..20)), Some(5..8)); // ⌊-0.5 + 0.5⌋ = 0
        assert_eq!(adjust(&(5..8), [-9.0, 99.0], &(2..10)), Some(2..10));
        assert_eq!(adjust(&(5..8), [3.0, 0.0], &(0..20)), None);
        assert_eq!(adjust(&(5..8), [f32::MAX, f32::MIN], &(0..20)), None);
        assert_eq!(adjust(&(5..8), [f32::NAN, 0.0], &(0..20)), Some(5..8));
    }
}
