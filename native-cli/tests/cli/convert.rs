//! From format to format and back.

use std::path::Path;

use serde_json::Value;

use crate::support::{contents, file, folder, innerspan, inside, sentences};

/// A text and the start, end and label of its entities.
type Meaning = (String, Vec<(u64, u64, String)>);

/// Text and entities of every line, sorted, without what formats cannot carry.
fn meaning(jsonl: &str) -> Vec<Meaning> {
    let document = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let entity = |e: &Value| {
            (
                e["start"].as_u64().unwrap(),
                e["end"].as_u64().unwrap(),
                e["label"].as_str().unwrap().to_owned(),
            )
        };
        let mut entities: Vec<_> =
            line["entities"].as_array().unwrap().iter().map(entity).collect();
        entities.sort();
        (line["text"].as_str().unwrap().to_owned(), entities)
    };
    jsonl.lines().map(document).collect()
}

fn convert(arguments: &[&str]) -> String {
    let run = innerspan([&["convert"], arguments].concat());
    let said = run.stderr.clone();
    run.ok();
    said
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn brat_pubtator_and_other_offsets_bring_every_entity_back() {
    let folder = folder();
    let start = file(&folder, "start.jsonl", sentences(40));
    let expected = meaning(&sentences(40));
    for (to, middle) in [("brat", "brat"), ("jsonl", "again.jsonl")] {
        for unit in ["codepoint", "utf16", "byte"] {
            let (middle, end) = (
                inside(&folder, &format!("{unit}-{middle}")),
                inside(&folder, &format!("{unit}-{to}-end.jsonl")),
            );
            convert(&[&start, &middle, "--to", to, "--to-offsets", unit]);
            convert(&[&middle, &end, "--offsets", unit]);
            let mut found = meaning(&read(&end));
            let mut expected = expected.clone();
            if to == "brat" {
                // a folder's files come in the order of their names
                found.sort();
                expected.sort();
            }
            assert_eq!(found, expected, "{to} {unit}");
        }
    }
    let (middle, end) = (inside(&folder, "start.pubtator"), inside(&folder, "pubtator-end.jsonl"));
    convert(&[&start, &middle]);
    convert(&[&middle, &end]);
    let spans =
        |jsonl: &str| meaning(jsonl).into_iter().map(|(_, entities)| entities).collect::<Vec<_>>();
    assert_eq!(spans(&read(&end)), spans(&sentences(40)));
}

#[test]
fn conll_brings_back_nested_entities_of_words() {
    let folder = folder();
    let start = file(&folder, "start.jsonl", sentences(40));
    let [conll, tokens, again] =
        ["a.conll", "b.jsonl", "c.conll"].map(|name| inside(&folder, name));
    let said = convert(&[&start, &conll]);
    assert!(said.contains("40 documents"), "{said}");
    convert(&[&conll, &tokens, "--to", "jsonl-tokens"]);
    convert(&[&tokens, &again]);
    assert_eq!(read(&conll), read(&again));
    let count = |text: &str, part: &str| text.matches(part).count();
    assert_eq!(count(&read(&conll), "B-"), count(&sentences(40), "\"label\""));
}

#[test]
fn the_summary_can_be_json() {
    let folder = folder();
    let start = file(&folder, "start.jsonl", sentences(5));
    let out = inside(&folder, "out.tsv");
    let json: Value =
        serde_json::from_str(&innerspan(["convert", &start, &out, "--json"]).ok()).unwrap();
    assert_eq!((&json["from"], &json["to"]), (&"jsonl".into(), &"conll".into()));
    assert_eq!(json["documents"], 5);
    assert_eq!(json["lost"]["entities"], 0);
}

#[test]
fn what_a_format_cannot_hold_is_counted() {
    let folder = folder();
    let start = file(&folder, "start.jsonl", sentences(3));
    let out = inside(&folder, "out.txt");
    let said = convert(&[&start, &out]);
    assert!(said.contains("cannot be written in this format"), "{said}");
    assert_eq!(read(&out).lines().count(), 3);
}

#[test]
fn an_output_that_exists_is_replaced_by_force_only() {
    let folder = folder();
    let start = file(&folder, "start.jsonl", sentences(3));
    let out = file(&folder, "out.tsv", "mine");
    innerspan(["convert", &start, &out]).fails_naming(1, &[&out, "exists", "--force"]);
    assert_eq!(read(&out), "mine");
    convert(&[&start, &out, "--force"]);
    assert_ne!(read(&out), "mine");

    // a folder with other things in it is never replaced
    let taken = inside(&folder, "taken");
    std::fs::create_dir(&taken).unwrap();
    std::fs::write(Path::new(&taken).join("thesis.doc"), "mine").unwrap();
    innerspan(["convert", &start, &taken, "--to", "brat", "--force"])
        .fails_naming(1, &[&taken, "thesis.doc"]);
    assert_eq!(contents(Path::new(&taken)).len(), 1);
}

#[test]
fn formats_that_cannot_be_told_or_do_not_exist_are_named() {
    let folder = folder();
    let start = file(&folder, "start.jsonl", sentences(3));
    innerspan(["convert", &start, &inside(&folder, "out.xyz")])
        .fails_naming(1, &["out.xyz", "--to"]);
    innerspan(["convert", &start, &inside(&folder, "out.xyz"), "--to", "xml"])
        .fails_naming(2, &["xml", "jsonl", "brat"]);
}

#[test]
fn stats_count_types_lengths_depths_and_imbalance() {
    let folder = folder();
    let line = r#"{"text": "port of Sankt Ulmen", "entities": [{"start": 0, "end": 19, "label": "ORG"}, {"start": 8, "end": 19, "label": "PLACE"}, {"start": 0, "end": 4, "label": "PLACE"}]}"#;
    let data = file(&folder, "data.jsonl", format!("{line}\n{line}\n"));
    let json: Value = serde_json::from_str(&innerspan(["stats", &data, "--json"]).ok()).unwrap();
    assert_eq!((&json["documents"], &json["entities"]), (&2.into(), &6.into()));
    assert_eq!(json["types"], serde_json::json!({"PLACE": 4, "ORG": 2}));
    assert_eq!(json["lengths"], serde_json::json!({"1": 2, "2": 2, "4": 2}));
    assert_eq!(json["depths"], serde_json::json!({"1": 2, "2": 4}));
    assert_eq!((&json["overlapping"], &json["imbalance"]), (&6.into(), &2.0.into()));
    let twice: Value =
        serde_json::from_str(&innerspan(["stats", &data, &data, "--json"]).ok()).unwrap();
    assert_eq!(twice["entities"], 12);
    let text = innerspan(["stats", &data]).ok();
    assert!(text.contains("nesting depth") && text.contains("PLACE"), "{text}");
}
