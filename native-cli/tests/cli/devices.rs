//! Where models run.

use crate::support::{command, innerspan, model, run};

/// Points the Vulkan loader at nothing, so that there is no adapter.
fn without_adapters() -> std::process::Command {
    let mut command = command();
    command.env("VK_DRIVER_FILES", "/dev/null").env("VK_ICD_FILENAMES", "/dev/null");
    command
}

#[test]
fn the_cpu_is_always_there_and_what_auto_takes_is_said() {
    let listing = innerspan(["devices"]).ok();
    assert!(listing.starts_with("cpu   CPU ("), "{listing}");
    assert!(listing.lines().last().unwrap().starts_with("auto  "), "{listing}");
    let json: serde_json::Value =
        serde_json::from_str(&innerspan(["devices", "--json"]).ok()).unwrap();
    assert!(json["adapters"].is_array() && json["auto"].is_string());
    for adapter in json["adapters"].as_array().unwrap() {
        if adapter["kind"] == "software" {
            assert_eq!(adapter["usable"], false);
            assert_eq!(adapter["shaders"], "WGSL");
            assert_ne!(adapter["name"], json["auto"]);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn without_an_adapter_wgpu_says_what_to_install_and_auto_takes_the_cpu() {
    let arguments =
        ["predict", "--model", model(), "--text", "A text.", "--format", "jsonl", "--device"];
    let refused = run(without_adapters().args(arguments).arg("wgpu"));
    refused.fails_naming(1, &["no graphics adapter", "mesa-vulkan-drivers", "--device cpu"]);
    let auto = run(without_adapters().args(arguments).arg("auto"));
    assert!(auto.stderr.contains("device: CPU"), "{auto:?}");
    assert!(auto.stderr.contains("no GPU was found"), "{auto:?}");
    assert!(auto.ok().starts_with('{'));
}

#[test]
fn the_software_adapter_finds_what_the_cpu_finds() {
    let json: serde_json::Value =
        serde_json::from_str(&innerspan(["devices", "--json"]).ok()).unwrap();
    if json["adapters"].as_array().unwrap().is_empty() {
        eprintln!("SKIPPED: there is no graphics adapter, not even a software one");
        return;
    }
    let text = crate::predict::known_text(0);
    let found = |device: &str| {
        let line = innerspan([
            "predict",
            "--model",
            model(),
            "--text",
            &text,
            "--format",
            "jsonl",
            "--device",
            device,
        ])
        .ok();
        crate::predict::spans(&line)
    };
    assert_eq!(found("wgpu"), found("cpu"));
}
