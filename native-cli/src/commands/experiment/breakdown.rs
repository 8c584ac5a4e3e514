//! Tables in Markdown of F1 by type, by how often types were seen, and by length.

use std::collections::BTreeMap;
use std::fmt::Write;

use innerspan::metric::Score;

use super::frequency::Frequency;
use super::markdown::plain;
use super::plan::percent;
use super::summary::{Cell, Summary, distinct};

/// With more types than this, those that were seen about equally often share a row.
const MOST_TYPES: usize = 20;

/// All tables: of each corpus with each share of its training data.
pub fn tables(summary: &Summary) -> String {
    let mut out = String::from(
        "\n## Types and lengths\n\nStrict F1 in percent, from the counts of all seeds together; *dev* is the number of entities in the development data.\n",
    );
    for corpus in summary.corpora() {
        let cells = summary.of_corpus(corpus);
        for fraction in distinct(cells.iter().map(|cell| cell.fraction)) {
            let cells: Vec<&Cell> =
                cells.iter().copied().filter(|cell| cell.fraction == fraction).collect();
            let _ = write!(out, "\n### {}, {}\n", plain(corpus), percent(fraction));
            let types = distinct(cells.iter().flat_map(|cell| cell.per_label.keys()));
            out += &match types.len() {
                ..=MOST_TYPES => by_type(&cells, &types),
                _ => by_frequency(&cells, &types),
            };
            out += &by_length(&cells);
        }
    }
    out
}

/// A row for each type, the most frequent first.
fn by_type(cells: &[&Cell], types: &[&String]) -> String {
    let mut types: Vec<(usize, &String)> =
        types.iter().map(|label| (seen(cells, label), *label)).collect();
    types.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let scores = |label| cells.iter().map(|cell| cell.per_label.get(label).copied()).collect();
    let rows =
        types.iter().map(|(seen, label)| (vec![plain(label), seen.to_string()], scores(*label)));
    table(&["type", "learnt from"], cells, rows)
}

/// A row for all types that were seen about equally often.
fn by_frequency(cells: &[&Cell], types: &[&String]) -> String {
    let mut classes: BTreeMap<Frequency, (usize, Vec<Option<Score>>)> = BTreeMap::new();
    for &label in types {
        let class = Frequency::of(seen(cells, label));
        let (types, sums) = classes.entry(class).or_insert((0, vec![None; cells.len()]));
        *types += 1;
        for (cell, sum) in cells.iter().zip(sums) {
            if let Some(score) = cell.per_label.get(label) {
                *sum.get_or_insert_default() += *score;
            }
        }
    }
    let rows = classes
        .into_iter()
        .rev()
        .map(|(class, (types, sums))| (vec![class.to_string(), types.to_string()], sums));
    table(&["seen so often", "types"], cells, rows)
}

fn by_length(cells: &[&Cell]) -> String {
    let mut lengths = distinct(cells.iter().flat_map(|cell| cell.per_length.keys().copied()));
    lengths.sort_unstable();
    let rows = lengths.into_iter().map(|length| {
        let scores = cells.iter().map(|cell| cell.per_length.get(&length).copied());
        (vec![length.to_string()], scores.collect())
    });
    table(&["words"], cells, rows)
}

/// How often a type was learnt from.
fn seen(cells: &[&Cell], label: &str) -> usize {
    cells.first().and_then(|cell| cell.frequency.get(label)).copied().unwrap_or(0)
}

/// A table of `keys`, the number of gold entities, and the F1 of each system.
fn table(
    keys: &[&str],
    cells: &[&Cell],
    rows: impl Iterator<Item = (Vec<String>, Vec<Option<Score>>)>,
) -> String {
    let names: Vec<String> = cells.iter().map(|cell| plain(&cell.system)).collect();
    let columns = "---:|".repeat(keys.len() + names.len());
    let mut out =
        format!("\n| {} | dev | {} |\n|---|{columns}\n", keys.join(" | "), names.join(" | "));
    for (keys, scores) in rows {
        // counts are sums over seeds; systems may have been trained with different numbers of them
        let gold = cells
            .iter()
            .zip(&scores)
            .find_map(|(cell, score)| score.map(|score| score.gold / cell.strict.count.max(1)));
        let f1 = |score: &Option<Score>| match score {
            Some(score) if score.gold > 0 => format!("{:.2}", 100.0 * score.f1()),
            _ => "–".to_owned(),
        };
        let scores: Vec<String> = scores.iter().map(f1).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            keys.join(" | "),
            gold.unwrap_or(0),
            scores.join(" | ")
        );
    }
    out
}
