//! Weights in fewer bytes.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::predict::{known_text, spans};
use crate::support::{KNOWN, file, innerspan, model, sentences};

/// A copy of the model that tests share.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(Path::new(model()).join(name), folder.path().join(name)).unwrap();
    }
    folder
}

#[test]
fn smaller_weights_lie_beside_the_others_and_find_the_same() {
    let folder = copy();
    let path = folder.path().to_str().unwrap();
    let data = file(&folder, "known.jsonl", sentences(KNOWN));
    for (precision, percent) in [("f16", 51), ("q8", 30)] {
        let quantize = ["quantize", "--model", path, "--precision", precision, "--json", "--data"];
        let told: Value =
            serde_json::from_str(&innerspan([&quantize[..], &[&data]].concat()).ok()).unwrap();
        let file = folder.path().join(format!("model.{precision}.safetensors"));
        let [small, whole] = ["bytes", "bytes_f32"].map(|key| told[key].as_u64().unwrap());
        assert_eq!(small, fs::metadata(&file).unwrap().len());
        assert!(small * 100 < whole * percent, "{told}");
        assert!((told["f1"].as_f64().unwrap() - told["f1_f32"].as_f64().unwrap()).abs() < 0.02);

        let text = known_text(0);
        let predict = ["predict", "--model", path, "--format", "jsonl", "--text", &text];
        let found = |extra: &[&str]| innerspan([&predict[..], extra].concat()).ok();
        let (exact, rounded) = (found(&[]), found(&["--precision", precision]));
        assert_eq!(spans(&exact), spans(&rounded));
        assert_ne!(exact, rounded, "scores should show that other weights were used");
    }
}

#[test]
fn a_precision_that_is_not_there_names_the_command_that_writes_it() {
    let folder = copy();
    let path = folder.path().to_str().unwrap();
    innerspan(["predict", "--model", path, "--precision", "q8", "--text", "x"])
        .fails_naming(1, &["model.q8.safetensors", "innerspan quantize --precision q8"]);
}

#[test]
fn wrong_use_is_refused() {
    innerspan(["quantize", "--model", "m", "--precision", "f32"]).fails_naming(2, &["f16 or q8"]);
    innerspan(["quantize", "--model", "m", "--precision", "int4"]).fails_naming(2, &["f16 or q8"]);
    innerspan(["quantize", "--model", "/nowhere", "--precision", "q8"])
        .fails_naming(1, &["/nowhere", "no such folder"]);
}
