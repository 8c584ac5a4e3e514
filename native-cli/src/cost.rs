//! What work took: time and memory.

use serde::{Deserialize, Serialize};

/// What recognising or learning documents took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Seconds of the work itself, without reading files and loading models.
    pub seconds: f64,
    /// Sentences or documents per second.
    pub documents_per_second: f64,
    /// The largest resident size of the process in bytes; known on Linux only.
    pub peak_memory: Option<u64>,
}

impl Cost {
    /// Of the work of this process.
    pub fn of(documents: usize, seconds: f64) -> Self {
        Self {
            seconds,
            documents_per_second: documents as f64 / seconds.max(1e-9),
            peak_memory: peak_memory(),
        }
    }
}

/// The largest resident size of this process so far, in bytes, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
