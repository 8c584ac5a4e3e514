//! The entity types of a model.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Document;

/// Entity types in a fixed order, which is that of a head's outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelSet(Vec<String>);

impl LabelSet {
    /// The types in the documents, in alphabetical order.
    pub fn from_documents(documents: &[Document]) -> Self {
        let labels: BTreeSet<&str> =
            documents.iter().flat_map(|d| d.entities.iter().map(|e| e.label.as_str())).collect();
        Self(labels.into_iter().map(str::to_owned).collect())
    }

    /// How many types there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of the type at `index`.
    ///
    /// # Panics
    /// When there is no such type.
    pub fn name(&self, index: usize) -> &str {
        &self.0[index]
    }

    /// Where a type stands.
    pub fn index(&self, label: &str) -> Option<usize> {
        self.0.iter().position(|own| own == label)
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
