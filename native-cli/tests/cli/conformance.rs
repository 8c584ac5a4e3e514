//! The cases that every surface must recognise alike; see `tests/conformance`.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{file, folder, innerspan};

/// How far a score may be from the reference's.
const TOLERANCE: f64 = 1e-3;

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

/// Runs all cases and compares every entity with the reference's.
fn check(model: &str, precision: &str, device: &str) {
    let (cases, expected) =
        (read("cases.json"), read(&format!("expected/{model}.{precision}.json")));
    assert_eq!(cases.len(), expected.len());
    let lines: String = cases.iter().map(|case| format!("{case}\n")).collect();
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
    let found: Vec<Value> = found.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), cases.len());
    let mut entities = 0;
    for ((case, found), expected) in cases.iter().zip(&found).zip(&expected) {
        let name = format!("{model}.{precision} on {device}, '{}'", case["name"]);
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
                $(super::check(&stringify!($model).replace('_', "-"), $precision, "cpu");)+
            })+
        }
        mod on_a_graphics_adapter {
            $(#[test]
            fn $model() {
                if super::graphics() {
                    $(super::check(&stringify!($model).replace('_', "-"), $precision, "wgpu");)+
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
}
