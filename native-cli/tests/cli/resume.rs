//! Runs that are stopped or killed, and go on.
#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{command, file, folder, innerspan, inside, run, sentences, training};

struct Job {
    folder: TempDir,
    data: String,
}

impl Job {
    fn new() -> Self {
        let folder = folder();
        let data = file(&folder, "data.jsonl", sentences(60));
        Self { folder, data }
    }

    fn arguments(&self, out: &str) -> Vec<String> {
        let out = inside(&self.folder, out);
        let arguments = training(&self.data, &out, &["--epochs", "4", "--batch-size", "4"]);
        arguments.into_iter().map(str::to_owned).collect()
    }

    fn start(&self, out: &str, extra: &[&str]) -> Child {
        let mut command = command();
        command.args(self.arguments(out)).args(extra).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn file(&self, out: &str, name: &str) -> Vec<u8> {
        std::fs::read(Path::new(&inside(&self.folder, out)).join(name)).unwrap()
    }

    /// Waits until the run has written `lines` epochs.
    fn wait_for_epochs(&self, out: &str, lines: usize) {
        let metrics = Path::new(&inside(&self.folder, out)).join("metrics.jsonl");
        let began = Instant::now();
        while std::fs::read_to_string(&metrics).map_or(0, |text| text.lines().count()) < lines {
            assert!(began.elapsed() < Duration::from_secs(120), "no epoch ended");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Losses and scores by epoch, without times.
    fn curve(&self, out: &str) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.file(out, "metrics.jsonl")).unwrap();
        let record = |line| {
            let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
            for times in ["seconds", "training_seconds"] {
                record.as_object_mut().unwrap().remove(times).unwrap();
            }
            record
        };
        text.lines().map(record).collect()
    }

    fn assert_same(&self, one: &str, other: &str) {
        assert_eq!(self.curve(one), self.curve(other));
        assert!(
            self.file(one, "model.safetensors") == self.file(other, "model.safetensors"),
            "other weights"
        );
    }
}

/// Sends a signal.
pub fn signal(child: &Child, name: &str) {
    assert_eq!(
        run(std::process::Command::new("kill").args([name, &child.id().to_string()])).code,
        0
    );
}

#[test]
fn a_killed_run_that_is_resumed_ends_like_one_that_was_never_killed() {
    let job = Job::new();
    innerspan(job.arguments("whole")).ok();
    // at the very beginning, in an epoch, and right after one
    for (round, pause) in [(0, 5), (1, 150), (2, 0)] {
        let mut child = job.start("killed", if round == 0 { &[] } else { &["--resume"] });
        if round > 0 {
            job.wait_for_epochs("killed", round);
        }
        std::thread::sleep(Duration::from_millis(pause));
        signal(&child, "-KILL");
        child.wait().unwrap();
    }
    innerspan(job.arguments("killed").iter().map(String::as_str).chain(["--resume"])).ok();
    job.assert_same("killed", "whole");
}

#[test]
fn ctrl_c_saves_says_how_to_go_on_and_ends_with_130() {
    let job = Job::new();
    innerspan(job.arguments("whole")).ok();
    let child = job.start("stopped", &[]);
    job.wait_for_epochs("stopped", 1);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("saved in") && stderr.contains("--resume"), "{stderr}");

    let out = inside(&job.folder, "stopped");
    let other = job.arguments("stopped");
    let other = other.iter().map(String::as_str).chain(["--resume", "--lr", "0.5"]);
    innerspan(other).fails_naming(1, &["other settings", "lr"]);

    let resume =
        || innerspan(job.arguments("stopped").iter().map(String::as_str).chain(["--resume"]));
    resume().ok();
    job.assert_same("stopped", "whole");
    let again = resume();
    assert!(again.stderr.contains(&out) && again.stderr.contains("nothing to resume"), "{again:?}");
    again.ok();
    job.assert_same("stopped", "whole");
}
