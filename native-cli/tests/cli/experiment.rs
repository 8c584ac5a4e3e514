//! Comparisons of systems: a queue that nothing breaks, and what it leaves.

use std::path::Path;
#[cfg(unix)]
use std::process::{Child, Stdio};
#[cfg(unix)]
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

#[cfg(unix)]
use crate::resume::signal;
use crate::support::{command, contents, file, folder, innerspan, inside, run, sentences};

/// The example of the guide.
fn example() -> String {
    let guide = include_str!("../../../docs/experiments.md");
    let (_, from) = guide.split_once("```toml\n").unwrap();
    from.split_once("```").unwrap().0.to_owned()
}

/// A folder with data and an experiment file; the paths in the file are relative to it.
fn prepared(experiment: &str) -> TempDir {
    let folder = folder();
    file(&folder, "train.jsonl", sentences(8));
    file(&folder, "dev.jsonl", sentences(6));
    file(&folder, "comparison.toml", experiment);
    folder
}

fn experiment(folder: &TempDir, extra: &[&str]) -> crate::support::Run {
    let mut command = command();
    command.current_dir(folder.path()).args(["experiment", "comparison.toml"]).args(extra);
    run(&mut command)
}

fn results(folder: &TempDir) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.path().join("comparison/results.jsonl"));
    text.unwrap_or_default().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An experiment that has begun a run.
#[cfg(unix)]
fn started_until(folder: &TempDir, run: &str) -> Child {
    let mut command = command();
    command.current_dir(folder.path()).args(["experiment", "comparison.toml"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = inside(folder, &format!("comparison/runs/{run}/run.toml"));
    let began = Instant::now();
    while !Path::new(&begun).exists() {
        assert!(began.elapsed() < Duration::from_secs(120), "{run} has not begun");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[cfg(unix)]
#[test]
fn the_example_of_the_guide_killed_in_the_middle_ends_with_every_result_once() {
    let folder = prepared(&example());
    let listed = experiment(&folder, &["--dry-run"]).ok();
    assert_eq!(listed.matches("to do  ").count(), 2 * 2 * 2, "{listed}");

    // killed in its second run, and stopped in its third
    let mut killed = started_until(&folder, "harbour.eiou-emc.0.5.1");
    let refused = experiment(&folder, &[]);
    killed.kill().unwrap();
    killed.wait().unwrap();
    refused.fails_naming(1, &["another process"]);
    assert_eq!(results(&folder).len(), 1);
    let stopped = started_until(&folder, "harbour.global-pointer.1.1");
    signal(&stopped, "-INT");
    let stopped = stopped.wait_with_output().unwrap();
    let said = String::from_utf8(stopped.stderr).unwrap();
    assert_eq!(stopped.status.code(), Some(130), "{said}");
    assert!(said.contains("the same command goes on"), "{said}");
    assert!((2..8).contains(&results(&folder).len()));

    let printed = experiment(&folder, &[]).ok();
    for part in ["harbour: strict F1", "| Global Pointer |", "50 % (4)", "100 % (8)", "±"] {
        assert!(printed.contains(part), "{part} is not in:\n{printed}");
    }
    let results = results(&folder);
    let mut runs: Vec<&str> = results.iter().map(|r| r["run"].as_str().unwrap()).collect();
    runs.sort_unstable();
    runs.dedup();
    assert_eq!((results.len(), runs.len()), (8, 8));
    for result in &results {
        assert_eq!(result["curve"].as_array().unwrap().len(), 3, "{result}");
        assert!(result["scores"]["strict"]["f1"].is_number(), "{result}");
        assert!(result["training"]["documents_per_second"].as_f64().unwrap() > 0.0, "{result}");
        assert!(result["inference"]["documents_per_second"].as_f64().unwrap() > 0.0, "{result}");
        assert!(result["parameters"].as_u64().unwrap() > 1000, "{result}");
        #[cfg(target_os = "linux")]
        assert!(result["training"]["peak_memory"].as_u64().unwrap() > 1 << 20, "{result}");
        let predictions =
            format!("comparison/predictions/{}.jsonl", result["run"].as_str().unwrap());
        let predictions = std::fs::read_to_string(inside(&folder, &predictions)).unwrap();
        assert_eq!(predictions.lines().count(), 6);
    }
    let out = folder.path().join("comparison");
    let left = contents(&out);
    assert!(!left.iter().any(|(name, _)| name.ends_with("model.safetensors")), "models are left");
    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    for part in [
        "## Differences",
        "## Cost",
        "### harbour, 50 %",
        "| type | learnt from | dev | Global Pointer | EIoU-EMC |",
        "| words | dev |",
    ] {
        assert!(report.contains(part), "{part} is not in:\n{report}");
    }
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.matches("<svg").count() >= 10, "charts are missing");
    for loading in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(loading), "{loading}");
    }

    // nothing is left to do, and a report alone is the same
    let before = std::fs::metadata(out.join("results.jsonl")).unwrap().modified().unwrap();
    experiment(&folder, &[]).ok();
    experiment(&folder, &["--report"]).ok();
    assert_eq!(std::fs::metadata(out.join("results.jsonl")).unwrap().modified().unwrap(), before);
    assert_eq!(std::fs::read_to_string(out.join("report.html")).unwrap(), page);
    assert_eq!(experiment(&folder, &["--dry-run"]).ok().matches("done   ").count(), 8);

    // results of other settings are not mixed with these
    file(&folder, "comparison.toml", example().replace("epochs = 3", "epochs = 2"));
    experiment(&folder, &[]).fails_naming(1, &["epochs was 3 and is 2 now", "--redo"]);
    file(&folder, "comparison.toml", example());
    file(&folder, "dev.jsonl", sentences(5));
    experiment(&folder, &["--report"]).fails_naming(1, &["are others now"]);
}

#[test]
fn a_run_that_fails_is_remembered_and_the_others_go_on() {
    let broken = "encoder = \"tiny\"\ndevice = \"cpu\"\n\n[[corpus]]\nname = \"harbour\"\ntrain = \"train.jsonl\"\ndev = \"dev.jsonl\"\n\n[base]\nepochs = 1\n\n[[system]]\nname = \"broken\"\nencoder = \"nowhere\"\n\n[[system]]\nname = \"whole\"\n";
    let folder = prepared(broken);
    experiment(&folder, &[])
        .fails_naming(1, &["1 run has failed", "harbour, broken", "nowhere", "log"]);
    let found = results(&folder);
    assert_eq!(found.len(), 2);
    assert!(found[0]["error"].as_str().unwrap().contains("no such encoder folder"), "{found:?}");
    assert!(found[1]["scores"].is_object(), "{found:?}");
    let report = std::fs::read_to_string(inside(&folder, "comparison/report.md")).unwrap();
    assert!(report.contains("## Failed") && report.contains("nowhere"), "{report}");

    // tried again, the one that ended well is left alone
    file(&folder, "comparison.toml", broken.replace("nowhere", "tiny"));
    experiment(&folder, &[]).ok();
    let again = results(&folder);
    assert_eq!(again.len(), 2);
    assert!(again.iter().all(|result| result["scores"].is_object()), "{again:?}");
    assert!(again.contains(&found[1]));
}

#[test]
fn faults_of_the_file_are_named_before_anything_is_done() {
    let folder = prepared(&example().replace("fractions", "fraction"));
    experiment(&folder, &[]).fails_naming(1, &["comparison.toml:4: ", "'fraction'", "'fractions'"]);
    file(&folder, "comparison.toml", example().replace("dev.jsonl", "test.jsonl"));
    experiment(&folder, &[]).fails_naming(1, &["test.jsonl", "No such file"]);
    file(&folder, "comparison.toml", example().replace("epochs = 3", "epochs = 0"));
    experiment(&folder, &[]).fails_naming(2, &["Global Pointer", "epochs is 0"]);
    innerspan(["experiment", &inside(&folder, "missing.toml")]).fails_naming(1, &["missing.toml"]);
    assert!(!folder.path().join("comparison").exists());
}
