//! What a corpus holds, in numbers.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::Serialize;

use super::Document;
use crate::text::split_words;

/// Counts over a corpus.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Documents (sentences, in CoNLL and most JSON lines).
    pub documents: usize,
    /// Documents without an entity.
    pub empty_documents: usize,
    /// Words: the corpus' own, or else those of the texts.
    pub words: usize,
    /// Entities, duplicates included.
    pub entities: usize,
    /// Entities of each type, most frequent first.
    pub types: Vec<(String, usize)>,
    /// Entities by their length in words.
    pub lengths: BTreeMap<usize, usize>,
    /// Entities by how deep they lie: 1 inside no other.
    pub depths: BTreeMap<usize, usize>,
    /// Entities that share a character with another.
    pub overlapping: usize,
    /// Entities that repeat span and type of another.
    pub duplicates: usize,
    /// Spans that have more than one type.
    pub ambiguous: usize,
}

impl Stats {
    /// Counts.
    pub fn of(documents: &[Document]) -> Self {
        let mut own = Self::default();
        let mut types = BTreeMap::<String, usize>::new();
        for document in documents {
            own.add(document, &mut types);
        }
        own.types = types.into_iter().collect();
        own.types.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        own
    }

    fn add(&mut self, document: &Document, types: &mut BTreeMap<String, usize>) {
        let split;
        let words = match &document.words {
            Some(words) => words,
            None => {
                split = split_words(&document.text);
                &split
            }
        };
        self.documents += 1;
        self.words += words.len();
        self.entities += document.entities.len();
        self.empty_documents += usize::from(document.entities.is_empty());
        let (mut seen, mut spans) = (HashSet::new(), BTreeMap::<_, usize>::new());
        for entity in &document.entities {
            *types.entry(entity.label.clone()).or_default() += 1;
            let first = words.partition_point(|word| word.end <= entity.start);
            let end = words.partition_point(|word| word.start < entity.end);
            *self.lengths.entry(end.saturating_sub(first)).or_default() += 1;
            match seen.insert((entity.start, entity.end, &entity.label)) {
                true => *spans.entry((entity.start, entity.end)).or_default() += 1,
                false => self.duplicates += 1,
            }
        }
        self.ambiguous += spans.values().filter(|&&types| types > 1).count();
        for depth in document.nesting_depths() {
            *self.depths.entry(depth).or_default() += 1;
        }
        self.overlapping += document.overlapping().into_iter().filter(|&overlaps| overlaps).count();
    }

    /// The share of entities that overlap another, in 0..=1.
    pub fn overlapping_share(&self) -> f64 {
        share(self.overlapping, self.entities)
    }

    /// How many times more frequent the most frequent type is than the rarest; 1 without types.
    pub fn imbalance(&self) -> f64 {
        match (self.types.first(), self.types.last()) {
            (Some((_, most)), Some((_, least))) => *most as f64 / *least as f64,
            _ => 1.0,
        }
    }

    /// The entropy of the types over that of as many equally frequent ones: 1 balanced, 0 all of one type.
    pub fn evenness(&self) -> f64 {
        if self.types.len() < 2 {
            return 1.0;
        }
        let entropy: f64 = self
            .types
            .iter()
            .map(|(_, count)| share(*count, self.entities))
            .map(|p| -p * p.ln())
            .sum();
        entropy / (self.types.len() as f64).ln()
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Lengths that have a row of their own.
const LENGTHS: usize = 10;

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<(String, usize, String)> = vec![
            ("documents".to_owned(), self.documents, String::new()),
            (
                "  without entities".to_owned(),
                self.empty_documents,
                percent(self.empty_documents, self.documents),
            ),
            ("words".to_owned(), self.words, String::new()),
            ("entities".to_owned(), self.entities, String::new()),
            (
                "  overlapping another".to_owned(),
                self.overlapping,
                percent(self.overlapping, self.entities),
            ),
            ("  duplicates".to_owned(), self.duplicates, String::new()),
            ("  spans with several types".to_owned(), self.ambiguous, String::new()),
            (
                format!("types ({:.0}:1, evenness {:.2})", self.imbalance(), self.evenness()),
                self.types.len(),
                String::new(),
            ),
        ];
        let of_entities = |name: String, count: usize| (name, count, percent(count, self.entities));
        rows.extend(
            self.types.iter().map(|(name, count)| of_entities(format!("  {name}"), *count)),
        );
        rows.push((
            "length in words".to_owned(),
            self.lengths.keys().max().copied().unwrap_or(0),
            "longest".to_owned(),
        ));
        rows.extend(
            self.lengths
                .range(..=LENGTHS)
                .map(|(length, count)| of_entities(format!("  {length}"), *count)),
        );
        let longer: usize = self.lengths.range(LENGTHS + 1..).map(|(_, count)| count).sum();
        if longer > 0 {
            rows.push(of_entities(format!("  more than {LENGTHS}"), longer));
        }
        rows.push((
            "nesting depth".to_owned(),
            self.depths.keys().max().copied().unwrap_or(0),
            "deepest".to_owned(),
        ));
        rows.extend(
            self.depths.iter().map(|(depth, count)| of_entities(format!("  {depth}"), *count)),
        );
        let width = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
        for (name, count, note) in rows {
            let row = format!("{name:width$}  {count:>8}  {note:>7}");
            writeln!(f, "{}", row.trim_end())?;
        }
        Ok(())
    }
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.1} %", 100.0 * share(part, whole))
}
