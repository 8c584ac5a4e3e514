//! Whatever any system finds (§4.4 of Verma et al.): recall can only rise, precision mostly falls.

use super::{entity, votes};
use crate::data::Entity;

/// The union of what the systems find in one document, each entity once. Its score is the largest that a system gave
/// it: the union exceeds a threshold where any system does.
pub fn union(systems: &[&[Entity]]) -> Vec<Entity> {
    let largest = |scores: &[f32]| scores.iter().copied().fold(0.0, f32::max);
    votes(systems).into_iter().map(|(key, scores)| entity(key, largest(&scores))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::system;
    use super::*;

    #[test]
    fn every_entity_comes_once_with_its_largest_score() {
        let a = system(&[(0, 4, "X", 0.6), (5, 9, "Y", 0.9)]);
        let b = system(&[(0, 4, "X", 0.7), (0, 4, "Y", 0.8), (0, 9, "X", 0.55)]);
        // by start, longer ones first, then label
        let expected = [(0, 9, "X", 0.55), (0, 4, "X", 0.7), (0, 4, "Y", 0.8), (5, 9, "Y", 0.9)];
        assert_eq!(union(&[&a, &b]), system(&expected));
        assert_eq!(union(&[&b, &a]), system(&expected));
        assert!(union(&[&[], &[]]).is_empty());
    }

    #[test]
    fn an_entity_without_a_score_is_certain() {
        let mut gold = system(&[(0, 4, "X", 0.0)]);
        gold[0].score = None;
        assert_eq!(union(&[&gold, &system(&[(0, 4, "X", 0.6)])]), system(&[(0, 4, "X", 1.0)]));
    }
}
