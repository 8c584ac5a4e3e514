//! Folders with faults: one message that names the file or tensor, what was found and what to do.

use std::path::Path;

use crate::support::{contents, file, folder, innerspan, inside, model, sentences};

/// A copy of the model in which `damage` changes something.
fn damaged(damage: impl Fn(&Path)) -> tempfile::TempDir {
    let copy = folder();
    for (name, content) in contents(Path::new(model())) {
        std::fs::write(copy.path().join(name), content).unwrap();
    }
    damage(copy.path());
    copy
}

/// Checks the message of every command that reads a model folder.
#[track_caller]
fn refused(damage: impl Fn(&Path), parts: &[&str]) {
    let copy = damaged(damage);
    let path = copy.path().to_str().unwrap();
    let data = file(&copy, "data.jsonl", sentences(2));
    innerspan(["predict", "--model", path, "--text", "a", "--device", "cpu"])
        .fails_naming(1, parts);
    innerspan(["evaluate", "--model", path, "--data", &data, "--device", "cpu"])
        .fails_naming(1, parts);
}

fn rewrite(path: &Path, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    std::fs::write(path, change(std::fs::read(path).unwrap())).unwrap();
}

fn rewrite_json(path: &Path, change: impl Fn(&mut serde_json::Value)) {
    rewrite(path, |bytes| {
        let mut json = serde_json::from_slice(&bytes).unwrap();
        change(&mut json);
        serde_json::to_vec(&json).unwrap()
    });
}

#[test]
fn weights_that_are_truncated_are_refused() {
    for keep in [0, 5, 100, 10_000] {
        refused(
            |folder| rewrite(&folder.join("model.safetensors"), |bytes| bytes[..keep].to_vec()),
            &["model.safetensors"],
        );
    }
    refused(
        |folder| {
            rewrite(&folder.join("model.safetensors"), |bytes| bytes[..bytes.len() - 1].to_vec())
        },
        &["model.safetensors"],
    );
}

#[test]
fn weights_whose_header_claims_terabytes_are_refused() {
    let claim = |bytes: Vec<u8>| [&(5u64 << 40).to_le_bytes(), &bytes[8..]].concat();
    refused(|folder| rewrite(&folder.join("model.safetensors"), claim), &["model.safetensors"]);
    let huge =
        br#"{"w":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}"#;
    let content = [&(huge.len() as u64).to_le_bytes()[..], huge].concat();
    refused(
        |folder| std::fs::write(folder.join("model.safetensors"), &content).unwrap(),
        &["model.safetensors"],
    );
}

#[test]
fn weights_of_another_shape_than_the_configuration_says_are_refused_by_tensor() {
    refused(
        |folder| {
            rewrite_json(&folder.join("config.json"), |json| json["intermediate_size"] = 7.into())
        },
        &["model.safetensors", "intermediate", "7"],
    );
    refused(
        |folder| {
            rewrite_json(&folder.join("config.json"), |json| {
                json["innerspan"]["labels"].as_array_mut().unwrap().truncate(1)
            })
        },
        &["model.safetensors", "head"],
    );
}

#[test]
fn configurations_that_make_no_sense_are_refused() {
    refused(|folder| std::fs::write(folder.join("config.json"), "{").unwrap(), &["config.json"]);
    refused(
        |folder| std::fs::remove_file(folder.join("config.json")).unwrap(),
        &["config.json", "no such file"],
    );
    refused(
        |folder| {
            rewrite_json(&folder.join("config.json"), |json| json["model_type"] = "gpt2".into())
        },
        &["config.json", "gpt2"],
    );
    refused(
        |folder| {
            rewrite_json(&folder.join("config.json"), |json| {
                json["innerspan"]["format_version"] = 99.into()
            })
        },
        &["config.json", "99", "newer"],
    );
    refused(
        |folder| rewrite_json(&folder.join("config.json"), |json| json["vocab_size"] = 1e15.into()),
        &["config.json", "vocab_size"],
    );
}

#[test]
fn a_folder_without_a_tokenizer_or_with_a_strange_one_is_refused() {
    refused(
        |folder| std::fs::remove_file(folder.join("tokenizer.json")).unwrap(),
        &["tokenizer.json", "no such file"],
    );
    refused(
        |folder| std::fs::write(folder.join("tokenizer.json"), "{}").unwrap(),
        &["tokenizer.json"],
    );
    refused(
        |folder| rewrite_json(&folder.join("config.json"), |json| json["vocab_size"] = 5.into()),
        &["tokenizer.json", "5"],
    );
}

#[test]
fn a_folder_that_is_none_or_no_model_is_refused() {
    let empty = folder();
    let nowhere = inside(&empty, "nowhere");
    innerspan(["predict", "--model", &nowhere, "--text", "a"])
        .fails_naming(1, &[&nowhere, "no such folder"]);
    innerspan(["inspect", &nowhere]).fails_naming(1, &[&nowhere, "no such folder"]);
    innerspan(["inspect", empty.path().to_str().unwrap()])
        .fails_naming(1, &["config.json", "no such file"]);
    let encoder = damaged(|folder| {
        rewrite_json(&folder.join("config.json"), |json| {
            json.as_object_mut().unwrap().remove("innerspan");
        });
    });
    let path = encoder.path().to_str().unwrap();
    innerspan(["predict", "--model", path, "--text", "a"])
        .fails_naming(1, &["config.json", "innerspan train"]);
    innerspan(["inspect", path]).ok();
}

#[test]
fn an_encoder_that_is_not_there_is_refused_with_other_ways_to_name_one() {
    let folder = folder();
    let data = file(&folder, "data.jsonl", sentences(2));
    let out = inside(&folder, "model");
    let arguments = ["train", "--train", &data, "--dev", &data, "--out", &out, "--encoder"];
    innerspan(arguments.iter().chain(&["org/name"]))
        .fails_naming(1, &["org/name: no such encoder folder", "hf:org/name", "tiny"]);
    innerspan(arguments.iter().chain(&["hf:../../x"]))
        .fails_naming(2, &["hf:../../x", "hf:ORG/NAME"]);
    assert!(!Path::new(&out).exists());
}

#[test]
fn an_output_folder_that_holds_something_is_left_alone() {
    let folder = folder();
    let data = file(&folder, "data.jsonl", sentences(2));
    let arguments = ["train", "--train", &data, "--dev", &data, "--encoder", "tiny", "--out"];
    let taken = folder.path().to_str().unwrap();
    for extra in [&[][..], &["--resume"], &["--overwrite"]] {
        innerspan(arguments.iter().chain(&[taken]).chain(extra))
            .fails_naming(1, &[taken, "not empty", "--out"]);
    }
    innerspan(arguments.iter().chain(&[model()]))
        .fails_naming(1, &["holds a model", "--resume", "--overwrite"]);
    innerspan(arguments.iter().chain(&[data.as_str()])).fails_naming(1, &[&data]);
    assert_eq!(contents(folder.path()).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_training_with_the_file_that_could_not_be_written() {
    // /dev/shm is not limited without privileges, so the limit is on the size of any file
    let folder = folder();
    let data = file(&folder, "data.jsonl", sentences(4));
    let out = inside(&folder, "model");
    let script = format!(
        "ulimit -f 200; trap '' XFSZ; exec '{}' train --train '{data}' --dev '{data}' --encoder tiny --out '{out}' --device cpu --epochs 1",
        env!("CARGO_BIN_EXE_innerspan")
    );
    let ended = crate::support::run(std::process::Command::new("bash").args(["-c", &script]));
    ended.fails_naming(1, &["model.safetensors"]);
    let left: Vec<_> = contents(Path::new(&out)).into_iter().map(|(name, _)| name).collect();
    assert!(!left.iter().any(|name| name == Path::new("model.safetensors")), "{left:?}");
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("tmp")), "{left:?}");
}
