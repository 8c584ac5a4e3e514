//! Settings that take several values in turn.

use innerspan::train::TrainSettings;
use toml::de::DeTable;
use toml::{Table, Value};

use crate::settings_table::overlaid;
use crate::toml_file::{Entry, Fault, typed};

/// A setting with its values.
#[derive(Debug)]
pub struct Axis {
    /// The setting's name, without that of the table that it is in.
    key: String,
    /// Each value as it is written, and as a table that sets it.
    values: Vec<(String, Table)>,
}

impl Axis {
    /// Those of a table whose values are lists.
    ///
    /// # Errors
    /// What is no list, or holds what the setting cannot be.
    pub fn all(table: &DeTable) -> Result<Vec<Self>, Fault> {
        let mut axes = Vec::new();
        collect(table, &[], &mut axes)?;
        Ok(axes)
    }

    /// Every variant with every value: its name goes on with the setting, its tables with one that sets it.
    pub fn times<'a>(
        &'a self,
        variants: &[(String, Vec<&'a Table>)],
    ) -> Vec<(String, Vec<&'a Table>)> {
        let mut product = Vec::new();
        for (name, tables) in variants {
            for (value, table) in &self.values {
                let tables = tables.iter().copied().chain([table]).collect();
                product.push((format!("{name}, {} {value}", self.key), tables));
            }
        }
        product
    }
}

fn collect(table: &DeTable, above: &[&str], axes: &mut Vec<Axis>) -> Result<(), Fault> {
    for (key, entry) in table {
        let path: Vec<&str> = above.iter().copied().chain([key.get_ref().as_ref()]).collect();
        match entry.get_ref().as_table() {
            Some(inner) => collect(inner, &path, axes)?,
            None => axes.push(axis(&path, entry)?),
        }
    }
    Ok(())
}

fn axis(path: &[&str], entry: &Entry) -> Result<Axis, Fault> {
    let dotted = path.join(".");
    if entry.get_ref().as_array().is_none() {
        return Err(Fault::of(entry, format!("{dotted}: give a list of values, as in [1, 2]")));
    }
    let values: Vec<Value> = typed(&dotted, entry)?;
    if values.is_empty() {
        return Err(Fault::of(entry, format!("{dotted}: the list has no values")));
    }
    let with_table = |value: Value| {
        let shown = match &value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let table = nested(path, value);
        overlaid(&TrainSettings::default(), [&table])
            .map_err(|message| Fault::of(entry, format!("{dotted}: {message}")))?;
        Ok((shown, table))
    };
    let key = path.last().copied().unwrap_or_default().to_owned();
    Ok(Axis { key, values: values.into_iter().map(with_table).collect::<Result<_, _>>()? })
}

/// The table in which `path` leads to `value`.
fn nested(path: &[&str], value: Value) -> Table {
    let mut value = value;
    for key in path.iter().rev() {
        value = Value::Table(Table::from_iter([((*key).to_owned(), value)]));
    }
    match value {
        Value::Table(table) => table,
        _ => Table::new(),
    }
}
