//! PubTator: `ID|t|TITLE`, `ID|a|ABSTRACT`, then a tab-separated line per annotation; offsets run over the title, one
//! character and the abstract.

use super::brat::same_mention;
use super::lines::{Lines, shown};
use super::read::{Issues, Source};
use super::{Document, Entity};
use crate::Result;
use crate::text::{OffsetMap, OffsetUnit};

pub(super) struct PubTator {
    lines: Lines,
    unit: OffsetUnit,
}

/// A document as far as it is read.
#[derive(Default)]
struct Article {
    id: String,
    title: Option<String>,
    body: Option<String>,
    /// Annotation lines with their numbers.
    annotations: Vec<(usize, String)>,
}

impl PubTator {
    pub fn new(lines: Lines, unit: OffsetUnit) -> Self {
        Self { lines, unit }
    }

    /// Reads up to the blank line, or up to another title.
    fn article(&mut self, issues: &mut Issues) -> Result<Option<Article>> {
        let mut article: Option<Article> = None;
        loop {
            let line = match self.lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(article),
                Err(error) => {
                    issues.invalid(error, "lines")?;
                    continue;
                }
            };
            if line.trim().is_empty() {
                if article.is_some() {
                    return Ok(article);
                }
                continue;
            }
            let parts: Vec<&str> = line.splitn(3, '|').collect();
            if let [id, kind @ ("t" | "a"), text] = parts[..]
                && !id.contains(char::is_whitespace)
            {
                let own = article
                    .get_or_insert_with(|| Article { id: id.to_owned(), ..Article::default() });
                let part = if kind == "t" { &mut own.title } else { &mut own.body };
                if own.id != id || part.is_some() {
                    self.lines.unread(line);
                    return Ok(article);
                }
                *part = Some(text.to_owned());
                continue;
            }
            match &mut article {
                Some(own) if line.split('\t').next() == Some(&own.id) => {
                    own.annotations.push((self.lines.number(), line));
                }
                own => {
                    let expected = match own {
                        Some(own) => format!("an annotation of {}", own.id),
                        None => "ID|t|TITLE".to_owned(),
                    };
                    let error =
                        self.lines.error(format!("expected {expected}, found {}", shown(&line)));
                    issues.invalid(error, "lines")?;
                }
            }
        }
    }

    fn document(&self, article: Article, issues: &mut Issues) -> Result<Document> {
        let Article { id, title, body, annotations } = article;
        let mut text = title.unwrap_or_default();
        if let Some(body) = body.filter(|body| !body.is_empty()) {
            text.push('\n');
            text.push_str(&body);
        }
        let mut entities = Vec::new();
        let map = OffsetMap::new(&text, self.unit);
        for (number, line) in annotations {
            match entity(&line, &text, &map, self.unit) {
                Ok(entity) => entities.extend(entity),
                Err(wrong) => issues.invalid(self.lines.error_at(number, wrong), "lines")?,
            }
        }
        Ok(Document { id: Some(id), text, entities, words: None })
    }
}

impl Source for PubTator {
    fn next(&mut self, issues: &mut Issues) -> Result<Option<Document>> {
        match self.article(issues)? {
            Some(article) => self.document(article, issues).map(Some),
            None => Ok(None),
        }
    }
}

/// The entity of an annotation line; `None` for a relation.
fn entity(
    line: &str,
    text: &str,
    map: &OffsetMap<'_>,
    unit: OffsetUnit,
) -> Result<Option<Entity>, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [_, start, end, mention, label, ..] = fields[..] else {
        return match fields.len() {
            4 if fields[1].parse::<usize>().is_err() => Ok(None),
            count => {
                Err(format!("{count} columns; an annotation has id, start, end, text and type"))
            }
        };
    };
    if start.parse::<usize>().is_err() && start.chars().all(char::is_alphabetic) {
        return Ok(None);
    }
    let (start, end) = place(start, end, map, unit)?;
    if label.is_empty() {
        return Err("the annotation has no type".to_owned());
    }
    if !same_mention(mention, &text[start..end]) {
        return Err(format!(
            "its text is \"{mention}\", but the document has \"{}\" there",
            &text[start..end]
        ));
    }
    Ok(Some(Entity { start, end, label: label.to_owned(), score: None }))
}

/// Bytes of two written offsets.
pub(super) fn place(
    start: &str,
    end: &str,
    map: &OffsetMap<'_>,
    unit: OffsetUnit,
) -> Result<(usize, usize), String> {
    let number = |offset: &str| {
        offset
            .trim()
            .parse::<usize>()
            .map_err(|_| format!("the offset {} is not a number", shown(offset)))
    };
    let (from, to) = (number(start)?, number(end)?);
    if from >= to {
        return Err(format!("the start {from} is not before the end {to}, which is exclusive"));
    }
    let byte = |offset: usize| {
        map.to_byte(offset).ok_or_else(|| match offset > map.length() {
            true => format!(
                "offset {offset} is past the end of the text, which has {} {}",
                map.length(),
                unit.name()
            ),
            false => format!("offset {offset} in {} lies inside a character", unit.name()),
        })
    };
    Ok((byte(from)?, byte(to)?))
}

/// A document in PubTator, with the blank line after it. The first line break divides title and abstract, others become
/// spaces.
pub(super) fn article(document: &Document, number: usize, unit: OffsetUnit) -> String {
    let id = match &document.id {
        Some(id) if !id.is_empty() => id.replace(|c: char| c == '|' || c.is_whitespace(), "_"),
        _ => number.to_string(),
    };
    let flat = |text: &str| text.replace(['\n', '\r'], " ");
    let (title, body) = document.text.split_once('\n').unwrap_or((&document.text, ""));
    let mut written = format!("{id}|t|{}\n{id}|a|{}\n", flat(title), flat(body));
    let map = OffsetMap::new(&document.text, unit);
    for entity in &document.entities {
        let mention = flat(document.text_of(entity)).replace('\t', " ");
        let (start, end) = (map.from_byte(entity.start), map.from_byte(entity.end));
        let label = entity.label.replace(['\t', '\n', '\r'], "_");
        written.push_str(&format!("{id}\t{start}\t{end}\t{mention}\t{label}\t-\n"));
    }
    written.push('\n');
    written
}
