//! Runs the program, and makes what it needs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// What a run left.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Its standard output, after it ended well.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:#?}");
        self.stdout
    }

    /// Its message, after it ended with `code` and exactly one error.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:#?}");
        assert_eq!(self.stderr.matches("error: ").count(), 1, "{self:#?}");
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("bug"), "{self:#?}");
        self.stderr
    }

    /// Checks that the message of a failed run holds all of `parts`.
    #[track_caller]
    pub fn fails_naming(self, code: i32, parts: &[&str]) {
        let message = self.fails(code);
        for part in parts {
            assert!(message.contains(part), "'{part}' is not in: {message}");
        }
    }
}

/// The program without what the environment would tell it.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_innerspan"));
    for name in [
        "XDG_RUNTIME_DIR",
        "HF_TOKEN",
        "HF_ENDPOINT",
        "HF_HUB_OFFLINE",
        "INNERSPAN_LOG",
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Runs the program with arguments.
pub fn innerspan<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Run {
    run(command().args(arguments))
}

/// Runs the program with arguments and an input.
pub fn innerspan_reading(input: &[u8], arguments: &[&str]) -> Run {
    let mut child = command()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // a program that stops reading is looked at by the test itself
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// The arguments that train a tiny encoder on `data`, and evaluate it there.
pub fn training<'a>(data: &'a str, out: &'a str, extra: &[&'a str]) -> Vec<&'a str> {
    let arguments = ["train", "--train", data, "--dev", data, "--encoder", "tiny", "--out", out];
    [&arguments[..], &["--device", "cpu"], extra].concat()
}

/// A folder that goes away.
pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes a file and returns its path.
pub fn file(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    text(&path)
}

/// A path as an argument.
pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A path in a folder as an argument.
pub fn inside(folder: &TempDir, name: &str) -> String {
    text(&folder.path().join(name))
}

/// The first sentences of the demo's corpus.
pub fn sentences(count: usize) -> String {
    include_str!("../../demo/train.jsonl")
        .lines()
        .take(count)
        .map(|line| format!("{line}\n"))
        .collect()
}

/// A model that knows the first [`KNOWN`] sentences of the demo by heart; trained once for all tests.
pub fn model() -> &'static str {
    static MODEL: OnceLock<(TempDir, String)> = OnceLock::new();
    &MODEL
        .get_or_init(|| {
            let folder = folder();
            let data = file(&folder, "known.jsonl", sentences(KNOWN));
            let out = inside(&folder, "model");
            let arguments = training(
                &data,
                &out,
                &[
                    "--epochs",
                    "40",
                    "--batch-size",
                    "4",
                    "--lr",
                    "1e-3",
                    "--head-lr",
                    "2e-3",
                    "--dropout",
                    "0",
                ],
            );
            innerspan(arguments).ok();
            (folder, out)
        })
        .1
}

/// Sentences that [`model`] knows.
pub const KNOWN: usize = 16;

/// All files under a folder with their content.
pub fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push((
                    path.strip_prefix(folder).unwrap().to_owned(),
                    std::fs::read(&path).unwrap(),
                ));
            }
        }
    }
    found.sort();
    found
}
