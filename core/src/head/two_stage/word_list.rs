//! The words that have a vector of their own.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Most words, and most numbers of a vector.
const MOST_WORDS: usize = 5_000_000;
const MOST_NUMBERS: usize = 4096;

/// Words in lower case and the width of their vectors; cheap to clone. Word `n` (from 0) has row `n + 1` of the table,
/// and all other words have row 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Listed", into = "Listed")]
pub struct WordList(Arc<Inner>);

#[derive(Debug, PartialEq)]
struct Inner {
    size: usize,
    words: Vec<String>,
    rows: HashMap<String, usize>,
}

/// How `config.json` has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    size: usize,
    words: Vec<String>,
}

impl WordList {
    /// The words of the rows of a table from the second row on, and its width.
    ///
    /// # Errors
    /// No words, too many, one that is there twice, or a width that makes no sense, in words.
    pub fn new(words: Vec<String>, size: usize) -> Result<Self, String> {
        if words.is_empty() || words.len() > MOST_WORDS {
            return Err(format!(
                "{} words with vectors; 1 to {MOST_WORDS} make sense",
                words.len()
            ));
        }
        if size == 0 || size > MOST_NUMBERS {
            return Err(format!("word vectors of {size} numbers; 1 to {MOST_NUMBERS} make sense"));
        }
        let mut rows = HashMap::with_capacity(words.len());
        for (index, word) in words.iter().enumerate() {
            if rows.insert(word.clone(), index + 1).is_some() {
                return Err(format!("two vectors for the word '{word}'"));
            }
        }
        Ok(Self(Arc::new(Inner { size, words, rows })))
    }

    /// Rows of the table.
    pub fn rows(&self) -> usize {
        self.0.words.len() + 1
    }

    /// Numbers of a vector.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// The row of a word, whatever its case.
    pub fn row(&self, word: &str) -> usize {
        self.0.rows.get(&word.to_lowercase()).copied().unwrap_or(0)
    }
}

impl TryFrom<Listed> for WordList {
    type Error = String;

    fn try_from(listed: Listed) -> Result<Self, String> {
        Self::new(listed.words, listed.size)
    }
}

impl From<WordList> for Listed {
    fn from(list: WordList) -> Self {
        Self { size: list.0.size, words: list.0.words.clone() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_are_looked_up_in_lower_case() {
        let list = WordList::new(vec!["the".into(), "łódź".into()], 3).unwrap();
        assert_eq!([list.row("The"), list.row("ŁÓDŹ"), list.row("an")], [1, 2, 0]);
        assert_eq!((list.rows(), list.size()), (3, 3));
        let json = serde_json::to_string(&list).unwrap();
        assert_eq!(json, r#"{"size":3,"words":["the","łódź"]}"#);
        assert_eq!(serde_json::from_str::<WordList>(&json).unwrap(), list);
    }

    #[test]
    fn lists_that_cannot_be_are_refused() {
        for (json, message) in [
            (r#"{"size":3,"words":[]}"#, "0 words with vectors"),
            (r#"{"size":0,"words":["a"]}"#, "vectors of 0 numbers"),
            (r#"{"size":99999999,"words":["a"]}"#, "vectors of 99999999 numbers"),
            (r#"{"size":3,"words":["a","b","a"]}"#, "two vectors for the word 'a'"),
        ] {
            let error = serde_json::from_str::<WordList>(json).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
