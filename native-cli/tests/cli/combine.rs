//! Systems made one: prediction files, and models in an ensemble's folder.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{contents, file, folder, innerspan, inside, sentences, text, training};

/// Three systems' predictions of two texts.
fn systems(folder: &TempDir) -> [String; 3] {
    let line = |text: &str, entities: &[(usize, usize, &str, f64)]| {
        let entities: Vec<Value> = entities
            .iter()
            .map(|(start, end, label, score)| {
                json!({ "start": start, "end": end, "label": label, "score": score })
            })
            .collect();
        json!({ "text": text, "entities": entities }).to_string() + "\n"
    };
    let (one, two) = ("é IL-2 gene", "none");
    let a = line(one, &[(2, 6, "DNA", 0.5), (2, 11, "DNA", 0.75)]) + &line(two, &[]);
    let b = line(one, &[(2, 6, "DNA", 0.75)]) + &line(two, &[(0, 4, "RNA", 0.625)]);
    let c = line(one, &[(2, 6, "DNA", 1.0), (2, 11, "DNA", 0.25)]) + &line(two, &[]);
    [("a.jsonl", a), ("b.jsonl", b), ("c.jsonl", c)].map(|(name, lines)| file(folder, name, lines))
}

/// What lines of JSON hold: start, end, label and score of every entity of every text.
fn found(lines: &str) -> Vec<Vec<(u64, u64, String, f64)>> {
    let entity = |entity: &Value| {
        let number = |key: &str| entity[key].as_u64().unwrap();
        let label = entity["label"].as_str().unwrap().to_owned();
        (number("start"), number("end"), label, entity["score"].as_f64().unwrap())
    };
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["entities"].as_array().unwrap().iter().map(entity).collect()
    };
    lines.lines().map(line).collect()
}

#[test]
fn prediction_files_are_combined_by_union_and_by_majority() {
    let folder = folder();
    let [a, b, c] = systems(&folder);
    let union = innerspan(["combine", "--method", "union", &a, &b, &c]).ok();
    // longest first, each with its largest score
    let expected = [
        vec![(2, 11, "DNA".to_owned(), 0.75), (2, 6, "DNA".to_owned(), 1.0)],
        vec![(0, 4, "RNA".to_owned(), 0.625)],
    ];
    assert_eq!(found(&union), expected);
    let out = inside(&folder, "out.jsonl");
    let stdout = innerspan(["combine", "--method", "majority", &a, &b, &c, "--out", &out]).ok();
    assert_eq!(stdout, "");
    // two votes of three are enough; the mean of those who voted
    let expected = [vec![(2, 11, "DNA".to_owned(), 0.5), (2, 6, "DNA".to_owned(), 0.75)], vec![]];
    assert_eq!(found(&std::fs::read_to_string(&out).unwrap()), expected);
    // of two, both
    let both = innerspan(["combine", "--method", "majority", &a, &b]).ok();
    assert_eq!(found(&both), [vec![(2, 6, "DNA".to_owned(), 0.625)], vec![]]);
}

#[test]
fn gold_gives_scores_of_the_systems_and_of_their_combinations() {
    let folder = folder();
    let [a, b, c] = systems(&folder);
    // the gold as tokens: another format of the same texts
    let gold = file(
        &folder,
        "gold.jsonl",
        "{\"tokens\": [\"é\", \"IL-2\", \"gene\"], \"entities\": [[1, 2, \"DNA\"]]}\n{\"tokens\": [\"none\"], \"entities\": []}\n",
    );
    let json = innerspan(["combine", "--method", "union", "--gold", &gold, "--json", &a, &b, &c]);
    let json: Value = serde_json::from_str(&json.ok()).unwrap();
    let rows: Vec<(&str, u64, u64)> = json["systems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let count = |key: &str| row["strict"][key].as_u64().unwrap();
            (row["name"].as_str().unwrap(), count("correct"), count("predicted"))
        })
        .collect();
    let expected = [(&*a, 1, 2), (&*b, 1, 2), (&*c, 1, 2), ("union", 1, 3), ("majority", 1, 2)];
    assert_eq!(rows, expected);
    let table = innerspan(["combine", "--method", "majority", "--gold", &gold, &a, &b]).ok();
    for part in ["precision", "majority", "union", "strict scores on 1 entities in 2 texts"] {
        assert!(table.contains(part), "{part} is not in:\n{table}");
    }
}

#[test]
fn files_of_other_texts_are_refused_with_the_place() {
    let folder = folder();
    let [a, b, _] = systems(&folder);
    let union = |files: &[&str]| innerspan([&["combine", "--method", "union"], files].concat());
    let other = file(&folder, "other.jsonl", "{\"text\": \"é IL-4 gene\"}\n{\"text\": \"none\"}\n");
    union(&[&a, &b, &other])
        .fails_naming(1, &[&other, &a, "document 1", "at character 5", "\"4 gene\"", "\"2 gene\""]);
    let short = file(&folder, "short.jsonl", "{\"text\": \"é IL-2 gene\"}\n");
    union(&[&a, &short]).fails_naming(1, &[&short, "holds 1 documents", "holds 2"]);
    union(&["--gold", &other, &a, &b]).fails_naming(1, &[&a, &other, "document 1"]);
    let missing = inside(&folder, "missing.jsonl");
    union(&[&a, &missing]).fails_naming(1, &[&missing]);
}

#[test]
fn what_makes_no_sense_together_ends_with_2() {
    let folder = folder();
    let [a, b, _] = systems(&folder);
    let bert = model("bert");
    let combine = |arguments: &[&str]| innerspan([&["combine"], arguments].concat());
    combine(&["--method", "union", &a]).fails_naming(2, &["at least two"]);
    combine(&["--method", "vote", &a, &b]).fails_naming(2, &["vote", "majority"]);
    combine(&["--method", "meta", &a, &b]).fails_naming(2, &["meta", "model folders"]);
    combine(&["--method", "union", "--epochs", "3", &a, &b])
        .fails_naming(2, &["only the method meta"]);
    combine(&["--method", "union", &a, &bert]).fails_naming(2, &[&a, &bert]);
    combine(&["--method", "union", "--test", &a, &a, &b]).fails_naming(2, &["--test", "--gold"]);
    let roberta = model("roberta");
    combine(&["--method", "union", &bert, &roberta]).fails_naming(2, &["--out is missing"]);
    combine(&["--method", "union", "--gold", &a, &bert, &roberta])
        .fails_naming(2, &["--gold", "--test"]);
    let out = inside(&folder, "out");
    combine(&["--method", "meta", "--out", &out, &bert, &roberta])
        .fails_naming(2, &["--data is missing"]);
    combine(&["--method", "meta", "--data", &a, "--out", &out, &bert, &roberta])
        .fails_naming(2, &["--encoder is missing"]);
}

/// A model that lies in the repository.
fn model(name: &str) -> String {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/models");
    text(&models.join(name))
}

/// Sentences that the models have not learnt from.
fn held_out() -> &'static str {
    include_str!("../../demo/dev.jsonl")
}

/// An ensemble of the two models, made once for all tests.
struct Made {
    folder: TempDir,
    path: String,
}

impl Made {
    fn new(name: &str, arguments: &[&str]) -> Self {
        let folder = folder();
        let path = inside(&folder, name);
        let whole = ["combine", "--out", &path, "--device", "cpu"];
        innerspan([&whole, arguments].concat()).ok();
        Self { folder, path }
    }

    /// The same with some text of its configuration replaced, in a folder of its own.
    fn with(&self, from: &str, to: &str) -> (TempDir, String) {
        let folder = folder();
        let copy = folder.path().join("copy");
        for (name, bytes) in contents(Path::new(&self.path)) {
            let path = copy.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let config = copy.join("config.json");
        let json = std::fs::read_to_string(&config).unwrap();
        assert!(json.contains(from), "{json}");
        std::fs::write(config, json.replace(from, to)).unwrap();
        let path = text(&copy);
        (folder, path)
    }
}

fn union() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        Made::new("union", &["--method", "union", &model("bert"), &model("roberta")])
    })
}

/// Its members' predictions were kept by nothing but `predict`, which spares the training.
fn meta() -> &'static (Made, Value) {
    static MADE: OnceLock<(Made, Value)> = OnceLock::new();
    MADE.get_or_init(|| {
        let members = folder();
        let data = file(&members, "data.jsonl", lines(held_out(), 0..84));
        let test = file(&members, "test.jsonl", lines(held_out(), 84..126));
        let copies = ["bert", "roberta"].map(|name| {
            let copy = members.path().join(name);
            std::fs::create_dir_all(copy.join("predictions")).unwrap();
            for (file, bytes) in contents(Path::new(&model(name))) {
                std::fs::write(copy.join(file), bytes).unwrap();
            }
            let copy = text(&copy);
            for (epoch, threshold) in [("001", "0.2"), ("002", "0.5")] {
                let predict = ["predict", "--model", &copy, &data, "--threshold", threshold];
                let predicted = innerspan([&predict[..], &["--device", "cpu"]].concat()).ok();
                let kept = format!("{copy}/predictions/epoch-{epoch}.jsonl");
                std::fs::write(kept, predicted).unwrap();
            }
            copy
        });
        let path = inside(&members, "ensemble");
        let [bert, roberta] = &copies;
        #[rustfmt::skip]
        let arguments = [
            "combine", "--method", "meta", "--data", &data, "--test", &test, "--encoder", bert,
            "--epochs", "4", "--lr", "2e-3", "--head-lr", "4e-3", "--device", "cpu", "--json",
            "--out", &path, bert, roberta,
        ];
        let scores = serde_json::from_str(&innerspan(arguments).ok()).unwrap();
        (Made { folder: members, path }, scores)
    })
}

fn lines(text: &str, range: std::ops::Range<usize>) -> String {
    text.lines().skip(range.start).take(range.len()).map(|line| format!("{line}\n")).collect()
}

fn predict(model: &str, data: &str) -> String {
    innerspan(["predict", "--model", model, data, "--device", "cpu"]).ok()
}

/// Texts that go through a model together decide the last bit of its scores.
#[track_caller]
fn same_entities(ours: &str, expected: &str, what: &str) {
    let apart = |lines: &str| -> (Vec<Vec<(u64, u64, String)>>, Vec<f64>) {
        let all = found(lines);
        let scores = all.iter().flatten().map(|(.., score)| *score).collect();
        let span = |(start, end, label, _)| (start, end, label);
        (all.into_iter().map(|list| list.into_iter().map(span).collect()).collect(), scores)
    };
    let ((spans, scores), (expected, their_scores)) = (apart(ours), apart(expected));
    assert_eq!(spans, expected, "{what}");
    for (a, b) in scores.iter().zip(&their_scores) {
        assert!((a - b).abs() < 1e-5, "{what}: {a}, not {b}");
    }
}

#[test]
fn an_ensemble_finds_what_its_members_predictions_combine_to() {
    let folder = folder();
    let data = file(&folder, "data.jsonl", lines(held_out(), 0..30));
    let majority =
        Made::new("majority", &["--method", "majority", &model("bert"), &model("roberta")]);
    let members = ["bert", "roberta"].map(|name| file(&folder, name, predict(&model(name), &data)));
    for (method, ensemble) in [("union", &union().path), ("majority", &majority.path)] {
        let [a, b] = &members;
        let expected = innerspan(["combine", "--method", method, a, b]).ok();
        assert!(found(&expected).iter().any(|entities| !entities.is_empty()));
        same_entities(&predict(ensemble, &data), &expected, method);
    }
    let report = innerspan(["evaluate", "--model", &majority.path, "--data", &data, "--json"]).ok();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(report["strict"]["f1"].as_f64().unwrap() > 0.3, "{report}");
}

#[test]
fn an_ensemble_is_inspected_and_quantized_like_a_model() {
    let shown = innerspan(["inspect", &union().path]).ok();
    for part in ["kind: ensemble", "method: union", "member-1", "member-2", "labels (9)"] {
        assert!(shown.contains(part), "{part} is not in:\n{shown}");
    }
    let (made, _) = meta();
    let shown: Value =
        serde_json::from_str(&innerspan(["inspect", &made.path, "--json"]).ok()).unwrap();
    assert!(shown["classifier"]["training"]["accuracy"].is_f64(), "{shown}");
    let (_folder, copy) = made.with("meta", "meta");
    innerspan(["quantize", "--model", &copy, "--precision", "q8"]).ok();
    for member in ["member-1", "member-2", "classifier"] {
        assert!(Path::new(&copy).join(member).join("model.q8.safetensors").is_file(), "{member}");
    }
    let data = file(&made.folder, "some.jsonl", lines(held_out(), 0..10));
    let found = innerspan(["predict", "--model", &copy, "--precision", "q8", &data]).ok();
    assert_eq!(found.lines().count(), 10);
}

#[test]
fn meta_keeps_a_part_of_the_union_with_the_classifiers_scores() {
    let (made, scores) = meta();
    let data = file(&made.folder, "few.jsonl", lines(held_out(), 84..126));
    let (kept, all) = (found(&predict(&made.path, &data)), found(&predict(&union().path, &data)));
    let count = |lists: &[Vec<_>]| lists.iter().map(Vec::len).sum::<usize>();
    assert!(count(&kept) > 0 && count(&kept) < count(&all), "{kept:?} {all:?}");
    for (kept, all) in kept.iter().zip(&all) {
        for entity in kept {
            assert!(
                all.iter()
                    .any(|other| (entity.0, entity.1, &entity.2) == (other.0, other.1, &other.2))
            );
            assert!(entity.3 > 0.5 && entity.3 <= 1.0);
        }
    }
    // what --test scored is what the folder finds
    let rows = scores["systems"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().skip(2).map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["union", "majority", "meta"]);
    assert_eq!(rows[4]["strict"]["predicted"], count(&kept));
    assert_eq!(rows[2]["strict"]["predicted"], count(&all));
    // whatever exceeds a threshold of 0 is the union
    let all_kept = innerspan(["predict", "--model", &made.path, &data, "--threshold", "0"]).ok();
    assert_eq!(count(&found(&all_kept)), count(&all));
    let card = std::fs::read_to_string(format!("{}/README.md", made.path)).unwrap();
    assert!(card.contains("no longer a test of this ensemble"), "{card}");
}

#[test]
fn train_keeps_predictions_that_meta_learns_from_and_asks_for_them_otherwise() {
    let folder = folder();
    let data = file(&folder, "data.jsonl", sentences(24));
    let [a, b] = ["a", "b"].map(|name| inside(&folder, name));
    let fast = ["--lr", "1e-3", "--head-lr", "2e-3", "--batch-size", "4", "--threshold", "0.1"];
    let kept = [&fast[..], &["--epochs", "2", "--keep-predictions"]].concat();
    innerspan(training(&data, &a, &kept)).ok();
    innerspan(training(&data, &b, &["--epochs", "1"])).ok();
    let files: Vec<PathBuf> = contents(Path::new(&a)).into_iter().map(|(name, _)| name).collect();
    for epoch in ["predictions/epoch-001.jsonl", "predictions/epoch-002.jsonl"] {
        assert!(files.contains(&PathBuf::from(epoch)), "{files:?}");
    }
    let out = inside(&folder, "ensemble");
    let combine_with = |data: &str, more: &[&str]| {
        #[rustfmt::skip]
        let arguments = [
            "combine", "--method", "meta", "--data", data, "--encoder", "tiny", "--epochs", "1",
            "--device", "cpu", "--out", &out, &a, &b,
        ];
        innerspan([&arguments[..], more].concat())
    };
    let combine = |data: &str| combine_with(data, &[]);
    combine(&data).fails_naming(1, &[&b, "--keep-predictions", &data]);
    let other = file(&folder, "other.jsonl", sentences(25));
    combine(&other).fails_naming(1, &["epoch-001.jsonl", "holds 24 documents", "holds 25"]);
    innerspan(training(&data, &b, &[&kept[..], &["--seed", "2", "--overwrite"]].concat())).ok();
    // what the models learnt from adds to what is correct
    let run = combine_with(&data, &["--train", &other]);
    assert!(run.stderr.contains("candidates to learn from"), "{run:?}");
    let note = run.stderr.split(" correct and ").next().and_then(|s| s.split_whitespace().last());
    let correct: usize = note.and_then(|count| count.parse().ok()).expect(&run.stderr);
    let of_data = std::fs::read_to_string(&data).unwrap().matches("\"label\"").count();
    assert!(correct > of_data && of_data > 0, "{correct} of {of_data} in the data alone");
    run.ok();
    // the members that lie in the ensemble need no predictions
    assert!(!Path::new(&out).join("member-1/predictions").exists());
    combine(&data).fails_naming(1, &[&out, "not empty"]);
    // training anew takes the old predictions away
    innerspan(training(&data, &a, &["--epochs", "1", "--overwrite"])).ok();
    assert!(!Path::new(&a).join("predictions").exists());
}

#[test]
fn a_hostile_ensemble_is_refused_by_name() {
    let refused = |from: &str, to: &str, parts: &[&str]| {
        let (_folder, path) = union().with(from, to);
        innerspan(["predict", "--model", &path, "--text", "x", "--device", "cpu"])
            .fails_naming(1, &[&["config.json"], parts].concat());
    };
    for outside in ["../union/member-2", "..", "/member-2", ".", "", "a\\\\b"] {
        refused("member-2", outside, &["no name of a folder inside"]);
    }
    refused("member-2", "member-1", &["named twice"]);
    refused("member-2", "member-3", &["no such"]);
    refused("\"member-1\",", "", &["1 members; 2 to 16"]);
    let many: Vec<String> = (0..17).map(|number| format!("\"m{number}\"")).collect();
    refused("\"member-1\"", &many.join(","), &["18 members"]);
    refused("\"union\"", "\"sum\"", &["sum", "majority"]);
    refused("\"union\"", "\"meta\"", &["without a classifier"]);
    refused("\"FAULT\"", "\"FOULED\"", &["FOULED", "FAULT", "member-1"]);
    refused("\"format_version\": 1", "\"format_version\": 99", &["99", "newer"]);

    // a member that is an ensemble itself
    let (_folder, path) = union().with("union", "union");
    let config = Path::new(&path).join("config.json");
    std::fs::copy(&config, Path::new(&path).join("member-2/config.json")).unwrap();
    for command in [
        vec!["predict", "--model", &path, "--text", "x"],
        vec!["inspect", &path],
        vec!["quantize", "--model", &path, "--precision", "q8"],
    ] {
        innerspan(command).fails_naming(1, &["member-2", "an ensemble, where a single model"]);
    }
}

#[test]
fn models_that_do_not_fit_together_are_refused_before_anything_is_written() {
    let folder = folder();
    let out = inside(&folder, "out");
    let combine = |models: [&str; 2]| {
        innerspan([&["combine", "--method", "majority", "--out", &out], &models[..]].concat())
    };
    let bert = model("bert");
    let strange = self::folder();
    for (name, bytes) in contents(Path::new(&model("roberta"))) {
        std::fs::write(strange.path().join(name), bytes).unwrap();
    }
    let config = strange.path().join("config.json");
    let json = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, json.replace("\"FAULT\"", "\"FOULED\"")).unwrap();
    let other = text(strange.path());
    combine([&bert, &other])
        .fails_naming(1, &[&bert, &other, "other entity types", "has FAULT", "has FOULED"]);
    combine([&bert, &format!("{bert}/../bert")]).fails_naming(1, &["given twice"]);
    combine([&bert, &union().path]).fails_naming(1, &["an ensemble, where a single model"]);
    assert!(!Path::new(&out).exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_the_classifier_learns_leaves_nothing_and_says_so() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let (made, _) = meta();
    let members = made.folder.path();
    let [data, bert, roberta] =
        ["data.jsonl", "bert", "roberta"].map(|name| text(&members.join(name)));
    let folder = folder();
    let out = inside(&folder, "ensemble");
    #[rustfmt::skip]
    let arguments = [
        "combine", "--method", "meta", "--data", &data, "--encoder", "tiny", "--epochs", "100000",
        "--patience", "0", "--device", "cpu", "--out", &out, &bert, &roberta,
    ];
    let mut child = crate::support::command()
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("epoch 1/100000")), "no epoch ended");
    let kill = ["-INT", &child.id().to_string()];
    assert!(std::process::Command::new("kill").args(kill).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    let said = rest.join("\n");
    assert!(said.contains("nothing was written") && said.contains("from the beginning"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
