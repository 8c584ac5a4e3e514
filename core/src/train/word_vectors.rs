//! Static word vectors from a text file as GloVe and word2vec write it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};

use crate::head::WordList;
use crate::{Error, Result};

/// Vectors of the words that matter.
#[derive(Debug)]
pub(super) struct WordVectors {
    /// Which words.
    pub list: WordList,
    /// `[words + 1, size]`, row-major; the first row, for all other words, is the mean of the others.
    table: Vec<f32>,
}

impl WordVectors {
    /// The vectors in the file `path` of those of `words` that it has. A line is a word and its numbers, apart by
    /// spaces; a first line of two counts, as word2vec writes it, is passed over. The first vector of a word counts.
    ///
    /// # Errors
    /// The system's; a line that is no word with as many finite numbers as the first; a file that has none of `words`.
    pub fn read(path: &Path, words: &HashSet<String>) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        Self::parse(BufReader::with_capacity(1 << 16, file), path, words)
    }

    fn parse(mut input: impl BufRead, path: &Path, words: &HashSet<String>) -> Result<Self> {
        let (mut bytes, mut number, mut size) = (Vec::new(), 0, None);
        let (mut list, mut found, mut table) = (Vec::new(), HashSet::new(), Vec::new());
        loop {
            bytes.clear();
            if input.read_until(b'\n', &mut bytes).map_err(|error| Error::io(path, error))? == 0 {
                break;
            }
            number += 1;
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_end();
            let wrong = |what: String| Err(Error::corpus(path, number, what));
            if line.is_empty() || (number == 1 && is_header(line)) {
                continue;
            }
            let size = *size.get_or_insert_with(|| line.split(' ').count() - 1);
            if size == 0 {
                return wrong(
                    "no vector: a line is a word and its numbers, apart by spaces".into(),
                );
            }
            // a word may hold spaces, so numbers are counted from the end
            let mut parts = line.rsplitn(size + 1, ' ');
            let mut numbers: Vec<&str> = parts.by_ref().take(size).collect();
            let Some(word) = parts.next().filter(|word| !word.is_empty()) else {
                let given = line.split(' ').count() - 1;
                return wrong(format!(
                    "{given} numbers after the word; the lines before have {size}"
                ));
            };
            if !words.contains(word) || found.contains(word) {
                // whatever it is, nobody asks for it; but a line that is torn or too long is worth knowing of
                if !numbers.iter().all(|number| number.parse::<f32>().is_ok()) {
                    return wrong(format!(
                        "not {size} numbers after a word, as the lines before have"
                    ));
                }
                continue;
            }
            numbers.reverse();
            for text in numbers {
                match text.parse::<f32>() {
                    Ok(value) if value.is_finite() => table.push(value),
                    _ => return wrong(format!("'{text}' is no number")),
                }
            }
            found.insert(word.to_owned());
            list.push(word.to_owned());
        }
        let Some(size) = size.filter(|_| !list.is_empty()) else {
            return Err(Error::file(
                path,
                "has none of the words of the training data (in lower case)",
            ));
        };
        let count = list.len() as f32;
        let mean = (0..size).map(|at| table.iter().skip(at).step_by(size).sum::<f32>() / count);
        let table = mean.collect::<Vec<f32>>().into_iter().chain(table).collect();
        let list = WordList::new(list, size).map_err(|what| Error::file(path, what))?;
        Ok(Self { list, table })
    }

    /// The table on a device.
    pub fn tensor(self, device: &Device) -> Tensor<2> {
        let shape = [self.list.rows(), self.list.size()];
        Tensor::from_data(TensorData::new(self.table, shape), device)
    }
}

/// Whether a first line says how many words and numbers follow.
fn is_header(line: &str) -> bool {
    let parts: Vec<&str> = line.split(' ').collect();
    parts.len() == 2 && parts.iter().all(|part| part.parse::<usize>().is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Result<WordVectors> {
        let words = ["the", "cell", ". ."].map(str::to_owned).into_iter().collect();
        WordVectors::parse(text.as_bytes(), Path::new("v.txt"), &words)
    }

    #[test]
    fn words_that_are_asked_for_are_kept_and_the_mean_stands_for_others() {
        let found = parse("of 9 9\nthe 1 -2\ncell 3 .5\nthe 7 7\n. . 5 1e0\n").unwrap();
        assert_eq!(found.table, [3.0, -0.5 / 3.0, 1.0, -2.0, 3.0, 0.5, 5.0, 1.0]);
        assert_eq!(
            [found.list.row("Cell"), found.list.row(". ."), found.list.row("of")],
            [2, 3, 0]
        );
        assert_eq!(found.tensor(&Device::flex()).dims(), [4, 2]);
    }

    #[test]
    fn a_header_of_counts_is_passed_over() {
        assert_eq!(parse("2 3\nthe 1 2 3\ncell 4 5 6\n").unwrap().list.size(), 3);
    }

    #[test]
    fn broken_lines_are_named() {
        for (text, message) in [
            ("the 1 2\ncell 1\n", "v.txt:2: 1 numbers after the word; the lines before have 2"),
            ("the 1 2\ncell 1 x\n", "v.txt:2: 'x' is no number"),
            ("the 1 2\ncell 1 NaN\n", "v.txt:2: 'NaN' is no number"),
            ("the 1 2\nof 1 2 x\n", "v.txt:2: not 2 numbers after a word"),
            ("the\n", "v.txt:1: no vector"),
            ("of 1 2\n", "v.txt: has none of the words"),
            ("", "v.txt: has none of the words"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
