//! What the classifier learns from: gold is correct, whatever else a member predicted in any epoch is not (§4.6 of
//! Verma et al.).

use std::collections::BTreeSet;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::data::{Document, Entity, LabelSet};

/// The share of the sentences that is held out to choose the best epoch.
const HELD_OUT: f64 = 0.15;

/// A candidate and whether it is right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Example {
    /// Which document.
    pub document: usize,
    pub entity: Entity,
    pub correct: bool,
}

/// The distinct candidates of every document: gold as correct ones, everything in `predictions` that is not gold as
/// incorrect ones. `predictions` are lists of the first of these documents with what was predicted in them; types that are
/// not among `labels` are left out.
pub(super) fn examples(
    gold: &[Document],
    predictions: &[Vec<Document>],
    labels: &LabelSet,
) -> Vec<Example> {
    let mut examples = Vec::new();
    for (document, gold) in gold.iter().enumerate() {
        let correct = spans(&gold.entities);
        let all: BTreeSet<Span> = predictions
            .iter()
            .filter_map(|list| list.get(document))
            .flat_map(|predicted| spans(&predicted.entities))
            .collect();
        let example = |&(start, end, label): &Span, correct| Example {
            document,
            entity: Entity { start, end, label: label.to_owned(), score: None },
            correct,
        };
        examples.extend(correct.iter().map(|span| example(span, true)));
        examples.extend(all.difference(&correct).map(|span| example(span, false)));
    }
    examples.retain(|example| labels.index(&example.entity.label).is_some());
    examples
}

type Span<'a> = (usize, usize, &'a str);

fn spans(entities: &[Entity]) -> BTreeSet<Span<'_>> {
    entities.iter().map(|e| (e.start, e.end, e.label.as_str())).collect()
}

/// Examples to train on and examples to hold out, by document: those of one document are never on both sides.
pub(super) fn split(examples: Vec<Example>, seed: u64) -> (Vec<Example>, Vec<Example>) {
    let documents: BTreeSet<usize> = examples.iter().map(|example| example.document).collect();
    let mut order: Vec<usize> = documents.into_iter().collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let count = (order.len() as f64 * HELD_OUT).ceil() as usize;
    let held_out: BTreeSet<usize> = order.into_iter().take(count).collect();
    examples.into_iter().partition(|example| !held_out.contains(&example.document))
}

#[cfg(test)]
mod tests {
    use super::super::super::system;
    use super::*;

    fn document(entities: &[(usize, usize, &str, f32)]) -> Document {
        Document { text: "aa bb cc".into(), entities: system(entities), ..Document::default() }
    }

    #[test]
    fn gold_is_correct_and_other_predictions_of_all_epochs_are_not_each_once() {
        let gold =
            [document(&[(0, 2, "X", 1.0), (3, 5, "Y", 1.0), (0, 2, "X", 1.0)]), document(&[])];
        // (0,2,X) is right; (0,2,Y) comes in both lists; Z is no type of the members
        let predictions = [
            vec![document(&[(0, 2, "X", 0.9), (0, 2, "Y", 0.6), (6, 8, "Z", 0.9)]), document(&[])],
            vec![document(&[(0, 2, "Y", 0.7)]), document(&[(6, 8, "X", 0.8)])],
        ];
        let labels = LabelSet::from_documents(&gold);
        let found: Vec<_> = examples(&gold, &predictions, &labels)
            .iter()
            .map(|e| (e.document, e.entity.start, e.entity.end, e.entity.label.clone(), e.correct))
            .collect();
        let expected = [
            (0, 0, 2, "X", true),
            (0, 3, 5, "Y", true),
            (0, 0, 2, "Y", false),
            (1, 6, 8, "X", false),
        ]
        .map(|(document, start, end, label, correct)| {
            (document, start, end, label.to_owned(), correct)
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn documents_without_predictions_add_what_is_correct() {
        let gold = [document(&[(0, 2, "X", 1.0)]), document(&[(3, 5, "X", 1.0)])];
        let labels = LabelSet::from_documents(&gold);
        let found = examples(&gold, &[vec![document(&[(6, 8, "X", 0.9)])]], &labels);
        let found: Vec<_> = found.iter().map(|e| (e.document, e.entity.start, e.correct)).collect();
        assert_eq!(found, [(0, 0, true), (0, 6, false), (1, 3, true)]);
    }

    #[test]
    fn no_document_is_on_both_sides_of_the_split() {
        let gold: Vec<Document> =
            (0..40).map(|_| document(&[(0, 2, "X", 1.0), (3, 5, "X", 1.0)])).collect();
        let all = examples(&gold, &[], &LabelSet::from_documents(&gold));
        let (train, held_out) = split(all.clone(), 1);
        let documents = |examples: &[Example]| -> BTreeSet<usize> {
            examples.iter().map(|example| example.document).collect()
        };
        let (trained, held) = (documents(&train), documents(&held_out));
        assert!(trained.is_disjoint(&held));
        // 15 % of 40
        assert_eq!((trained.len(), held.len(), train.len(), held_out.len()), (34, 6, 68, 12));
        assert_ne!(split(all, 2).1, held_out);
    }
}
