//! What became of each gold entity and of each prediction.

use innerspan::data::Entity;

/// How one entity of one side compares with the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The other side has the same span with the same type.
    Right,
    /// The other side has the same span, but not with this type; with that one.
    WrongType(String),
    /// The other side has this type only on an overlapping span.
    WrongBoundary,
    /// Nothing like it on the other side: a missed gold entity, or a spurious prediction.
    Alone,
}

impl Verdict {
    /// Judges `entity` against all entities of the other side.
    pub fn of(entity: &Entity, others: &[Entity]) -> Self {
        let same_span = |o: &&Entity| (o.start, o.end) == (entity.start, entity.end);
        if others.iter().filter(same_span).any(|o| o.label == entity.label) {
            return Self::Right;
        }
        if let Some(other) = others.iter().find(same_span) {
            return Self::WrongType(other.label.clone());
        }
        let near =
            |o: &Entity| o.label == entity.label && o.start < entity.end && entity.start < o.end;
        if others.iter().any(near) { Self::WrongBoundary } else { Self::Alone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_mistake_is_told_apart() {
        let entity =
            |start, end, label: &str| Entity { start, end, label: label.into(), score: None };
        let gold = [entity(0, 4, "A"), entity(2, 4, "B")];
        assert_eq!(Verdict::of(&entity(2, 4, "B"), &gold), Verdict::Right);
        assert_eq!(Verdict::of(&entity(2, 4, "A"), &gold), Verdict::WrongType("B".into()));
        assert_eq!(Verdict::of(&entity(1, 9, "A"), &gold), Verdict::WrongBoundary);
        assert_eq!(Verdict::of(&entity(1, 9, "C"), &gold), Verdict::Alone);
        assert_eq!(Verdict::of(&entity(4, 6, "A"), &gold), Verdict::Alone);
    }
}
