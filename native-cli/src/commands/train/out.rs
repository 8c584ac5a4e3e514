//! The output folder of a run.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use innerspan::Error;
use innerspan::combine::remove_predictions;
use innerspan::encoder::CONFIG_FILE;
use innerspan::model::TOKENIZER_FILE;
use innerspan::model::weights::WEIGHTS_FILE;
use innerspan::train::{METRICS_FILE, SETTINGS_FILE};

use crate::failure::Failure;

/// The model card, which a run writes last.
const CARD_FILE: &str = "README.md";
/// What the names of checkpoints begin with.
const CHECKPOINT: &str = "checkpoint";

/// Refuses a folder that holds something already, unless its run goes on or is to be replaced.
pub fn check(out: &Path, resume: bool, overwrite: bool) -> Result<(), Failure> {
    let entries = match fs::read_dir(out) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|error| Error::io(out, error))?,
    };
    let is_empty = entries.take(1).count() == 0;
    let is_run = out.join(SETTINGS_FILE).is_file();
    if is_empty || (resume && is_run) || (overwrite && is_run) {
        return Ok(());
    }
    let failure = if is_run {
        Failure::new(format!("{}: holds a model or a run already", out.display()))
            .hint("give another --out, --resume to go on with it, or --overwrite to replace it")
    } else {
        Failure::new(format!(
            "{}: is not empty, and what it holds is no run of innerspan",
            out.display()
        ))
        .hint("give another --out")
    };
    Err(failure)
}

/// Whether the run in `out` came to its end: its card is written and its checkpoints are gone.
pub fn is_finished(out: &Path) -> bool {
    let has = |file: &str| out.join(file).is_file();
    has(CARD_FILE) && has(WEIGHTS_FILE) && !has("checkpoint.json")
}

/// Makes the folder; removes what an earlier run wrote there if it is to be replaced, and nothing else.
pub fn prepare(out: &Path, overwrite: bool) -> Result<(), Failure> {
    fs::create_dir_all(out).map_err(|error| Error::io(out, error))?;
    if !overwrite {
        return Ok(());
    }
    remove_predictions(out)?;
    let own = [CARD_FILE, CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE, METRICS_FILE, SETTINGS_FILE];
    for entry in fs::read_dir(out).map_err(|error| Error::io(out, error))? {
        let entry = entry.map_err(|error| Error::io(out, error))?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let removed = if own.contains(&&*name) || name == "checkpoint.json" {
            fs::remove_file(&path)
        } else if name.starts_with(CHECKPOINT) && path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            Ok(())
        };
        removed.map_err(|error| Error::io(&path, error))?;
    }
    Ok(())
}
