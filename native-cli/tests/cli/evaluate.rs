//! Scores.

use serde_json::Value;

use crate::support::{KNOWN, file, folder, innerspan, model, sentences};

#[test]
fn json_holds_every_section_with_ratios() {
    let folder = folder();
    let data = file(&folder, "known.jsonl", sentences(KNOWN));
    let json: Value = serde_json::from_str(
        &innerspan(["evaluate", "--model", model(), "--data", &data, "--json"]).ok(),
    )
    .unwrap();
    for section in ["strict", "boundary", "macro", "nested", "flat"] {
        for ratio in ["precision", "recall", "f1"] {
            let value = json[section][ratio]
                .as_f64()
                .unwrap_or_else(|| panic!("{section}.{ratio} in {json}"));
            assert!((0.0..=1.0).contains(&value));
        }
    }
    assert!(json["strict"]["f1"].as_f64().unwrap() > 0.9, "{json}");
    assert!(json["per_label"]["PERSON"]["support"].as_u64().unwrap() > 0);
    assert!(json["per_length"].as_object().is_some_and(|lengths| !lengths.is_empty()));
    for kind in ["wrong_type", "wrong_boundary", "missed", "spurious"] {
        assert!(json["errors"][kind].is_u64());
    }
}

#[test]
fn the_table_shows_percentages() {
    let folder = folder();
    let data = file(&folder, "known.jsonl", sentences(KNOWN));
    let table = innerspan(["evaluate", "--model", model(), "--data", &data]).ok();
    for word in [
        "precision",
        "recall",
        "F1",
        "support",
        "strict",
        "boundary",
        "macro",
        "nested",
        "flat",
        "PERSON",
    ] {
        assert!(table.contains(word), "{word} is not in:\n{table}");
    }
}

#[test]
fn a_threshold_changes_the_scores() {
    let folder = folder();
    let data = file(&folder, "known.jsonl", sentences(KNOWN));
    let json =
        innerspan(["evaluate", "--model", model(), "--data", &data, "--json", "--threshold", "1"])
            .ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["strict"]["predicted"], 0);
    assert_eq!(json["strict"]["f1"], 0.0);
}

#[test]
fn types_that_the_model_does_not_know_are_said() {
    let folder = folder();
    let line = "{\"text\": \"Anna slept.\", \"entities\": [{\"start\": 0, \"end\": 4, \"label\": \"DREAMER\"}]}\n";
    let data = file(&folder, "strange.jsonl", line);
    let run = innerspan(["evaluate", "--model", model(), "--data", &data]);
    assert!(run.stderr.contains("DREAMER"), "{run:?}");
    run.ok();
}

#[test]
fn gold_that_no_prediction_can_equal_is_counted() {
    let folder = folder();
    let line = "{\"text\": \"Anna slept.\", \"entities\": [{\"start\": 1, \"end\": 2, \"label\": \"PERSON\"}]}\n";
    let data = file(&folder, "inside.jsonl", line);
    let run = innerspan(["evaluate", "--model", model(), "--data", &data]);
    assert!(run.stderr.contains("of the evaluation data cannot be expressed"), "{run:?}");
    run.ok();
}
