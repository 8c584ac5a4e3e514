//! Fewer bytes for the weights of a model folder, or of all folders of an ensemble.

use std::path::{Path, PathBuf};

use super::EnsembleConfig;
use super::meta::Classifier;
use crate::Result;
use crate::device;
use crate::model::ModelFolder;
use crate::model::source::ModelSource;
use crate::model::weights::Precision;

/// Writes the weights of the model in `folder` once more, in another precision and files of their own beside the
/// others; of an ensemble, those of every member and of the classifier. The folders that have such a file now.
///
/// # Errors
/// What loading refuses, the system's, or a weight that the precision cannot hold.
pub fn quantize(folder: &Path, precision: Precision) -> Result<Vec<PathBuf>> {
    let device = device::cpu().device;
    let source = ModelSource::folder(folder);
    let Some(config) = EnsembleConfig::read(&source)? else {
        ModelFolder::load(&source, Precision::F32, &device)?.write_weights(folder, precision)?;
        return Ok(vec![folder.to_owned()]);
    };
    let mut folders = Vec::new();
    for (name, member) in config.ensemble.members.iter().zip(config.members(&source)?) {
        let member = ModelFolder::load(&member, Precision::F32, &device)?;
        folders.push(folder.join(name));
        member.write_weights(&folder.join(name), precision)?;
    }
    if let Some(name) = &config.ensemble.classifier {
        let classifier = Classifier::load(&source.inside(name), Precision::F32, &device)?;
        folders.push(folder.join(name));
        classifier.write_weights(&folder.join(name), precision)?;
    }
    Ok(folders)
}
