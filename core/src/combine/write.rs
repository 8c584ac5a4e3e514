//! Writing the folder of an ensemble: whole or not at all.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::ensemble::{EnsembleConfig, Members, same_labels};
use super::meta::Classifier;
use super::{Method, meta::MetaFacts};
use crate::data::LabelSet;
use crate::encoder::CONFIG_FILE;
use crate::model::source::ModelSource;
use crate::model::{FORMAT_VERSION, KEY, ModelConfig, write_text};
use crate::{Error, Result};

/// The classifier's folder inside an ensemble's.
const CLASSIFIER: &str = "classifier";
/// Files of a model folder beside its weights.
const FILES: [&str; 7] = [
    CONFIG_FILE,
    "tokenizer.json",
    "vocab.txt",
    "tokenizer_config.json",
    "README.md",
    "settings.toml",
    "metrics.jsonl",
];

/// The types that all models have, in the order of the first.
///
/// # Errors
/// A folder that is no model or an ensemble itself; models with different types, which are named; a folder that is
/// given twice; fewer than two.
pub fn common_labels(members: &[PathBuf]) -> Result<LabelSet> {
    if members.len() < 2 {
        return Err(Error::Setting("combining needs at least two models".into()));
    }
    let labels = |folder: &PathBuf| -> Result<(String, LabelSet)> {
        let source = ModelSource::folder(folder);
        Ok((source.describe(CONFIG_FILE), ModelConfig::read(&source)?.labels))
    };
    let first = labels(&members[0])?;
    let mut places = Vec::new();
    for member in members {
        let (path, own) = labels(member)?;
        same_labels((&first.0, &first.1), (&path, &own))?;
        let place = fs::canonicalize(member).map_err(|error| Error::io(member, error))?;
        if places.contains(&place) {
            return Err(Error::file(member, "given twice: a model has one vote"));
        }
        places.push(place);
    }
    Ok(first.1)
}

/// Copies models, and the classifier that combines them, into the ensemble folder `out`, which must be absent or
/// empty. It is made under another name beside `out` first: what is there under its own name is whole.
///
/// # Errors
/// As [`common_labels`]; a folder that holds something; the system's.
pub fn write_ensemble(
    out: &Path,
    method: Method,
    members: &[PathBuf],
    classifier: Option<&Classifier>,
) -> Result<()> {
    let labels = common_labels(members)?;
    refuse_full(out)?;
    let part = part_of(out)?;
    remove_folder(&part)?;
    let names: Vec<String> = (1..=members.len()).map(|number| format!("member-{number}")).collect();
    let ensemble =
        Members { method, members: names, classifier: classifier.map(|_| CLASSIFIER.into()) };
    let config = EnsembleConfig { format_version: FORMAT_VERSION, labels, ensemble };
    let written = fill(&part, &config, members, classifier).and_then(|()| {
        remove_empty(out)?;
        fs::rename(&part, out).map_err(|error| Error::io(out, error))
    });
    if written.is_err() {
        let _ = fs::remove_dir_all(&part);
    }
    written
}

/// Refuses a folder that holds something.
///
/// # Errors
/// That, or the system's.
pub fn refuse_full(out: &Path) -> Result<()> {
    let entries = match fs::read_dir(out) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| Error::io(out, error))?,
    };
    if entries.take(1).count() == 0 {
        return Ok(());
    }
    Err(Error::file(out, "is not empty; give another folder, or remove this one"))
}

/// Writes all of an ensemble into `folder`, the configuration last.
fn fill(
    folder: &Path,
    config: &EnsembleConfig,
    members: &[PathBuf],
    classifier: Option<&Classifier>,
) -> Result<()> {
    let make = |folder: &Path| fs::create_dir_all(folder).map_err(|error| Error::io(folder, error));
    for (member, name) in members.iter().zip(&config.ensemble.members) {
        let copy = folder.join(name);
        make(&copy)?;
        copy_model(member, &copy)?;
    }
    if let Some(classifier) = classifier {
        let own = folder.join(CLASSIFIER);
        make(&own)?;
        classifier.write(&own)?;
    }
    write_text(
        &folder.join("README.md"),
        &card(config, members, classifier.and_then(Classifier::facts)),
    )?;
    let json = serde_json::json!({ KEY: config });
    let text =
        serde_json::to_string_pretty(&json).map_err(|error| Error::Setting(error.to_string()))?;
    write_text(&folder.join(CONFIG_FILE), &(text + "\n"))
}

/// Copies the files of a model.
fn copy_model(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).map_err(|error| Error::io(from, error))? {
        let entry = entry.map_err(|error| Error::io(from, error))?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let weights =
            ["model.", "model-", "pytorch_model"].iter().any(|start| name.starts_with(start));
        if (weights || FILES.contains(&&*name)) && path.is_file() {
            fs::copy(&path, to.join(&*name)).map_err(|error| Error::io(&path, error))?;
        }
    }
    Ok(())
}

/// The ensemble's card in Markdown.
fn card(config: &EnsembleConfig, members: &[PathBuf], facts: Option<&MetaFacts>) -> String {
    let Members { method, members: names, .. } = &config.ensemble;
    let labels: Vec<&str> = config.labels.iter().collect();
    let mut card = String::from(
        "---\nlibrary_name: innerspan\npipeline_tag: token-classification\ntags:\n- named-entity-recognition\n- nested-ner\n---\n\n# An ensemble for nested named-entity recognition\n\n",
    );
    let how = match method {
        Method::Union => "whatever any of them finds",
        Method::Majority => "what more than half of them find",
        Method::Meta => "what any of them finds and a classifier takes for correct",
    };
    let _ = writeln!(
        card,
        "{} models in one folder, combined by `{}`: {how}.\n\nRecognises {} entity types: {}.\n\n```sh\ninnerspan predict --model . --text \"…\"\n```\n\n## Members\n",
        names.len(),
        method.name(),
        labels.len(),
        labels.join(", ")
    );
    for (name, folder) in names.iter().zip(members) {
        let folder = folder.file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(card, "- [`{name}`]({name}): made from `{folder}`");
    }
    if let Some(facts) = facts {
        let settings = toml::to_string(&facts.settings).unwrap_or_default();
        let _ = writeln!(
            card,
            "\n## The classifier\n\nLearnt from {} correct and {} incorrect candidates. Of {} others, of which {:.1} % are correct, it judges {:.1} % rightly (epoch {}, chosen by that number). The text that it learnt from is no longer a test of this ensemble.\n\n```toml\n{settings}```",
            facts.correct,
            facts.incorrect,
            facts.held_out,
            100.0 * facts.held_out_correct,
            100.0 * facts.accuracy,
            facts.epoch
        );
    }
    card
}

/// Where a folder is made before it has its name.
fn part_of(out: &Path) -> Result<PathBuf> {
    let name = out.file_name().ok_or_else(|| Error::file(out, "not the name of a folder"))?;
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(".part");
    Ok(out.with_file_name(part))
}

/// Removes a folder that may be there.
fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(folder, error)),
        _ => Ok(()),
    }
}

/// Removes an empty folder that may be there.
fn remove_empty(folder: &Path) -> Result<()> {
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(folder, error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn models() -> Vec<PathBuf> {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/models");
        ["bert", "roberta"].map(|name| models.join(name)).to_vec()
    }

    #[test]
    fn what_a_killed_run_left_is_replaced_and_the_folder_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (out, part) = (folder.path().join("out"), folder.path().join(".out.part"));
        fs::create_dir_all(part.join("member-7")).unwrap();
        fs::create_dir(&out).unwrap();
        write_ensemble(&out, Method::Union, &models(), None).unwrap();
        assert!(!part.exists());
        let mut names: Vec<_> =
            fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["README.md", "config.json", "member-1", "member-2"]);
        let config = EnsembleConfig::read(&ModelSource::folder(&out)).unwrap().unwrap();
        assert_eq!(config.ensemble.members, ["member-1", "member-2"]);
        let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
        assert!(weights(&out.join("member-2")) == weights(&models()[1]));
    }

    #[test]
    fn a_folder_that_holds_something_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine"), "").unwrap();
        let refused = write_ensemble(folder.path(), Method::Union, &models(), None).unwrap_err();
        assert!(refused.to_string().contains("is not empty"), "{refused}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
