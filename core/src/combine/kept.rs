//! The predictions of every epoch that `train --keep-predictions` leaves in a model folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::same_texts;
use crate::data::{Document, Format, ReadOptions, WriteOptions, Writer, read};
use crate::model::weights::write_atomically;
use crate::{Error, Result};

/// Their folder inside a model's.
const FOLDER: &str = "predictions";

/// Keeps what epoch `epoch` of the model in `folder` predicts.
///
/// # Errors
/// The system's.
pub fn keep_predictions(folder: &Path, epoch: usize, documents: &[Document]) -> Result<()> {
    let folder = folder.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
    let path = folder.join(format!("epoch-{epoch:03}.jsonl"));
    write_atomically(&path, |file| {
        let mut writer = Writer::new(file, WriteOptions::new(Format::Jsonl));
        let mut written = documents.iter().map(|document| writer.write(document));
        written.try_for_each(|written| written).map_err(|error| Error::io(&path, error))
    })
}

/// The kept predictions of the model in `folder`, by epoch. They must be of the same texts as `gold`, which comes with
/// the name of its file.
///
/// # Errors
/// None are there; a file that cannot be read, or that is of other texts.
pub fn kept_predictions(folder: &Path, gold: (&str, &[Document])) -> Result<Vec<Vec<Document>>> {
    let files = files(folder)?;
    if files.is_empty() {
        return Err(Error::file(
            folder.join(FOLDER),
            format!(
                "no predictions were kept here, and the classifier learns from those of every epoch: train this model with --keep-predictions and --dev {}",
                gold.0
            ),
        ));
    }
    let options = ReadOptions { format: Some(Format::Jsonl), ..ReadOptions::default() };
    let kept = |path: PathBuf| -> Result<Vec<Document>> {
        let documents = read(&path, &options)?.documents;
        same_texts(gold, (&path.display().to_string(), &documents))?;
        Ok(documents)
    };
    files.into_iter().map(kept).collect()
}

/// Removes the kept predictions of the model in `folder`, if there are any, and nothing else.
///
/// # Errors
/// The system's.
pub fn remove_predictions(folder: &Path) -> Result<()> {
    for file in files(folder)? {
        fs::remove_file(&file).map_err(|error| Error::io(&file, error))?;
    }
    // stays where somebody else has put something into it
    let _ = fs::remove_dir(folder.join(FOLDER));
    Ok(())
}

/// The files of all epochs, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let folder = folder.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| Error::io(&folder, error))?,
    };
    let is_epoch = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("epoch-") && name.ends_with(".jsonl")
    };
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_epoch).collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::system;
    use super::*;

    #[test]
    fn what_is_kept_is_read_by_epoch_and_removed_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let document = |score| Document {
            text: "é IL-2".into(),
            entities: system(&[(3, 7, "X", score)]),
            ..Document::default()
        };
        for (epoch, score) in [(10, 0.75), (2, 0.5)] {
            keep_predictions(folder.path(), epoch, &[document(score)]).unwrap();
        }
        let gold = [document(1.0)];
        let kept = kept_predictions(folder.path(), ("dev.jsonl", &gold)).unwrap();
        assert_eq!(kept, [[document(0.5)], [document(0.75)]]);

        let other = [Document { text: "é IL-4".into(), ..Document::default() }];
        let error = kept_predictions(folder.path(), ("dev.jsonl", &other)).unwrap_err().to_string();
        assert!(error.contains("epoch-002.jsonl: document 1 has another text than in dev.jsonl"));

        remove_predictions(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let error = kept_predictions(folder.path(), ("dev.jsonl", &gold)).unwrap_err().to_string();
        assert!(error.contains("--keep-predictions and --dev dev.jsonl"), "{error}");
    }
}
