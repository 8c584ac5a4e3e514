//! Training from the command line.

use std::path::Path;

use crate::support::{contents, file, folder, innerspan, inside, model, sentences, training};

#[test]
fn the_folder_holds_model_card_settings_and_metrics_and_nothing_else() {
    let names: Vec<String> = contents(Path::new(model()))
        .into_iter()
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .collect();
    let expected = [
        "README.md",
        "config.json",
        "metrics.jsonl",
        "model.safetensors",
        "settings.toml",
        "tokenizer.json",
    ];
    assert_eq!(names, expected);
    let metrics = std::fs::read_to_string(Path::new(model()).join("metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 40);
    for line in metrics.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["loss"].is_f64() && line["f1"].is_number(), "{line}");
    }
}

#[test]
fn flags_win_over_the_file_and_the_outcome_is_saved() {
    let folder = folder();
    let data = file(&folder, "data.jsonl", sentences(6));
    let out = inside(&folder, "model");
    let config = format!(
        "train = {data:?}\ndev = {data:?}\nencoder = \"tiny\"\nout = {out:?}\ndevice = \"cpu\"\nepochs = 7\nseed = 5\n\n[loss]\nkind = \"eiou-emc\"\nbeta = 0.3\n"
    );
    let config = file(&folder, "run.toml", config);
    innerspan([
        "train",
        "--config",
        &config,
        "--epochs",
        "1",
        "--beta",
        "0.4",
        "--max-length",
        "64",
        "--stride",
        "16",
    ])
    .ok();
    let saved = std::fs::read_to_string(Path::new(&out).join("settings.toml")).unwrap();
    let saved: toml::Table = saved.parse().unwrap();
    assert_eq!(saved["epochs"].as_integer(), Some(1));
    assert_eq!(saved["seed"].as_integer(), Some(5));
    assert_eq!(saved["loss"]["kind"].as_str(), Some("eiou-emc"));
    assert_eq!(saved["loss"]["beta"].as_float(), Some(0.4));

    // what was saved is a configuration itself, and gives the same model
    let again = inside(&folder, "again");
    let settings = format!("{out}/settings.toml");
    let arguments = [
        "train",
        "--config",
        &settings,
        "--train",
        &data,
        "--dev",
        &data,
        "--encoder",
        "tiny",
        "--out",
        &again,
        "--device",
        "cpu",
    ];
    innerspan(arguments).ok();
    let weights =
        |folder: &str| std::fs::read(Path::new(folder).join("model.safetensors")).unwrap();
    assert!(weights(&out) == weights(&again), "same settings, same seed, other weights");
}

#[test]
fn faults_of_the_configuration_are_named_with_their_line() {
    let folder = folder();
    let config = file(&folder, "run.toml", "seed = 1\nepoch = 3\n");
    innerspan(["train", "--config", &config])
        .fails_naming(1, &[&format!("{config}:2: "), "'epoch'", "'epochs'"]);
    let config = file(&folder, "broken.toml", "seed = = 1\n");
    innerspan(["train", "--config", &config]).fails_naming(1, &[&format!("{config}:1: ")]);
    let missing = inside(&folder, "missing.toml");
    innerspan(["train", "--config", &missing]).fails_naming(1, &[&missing]);
}

#[test]
fn overwrite_replaces_a_model_and_leaves_other_files_alone() {
    let folder = folder();
    let data = file(&folder, "data.jsonl", sentences(6));
    let out = inside(&folder, "model");
    innerspan(training(&data, &out, &["--epochs", "1"])).ok();
    std::fs::write(Path::new(&out).join("notes.txt"), "mine").unwrap();
    let before = contents(Path::new(&out));
    innerspan(training(&data, &out, &["--epochs", "1", "--seed", "2", "--overwrite"])).ok();
    let after = contents(Path::new(&out));
    assert_eq!(before.len(), after.len());
    let weights = |files: &[(std::path::PathBuf, Vec<u8>)]| {
        files.iter().find(|(name, _)| name == Path::new("model.safetensors")).unwrap().1.clone()
    };
    assert!(weights(&before) != weights(&after));
    assert_eq!(std::fs::read_to_string(Path::new(&out).join("notes.txt")).unwrap(), "mine");
}

#[test]
fn progress_is_plain_lines_away_from_a_terminal() {
    let folder = folder();
    let data = file(&folder, "data.jsonl", sentences(6));
    let out = inside(&folder, "model");
    let run = innerspan(training(&data, &out, &["--epochs", "2"]));
    assert!(
        run.stderr.contains("epoch 2/2")
            && run.stderr.contains("loss ")
            && run.stderr.contains("F1"),
        "{run:?}"
    );
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains('\r'), "{run:?}");
    assert!(run.stdout.contains("strict"), "{run:?}");
}

#[test]
fn entities_that_cannot_be_learnt_are_counted() {
    let folder = folder();
    let long = "word ".repeat(100);
    let line = format!(
        "{{\"text\": {:?}, \"entities\": [{{\"start\": 0, \"end\": {}, \"label\": \"PERSON\"}}]}}\n",
        long.trim(),
        long.trim().len()
    );
    let data = file(&folder, "data.jsonl", sentences(6) + &line);
    let out = inside(&folder, "model");
    let run =
        innerspan(training(&data, &out, &["--epochs", "1", "--max-length", "32", "--stride", "8"]));
    assert!(run.stderr.contains("cannot be expressed"), "{run:?}");
    run.ok();
}

#[test]
fn data_without_entities_is_refused() {
    let folder = folder();
    let data = file(&folder, "data.jsonl", "{\"text\": \"Nothing here.\", \"entities\": []}\n");
    let out = inside(&folder, "model");
    innerspan(training(&data, &out, &[])).fails_naming(1, &["no entities"]);
}
