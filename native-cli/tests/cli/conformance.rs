//! The cases that every surface must recognise alike; see `tests/conformance`.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{file, folder, innerspan};

/// How far a score may be from the reference's.
const TOLERANCE: f64 = 1e-3;

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
fn check(model: &str, precision: &str, device: &str, how: Cases, count: usize) {
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

/// Whether there is a graphics adapter, be it a software one; says so where there is none.
fn graphics() -> bool {
    let devices: Value = serde_json::from_str(&innerspan(["devices", "--json"]).ok()).unwrap();
    let any = !devices["adapters"].as_array().unwrap().is_empty();
    if !any {
        eprintln!("SKIPPED: no graphics adapter, not even a software one");
    }
    any
}

/// Checks a model in every precision that it has, on the CPU and on a graphics adapter. One test a model and device, so
/// that they run side by side: a software adapter takes seconds to compile its kernels.
macro_rules! conform {
    ($($model:ident: $($precision:literal),+;)+) => {
        mod on_the_cpu {
            $(#[test]
            fn $model() {
                let model = stringify!($model).replace('_', "-");
                $(super::check(&model, $precision, "cpu", super::Cases::Alone, usize::MAX);)+
            })+
        }
        mod on_a_graphics_adapter {
            $(#[test]
            fn $model() {
                let model = stringify!($model).replace('_', "-");
                if super::graphics() {
                    $(super::check(&model, $precision, "wgpu", super::Cases::Alone, usize::MAX);)+
                }
            })+
        }
    };
}

conform! {
    bert: "f32", "f16", "q8";
    roberta: "f32", "f16", "q8";
    tagger: "q8";
    crf: "q8";
    span_classifier: "q8";
    two_stage: "q8";
}

#[test]
fn every_feature_of_the_two_stage_head_agrees_with_the_reference() {
    check("two-stage-features", "q8", "cpu", Cases::Alone, usize::MAX);
    // its BiLSTMs take as many steps as a text has words and letters, which is minutes on a software adapter
    if graphics() {
        check("two-stage-features", "q8", "wgpu", Cases::Alone, 2);
    }
}

#[test]
fn neighbours_in_a_corpus_are_read_as_the_reference_reads_them() {
    check("two-stage-features", "q8", "cpu", Cases::Corpus, usize::MAX);
}
