//! The evaluation report.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::errors::{ErrorCounts, Typed};
use super::score::Score;
use super::sentence::{count, typed};
use crate::data::Document;
use crate::loss::{Interval, box_distance};
use crate::text::split_words;

/// Scores of predictions against gold, over sets of (document, start, end, type): corpus micro averages unless said
/// otherwise, all ratios in 0..=1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Documents compared.
    pub documents: usize,
    /// Span and type must be right.
    pub strict: Score,
    /// The span must be right, whatever its type.
    pub boundary: Score,
    /// Means over the types of the gold.
    #[serde(rename = "macro")]
    pub macro_average: MacroAverage,
    /// Strict scores by type.
    pub per_label: BTreeMap<String, Score>,
    /// Strict scores by length in words; predictions count at their own length.
    pub per_length: BTreeMap<Length, Score>,
    /// Entities that overlap another one of their side.
    pub nested: Score,
    /// Entities that overlap no other one of their side.
    pub flat: Score,
    /// Errors by kind.
    pub errors: ErrorCounts,
    /// Mean EIoU (Eq. 3 of EIoU-EMC, 0 is perfect) between each gold entity and the prediction of its type that
    /// overlaps it most, in words; absent where no prediction overlaps gold of its type.
    pub mean_eiou: Option<f64>,
}

/// Unweighted means over the types.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MacroAverage {
    /// Mean precision.
    pub precision: f64,
    /// Mean recall.
    pub recall: f64,
    /// Mean F1.
    pub f1: f64,
}

/// A length in words: 1 to 5, 6 to 10, or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Length {
    /// One word.
    #[serde(rename = "1")]
    One,
    /// Two words.
    #[serde(rename = "2")]
    Two,
    /// Three words.
    #[serde(rename = "3")]
    Three,
    /// Four words.
    #[serde(rename = "4")]
    Four,
    /// Five words.
    #[serde(rename = "5")]
    Five,
    /// Six to ten words.
    #[serde(rename = "6-10")]
    SixToTen,
    /// More than ten words.
    #[serde(rename = "11+")]
    More,
}

impl Length {
    /// The bucket of `words` words.
    pub fn of(words: usize) -> Self {
        match words {
            0 | 1 => Self::One,
            2 => Self::Two,
            3 => Self::Three,
            4 => Self::Four,
            5 => Self::Five,
            6..=10 => Self::SixToTen,
            _ => Self::More,
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::One => "1",
            Self::Two => "2",
            Self::Three => "3",
            Self::Four => "4",
            Self::Five => "5",
            Self::SixToTen => "6-10",
            Self::More => "11+",
        })
    }
}

/// Compares the entities of `predicted` with those of `gold`, document by document.
///
/// # Panics
/// When the two do not hold the same number of documents.
pub fn evaluate(gold: &[Document], predicted: &[Document]) -> Report {
    assert_eq!(gold.len(), predicted.len(), "one prediction for each gold document");
    let mut report = Report { documents: gold.len(), ..Report::default() };
    let mut distances = Vec::new();
    for (gold, predicted) in gold.iter().zip(predicted) {
        report.add(gold, predicted, &mut distances);
    }
    let of_gold: Vec<&Score> = report.per_label.values().filter(|s| s.gold > 0).collect();
    let mean = |of: fn(&Score) -> f64| {
        of_gold.iter().map(|s| of(s)).sum::<f64>() / of_gold.len().max(1) as f64
    };
    report.macro_average = MacroAverage {
        precision: mean(Score::precision),
        recall: mean(Score::recall),
        f1: mean(Score::f1),
    };
    let count = distances.len();
    report.mean_eiou = (count > 0).then(|| distances.iter().sum::<f64>() / count as f64);
    report
}

impl Report {
    /// Adds one document.
    fn add(&mut self, gold_document: &Document, predicted: &Document, distances: &mut Vec<f64>) {
        let gold = typed(gold_document);
        let predicted = typed(predicted);
        let words = Words::of(gold_document);

        self.strict += count(&gold, &predicted);
        self.boundary += count(&spans(&gold), &spans(&predicted));
        for (entity, is_gold, is_predicted) in both(&gold, &predicted) {
            let one = Score {
                correct: usize::from(is_gold && is_predicted),
                predicted: usize::from(is_predicted),
                gold: usize::from(is_gold),
            };
            *self.per_label.entry(entity.2.to_owned()).or_default() += one;
            let length = Length::of(words.within(entity.0, entity.1));
            *self.per_length.entry(length).or_default() += one;
            let side = if is_gold { &gold } else { &predicted };
            let nested = side.iter().any(|other| *other != entity && overlap(*other, entity));
            *(if nested { &mut self.nested } else { &mut self.flat }) += one;
        }
        let unfound = gold.difference(&predicted).copied().collect();
        let wrong = predicted.difference(&gold).copied().collect();
        self.errors.add(ErrorCounts::of(&unfound, &wrong));

        for gold in &gold {
            let near = predicted.iter().filter(|p| p.2 == gold.2 && overlap(**p, *gold));
            let distance = |p: &Typed| box_distance(words.interval(*p), words.interval(*gold));
            distances.extend(near.map(distance).min_by(f64::total_cmp));
        }
    }
}

/// The distinct spans of entities.
fn spans(entities: &BTreeSet<Typed>) -> BTreeSet<(usize, usize)> {
    entities.iter().map(|e| (e.0, e.1)).collect()
}

/// Every entity of either side with whether it is gold and whether it was predicted.
fn both<'a>(
    gold: &'a BTreeSet<Typed<'a>>,
    predicted: &'a BTreeSet<Typed<'a>>,
) -> impl Iterator<Item = (Typed<'a>, bool, bool)> {
    gold.union(predicted).map(|e| (*e, gold.contains(e), predicted.contains(e)))
}

/// Whether two entities share a byte.
fn overlap(a: Typed, b: Typed) -> bool {
    a.0 < b.1 && b.0 < a.1
}

/// The words of a document, to measure entities in.
struct Words(Vec<std::ops::Range<usize>>);

impl Words {
    fn of(document: &Document) -> Self {
        Self(document.words.clone().unwrap_or_else(|| split_words(&document.text)))
    }

    /// Index of the first word that ends after `byte`.
    fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|word| word.end <= byte)
    }

    /// How many words `start..end` touches, at least 1.
    fn within(&self, start: usize, end: usize) -> usize {
        (self.0.partition_point(|word| word.start < end).saturating_sub(self.at(start))).max(1)
    }

    /// An entity in words.
    fn interval(&self, entity: Typed) -> Interval {
        let start = self.at(entity.0);
        Interval { start: start as f64, end: (start + self.within(entity.0, entity.1)) as f64 }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.per_label.keys().map(|l| l.chars().count()).max().unwrap_or(0).max(14);
        let row = |f: &mut fmt::Formatter<'_>, name: &str, score: &Score| {
            let (p, r, f1) = (score.precision(), score.recall(), score.f1());
            let (p, r, f1) = (p * 100.0, r * 100.0, f1 * 100.0);
            writeln!(f, "{name:<width$}  {p:>9.2}  {r:>6.2}  {f1:>6.2}  {:>7}", score.gold)
        };
        writeln!(f, "{:<width$}  precision  recall      F1  support", "")?;
        row(f, "strict", &self.strict)?;
        row(f, "boundary", &self.boundary)?;
        let m = &self.macro_average;
        let (p, r, f1) = (m.precision * 100.0, m.recall * 100.0, m.f1 * 100.0);
        writeln!(f, "{:<width$}  {p:>9.2}  {r:>6.2}  {f1:>6.2}", "macro average")?;
        row(f, "nested", &self.nested)?;
        row(f, "flat", &self.flat)?;
        writeln!(f, "\nby type")?;
        for (label, score) in &self.per_label {
            row(f, label, score)?;
        }
        writeln!(f, "\nby length in words")?;
        for (length, score) in &self.per_length {
            row(f, &length.to_string(), score)?;
        }
        let ErrorCounts { wrong_type, wrong_boundary, missed, spurious } = self.errors;
        writeln!(
            f,
            "\nerrors: {wrong_type} wrong type, {wrong_boundary} wrong boundary, {missed} missed, {spurious} spurious"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Entity;

    fn document(text: &str, entities: &[(usize, usize, &str)]) -> Document {
        let entity = |&(start, end, label): &(usize, usize, &str)| Entity {
            start,
            end,
            label: label.into(),
            score: None,
        };
        Document {
            text: text.into(),
            entities: entities.iter().map(entity).collect(),
            ..Document::default()
        }
    }

    #[test]
    fn scores_count_sets_over_the_whole_corpus() {
        // "aa bb cc": gold (0,8,X) (3,5,Y) | (0,2,X); found (3,5,Y), (0,8,Z), (0,2,X) twice, (3,8,X).
        let gold = [
            document("aa bb cc", &[(0, 8, "X"), (3, 5, "Y")]),
            document("aa bb cc", &[(0, 2, "X")]),
        ];
        let predicted = [
            document("aa bb cc", &[(3, 5, "Y"), (0, 8, "Z")]),
            document("aa bb cc", &[(0, 2, "X"), (0, 2, "X"), (3, 8, "X")]),
        ];
        let report = evaluate(&gold, &predicted);
        assert_eq!(report.strict, Score { correct: 2, predicted: 4, gold: 3 });
        assert_eq!(report.boundary, Score { correct: 3, predicted: 4, gold: 3 });
        assert_eq!(report.per_label["X"], Score { correct: 1, predicted: 2, gold: 2 });
        assert_eq!(report.per_label["Z"], Score { correct: 0, predicted: 1, gold: 0 });
        assert_eq!(report.per_length[&Length::Three], Score { correct: 0, predicted: 1, gold: 1 });
        // The mention (0,8,Z) overlaps another prediction; (3,8,X) overlaps none.
        assert_eq!(report.nested, Score { correct: 1, predicted: 2, gold: 2 });
        assert_eq!(report.flat, Score { correct: 1, predicted: 2, gold: 1 });
        let errors = ErrorCounts { wrong_type: 1, wrong_boundary: 0, missed: 0, spurious: 1 };
        assert_eq!(report.errors, errors);
        // Macro over X (P 1/2, R 1/2, F 1/2) and Y (1, 1, 1); Z is not in the gold.
        assert!((report.macro_average.f1 - 0.75).abs() < 1e-12);
    }

    #[test]
    fn errors_pair_a_wrong_boundary_with_the_prediction_that_overlaps_most() {
        let gold = [document("aa bb cc dd", &[(0, 8, "X"), (9, 11, "Y")])];
        let predicted = [document("aa bb cc dd", &[(0, 5, "X"), (6, 8, "X")])];
        let report = evaluate(&gold, &predicted);
        let errors = ErrorCounts { wrong_type: 0, wrong_boundary: 1, missed: 1, spurious: 1 };
        assert_eq!(report.errors, errors);
        // Best match of (0,8) is (0,5): words 0..2 against 0..3, IoU 2/3.
        let (v, iou) =
            (4.0 / std::f64::consts::PI.powi(2) * (3f64.atan() - 2f64.atan()).powi(2), 2.0 / 3.0);
        let expected = -f64::ln(iou) + 0.25 / 10.0 + v * v / (1.0 - iou + v);
        assert!((report.mean_eiou.unwrap_or(f64::NAN) - expected).abs() < 1e-6);
    }

    #[test]
    fn undefined_ratios_are_zero() {
        let report = evaluate(&[document("a", &[])], &[document("a", &[])]);
        assert_eq!((report.strict.precision(), report.strict.f1()), (0.0, 0.0));
        assert_eq!(report.mean_eiou, None);
        let json = serde_json::to_value(&report).unwrap_or_default();
        assert_eq!(json["strict"]["f1"], 0.0);
        assert_eq!(json["macro"]["f1"], 0.0);
    }

    #[test]
    fn a_report_is_read_back_from_its_json() {
        let gold = [document("aa bb cc", &[(0, 8, "X"), (3, 5, "Y")])];
        let predicted = [document("aa bb cc", &[(0, 8, "X"), (0, 2, "Y")])];
        let report = evaluate(&gold, &predicted);
        let json = serde_json::to_string(&report).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Report>(&json).ok(), Some(report));
    }
}
