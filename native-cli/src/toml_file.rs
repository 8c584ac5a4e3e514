//! TOML files that people write: every fault with its line, every unknown key with the nearest known one.

use std::path::{Path, PathBuf};

use innerspan::Error;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::failure::Failure;

/// A value with its place in the file.
pub type Entry<'a> = Spanned<DeValue<'a>>;

/// A file and its text.
#[derive(Debug)]
pub struct TomlFile {
    path: PathBuf,
    text: String,
}

/// What is wrong, and where.
#[derive(Debug)]
pub struct Fault {
    /// The byte at which it is, where that is known.
    pub at: Option<usize>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Fault {
    /// A fault of `entry`.
    pub fn of<T>(entry: &Spanned<T>, message: impl Into<String>) -> Self {
        Self { at: Some(entry.span().start), message: message.into() }
    }
}

impl TomlFile {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that is not there or no text.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// What `read` makes of the file's table.
    ///
    /// # Errors
    /// A file that is no TOML; the fault that `read` found; both by line.
    pub fn parse<T>(&self, read: impl FnOnce(&DeTable) -> Result<T, Fault>) -> Result<T, Failure> {
        parse(&self.text, read).map_err(|(line, message)| {
            let line = line.map_or(String::new(), |line| format!(":{line}"));
            Failure::new(format!("{}{line}: {message}", self.path.display()))
        })
    }
}

/// The same of a text; faults come with their line, from 1, where it is known.
pub fn parse<T>(
    text: &str,
    read: impl FnOnce(&DeTable) -> Result<T, Fault>,
) -> Result<T, (Option<usize>, String)> {
    let line = |at: usize| text.as_bytes()[..at.min(text.len())].split(|b| *b == b'\n').count();
    let table = DeTable::parse(text).map_err(|error| {
        (error.span().map(|span| line(span.start)), format!("not TOML: {}", error.message()))
    })?;
    read(table.get_ref()).map_err(|fault| (fault.at.map(line), fault.message))
}

/// A value of the kind that the caller wants.
///
/// # Errors
/// A value of another kind, by its key.
pub fn typed<T: DeserializeOwned>(key: &str, entry: &Entry) -> Result<T, Fault> {
    T::deserialize(ValueDeserializer::from(entry.clone())).map_err(|error| {
        let at = error.span().unwrap_or(entry.span()).start;
        let key = match entry.get_ref() {
            DeValue::Table(table) => path_at(table, at).map(|inner| format!("{key}.{inner}")),
            _ => None,
        }
        .unwrap_or_else(|| key.to_owned());
        let key = key.trim_start_matches('.');
        Fault { at: Some(at), message: format!("{key}: {}", error.message()) }
    })
}

/// The keys that lead to the value at byte `at`; the span of a table is that of its header alone.
fn path_at(table: &DeTable, at: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| match value.get_ref().as_table() {
        Some(inner) => path_at(inner, at).map(|inner| format!("{}.{inner}", key.get_ref())),
        None => value.span().contains(&at).then(|| key.get_ref().to_string()),
    })
}

/// Refuses keys that are not known; those of a table within the table are known as `table.key`. `what` says what the
/// keys are, in the singular.
///
/// # Errors
/// The first unknown key, with the nearest known one.
pub fn check_keys(table: &DeTable, known: &[String], what: &str) -> Result<(), Fault> {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let holds_keys = known.iter().any(|k| k.split_once('.').is_some_and(|(t, _)| t == name));
        let inner = value.get_ref().as_table().filter(|_| holds_keys);
        let mut found: Vec<_> = match inner {
            Some(inner) => {
                inner.keys().map(|key| (key.span(), format!("{name}.{}", key.get_ref()))).collect()
            }
            None => vec![(key.span(), name.to_owned())],
        };
        found.sort_by_key(|(span, _)| span.start);
        if let Some((span, path)) = found.into_iter().find(|(_, path)| !known.contains(path)) {
            let message = format!("'{path}' is no {what}; {}", advice(&path, known));
            return Err(Fault { at: Some(span.start), message });
        }
    }
    Ok(())
}

/// Names the known key nearest to `key`, or all of them.
fn advice(key: &str, known: &[String]) -> String {
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).replace('_', "-");
    let distance = |other: &String| edits(&last(key), &last(other));
    match known.iter().min_by_key(|other| distance(other)) {
        Some(nearest) if distance(nearest) <= 3 => match nearest.split_once('.') {
            Some((table, inner)) => format!("did you mean '{inner}' in the table [{table}]?"),
            None => format!("did you mean '{nearest}'?"),
        },
        _ => format!("known are {}", known.join(", ")),
    }
}

/// The number of letters to insert, delete or replace to make one word of the other (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_letters() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "ab"), 2);
    }

    #[test]
    fn the_line_is_that_of_the_faulty_key_even_if_another_table_has_the_same() {
        let text = "[a]\nname = 1\n\n[[b]]\nkey = 2\n\n[[b]]\nname = 3\n";
        let fault = parse(text, |table| {
            let entries = table["b"].get_ref().as_array().map(|array| array.iter());
            for entry in entries.into_iter().flatten() {
                let inner = entry.get_ref().as_table();
                inner.map_or(Ok(()), |t| check_keys(t, &["key".to_owned()], "key"))?;
            }
            Ok(())
        });
        assert!(fault.is_err_and(|(line, message)| line == Some(8) && message.contains("'name'")));
    }
}
