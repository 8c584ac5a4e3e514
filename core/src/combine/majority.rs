//! What most systems find (§4.5 of Verma et al.): precision mostly rises.

use super::{entity, votes};
use crate::data::Entity;

/// What more than ⌊n/2⌋ of the n systems find in one document: of two systems both, of three two. A system that lists
/// an entity twice has one vote. The score is the mean of those who voted for it: like their own, a probability that
/// exceeds the threshold, and not as coarse as the share of votes.
pub fn majority(systems: &[&[Entity]]) -> Vec<Entity> {
    let needed = systems.len() / 2;
    let mean = |scores: &[f32]| scores.iter().sum::<f32>() / scores.len() as f32;
    votes(systems)
        .into_iter()
        .filter(|(_, scores)| scores.len() > needed)
        .map(|(key, scores)| entity(key, mean(&scores)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::system;
    use super::*;

    #[test]
    fn two_of_three_are_needed() {
        let a = system(&[(0, 4, "X", 0.5), (5, 9, "Y", 0.75), (0, 9, "X", 1.0)]);
        let b = system(&[(0, 4, "X", 0.75), (5, 9, "X", 0.75)]);
        let c = system(&[(0, 4, "X", 1.0), (5, 9, "Y", 0.25)]);
        // (0.5 + 0.75 + 1) / 3 and (0.75 + 0.25) / 2
        let expected = system(&[(0, 4, "X", 0.75), (5, 9, "Y", 0.5)]);
        assert_eq!(majority(&[&a, &b, &c]), expected);
    }

    #[test]
    fn both_of_two_and_three_of_four_are_needed() {
        let one = system(&[(0, 4, "X", 0.5)]);
        let none = system(&[]);
        assert!(majority(&[&one, &none]).is_empty());
        assert_eq!(majority(&[&one, &one]), one);
        assert!(majority(&[&one, &one, &none, &none]).is_empty());
        assert_eq!(majority(&[&one, &one, &none, &one]), one);
    }

    #[test]
    fn whoever_lists_an_entity_twice_has_one_vote() {
        let twice = system(&[(0, 4, "X", 0.5), (0, 4, "X", 0.75)]);
        assert!(majority(&[&twice, &system(&[]), &system(&[])]).is_empty());
        assert_eq!(majority(&[&twice, &twice]), system(&[(0, 4, "X", 0.75)]));
    }
}
