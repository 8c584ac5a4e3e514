//! A token per line with its tags in columns, a blank line between sentences: IOB1, IOB2, BIOES or BILOU; several tag
//! columns are layers of nesting.

use std::path::Path;

use super::lines::{Lines, shown};
use super::read::{Issues, ReadOptions, Source};
use super::tags::{Layer, Scheme, is_tag, split};
use super::{Document, Entity};
use crate::{Error, Result};

/// The fields of a line: between tabs if it has any, else between spaces.
pub(super) fn columns(line: &str) -> Vec<&str> {
    let line = line.trim_end_matches([' ', '\t']);
    match line.contains('\t') {
        true => line.split('\t').collect(),
        false => line.split(' ').filter(|field| !field.is_empty()).collect(),
    }
}

/// IOB1 where some entity begins with `I-` and none begins with `B-` after something else; reads the file through.
pub(super) fn scheme_of(path: &Path, options: &ReadOptions) -> Result<Scheme> {
    let file = std::fs::File::open(path).map_err(|error| Error::io(path, error))?;
    let name = path.display().to_string();
    let mut conll = Conll::new(Lines::new(Box::new(std::io::BufReader::new(file)), &name), options);
    let (mut starts_with_i, mut layout) = (false, None);
    loop {
        let rows = match conll.sentence() {
            Ok(Some(rows)) => rows,
            Ok(None) => break,
            Err(Error::Corpus { .. }) => continue,
            Err(error) => return Err(error),
        };
        let tags = layout.get_or_insert_with(|| tag_columns(&rows, options)).clone();
        for column in tags {
            let mut before = None;
            for row in &rows {
                let tag = row.fields.get(column).and_then(|tag| split(tag).ok()).flatten();
                let continues = before == tag.map(|(_, label)| label);
                match tag {
                    Some(('B' | 'S' | 'U', _)) if !continues => return Ok(Scheme::Iob2),
                    Some(('I', _)) if !continues => starts_with_i = true,
                    _ => {}
                }
                before = tag.map(|(_, label)| label);
            }
        }
    }
    Ok(if starts_with_i { Scheme::Iob1 } else { Scheme::Iob2 })
}

/// The last columns that hold nothing but tags, without the phrase chunks of CoNLL-2003.
fn tag_columns(rows: &[Row], options: &ReadOptions) -> Vec<usize> {
    if let Some(columns) = &options.tag_columns {
        return columns.clone();
    }
    let count = rows.first().map_or(0, |row| row.fields.len());
    let tags = |column: &usize| {
        rows.iter().all(|row| row.fields.get(*column).is_some_and(|tag| is_tag(tag)))
    };
    let mut columns: Vec<usize> = (1..count).rev().take_while(tags).collect();
    columns.reverse();
    if columns.is_empty() && count > 1 {
        columns.push(count - 1);
    }
    while columns.len() > 1 && is_chunks(rows, columns[0]) {
        columns.remove(0);
    }
    columns
}

fn is_chunks(rows: &[Row], column: usize) -> bool {
    const PHRASES: [&str; 11] =
        ["NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"];
    let mut labels =
        rows.iter().filter_map(|row| split(&row.fields[column]).ok().flatten()).peekable();
    labels.peek().is_some() && labels.all(|(_, label)| PHRASES.contains(&label))
}

pub(super) struct Conll {
    lines: Lines,
    options: ReadOptions,
    /// How many columns the first line had.
    width: Option<usize>,
    tags: Option<Vec<usize>>,
    id: Option<String>,
}

/// A token with its columns.
struct Row {
    line: usize,
    fields: Vec<String>,
}

impl Conll {
    pub fn new(lines: Lines, options: &ReadOptions) -> Self {
        Self { lines, options: options.clone(), width: None, tags: None, id: None }
    }

    /// The rows of the next sentence; an error names its first line that is wrong, and the sentence is over.
    fn sentence(&mut self) -> Result<Option<Vec<Row>>> {
        let mut rows: Vec<Row> = Vec::new();
        let mut wrong = None;
        self.id = None;
        loop {
            let line = match self.lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error @ Error::Corpus { .. }) => {
                    wrong.get_or_insert(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if line.trim().is_empty() {
                if rows.is_empty() && wrong.is_none() {
                    continue;
                }
                break;
            }
            if line.starts_with("-DOCSTART-") || self.is_comment(&line) {
                continue;
            }
            let fields: Vec<String> = columns(&line).into_iter().map(str::to_owned).collect();
            let width = *self.width.get_or_insert(fields.len());
            if fields.len() != width {
                let message = format!(
                    "{} columns where the lines before have {width}: {}",
                    fields.len(),
                    shown(&line)
                );
                wrong.get_or_insert(self.lines.error(message));
            } else if width == 1 {
                let message = format!("one column, {}: expected a token and its tag", shown(&line));
                wrong.get_or_insert(self.lines.error(message));
            } else if fields[0].is_empty() {
                wrong.get_or_insert(self.lines.error("the token before the first tab is empty"));
            }
            rows.push(Row { line: self.lines.number(), fields });
        }
        match wrong {
            Some(error) => Err(error),
            None => Ok((!rows.is_empty()).then_some(rows)),
        }
    }

    /// Lines that begin with `#`, unless they have the columns that the file has; reads the id that some give.
    fn is_comment(&mut self, line: &str) -> bool {
        let Some(comment) = line.strip_prefix('#') else { return false };
        let fields = columns(line);
        let tagged = fields.len() > 1 && fields.last().is_some_and(|tag| is_tag(tag));
        if line.contains('\t') || (tagged && self.width.is_none_or(|width| width == fields.len())) {
            return false;
        }
        if let Some((key, value)) = comment.split_once('=')
            && matches!(key.trim(), "id" | "sent_id")
        {
            self.id = Some(value.trim().to_owned());
        }
        true
    }

    fn document(&mut self, rows: &[Row]) -> Result<Document> {
        let tags = self.tags.get_or_insert_with(|| tag_columns(rows, &self.options)).clone();
        let mut document = Document::from_words(rows.iter().map(|row| &row.fields[0]));
        let words = document.words.as_deref().unwrap_or_default();
        for column in tags {
            let mut layer = Layer::new(self.options.scheme.unwrap_or(Scheme::Iob2));
            for (index, row) in rows.iter().enumerate() {
                let tag = row.fields.get(column).ok_or_else(|| {
                    let message =
                        format!("there is no column {column}; the line has {}", row.fields.len());
                    self.lines.error_at(row.line, message)
                })?;
                layer.push(index, tag).map_err(|wrong| self.lines.error_at(row.line, wrong))?;
            }
            let found = layer.finish(rows.len()).into_iter();
            document.entities.extend(found.map(|(first, end, label)| Entity {
                start: words[first].start,
                end: words[end - 1].end,
                label,
                score: None,
            }));
        }
        document.id = self.id.take();
        Ok(document)
    }
}

impl Source for Conll {
    fn next(&mut self, issues: &mut Issues) -> Result<Option<Document>> {
        loop {
            let document = match self.sentence() {
                Ok(None) => return Ok(None),
                Ok(Some(rows)) => {
                    // a stream cannot be read through first: its first entity decides
                    if self.options.scheme.is_none() {
                        self.options.scheme =
                            first_scheme(&rows, &tag_columns(&rows, &self.options));
                    }
                    self.document(&rows)
                }
                Err(error) => Err(error),
            };
            match document {
                Ok(document) => return Ok(Some(document)),
                Err(error) => issues.invalid(error, "sentences")?,
            }
        }
    }
}

fn first_scheme(rows: &[Row], tags: &[usize]) -> Option<Scheme> {
    let tags = rows.iter().flat_map(|row| tags.iter().filter_map(|&column| row.fields.get(column)));
    let (prefix, _) = tags.filter_map(|tag| split(tag).ok().flatten()).next()?;
    Some(if prefix == 'I' { Scheme::Iob1 } else { Scheme::Iob2 })
}

/// Entities of one tag column, as first token, end and type.
pub(super) type Spans<'a> = Vec<(usize, usize, &'a str)>;

/// A sentence in IOB2, a tag column per layer, without the blank line after it; white space in types becomes `_`.
pub(super) fn sentence(id: Option<&str>, tokens: &[String], layers: &[Spans<'_>]) -> String {
    let mut tags = vec![vec!["O".to_owned(); tokens.len()]; layers.len()];
    for (tags, layer) in tags.iter_mut().zip(layers) {
        for &(start, end, label) in layer {
            let label = label.replace(char::is_whitespace, "_");
            tags[start] = format!("B-{label}");
            tags[start + 1..end].fill(format!("I-{label}"));
        }
    }
    let mut written = match id {
        Some(id) => format!("# id = {}\n", id.replace(['\t', '\n', '\r'], " ")),
        None => String::new(),
    };
    for (at, token) in tokens.iter().enumerate() {
        written.push_str(token);
        for layer in &tags {
            written.push('\t');
            written.push_str(&layer[at]);
        }
        written.push('\n');
    }
    written
}

/// Entities in as few layers as hold them without overlap, each after those that begin before it or contain it.
pub(super) fn layers<'a>(entities: &[(usize, usize, &'a str)]) -> Vec<Spans<'a>> {
    let mut order = entities.to_vec();
    order.sort_by_key(|&(start, end, label)| (start, std::cmp::Reverse(end), label));
    order.dedup();
    let mut layers: Vec<Spans<'a>> = Vec::new();
    for entity in order {
        match layers.iter_mut().find(|layer| layer.last().is_none_or(|last| last.1 <= entity.0)) {
            Some(layer) => layer.push(entity),
            None => layers.push(vec![entity]),
        }
    }
    layers
}
