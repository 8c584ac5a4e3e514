//! What the program says about itself.

use crate::support::{command, innerspan, run};

const COMMANDS: [&str; 12] = [
    "train",
    "evaluate",
    "experiment",
    "predict",
    "combine",
    "quantize",
    "convert",
    "stats",
    "inspect",
    "devices",
    "demo",
    "completions",
];

#[test]
fn every_command_is_listed_and_has_a_help_that_ends_with_examples() {
    let all = innerspan(["--help"]).ok();
    for name in COMMANDS {
        assert!(all.contains(&format!("\n  {name} ")), "{name} is not in:\n{all}");
        let help = innerspan([name, "--help"]).ok();
        let (before, examples) =
            help.split_once("\nEXAMPLES\n").unwrap_or_else(|| panic!("{name}:\n{help}"));
        assert!(before.contains("Usage: innerspan "), "{help}");
        assert!(examples.contains(&format!("innerspan {name}")), "{help}");
    }
}

#[test]
fn the_options_that_scripts_rely_on_are_there() {
    let options = [
        (
            "train",
            "--train --dev --encoder --out --preset locate-and-label --head --loss --beta --epochs --batch-size --lr --head-lr --seed --train-fraction --device --config --resume --skip-invalid",
        ),
        ("evaluate", "--model --data --json --skip-invalid"),
        ("predict", "--model --text --format --offsets --threshold"),
        ("convert", "--from --to"),
    ];
    for (name, options) in options {
        let help = innerspan([name, "--help"]).ok();
        for option in options.split(' ') {
            assert!(help.contains(option), "{name} has no {option}:\n{help}");
        }
    }
}

#[test]
fn wrong_usage_ends_with_2_and_names_what_was_wrong() {
    innerspan(["trian"]).fails_naming(2, &["trian", "train"]);
    innerspan(["train", "--epoch", "3"]).fails_naming(2, &["--epoch", "--epochs"]);
    innerspan(["train", "--head", "pointer"]).fails_naming(2, &["pointer", "global-pointer"]);
    innerspan(["train", "--epochs", "many"]).fails_naming(2, &["many"]);
    innerspan([
        "train",
        "--epochs",
        "0",
        "--train",
        "a",
        "--dev",
        "a",
        "--encoder",
        "tiny",
        "--out",
        "o",
    ])
    .fails_naming(2, &["epochs is 0"]);
    innerspan(["train", "--lr", "nan", "--train", "a"]).fails_naming(2, &["lr is NaN"]);
    innerspan(["train", "--train", "a"]).fails_naming(2, &["--dev is missing", "--config"]);
    innerspan(["predict", "--model", "m"]).fails_naming(2, &["--text"]);
    innerspan(["predict", "--model", "m", "--text", "a", "b"]).fails_naming(2, &["--text"]);
    innerspan(["predict", "--model", "m", "--text", "a", "--threshold", "1.5"])
        .fails_naming(2, &["0 to 1"]);
    innerspan(["predict", "--model", "m", "--text", "a", "--offsets", "words"])
        .fails_naming(2, &["codepoint"]);
    innerspan(["evaluate", "--model", "m", "--data", "d", "--device", "gpu"])
        .fails_naming(2, &["auto, cpu or wgpu"]);
    assert_eq!(innerspan([] as [&str; 0]).code, 2);
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(
        innerspan(["--version"]).ok().trim(),
        concat!("innerspan ", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = innerspan(["completions", shell]).ok();
        assert!(COMMANDS.iter().all(|name| script.contains(name)), "{shell}");
    }
    innerspan(["completions", "csh"]).fails_naming(2, &["csh", "bash"]);
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let script = format!(
        "'{}' completions zsh | head -c 1; exit ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_innerspan")
    );
    let ended = run(std::process::Command::new("bash").args(["-c", &script]));
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "#", ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    run(command().arg("devices").stdout(full))
        .fails_naming(1, &["standard output", "No space left"]);
}
