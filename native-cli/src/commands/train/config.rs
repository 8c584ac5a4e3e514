//! The TOML file of `--config`.

use std::path::{Path, PathBuf};

use innerspan::Error;
use innerspan::device::DeviceChoice;
use innerspan::train::TrainSettings;
use toml::{Table, Value};

use crate::failure::Failure;

/// What the file may hold beside settings: the options that say what is trained on what.
const RUN_KEYS: [&str; 5] = ["train", "dev", "encoder", "out", "device"];

/// The content of the file.
#[derive(Debug, Default)]
pub struct Config {
    pub train: Option<PathBuf>,
    pub dev: Option<PathBuf>,
    pub encoder: Option<String>,
    pub out: Option<PathBuf>,
    pub device: Option<DeviceChoice>,
    pub settings: TrainSettings,
}

/// Reads the file.
///
/// # Errors
/// A file that is not there, is no TOML, has a key that no setting has (the nearest one is named), or a value of the
/// wrong kind.
pub fn read(path: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
    parse(&text).map_err(|(line, message)| {
        let line = line.map_or(String::new(), |line| format!(":{line}"));
        Failure::new(format!("{}{line}: {message}", path.display()))
    })
}

/// The line, where it is known, and what is wrong.
type Refusal = (Option<usize>, String);

fn parse(text: &str) -> Result<Config, Refusal> {
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
        let line =
            error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        (line, format!("not TOML: {}", error.message()))
    })?;
    check_keys(text, &table)?;
    let mut take = |key: &str| match table.remove(key) {
        None => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(other) => Err((line_of(text, key), format!("{key} is {other}; write text in quotes"))),
    };
    let [train, dev, encoder, out, device] = RUN_KEYS.map(&mut take);
    let device = match device? {
        None => None,
        Some(name) => Some(name.parse().map_err(|message| (line_of(text, "device"), message))?),
    };
    let settings = Value::Table(table).try_into().map_err(|error: toml::de::Error| {
        let message = error.to_string();
        let key = message.rsplit_once("in `").map(|(_, key)| key.trim().trim_end_matches('`'));
        let key = key.map(|key| key.rsplit('.').next().unwrap_or(key).to_owned());
        (key.and_then(|key| line_of(text, &key)), message.trim().replace('\n', " "))
    })?;
    Ok(Config {
        train: train?.map(PathBuf::from),
        dev: dev?.map(PathBuf::from),
        encoder: encoder?,
        out: out?.map(PathBuf::from),
        device,
        settings,
    })
}

/// Refuses keys that no setting has.
fn check_keys(text: &str, table: &Table) -> Result<(), Refusal> {
    let known = known_keys();
    for (key, value) in table {
        let inner = value.as_table().filter(|_| key == "loss");
        let paths = match inner {
            Some(inner) => inner.keys().map(|key| format!("loss.{key}")).collect(),
            None => vec![key.clone()],
        };
        if let Some(path) = paths.iter().find(|path| !known.contains(path)) {
            let key = path.rsplit('.').next().unwrap_or(path);
            let message = format!("'{path}' is no setting; {}", advice(path, &known));
            return Err((line_of(text, key), message));
        }
    }
    Ok(())
}

/// Every key that the file may hold; those of the loss as `loss.…`.
fn known_keys() -> Vec<String> {
    let mut known: Vec<String> = RUN_KEYS.iter().map(|key| (*key).to_owned()).collect();
    let with_all =
        TrainSettings { dropout: Some(0.1), threshold: Some(0.5), ..TrainSettings::default() };
    for (key, value) in Table::try_from(with_all).unwrap_or_default() {
        if let Value::Table(inner) = &value {
            known.extend(inner.keys().map(|inner| format!("{key}.{inner}")));
        }
        known.push(key);
    }
    known
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

/// The first line, from 1, that sets `key`.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let sets = |line: &str| {
        let rest = line.trim_start().trim_start_matches(['"', '\'', '[']).strip_prefix(key);
        rest.is_some_and(|rest| {
            rest.trim_start_matches(['"', '\'', ' ', '\t']).starts_with(['=', ']', '.'])
        })
    };
    text.lines().position(sets).map(|line| line + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use innerspan::loss::LossKind;

    use super::*;

    #[test]
    fn a_file_holds_settings_and_what_to_train_on_what() {
        let text = "train = \"a.jsonl\"\ndevice = \"cpu\"\nepochs = 3\n[loss]\nkind = \"eiou-emc\"\nbeta = 0.3\n";
        let config = parse(text).unwrap();
        assert_eq!(config.train, Some(PathBuf::from("a.jsonl")));
        assert_eq!(config.device, Some(DeviceChoice::Cpu));
        assert_eq!(config.settings.epochs, 3);
        assert_eq!(
            (config.settings.loss.kind, config.settings.loss.beta),
            (LossKind::EiouEmc, 0.3)
        );
        assert_eq!(config.settings.lr, TrainSettings::default().lr);
    }

    #[test]
    fn what_train_saves_is_read_back() {
        let settings = TrainSettings { seed: 9, dropout: Some(0.2), ..TrainSettings::default() };
        assert_eq!(parse(&toml::to_string(&settings).unwrap()).unwrap().settings, settings);
    }

    #[test]
    fn unknown_keys_are_named_with_their_line_and_the_nearest_known_one() {
        let refusal = |text: &str| parse(text).unwrap_err();
        let (line, message) = refusal("seed = 1\nepoch = 3\n");
        assert_eq!(line, Some(2));
        assert!(message.contains("'epoch' is no setting; did you mean 'epochs'?"), "{message}");
        let (_, message) = refusal("batch_size = 3\n");
        assert!(message.contains("'batch-size'"), "{message}");
        let (line, message) = refusal("[loss]\nbeto = 0.1\n");
        assert_eq!(line, Some(2));
        assert!(message.contains("'beta' in the table [loss]"), "{message}");
        assert!(refusal("beta = 0.1\n").1.contains("'beta' in the table [loss]"));
        assert!(refusal("colour = 1\n").1.contains("known are train, dev"));
    }

    #[test]
    fn values_of_the_wrong_kind_are_named_with_their_line() {
        let (line, message) = parse("seed = 1\nepochs = \"three\"\n").unwrap_err();
        assert_eq!(line, Some(2), "{message}");
        assert!(message.contains("epochs"), "{message}");
        assert_eq!(parse("seed = 1\ntrain = 3\n").unwrap_err().0, Some(2));
        assert_eq!(parse("seed = 1\nepochs = = 2\n").unwrap_err().0, Some(2));
        assert_eq!(parse("device = \"gpu\"\n").unwrap_err().0, Some(1));
    }

    #[test]
    fn edits_count_letters() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "ab"), 2);
    }
}
