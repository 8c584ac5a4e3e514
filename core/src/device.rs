//! Where the work runs: a real GPU through WGPU where there is one, else the CPU; said aloud, never silent.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use serde::Serialize;

use crate::{Error, Result};

#[cfg(all(feature = "webgpu", target_arch = "wasm32"))]
mod browser;
#[cfg(all(feature = "webgpu", target_arch = "wasm32"))]
pub use browser::webgpu;

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// A real GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU, or a software adapter where there is no GPU.
    Wgpu,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(s: &str) -> std::result::Result<Self, String> {
        match s {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "wgpu" => Ok(Self::Wgpu),
            other => Err(format!("'{other}' is no device: use auto, cpu or wgpu")),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
        })
    }
}

/// The device that work runs on.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Burn's handle.
    pub device: Device,
    /// Its name for people, such as `CPU (2 threads)`.
    pub name: String,
    /// Why this one, such as `no GPU was found`.
    pub reason: String,
    /// Sizes of batches are rounded up to a multiple of this, so that a GPU compiles fewer kernels.
    pub(crate) granularity: usize,
}

/// A graphics adapter that WGPU sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adapter {
    /// The driver's name for it.
    pub name: String,
    /// Vulkan, Metal, Dx12 …
    pub backend: String,
    /// Discrete GPU, integrated GPU, virtual GPU, software or other.
    pub kind: String,
    /// The shader language that this build sends it.
    pub shaders: String,
    /// Whether `auto` may choose it.
    pub usable: bool,
    /// What stands against it, or empty.
    pub note: String,
}

/// The CPU device.
pub fn cpu() -> Selected {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if cfg!(feature = "native") { threads } else { 1 };
    let plural = if threads == 1 { "" } else { "s" };
    Selected {
        device: Device::flex(),
        name: format!("CPU ({threads} thread{plural})"),
        reason: "asked for".into(),
        granularity: 1,
    }
}

/// Finds the device for a choice.
///
/// # Errors
/// [`Error::Device`] when a GPU is asked for and there is no adapter, saying what to install.
pub fn select(choice: DeviceChoice) -> Result<Selected> {
    match choice {
        DeviceChoice::Cpu => Ok(cpu()),
        DeviceChoice::Auto => {
            Ok(gpu::best(false)
                .unwrap_or_else(|| Selected { reason: gpu::NOT_FOUND.into(), ..cpu() }))
        }
        DeviceChoice::Wgpu => gpu::best(true).ok_or_else(|| Error::Device(gpu::advice())),
    }
}

/// The adapters that WGPU sees, best first.
pub fn adapters() -> Vec<Adapter> {
    gpu::adapters()
}

#[cfg(all(feature = "wgpu", not(target_arch = "wasm32")))]
mod gpu {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use burn::tensor::wgpu::wgpu::InstanceDescriptor;
    use burn::tensor::wgpu::wgpu::{AdapterInfo, Backend, Backends, DeviceType, Instance};
    use burn::tensor::{Device, DeviceKind};

    use super::{Adapter, Selected};

    pub const NOT_FOUND: &str = "no GPU was found";

    /// Shaders are SPIR-V on Vulkan only, and only in builds that ask for it; Mesa's software adapter crashes on it.
    const SPIRV: bool = cfg!(feature = "spirv");

    pub fn advice() -> String {
        if SPIRV && infos().iter().any(is_software) {
            return "the only adapter is a software one, and this build sends SPIR-V, which software adapters get \
                    wrong: use --device cpu, or a build without the feature `spirv`"
                .into();
        }
        "no graphics adapter was found: install the driver of your GPU (on Debian: `apt install \
         mesa-vulkan-drivers libvulkan1`, or NVIDIA's driver), or use --device cpu"
            .into()
    }

    /// The best adapter; a software one only if `software` allows it.
    pub fn best(software: bool) -> Option<Selected> {
        let all = infos();
        let real = all.iter().find(|info| !is_software(info));
        let fallback = || all.iter().find(|info| is_software(info)).filter(|_| software && !SPIRV);
        let info = real.or_else(fallback)?;
        let rank = all
            .iter()
            .take_while(|other| *other != info)
            .filter(|other| (other.device_type, other.backend) == (info.device_type, info.backend))
            .count();
        let kind = match info.device_type {
            DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(rank),
            DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(rank),
            DeviceType::VirtualGpu => DeviceKind::VirtualGpu(rank),
            DeviceType::Cpu => DeviceKind::Cpu,
            DeviceType::Other => DeviceKind::DefaultDevice,
        };
        Some(Selected {
            device: Device::wgpu(kind),
            name: format!("{} ({:?}, {})", info.name, info.backend, shaders(info)),
            reason: format!("{} found", kind_name(info)),
            granularity: 8,
        })
    }

    pub fn adapters() -> Vec<Adapter> {
        let describe = |info: &AdapterInfo| {
            let software = is_software(info);
            let note = match (software, SPIRV) {
                (true, true) => "software: refused by this build, which sends SPIR-V",
                (true, false) => "software: slower than the CPU device, never chosen by itself",
                (false, _) => "",
            };
            Adapter {
                name: info.name.clone(),
                backend: format!("{:?}", info.backend),
                kind: kind_name(info).into(),
                shaders: shaders(info).into(),
                usable: !software,
                note: note.into(),
            }
        };
        infos().iter().map(describe).collect()
    }

    /// Adapters of the native graphics interfaces, best first.
    fn infos() -> Vec<AdapterInfo> {
        let instance = Instance::new(InstanceDescriptor {
            backends: Backends::PRIMARY,
            ..InstanceDescriptor::new_without_display_handle()
        });
        let adapters = now(instance.enumerate_adapters(Backends::PRIMARY)).unwrap_or_default();
        let mut infos: Vec<AdapterInfo> = adapters.iter().map(|a| a.get_info()).collect();
        infos.sort_by_key(|info| match info.device_type {
            DeviceType::DiscreteGpu => 0,
            DeviceType::IntegratedGpu => 1,
            DeviceType::VirtualGpu => 2,
            DeviceType::Other => 3,
            DeviceType::Cpu => 4,
        });
        infos
    }

    fn is_software(info: &AdapterInfo) -> bool {
        info.device_type == DeviceType::Cpu
    }

    fn shaders(info: &AdapterInfo) -> &'static str {
        match info.backend {
            Backend::Vulkan if SPIRV && !is_software(info) => "SPIR-V",
            _ => "WGSL",
        }
    }

    fn kind_name(info: &AdapterInfo) -> &'static str {
        match info.device_type {
            DeviceType::DiscreteGpu => "discrete GPU",
            DeviceType::IntegratedGpu => "integrated GPU",
            DeviceType::VirtualGpu => "virtual GPU",
            DeviceType::Cpu => "software",
            DeviceType::Other => "other adapter",
        }
    }

    /// The value of a future that needs no waiting, as those of native WGPU.
    fn now<T>(future: impl Future<Output = T>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }
}

#[cfg(any(not(feature = "wgpu"), target_arch = "wasm32"))]
mod gpu {
    use super::{Adapter, Selected};

    pub const NOT_FOUND: &str = "this build has no GPU support";

    pub fn advice() -> String {
        "this build has no GPU support: use --device cpu".into()
    }

    pub fn best(_software: bool) -> Option<Selected> {
        None
    }

    pub fn adapters() -> Vec<Adapter> {
        Vec::new()
    }
}

/// The software adapter, for tests; `None` where there is none.
#[cfg(test)]
pub(crate) fn software() -> Option<Device> {
    let software = adapters().iter().any(|adapter| adapter.kind == "software");
    (software && !cfg!(feature = "spirv")).then(|| Device::wgpu(burn::tensor::DeviceKind::Cpu))
}

/// The CPU, and the software adapter where there is one: what tests of tensors run on.
#[cfg(test)]
pub(crate) fn devices() -> Vec<Device> {
    let mut devices = vec![Device::flex()];
    match software() {
        Some(device) => devices.push(device),
        None => eprintln!("SKIPPED on WGPU: no software adapter (install mesa-vulkan-drivers)"),
    }
    devices
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn choices_read_as_they_are_written() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Wgpu] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert!("gpu".parse::<DeviceChoice>().unwrap_err().contains("auto, cpu or wgpu"));
    }

    #[test]
    fn auto_never_chooses_a_software_adapter() {
        let usable = adapters().iter().any(|adapter| adapter.usable);
        let selected = select(DeviceChoice::Auto).unwrap();
        assert_eq!(selected.name.starts_with("CPU"), !usable, "{selected:?}");
    }

    #[test]
    fn software_adapters_never_get_spirv() {
        for adapter in adapters().iter().filter(|adapter| adapter.kind == "software") {
            assert_eq!(adapter.shaders, "WGSL");
            assert!(!adapter.usable);
        }
    }
}
