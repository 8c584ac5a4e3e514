//! Which documents a run uses, and what tells them from others.

use crate::data::Document;
use crate::hash::{FNV_START, fnv_1a};

/// Every `1/share`-th document, the first included.
pub fn fraction<T: Clone>(documents: &[T], share: f64) -> Vec<T> {
    let quota = |index: usize| (index as f64 * share).ceil() as usize;
    let chosen = documents.iter().enumerate().filter(|(index, _)| quota(index + 1) > quota(*index));
    chosen.map(|(_, document)| document.clone()).collect()
}

/// A hash of texts and entities, which tells one corpus from another.
pub fn fingerprint(documents: &[Document]) -> u64 {
    let mut hash = FNV_START;
    let mut add = |bytes: &[u8]| hash = fnv_1a(hash, bytes.iter().chain(&[0xff]).copied());
    for document in documents {
        add(document.text.as_bytes());
        for entity in &document.entities {
            add(entity.label.as_bytes());
            add(&entity.start.to_le_bytes());
            add(&entity.end.to_le_bytes());
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_evenly_spaced_from_the_first_document() {
        let document = |index: usize| Document { text: index.to_string(), ..Document::default() };
        let documents: Vec<Document> = (0..10).map(document).collect();
        let chosen = |share| -> Vec<String> {
            fraction(&documents, share).into_iter().map(|document| document.text).collect()
        };
        assert_eq!(chosen(0.5), ["0", "2", "4", "6", "8"]);
        assert_eq!(chosen(0.01), ["0"]);
        assert_eq!(chosen(1.0).len(), 10);
    }
}
