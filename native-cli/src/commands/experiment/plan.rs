//! The experiment file: which systems are trained on what, and how often.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use innerspan::device::DeviceChoice;
use innerspan::train::{Preset, TrainSettings};
use serde::de::DeserializeOwned;
use toml::Table;
use toml::de::DeTable;

use super::vary::Axis;
use crate::corpus::Reading;
use crate::failure::Failure;
use crate::settings_table::{known_settings, overlaid, overrides, preset};
use crate::toml_file::{Entry, Fault, TomlFile, check_keys, typed};

/// The keys of the file itself.
const KEYS: [&str; 11] = [
    "encoder",
    "device",
    "out",
    "keep-models",
    "resamples",
    "fractions",
    "seeds",
    "corpus",
    "base",
    "system",
    "vary",
];
/// The keys of a corpus, which also says [how it is read](Reading::KEYS).
const CORPUS_KEYS: [&str; 4] = ["name", "train", "dev", "fractions"];
/// What a system holds beside settings.
const SYSTEM_KEYS: [&str; 4] = ["name", "preset", "encoder", "vary"];
/// Settings that are axes of their own.
const AXES: [(&str, &str); 2] = [("train-fraction", "fractions"), ("seed", "seeds")];

/// The content of the file.
#[derive(Debug)]
pub struct Plan {
    pub device: Option<DeviceChoice>,
    pub out: Option<PathBuf>,
    pub keep_models: bool,
    pub resamples: usize,
    pub corpora: Vec<Corpus>,
    pub seeds: Vec<u64>,
    pub systems: Vec<System>,
}

/// What is learnt from, and what is scored on.
#[derive(Debug, Clone)]
pub struct Corpus {
    pub name: String,
    pub train: PathBuf,
    pub dev: PathBuf,
    pub reading: Reading,
    /// The shares of its training data that are learnt from in turn.
    pub fractions: Vec<f64>,
}

/// An encoder and settings under a name.
#[derive(Debug, Clone)]
pub struct System {
    pub name: String,
    pub encoder: String,
    pub settings: TrainSettings,
}

/// One training run.
#[derive(Debug, Clone)]
pub struct PlannedRun<'a> {
    /// What tells it from all others, fit for the name of a folder.
    pub id: String,
    pub corpus: &'a Corpus,
    pub system: &'a System,
    /// The system's, with fraction and seed.
    pub settings: TrainSettings,
}

impl PlannedRun<'_> {
    /// The run for people.
    pub fn title(&self) -> String {
        let (share, seed) = (percent(self.settings.train_fraction), self.settings.seed);
        format!("{}, {}, {share} of the data, seed {seed}", self.corpus.name, self.system.name)
    }
}

/// A share in percent, with as many digits as it has.
pub fn percent(share: f64) -> String {
    let text = format!("{:.3}", 100.0 * share);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

impl Plan {
    /// Reads a file.
    ///
    /// # Errors
    /// What the file has that no experiment has, and what an experiment has that the file has not.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        TomlFile::read(path)?.parse(Self::parse)
    }

    fn parse(table: &DeTable) -> Result<Self, Fault> {
        check_keys(table, &KEYS.map(str::to_owned), "key of an experiment")?;
        let encoder = text(table, "encoder")?;
        let device = |entry: &Entry| {
            let name: String = typed("device", entry)?;
            name.parse().map_err(|message: String| Fault::of(entry, message))
        };
        let fractions: Vec<f64> = or(table, "fractions", vec![1.0])?;
        let corpora = tables(table, "corpus")?.into_iter().map(|own| corpus(own, &fractions));
        let corpora = corpora.collect::<Result<Vec<_>, _>>()?;
        if corpora.is_empty() {
            return Err(missing("a [[corpus]] with name, train and dev"));
        }
        let base = match table.get("base") {
            Some(entry) => {
                let base = as_table("base", entry)?;
                check_keys(base, &known_settings(), "setting")?;
                settings(base, &[])?
            }
            None => Table::new(),
        };
        let for_all = axes(table)?;
        let mut systems = Vec::new();
        for (table, entry) in tables(table, "system")? {
            systems.extend(variants((table, entry), encoder.as_deref(), &base, &for_all)?);
        }
        if systems.is_empty() {
            return Err(missing("a [[system]] with a name"));
        }
        Ok(Self {
            device: table.get("device").map(device).transpose()?,
            out: text(table, "out")?.map(PathBuf::from),
            keep_models: or(table, "keep-models", false)?,
            resamples: or(table, "resamples", 10_000)?,
            corpora,
            seeds: or(table, "seeds", vec![1])?,
            systems,
        })
    }

    /// All runs, seed by seed, so that every system has a result early.
    pub fn runs(&self) -> Vec<PlannedRun<'_>> {
        let mut runs = Vec::new();
        for &seed in &self.seeds {
            for corpus in &self.corpora {
                for &fraction in &corpus.fractions {
                    for system in &self.systems {
                        let (corpus_name, name) = (slug(&corpus.name), slug(&system.name));
                        let settings = TrainSettings {
                            seed,
                            train_fraction: fraction,
                            ..system.settings.clone()
                        };
                        let id = format!("{corpus_name}.{name}.{fraction}.{seed}");
                        runs.push(PlannedRun { id, corpus, system, settings });
                    }
                }
            }
        }
        runs
    }

    /// Refuses what cannot be trained, or would be trained twice.
    ///
    /// # Errors
    /// The first run of that kind.
    pub fn check(&self) -> Result<(), Failure> {
        let runs = self.runs();
        if runs.is_empty() {
            return Err(Failure::usage("the lists of fractions and seeds must not be empty"));
        }
        let mut seen = BTreeSet::new();
        for run in &runs {
            let refuse = |why: String| Err(Failure::usage(format!("{}: {why}", run.title())));
            if let Err(error) = run.settings.check() {
                return refuse(error.to_string());
            }
            if !seen.insert(&run.id) {
                return refuse("is there twice: give corpora and systems different names".into());
            }
        }
        Ok(())
    }
}

/// The systems that a table describes: one, or one for each combination of what it varies.
fn variants(
    (table, entry): (&DeTable, &Entry),
    encoder: Option<&str>,
    base: &Table,
    for_all: &[Axis],
) -> Result<Vec<System>, Fault> {
    let known: Vec<String> =
        SYSTEM_KEYS.into_iter().map(str::to_owned).chain(known_settings()).collect();
    check_keys(table, &known, "setting")?;
    let name = text(table, "name")?.ok_or_else(|| Fault::of(entry, "the system has no name"))?;
    let encoder = text(table, "encoder")?.or(encoder.map(str::to_owned));
    let encoder = encoder.ok_or_else(|| missing("encoder"))?;
    let below = preset(table)?.map_or_else(TrainSettings::default, Preset::settings);
    let own = settings(table, &SYSTEM_KEYS)?;
    let own_axes = axes(table)?;

    let mut variants: Vec<(String, Vec<&Table>)> = vec![(name, vec![base, &own])];
    for axis in for_all.iter().chain(&own_axes) {
        variants = axis.times(&variants);
    }
    let system = |(name, tables): (String, Vec<&Table>)| {
        let settings = overlaid(&below, tables).map_err(|message| Fault::of(entry, message))?;
        Ok(System { name, encoder: encoder.clone(), settings })
    };
    variants.into_iter().map(system).collect()
}

/// A corpus of the file, whose shares are `fractions` unless it has its own.
fn corpus((table, entry): (&DeTable, &Entry), fractions: &[f64]) -> Result<Corpus, Fault> {
    let known = CORPUS_KEYS.into_iter().chain(Reading::KEYS).map(str::to_owned);
    check_keys(table, &known.collect::<Vec<_>>(), "key of a corpus")?;
    let needed = |key: &str| {
        let value: Option<String> = text(table, key)?;
        value.ok_or_else(|| Fault::of(entry, format!("the corpus has no {key}")))
    };
    Ok(Corpus {
        name: needed("name")?,
        train: needed("train")?.into(),
        dev: needed("dev")?.into(),
        reading: Reading::parse(table)?,
        fractions: or(table, "fractions", fractions.to_vec())?,
    })
}

/// The settings of a table; fractions and seeds have lists of their own.
fn settings(table: &DeTable, others: &[&str]) -> Result<Table, Fault> {
    for (key, list) in AXES {
        if let Some(entry) = table.get(key) {
            let message = format!("{key} is none of a system: give {list} = […] above all tables");
            return Err(Fault::of(entry, message));
        }
    }
    overrides(table, others)
}

/// What the `vary` of a table varies.
fn axes(table: &DeTable) -> Result<Vec<Axis>, Fault> {
    table.get("vary").map_or(Ok(Vec::new()), |entry| {
        let vary = as_table("vary", entry)?;
        check_keys(vary, &known_settings(), "setting")?;
        Axis::all(vary)
    })
}

/// A table within the file.
fn as_table<'a, 'b>(key: &str, entry: &'a Entry<'b>) -> Result<&'a DeTable<'b>, Fault> {
    entry.get_ref().as_table().ok_or_else(|| Fault::of(entry, format!("write [{key}]")))
}

/// The tables `[[key]]`.
fn tables<'a, 'b>(
    table: &'a DeTable<'b>,
    key: &str,
) -> Result<Vec<(&'a DeTable<'b>, &'a Entry<'b>)>, Fault> {
    let Some(entry) = table.get(key) else { return Ok(Vec::new()) };
    let refuse = || Fault::of(entry, format!("write [[{key}]] above each {key}"));
    let entries = entry.get_ref().as_array().ok_or_else(refuse)?;
    let pair = |entry: &'a Entry<'b>| Ok((entry.get_ref().as_table().ok_or_else(refuse)?, entry));
    entries.iter().map(pair).collect()
}

fn text(table: &DeTable, key: &str) -> Result<Option<String>, Fault> {
    table.get(key).map(|entry| typed(key, entry)).transpose()
}

fn or<T: DeserializeOwned>(table: &DeTable, key: &str, default: T) -> Result<T, Fault> {
    table.get(key).map_or(Ok(default), |entry| typed(key, entry))
}

fn missing(what: &str) -> Fault {
    Fault { at: None, message: format!("the file has no {what}") }
}

/// A name as part of a file's: letters and digits in lower case, everything else as single hyphens.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for letter in name.to_lowercase().chars() {
        if letter.is_alphanumeric() || letter == '.' {
            out.push(letter);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use innerspan::loss::LossKind;

    use super::*;
    use crate::toml_file;

    const FILE: &str = r#"
encoder = "tiny"
fractions = [0.05, 1]
seeds = [1, 2, 3]

[[corpus]]
name = "harbour"
train = "train.jsonl"
dev = "dev.jsonl"

[base]
epochs = 4

[[system]]
name = "GP"
preset = "global-pointer"

[[system]]
name = "EIoU-EMC"
encoder = "other"
epochs = 5
loss.kind = "eiou-emc"
[system.vary]
loss.beta = [0.1, 0.2]
"#;

    fn parse(text: &str) -> Result<Plan, (Option<usize>, String)> {
        toml_file::parse(text, Plan::parse)
    }

    #[test]
    fn every_system_is_trained_on_every_fraction_with_every_seed() {
        let plan = parse(FILE).unwrap();
        plan.check().unwrap();
        let names: Vec<&str> = plan.systems.iter().map(|system| system.name.as_str()).collect();
        assert_eq!(names, ["GP", "EIoU-EMC, beta 0.1", "EIoU-EMC, beta 0.2"]);
        let runs = plan.runs();
        assert_eq!(runs.len(), 3 * 2 * 3);
        assert_eq!(runs[1].id, "harbour.eiou-emc-beta-0.1.0.05.1");
        assert_eq!(runs[1].title(), "harbour, EIoU-EMC, beta 0.1, 5 % of the data, seed 1");
        assert_eq!((runs[17].settings.seed, runs[17].settings.train_fraction), (3, 1.0));
    }

    #[test]
    fn a_corpus_may_have_shares_of_its_own_and_says_how_it_is_read() {
        let more = "[[corpus]]\nname = \"old\"\ntrain = \"a\"\ndev = \"b\"\nfractions = [0.5]\nformat = \"conll\"\ntag-columns = [3]\n\n[base]";
        let plan = parse(&FILE.replace("[base]", more)).unwrap();
        plan.check().unwrap();
        assert_eq!(plan.runs().len(), 3 * 3 * (2 + 1));
        let [harbour, old] = &plan.corpora[..] else { panic!("{:?}", plan.corpora) };
        assert_eq!((&harbour.fractions[..], &old.fractions[..]), (&[0.05, 1.0][..], &[0.5][..]));
        assert!(harbour.reading.arguments().is_empty());
        assert_eq!(old.reading.arguments().join(" "), "--format conll --tag-columns 3");
    }

    #[test]
    fn a_system_overrides_the_base_and_the_base_the_preset() {
        let plan = parse(FILE).unwrap();
        let [pointer, eiou] = [&plan.systems[0], &plan.systems[2]];
        assert_eq!((pointer.settings.epochs, pointer.settings.lr), (4, 2e-5));
        assert_eq!((eiou.settings.epochs, eiou.settings.lr), (5, TrainSettings::default().lr));
        assert_eq!((eiou.settings.loss.kind, eiou.settings.loss.beta), (LossKind::EiouEmc, 0.2));
        assert_eq!((pointer.encoder.as_str(), eiou.encoder.as_str()), ("tiny", "other"));
    }

    #[test]
    fn faults_are_named_with_their_line() {
        for (from, to, line, parts) in [
            ("seeds =", "seed =", Some(4), &["'seed'", "did you mean 'seeds'?"][..]),
            ("epochs = 5", "epoch = 5", Some(21), &["'epoch'", "'epochs'"]),
            ("loss.beta =", "loss.beto =", Some(24), &["'loss.beto'", "'beta'"]),
            ("[0.1, 0.2]", "[0.1, \"much\"]", Some(24), &["loss.beta"]),
            ("[0.1, 0.2]", "[]", Some(24), &["loss.beta", "no values"]),
            ("[0.1, 0.2]", "0.1", Some(24), &["loss.beta"]),
            ("\"global-pointer\"", "\"pointer\"", Some(16), &["'pointer'", "eiou-emc"]),
            ("epochs = 4", "seed = 4", Some(12), &["seeds = "]),
            ("dev =", "test =", Some(9), &["'test'", "'dev'"]),
            ("dev =", "formt = 1\ndev =", Some(9), &["'formt'", "'format'"]),
            ("dev =", "format = \"xml\"\ndev =", Some(9), &["format", "pubtator"]),
            ("name = \"GP\"", "", Some(14), &["no name"]),
            ("encoder = \"tiny\"", "", None, &["encoder"]),
            ("[[corpus]]", "[corpus]", Some(6), &["[[corpus]]"]),
        ] {
            let (found, message) = parse(&FILE.replace(from, to)).unwrap_err();
            assert_eq!(found, line, "{from} → {to}: {message}");
            assert!(parts.iter().all(|part| message.contains(part)), "{from} → {to}: {message}");
        }
        let twice =
            FILE.replace("\"EIoU-EMC\"", "\"GP!\"").replace("[system.vary]\nloss.beta", "#");
        assert!(format!("{:?}", parse(&twice).unwrap().check()).contains("twice"));
        let odd = FILE.replace("epochs = 4", "head-size = 3");
        assert!(format!("{:?}", parse(&odd).unwrap().check()).contains("head-size is 3"));
    }

    #[test]
    fn shares_are_shown_with_the_digits_that_they_have() {
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.05), "5 %");
        assert_eq!(percent(0.0025), "0.25 %");
    }
}
