//! Several models in one folder, which loads like a single one.

use std::collections::BTreeSet;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::Method;
use super::meta::Classifier;
use crate::data::LabelSet;
use crate::encoder::CONFIG_FILE;
use crate::model::source::ModelSource;
use crate::model::weights::Precision;
use crate::model::{KEY, ModelConfig, ModelFolder, own_config, read_json};
use crate::{Error, Result};

/// Most members of an ensemble.
const MOST: usize = 16;

/// What the `config.json` of an ensemble holds under `innerspan`; there is nothing beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnsembleConfig {
    /// The version of the format.
    pub format_version: u32,
    /// The entity types of every member.
    pub labels: LabelSet,
    /// What is combined, and how.
    pub ensemble: Members,
}

/// The members of an ensemble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Members {
    /// How they are combined.
    pub method: Method,
    /// The names of their folders inside the ensemble's; each is a complete model.
    pub members: Vec<String>,
    /// The name of the classifier's folder; with [`Method::Meta`] only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier: Option<String>,
}

/// An ensemble that has been read and checked.
#[derive(Debug)]
pub struct Ensemble {
    /// How it is combined.
    pub config: EnsembleConfig,
    /// In the order of the configuration.
    pub members: Vec<ModelFolder>,
    /// With [`Method::Meta`] only.
    pub classifier: Option<Classifier>,
}

impl Members {
    /// The names of all folders inside the ensemble's.
    pub fn folders(&self) -> Vec<String> {
        self.members.iter().chain(&self.classifier).cloned().collect()
    }
}

impl EnsembleConfig {
    /// The configuration of the ensemble in `source`; `None` if that is a single model.
    ///
    /// # Errors
    /// A folder with neither, of a newer version, or with values that cannot be.
    pub fn read(source: &ModelSource) -> Result<Option<Self>> {
        let path = source.describe(CONFIG_FILE);
        let json = read_json(source, CONFIG_FILE)?;
        let own = own_config(&path, &json)?;
        if own.get("ensemble").is_none() {
            return Ok(None);
        }
        let config: Self = serde_json::from_value(own.clone())
            .map_err(|error| Error::file(&path, format!("in \"{KEY}\": {error}")))?;
        config.check().map_err(|wrong| Error::file(&path, format!("in \"{KEY}\": {wrong}")))?;
        Ok(Some(config))
    }

    /// The folders of the members in the ensemble `source`, whose configurations are read and fit together.
    ///
    /// # Errors
    /// A member that is missing, is an ensemble itself, or has other types.
    pub fn members(&self, source: &ModelSource) -> Result<Vec<ModelSource>> {
        let own = source.describe(CONFIG_FILE);
        let member = |name: &String| {
            let member = source.inside(name);
            let config = ModelConfig::read(&member)?;
            same_labels((&own, &self.labels), (&member.describe(CONFIG_FILE), &config.labels))?;
            Ok(member)
        };
        self.ensemble.members.iter().map(member).collect()
    }

    fn check(&self) -> Result<(), String> {
        let Members { method, members, classifier } = &self.ensemble;
        let folders = self.ensemble.folders();
        if !(2..=MOST).contains(&members.len()) {
            return Err(format!("{} members; 2 to {MOST} make sense", members.len()));
        }
        if let Some(name) = folders.iter().find(|name| !is_folder_name(name)) {
            return Err(format!("{name:?} is no name of a folder inside this one"));
        }
        if folders.iter().collect::<BTreeSet<_>>().len() < folders.len() {
            return Err("a folder is named twice".into());
        }
        match (method, classifier) {
            (Method::Meta, None) => Err("the method meta without a classifier".into()),
            (Method::Union | Method::Majority, Some(_)) => {
                Err(format!("a classifier, which the method {} does not use", method.name()))
            }
            _ => Ok(()),
        }
    }
}

impl Ensemble {
    /// Reads the ensemble in `source`, which says `config`, with the weights of a precision.
    ///
    /// # Errors
    /// Any file of any member that is missing, damaged, of a newer version or at odds with the others, by name; a
    /// member that is an ensemble itself, or has other types.
    pub fn load(
        source: &ModelSource,
        config: EnsembleConfig,
        precision: Precision,
        device: &Device,
    ) -> Result<Self> {
        let members = config
            .members(source)?
            .iter()
            .map(|member| ModelFolder::load(member, precision, device))
            .collect::<Result<_>>()?;
        let classifier = config.ensemble.classifier.as_ref().map(|name| source.inside(name));
        let classifier = classifier
            .map(|classifier| Classifier::load(&classifier, precision, device))
            .transpose()?;
        Ok(Self { config, members, classifier })
    }

    /// How many numbers were learnt, all members together.
    pub fn parameters(&self) -> usize {
        let members: usize = self.members.iter().map(ModelFolder::parameters).sum();
        members + self.classifier.as_ref().map_or(0, Classifier::parameters)
    }
}

/// Refuses a model that does not have the types of `first`, in whatever order. Each comes with the name of its file.
///
/// # Errors
/// [`Error::File`] that lists the types which only one of the two has.
pub fn same_labels(first: (&str, &LabelSet), other: (&str, &LabelSet)) -> Result<()> {
    let only = |one: &LabelSet, other: &LabelSet| {
        let labels: Vec<String> =
            one.iter().filter(|label| other.index(label).is_none()).map(str::to_owned).collect();
        labels.join(", ")
    };
    let (more, fewer) = (only(other.1, first.1), only(first.1, other.1));
    let differences: Vec<String> = [(more, other.0), (fewer, first.0)]
        .into_iter()
        .filter(|(labels, _)| !labels.is_empty())
        .map(|(labels, name)| format!("only {name} has {labels}"))
        .collect();
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::file(
        other.0,
        format!(
            "other entity types than in {}: {}; all members must have the same",
            first.0,
            differences.join(", and ")
        ),
    ))
}

/// Whether a name from a file stays inside its folder.
fn is_folder_name(name: &str) -> bool {
    !name.is_empty()
        && !name.chars().all(|c| c == '.')
        && !name.contains(['/', '\\', ':', '\0'])
        && name.len() <= 255
}
