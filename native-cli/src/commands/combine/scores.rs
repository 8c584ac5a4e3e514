//! Systems and their combinations side by side.

use innerspan::combine::{majority, union};
use innerspan::data::{Document, Entity};
use innerspan::metric::{Report, evaluate};
use serde_json::{Value, json};

/// A table of scores.
pub struct Scores<'a> {
    gold: &'a [Document],
    rows: Vec<(String, Report)>,
}

impl<'a> Scores<'a> {
    /// Scores each system, which comes with its name, then their union and majority.
    pub fn of(gold: &'a [Document], systems: &[(String, Vec<Document>)]) -> Self {
        let mut scores = Self { gold, rows: Vec::new() };
        for (name, documents) in systems {
            scores.add(name, documents);
        }
        let lists: Vec<&[Document]> = systems.iter().map(|(_, list)| list.as_slice()).collect();
        scores.add("union", &combined(&lists, union));
        scores.add("majority", &combined(&lists, majority));
        scores
    }

    /// Scores one more.
    pub fn add(&mut self, name: &str, documents: &[Document]) {
        self.rows.push((name.to_owned(), evaluate(self.gold, documents)));
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let system = |(name, report): &(String, Report)| json!({ "name": name, "strict": report.strict, "boundary": report.boundary });
        json!({
            "documents": self.gold.len(),
            "systems": self.rows.iter().map(system).collect::<Vec<_>>(),
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let width = self.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let width = width.max("majority".len());
        let mut lines =
            vec![format!("{:width$}  precision  recall      F1  boundary F1  predicted", "")];
        for (name, report) in &self.rows {
            let strict = &report.strict;
            let [p, r, f1, boundary] =
                [strict.precision(), strict.recall(), strict.f1(), report.boundary.f1()]
                    .map(|ratio| 100.0 * ratio);
            lines.push(format!(
                "{name:width$}  {p:9.2}  {r:6.2}  {f1:6.2}  {boundary:11.2}  {:9}",
                strict.predicted
            ));
        }
        let gold = self.rows.first().map_or(0, |(_, report)| report.strict.gold);
        lines.push(format!("\nstrict scores on {gold} entities in {} texts", self.gold.len()));
        lines.join("\n")
    }
}

/// Lists of the same documents, combined; what is not an entity is the first list's.
pub fn combined(
    systems: &[&[Document]],
    combine: fn(&[&[Entity]]) -> Vec<Entity>,
) -> Vec<Document> {
    let Some(first) = systems.first() else { return Vec::new() };
    let document = |(index, document): (usize, &Document)| {
        let found: Vec<&[Entity]> =
            systems.iter().map(|documents| documents[index].entities.as_slice()).collect();
        Document { entities: combine(&found), ..document.clone() }
    };
    first.iter().enumerate().map(document).collect()
}
