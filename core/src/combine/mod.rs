//! Several systems made one (Verma et al., 2023): the union of what they find, what most of them find, or what a
//! classifier believes of what they find.

#[cfg(feature = "train")]
mod aligned;
mod ensemble;
#[cfg(feature = "train")]
mod kept;
mod majority;
pub mod meta;
#[cfg(feature = "train")]
mod quantize;
mod union;
#[cfg(feature = "train")]
mod write;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[cfg(feature = "train")]
pub use aligned::same_texts;
pub use ensemble::{Ensemble, EnsembleConfig, Members};
#[cfg(feature = "train")]
pub use kept::{keep_predictions, kept_predictions, remove_predictions};
pub use majority::majority;
#[cfg(feature = "train")]
pub use quantize::quantize;
pub use union::union;
#[cfg(feature = "train")]
pub use write::{common_labels, refuse_full, write_ensemble};

use crate::data::Entity;

/// The ways to combine systems by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// What any system finds: see [`union`](fn@union).
    Union,
    /// What most systems find: see [`majority`](fn@majority).
    Majority,
    /// What any system finds and a classifier takes for correct.
    Meta,
}

impl Method {
    /// What users call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Union => "union",
            Self::Majority => "majority",
            Self::Meta => "meta",
        }
    }
}

/// The scores of each distinct entity of a document, one for each system that found it: the largest where one system
/// lists an entity twice, 1 where it gives none. Ordered by start, longer ones first, then label.
fn votes<'a>(systems: &[&'a [Entity]]) -> BTreeMap<Key<'a>, Vec<f32>> {
    let mut all = BTreeMap::<Key, Vec<f32>>::new();
    for entities in systems {
        let mut own = BTreeMap::<Key, f32>::new();
        for entity in *entities {
            let score = entity.score.unwrap_or(1.0);
            own.entry(key(entity)).and_modify(|best| *best = best.max(score)).or_insert(score);
        }
        for (key, score) in own {
            all.entry(key).or_default().push(score);
        }
    }
    all
}

/// What makes two entities of a document the same.
type Key<'a> = (usize, Reverse<usize>, &'a str);

fn key(entity: &Entity) -> Key<'_> {
    (entity.start, Reverse(entity.end), &entity.label)
}

fn entity((start, Reverse(end), label): Key, score: f32) -> Entity {
    Entity { start, end, label: label.to_owned(), score: Some(score) }
}

/// The entities of systems that are written as `(start, end, label, score)`.
#[cfg(test)]
fn system(entities: &[(usize, usize, &str, f32)]) -> Vec<Entity> {
    let entity = |&(start, end, label, score): &(usize, usize, &str, f32)| Entity {
        start,
        end,
        label: label.to_owned(),
        score: Some(score),
    };
    entities.iter().map(entity).collect()
}
