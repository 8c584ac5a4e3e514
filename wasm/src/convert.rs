//! What goes out to JavaScript, in its own shapes.

use innerspan::data::Document;
use innerspan::text::{OffsetMap, OffsetUnit};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// An entity, its offsets in UTF-16 units. JavaScript adds the text from its own string.
#[derive(Serialize)]
struct Entity<'a> {
    start: usize,
    end: usize,
    label: &'a str,
    score: f32,
}

/// One list of entities for each document.
pub fn entities(documents: &[Document]) -> Result<JsValue, JsValue> {
    let lists: Vec<Vec<Entity>> = documents.iter().map(of_document).collect();
    Ok(serde_wasm_bindgen::to_value(&lists)?)
}

fn of_document(document: &Document) -> Vec<Entity<'_>> {
    let offsets = OffsetMap::new(&document.text, OffsetUnit::Utf16);
    document.entities.iter().map(|entity| of_entity(entity, &offsets)).collect()
}

fn of_entity<'a>(entity: &'a innerspan::data::Entity, offsets: &OffsetMap) -> Entity<'a> {
    Entity {
        start: offsets.from_byte(entity.start),
        end: offsets.from_byte(entity.end),
        label: &entity.label,
        score: entity.score.unwrap_or(1.0),
    }
}

/// An `Error` with core's code, which `wasm/js/errors.js` turns into an `InnerspanError`.
pub fn error(error: innerspan::Error) -> JsValue {
    let thrown = js_sys::Error::new(&error.to_string());
    let _ = js_sys::Reflect::set(&thrown, &"code".into(), &error.code().into());
    thrown.into()
}
