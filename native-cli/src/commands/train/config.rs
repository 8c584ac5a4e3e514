//! The TOML file of `--config`.

use std::path::{Path, PathBuf};

use innerspan::device::DeviceChoice;
use innerspan::train::{Preset, TrainSettings};
use toml::Table;
use toml::de::DeTable;

use crate::corpus::Reading;
use crate::failure::Failure;
use crate::settings_table::{known_settings, overlaid, overrides, preset};
use crate::toml_file::{Fault, TomlFile, check_keys, typed};

/// What the file may hold beside settings and [how to read data](Reading::KEYS): the options that say what is trained on
/// what, and the preset.
const RUN_KEYS: [&str; 6] = ["train", "dev", "encoder", "out", "device", "preset"];

/// The content of the file.
#[derive(Debug, Default)]
pub struct Config {
    pub train: Option<PathBuf>,
    pub dev: Option<PathBuf>,
    pub encoder: Option<String>,
    pub out: Option<PathBuf>,
    pub device: Option<DeviceChoice>,
    pub preset: Option<Preset>,
    pub reading: Reading,
    overrides: Table,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// A file that is not there, is no TOML, has a key that no setting has (the nearest one is named), or a value of
    /// the wrong kind.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        TomlFile::read(path)?.parse(Self::parse)
    }

    fn parse(table: &DeTable) -> Result<Self, Fault> {
        let others: Vec<&str> = RUN_KEYS.into_iter().chain(Reading::KEYS).collect();
        let known: Vec<String> =
            others.iter().map(|key| (*key).to_owned()).chain(known_settings()).collect();
        check_keys(table, &known, "setting")?;
        let text = |key: &str| table.get(key).map(|entry| typed::<String>(key, entry)).transpose();
        let device = |entry| {
            let name: String = typed("device", entry)?;
            name.parse().map_err(|message: String| Fault::of(entry, message))
        };
        Ok(Self {
            train: text("train")?.map(PathBuf::from),
            dev: text("dev")?.map(PathBuf::from),
            encoder: text("encoder")?,
            out: text("out")?.map(PathBuf::from),
            device: table.get("device").map(device).transpose()?,
            preset: preset(table)?,
            reading: Reading::parse(table)?,
            overrides: overrides(table, &others)?,
        })
    }

    /// `base` with the file's settings instead of its own.
    pub fn settings(&self, base: &TrainSettings) -> Result<TrainSettings, Failure> {
        overlaid(base, [&self.overrides]).map_err(Failure::usage)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use innerspan::loss::LossKind;

    use super::*;
    use crate::toml_file;

    fn parse(text: &str) -> Result<Config, (Option<usize>, String)> {
        toml_file::parse(text, Config::parse)
    }

    fn settings(text: &str) -> TrainSettings {
        parse(text).unwrap().settings(&TrainSettings::default()).unwrap()
    }

    #[test]
    fn a_file_holds_settings_and_what_to_train_on_what() {
        let text = "train = \"a.jsonl\"\noffsets = \"utf16\"\ntag-columns = [1, 3]\nskip-invalid = true\ndevice = \"cpu\"\npreset = \"eiou-emc\"\nepochs = 3\n[loss]\nkind = \"eiou-emc\"\nbeta = 0.3\n";
        let config = parse(text).unwrap();
        assert_eq!(config.train, Some(PathBuf::from("a.jsonl")));
        assert_eq!(config.device, Some(DeviceChoice::Cpu));
        assert_eq!(config.preset, Some(Preset::EiouEmc));
        assert_eq!(
            config.reading.arguments(),
            ["--offsets", "utf16", "--skip-invalid", "--tag-columns", "1,3"].map(str::to_owned)
        );
        let settings = settings(text);
        assert_eq!(settings.epochs, 3);
        assert_eq!((settings.loss.kind, settings.loss.beta), (LossKind::EiouEmc, 0.3));
        assert_eq!(settings.lr, TrainSettings::default().lr);
    }

    #[test]
    fn what_train_saves_is_read_back() {
        let saved = TrainSettings { seed: 9, dropout: Some(0.2), ..TrainSettings::default() };
        assert_eq!(settings(&toml::to_string(&saved).unwrap()), saved);
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
        let (line, message) = parse("seed = 1\nformat = \"xml\"\n").unwrap_err();
        assert!(line == Some(2) && message.contains("pubtator"), "{message}");
        assert_eq!(parse("device = \"gpu\"\n").unwrap_err().0, Some(1));
        let (line, message) = parse("seed = 1\n[loss]\nbeta = \"much\"\n").unwrap_err();
        assert!(line == Some(3) && message.contains("loss.beta"), "{message}");
        let (line, message) = parse("seed = 1\npreset = \"pointer\"\n").unwrap_err();
        assert!(line == Some(2) && message.contains("global-pointer"), "{message}");
    }
}
