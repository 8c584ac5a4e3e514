//! One file a command; each parses nothing but its own arguments and calls the library.

pub mod combine;
pub mod completions;
pub mod convert;
pub mod demo;
pub mod devices;
pub mod evaluate;
pub mod experiment;
pub mod inspect;
pub mod predict;
pub mod quantize;
pub mod stats;
pub mod train;

use std::io::Write;
use std::path::{Path, PathBuf};

use innerspan::device::{DeviceChoice, Selected, select};
use innerspan::model::source::ModelSource;
use innerspan::model::weights::Precision;
use innerspan::recognizer::Recognizer;
use innerspan_hub::HubName;
use serde::Serialize;

use crate::failure::Failure;
use crate::hub::Downloads;
use crate::stderr;

/// Finds the device and says which one it is.
fn device(choice: DeviceChoice) -> Result<Selected, Failure> {
    let selected = select(choice)?;
    match choice {
        DeviceChoice::Auto => {
            stderr::say(format!("device: {} ({})", selected.name, selected.reason))
        }
        _ => stderr::say(format!("device: {}", selected.name)),
    }
    Ok(selected)
}

/// The folder of a model: itself, or what is downloaded for `hf:ORG/NAME`.
fn model_folder(model: &Path, precision: Precision) -> Result<PathBuf, Failure> {
    Ok(match model.to_str().and_then(HubName::parse) {
        Some(name) => name?.model_folder(precision.file(), &mut Downloads::default())?,
        None => model.to_owned(),
    })
}

/// Loads a model, or an ensemble, onto a device: from a folder or from the hub.
fn recognizer(
    model: &Path,
    precision: Precision,
    choice: DeviceChoice,
) -> Result<Recognizer, Failure> {
    let source = ModelSource::folder(model_folder(model, precision)?);
    // a folder that is no model is refused before a device is looked for, which takes longer
    Recognizer::check(&source)?;
    Ok(Recognizer::load(&source, precision, &device(choice)?)?)
}

/// Prints a line of results.
fn print(text: impl AsRef<str>) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", text.as_ref()).and_then(|()| stdout.flush()).map_err(Failure::stdout)
}

/// Prints a value as indented JSON.
fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(format!("cannot be written as JSON: {error}")))?;
    print(text)
}

/// Reads a probability.
fn probability(argument: &str) -> Result<f32, String> {
    match argument.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("give a number from 0 to 1".into()),
    }
}
