//! What the wrong predictions and the unfound entities have to do with each other.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A span and its type.
pub(super) type Typed<'a> = (usize, usize, &'a str);

/// Errors by kind. Every unfound gold entity and every wrong prediction counts once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCounts {
    /// The right span with a wrong type.
    pub wrong_type: usize,
    /// The right type on an overlapping span.
    pub wrong_boundary: usize,
    /// Gold that no prediction came near.
    pub missed: usize,
    /// Predictions that came near no gold.
    pub spurious: usize,
}

impl ErrorCounts {
    /// Pairs unfound gold with wrong predictions of one document: first by equal span, then by equal type and the
    /// largest overlap; what is left is missed or spurious.
    pub(super) fn of(unfound: &BTreeSet<Typed>, wrong: &BTreeSet<Typed>) -> Self {
        let mut counts = Self::default();
        let mut wrong: Vec<Typed> = wrong.iter().copied().collect();
        let mut unfound: Vec<Typed> = unfound.iter().copied().collect();
        unfound.retain(|gold| {
            let same_span = wrong.iter().position(|p| (p.0, p.1) == (gold.0, gold.1));
            same_span.map(|at| wrong.remove(at)).map(|_| counts.wrong_type += 1).is_none()
        });
        unfound.retain(|gold| {
            let overlap = |p: &Typed| p.1.min(gold.1).saturating_sub(p.0.max(gold.0));
            let nearest = (0..wrong.len())
                .filter(|&at| wrong[at].2 == gold.2 && overlap(&wrong[at]) > 0)
                .max_by_key(|&at| overlap(&wrong[at]));
            nearest.map(|at| wrong.remove(at)).map(|_| counts.wrong_boundary += 1).is_none()
        });
        counts.missed = unfound.len();
        counts.spurious = wrong.len();
        counts
    }

    /// Adds the counts of another document.
    pub(super) fn add(&mut self, other: Self) {
        self.wrong_type += other.wrong_type;
        self.wrong_boundary += other.wrong_boundary;
        self.missed += other.missed;
        self.spurious += other.spurious;
    }
}
