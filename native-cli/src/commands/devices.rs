//! `innerspan devices`

use clap::Args;
use innerspan::device::{Adapter, DeviceChoice, adapters, cpu, select};
use serde::Serialize;

use super::{print, print_json};
use crate::failure::Failure;

const EXAMPLES: &str = "\
EXAMPLES
  innerspan devices
  innerspan devices --json";

/// How to list the devices.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Devices {
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Listing {
    /// What `--device auto` takes.
    auto: String,
    reason: String,
    cpu: String,
    adapters: Vec<Adapter>,
}

impl Devices {
    pub fn run(self) -> Result<(), Failure> {
        let auto = select(DeviceChoice::Auto)?;
        let listing =
            Listing { auto: auto.name, reason: auto.reason, cpu: cpu().name, adapters: adapters() };
        if self.json { print_json(&listing) } else { print(listing.text()) }
    }
}

impl Listing {
    fn text(&self) -> String {
        let mut lines = vec![format!("cpu   {}", self.cpu)];
        for adapter in &self.adapters {
            let Adapter { name, backend, kind, shaders, note, .. } = adapter;
            let note = if note.is_empty() { String::new() } else { format!("; {note}") };
            lines.push(format!("wgpu  {name} ({kind}, {backend}, {shaders}){note}"));
        }
        if self.adapters.is_empty() {
            lines.push("wgpu  no graphics adapter: install the GPU's driver (on Debian: apt install mesa-vulkan-drivers libvulkan1)".into());
        }
        lines.push(format!("auto  {} ({})", self.auto, self.reason));
        lines.join("\n")
    }
}
