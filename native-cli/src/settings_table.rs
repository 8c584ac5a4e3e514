//! Training settings in TOML: a table that overrides some of them.

use std::path::PathBuf;

use innerspan::train::{Preset, TrainSettings};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use crate::toml_file::{Fault, typed};

/// Every key of a setting; those of a table within the settings as `table.key`.
pub fn known_settings() -> Vec<String> {
    let mut known = Vec::new();
    let with_all = TrainSettings {
        dropout: Some(0.1),
        threshold: Some(0.5),
        word_vectors: Some(PathBuf::new()),
        ..TrainSettings::default()
    };
    for (key, value) in Table::try_from(with_all).unwrap_or_default() {
        if let Value::Table(inner) = &value {
            known.extend(inner.keys().map(|inner| format!("{key}.{inner}")));
        }
        known.push(key);
    }
    known
}

/// The settings that a table holds, without its keys `others`, which mean something else.
///
/// # Errors
/// A value of the wrong kind.
pub fn overrides(table: &DeTable, others: &[&str]) -> Result<Table, Fault> {
    let mut settings = table.clone();
    for key in others {
        settings.remove(*key);
    }
    let entry = Spanned::new(0..0, DeValue::Table(settings));
    typed::<TrainSettings>("", &entry)?;
    typed("", &entry)
}

/// The `preset` of a table.
///
/// # Errors
/// A name that is none.
pub fn preset(table: &DeTable) -> Result<Option<Preset>, Fault> {
    let Some(entry) = table.get("preset") else { return Ok(None) };
    let name: String = typed("preset", entry)?;
    name.parse().map(Some).map_err(|message: String| Fault::of(entry, message))
}

/// `base` with what `tables` say instead, the last one first to be heard.
pub fn overlaid<'a>(
    base: &TrainSettings,
    tables: impl IntoIterator<Item = &'a Table>,
) -> Result<TrainSettings, String> {
    let mut all = Table::try_from(base).map_err(|error| error.to_string())?;
    tables.into_iter().for_each(|table| overlay(&mut all, table));
    all.try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

fn overlay(below: &mut Table, above: &Table) {
    for (key, value) in above {
        match (below.get_mut(key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => overlay(below, above),
            _ => {
                below.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use innerspan::loss::LossKind;

    use super::*;

    #[test]
    fn later_tables_win_key_by_key() {
        let table = |text: &str| -> Table { text.parse().unwrap() };
        let [first, second] = [
            table("epochs = 3\nlr = 1e-3\n[loss]\nkind = \"eiou-emc\"\nbeta = 0.3\n"),
            table("epochs = 4\n[loss]\nbeta = 0.4\n"),
        ];
        let settings = overlaid(&TrainSettings::default(), [&first, &second]).unwrap();
        assert_eq!((settings.epochs, settings.lr), (4, 1e-3));
        assert_eq!((settings.loss.kind, settings.loss.beta), (LossKind::EiouEmc, 0.4));
        assert_eq!(settings.batch_size, TrainSettings::default().batch_size);
    }
}
