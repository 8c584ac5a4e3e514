//! Whether several lists of documents are of the same texts.

use crate::data::Document;
use crate::{Error, Result};

/// Characters that a message shows of a text.
const SHOWN: usize = 40;

/// Refuses documents that are not of the same texts in the same order as those of `first`. Each list comes with the
/// name of its file.
///
/// # Errors
/// [`Error::File`] that names the first document that differs, and where.
pub fn same_texts(first: (&str, &[Document]), other: (&str, &[Document])) -> Result<()> {
    let ((first_name, first), (name, documents)) = (first, other);
    let differing = first.iter().zip(documents).position(|(a, b)| a.text != b.text);
    if let Some(index) = differing {
        let (a, b) = (&first[index].text, &documents[index].text);
        let at = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
        let id = documents[index].id.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
        return Err(Error::file(
            name,
            format!(
                "document {}{id} has another text than in {first_name}: at character {at} it reads {} and not {}; all must be of the same texts in the same order",
                index + 1,
                shown(b, at),
                shown(a, at)
            ),
        ));
    }
    if first.len() == documents.len() {
        return Ok(());
    }
    Err(Error::file(
        name,
        format!(
            "holds {} documents, and {first_name} holds {}; all must be of the same texts in the same order",
            documents.len(),
            first.len()
        ),
    ))
}

/// The beginning of a text from character `at`, quoted.
fn shown(text: &str, at: usize) -> String {
    let mut rest = text.chars().skip(at);
    let start: String = rest.by_ref().take(SHOWN).collect();
    let more = if rest.next().is_some() { "…" } else { "" };
    if start.is_empty() { "its end".into() } else { format!("{start:?}{more}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn documents(texts: &[&str]) -> Vec<Document> {
        let document = |text: &&str| Document { text: (*text).to_owned(), ..Document::default() };
        texts.iter().map(document).collect()
    }

    #[test]
    fn what_differs_is_said() {
        let first = documents(&["One.", "Two é three."]);
        let compare = |other: &[Document]| {
            same_texts(("a.jsonl", &first), ("b.jsonl", other)).map_err(|e| e.to_string())
        };
        assert_eq!(compare(&first), Ok(()));
        let message = compare(&documents(&["One.", "Two é four."])).unwrap_err();
        assert!(
            message.starts_with("b.jsonl: document 2 has another text than in a.jsonl: at character 6 it reads \"four.\" and not \"three.\""),
            "{message}"
        );
        let message = compare(&documents(&["One."])).unwrap_err();
        assert!(message.contains("holds 1 documents, and a.jsonl holds 2"), "{message}");
        let message = compare(&documents(&["One", "Two é three."])).unwrap_err();
        assert!(message.contains("at character 3 it reads its end and not \".\""), "{message}");
    }
}
