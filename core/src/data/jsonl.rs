//! JSON lines: `{"text", "entities": [{"start", "end", "label"}]}` with offsets, or `{"tokens", "entities": [[start,
//! end, "label"]]}` with token indices; ends are exclusive.

use serde::Serialize;
use serde_json::{Map, Value};

use super::lines::{Lines, shown};
use super::read::{Issues, Source};
use super::{Document, Entity, Format};
use crate::Result;
use crate::text::{OffsetMap, OffsetUnit};

/// Where other tools keep entities.
const ENTITIES: [&str; 4] = ["entities", "spans", "labels", "label"];

pub(super) struct Jsonl {
    lines: Lines,
    format: Format,
    unit: OffsetUnit,
}

impl Jsonl {
    pub fn new(lines: Lines, format: Format, unit: OffsetUnit) -> Self {
        Self { lines, format, unit }
    }
}

impl Source for Jsonl {
    fn next(&mut self, issues: &mut Issues) -> Result<Option<Document>> {
        loop {
            let document = match self.lines.next() {
                Ok(None) => return Ok(None),
                Ok(Some(line)) if line.trim().is_empty() => continue,
                Ok(Some(line)) => {
                    parse(&line, self.format, self.unit).map_err(|wrong| self.lines.error(wrong))
                }
                Err(error) => Err(error),
            };
            match document {
                Ok(document) => return Ok(Some(document)),
                Err(error) => issues.invalid(error, "lines")?,
            }
        }
    }
}

/// The document of one line; the error says what is wrong with it.
fn parse(line: &str, format: Format, unit: OffsetUnit) -> Result<Document, String> {
    if !line.trim_start().starts_with('{') {
        return Err(format!(
            "expected a JSON object, found {}; every line must be one (--from forces another format)",
            shown(line)
        ));
    }
    let object: Map<String, Value> = serde_json::from_str(line).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        format!("broken JSON at column {}: {message}", error.column())
    })?;
    let mut document = match format {
        Format::JsonlTokens => of_tokens(&object)?,
        _ => of_text(&object, unit)?,
    };
    document.id = match object.get("id") {
        Some(Value::String(id)) => Some(id.clone()),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    document.check()?;
    Ok(document)
}

fn of_tokens(object: &Map<String, Value>) -> Result<Document, String> {
    let tokens = match object.get("tokens") {
        Some(Value::Array(tokens)) => tokens,
        Some(other) => {
            return Err(format!(
                "\"tokens\" must be a list of strings, found {}",
                shown(&other.to_string())
            ));
        }
        None if object.contains_key("text") => {
            return Err("this line has \"text\" where those before have \"tokens\"; a file must be of one kind".to_owned());
        }
        None => return Err("the line has no \"tokens\"".to_owned()),
    };
    let tokens: Vec<&str> = tokens
        .iter()
        .enumerate()
        .map(|(index, token)| {
            token.as_str().filter(|token| !token.is_empty()).ok_or_else(|| {
                format!(
                    "tokens[{index}] must be a string that is not empty, found {}",
                    shown(&token.to_string())
                )
            })
        })
        .collect::<Result<_, _>>()?;
    let mut document = Document::from_words(&tokens);
    let words = document.words.as_deref().unwrap_or_default();
    let place = |start: usize, end: usize| {
        if start >= end {
            return Err(format!(
                "the start {start} is not before the end {end}, which is exclusive"
            ));
        }
        match words.get(start..end) {
            Some([first, .., last]) => Ok((first.start, last.end)),
            Some([only]) => Ok((only.start, only.end)),
            _ => Err(format!("the end {end} is past the {} tokens", words.len())),
        }
    };
    let entities = entities(object, &document.text, place)?;
    document.entities = entities;
    Ok(document)
}

fn of_text(object: &Map<String, Value>, unit: OffsetUnit) -> Result<Document, String> {
    let text = match object.get("text") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => {
            return Err(format!("\"text\" must be a string, found {}", shown(&other.to_string())));
        }
        None if object.contains_key("tokens") => {
            return Err("this line has \"tokens\" where those before have \"text\"; a file must be of one kind".to_owned());
        }
        None => return Err("the line has no \"text\"".to_owned()),
    };
    let map = OffsetMap::new(&text, unit);
    let byte = |offset: usize| {
        map.to_byte(offset).ok_or_else(|| {
            if offset > map.length() {
                format!(
                    "offset {offset} is past the end of the text, which has {} {} (--offsets says what offsets count)",
                    map.length(),
                    unit.name()
                )
            } else {
                format!("offset {offset} in {} lies inside a character (--offsets says what offsets count)", unit.name())
            }
        })
    };
    let place = |start: usize, end: usize| {
        if start >= end {
            return Err(format!(
                "the start {start} is not before the end {end}, which is exclusive"
            ));
        }
        Ok((byte(start)?, byte(end)?))
    };
    let entities = entities(object, &text, place)?;
    let words = match object.get("words") {
        Some(Value::Array(words)) => Some(
            words
                .iter()
                .enumerate()
                .map(|(index, word)| {
                    let pair: [usize; 2] = serde_json::from_value(word.clone())
                        .map_err(|_| format!("words[{index}] must be [start, end]"))?;
                    place(pair[0], pair[1])
                        .map(|(start, end)| start..end)
                        .map_err(|wrong| format!("words[{index}]: {wrong}"))
                })
                .collect::<Result<_, String>>()?,
        ),
        _ => None,
    };
    Ok(Document { words, entities, text, ..Document::default() })
}

/// The entities of a line; `place` turns its offsets into bytes of `text`.
fn entities(
    object: &Map<String, Value>,
    text: &str,
    place: impl Fn(usize, usize) -> Result<(usize, usize), String>,
) -> Result<Vec<Entity>, String> {
    let Some((key, list)) = ENTITIES.iter().find_map(|key| Some((key, object.get(*key)?))) else {
        return Ok(Vec::new());
    };
    let list = match list {
        Value::Array(list) => list.as_slice(),
        Value::Null => &[],
        other => {
            return Err(format!("\"{key}\" must be a list, found {}", shown(&other.to_string())));
        }
    };
    let entity = |(index, value): (usize, &Value)| {
        let wrong = |wrong: String| format!("{key}[{index}]: {wrong}");
        let raw = RawEntity::of(value).ok_or_else(|| {
            wrong(format!(
                "expected {{\"start\", \"end\", \"label\"}} or [start, end, \"label\"], found {}",
                shown(&value.to_string())
            ))
        })?;
        let (start, end) = place(raw.start, raw.end).map_err(wrong)?;
        match raw.text {
            Some(own) if own != &text[start..end] => Err(wrong(format!(
                "its text is \"{own}\", but {}..{} of the text is \"{}\" (--offsets says what offsets count)",
                raw.start,
                raw.end,
                &text[start..end]
            ))),
            _ => Ok(Entity { start, end, label: raw.label.to_owned(), score: raw.score }),
        }
    };
    list.iter().enumerate().map(entity).collect()
}

struct RawEntity<'a> {
    start: usize,
    end: usize,
    label: &'a str,
    score: Option<f32>,
    text: Option<&'a str>,
}

impl<'a> RawEntity<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        let number = |value: &Value| usize::try_from(value.as_u64()?).ok();
        match value {
            Value::Array(list) => match list.as_slice() {
                [start, end, label] => Some(Self {
                    start: number(start)?,
                    end: number(end)?,
                    label: label.as_str()?,
                    score: None,
                    text: None,
                }),
                _ => None,
            },
            Value::Object(object) => Some(Self {
                start: number(object.get("start")?)?,
                end: number(object.get("end")?)?,
                label: object.get("label").or_else(|| object.get("type"))?.as_str()?,
                score: object.get("score").and_then(Value::as_f64).map(|score| score as f32),
                text: object.get("text").and_then(Value::as_str),
            }),
            _ => None,
        }
    }
}

#[derive(Serialize)]
struct TextLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<[usize; 2]>>,
    entities: Vec<TextEntity<'a>>,
}

#[derive(Serialize)]
struct TextEntity<'a> {
    start: usize,
    end: usize,
    label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    text: &'a str,
}

#[derive(Serialize)]
struct TokenLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    tokens: Vec<&'a str>,
    entities: Vec<(usize, usize, &'a str)>,
}

/// A document as a line with `text`, without the line's end; `keep_words` adds the words that it brought along.
pub fn text_line(document: &Document, unit: OffsetUnit, keep_words: bool) -> String {
    let map = OffsetMap::new(&document.text, unit);
    let words = document.words.as_ref().filter(|_| keep_words);
    let line = TextLine {
        id: document.id.as_deref(),
        text: &document.text,
        words: words.map(|words| {
            words.iter().map(|word| [map.from_byte(word.start), map.from_byte(word.end)]).collect()
        }),
        entities: document
            .entities
            .iter()
            .map(|entity| TextEntity {
                start: map.from_byte(entity.start),
                end: map.from_byte(entity.end),
                label: &entity.label,
                score: entity.score,
                text: document.text_of(entity),
            })
            .collect(),
    };
    serde_json::to_string(&line).expect("strings and numbers")
}

/// A document as a line with `tokens`, from its words and its entities as word indices.
pub(super) fn token_line(
    id: Option<&str>,
    tokens: Vec<&str>,
    entities: Vec<(usize, usize, &str)>,
) -> String {
    serde_json::to_string(&TokenLine { id, tokens, entities }).expect("strings and numbers")
}
