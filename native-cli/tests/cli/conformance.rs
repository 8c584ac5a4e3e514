//! The cases that every surface must recognise alike; see `tests/conformance`.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{file, folder, innerspan};

/// How far a score may be from the reference's.
const TOLERANCE: f64 = 1e-3;

/// Models that differ by their head; what they share with `bert` is tested there.
const HEADS: [&str; 5] = ["tagger", "crf", "span-classifier", "two-stage", "two-stage-features"];

/// How the cases are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cases {
    /// Each on its own.
    Alone,
    /// As the documents of a corpus, which some models read the neighbours of.
    Corpus,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance")
}

fn read(name: &str) -> Vec<Value> {
    let path = root().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Start, end and label, and the score apart.
fn entity(entity: &Value) -> ((u64, u64, String), f64) {
    let offset = |key: &str| entity[key].as_u64().unwrap();
    let label = entity["label"].as_str().unwrap().to_owned();
    ((offset("start"), offset("end"), label), entity["score"].as_f64().unwrap())
}

/// Runs the first `count` cases and compares every entity with the reference's.
fn check(model: &str, precision: &str, device: &str, count: usize) {
    check_as(Cases::Alone, model, precision, device, count);
}

fn check_as(how: Cases, model: &str, precision: &str, device: &str, count: usize) {
    let reference = if how == Cases::Alone { "expected" } else { "corpus" };
    let (mut cases, mut expected) =
        (read("cases.json"), read(&format!("{reference}/{model}.{precision}.json")));
    assert_eq!(cases.len(), expected.len());
    cases.truncate(count);
    expected.truncate(count);
    // nothing comes from an empty document: with one after each, none has neighbours
    let after = if how == Cases::Alone { "{\"text\":\"\"}\n" } else { "" };
    let lines: String = cases.iter().map(|case| format!("{case}\n{after}")).collect();
    let folder = folder();
    let input = file(&folder, "cases.jsonl", lines);
    let model_folder = root().join("models").join(model);
    let found = innerspan([
        "predict",
        "--model",
        model_folder.to_str().unwrap(),
        "--precision",
        precision,
        "--device",
        device,
        "--from",
        "jsonl",
        "--format",
        "jsonl",
        "--offsets",
        "utf16",
        &input,
    ])
    .ok();
    let step = if how == Cases::Alone { 2 } else { 1 };
    let found: Vec<Value> =
        found.lines().step_by(step).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), cases.len());
    let mut entities = 0;
    for ((case, found), expected) in cases.iter().zip(&found).zip(&expected) {
        let name = format!("{model}.{precision} on {device}, {how:?}, '{}'", case["name"]);
        assert_eq!(found["text"], case["text"], "{name}");
        let list =
            |value: &Value| -> Vec<_> { value.as_array().unwrap().iter().map(entity).collect() };
        let (found, expected) = (list(&found["entities"]), list(expected));
        let spans = |list: &[((u64, u64, String), f64)]| -> Vec<_> {
            list.iter().map(|(span, _)| span.clone()).collect()
        };
        assert_eq!(spans(&found), spans(&expected), "{name}");
        for ((span, found), (_, expected)) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() < TOLERANCE,
                "{name}, {span:?}: {found}, not {expected}"
            );
        }
        entities += found.len();
    }
    assert!(entities > 5, "the cases should hold entities, not {entities}");
}

#[test]
fn all_models_in_every_precision_agree_with_the_reference_on_the_cpu() {
    for model in ["bert", "roberta"] {
        for precision in ["f32", "f16", "q8"] {
            check(model, precision, "cpu", usize::MAX);
        }
    }
}

#[test]
fn every_head_agrees_with_the_reference_on_the_cpu() {
    for model in HEADS {
        check(model, "q8", "cpu", usize::MAX);
    }
}

#[test]
fn neighbours_in_a_corpus_are_read_as_the_reference_reads_them() {
    check_as(Cases::Corpus, "two-stage-features", "q8", "cpu", usize::MAX);
}

#[test]
fn a_graphics_adapter_agrees_with_the_reference() {
    let devices: Value = serde_json::from_str(&innerspan(["devices", "--json"]).ok()).unwrap();
    if devices["adapters"].as_array().unwrap().is_empty() {
        eprintln!("SKIPPED: no graphics adapter, not even a software one");
        return;
    }
    // a software adapter takes seconds to compile for each new size of batch, and the last case makes several
    check("bert", "f32", "wgpu", 8);
    check("roberta", "q8", "wgpu", 8);
    // and minutes for a BiLSTM, whose steps are as many as a text's words and letters
    for model in HEADS.into_iter().filter(|model| *model != "two-stage-features") {
        check(model, "q8", "wgpu", 4);
    }
}
