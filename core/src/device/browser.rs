//! The GPU of a browser, which has to be waited for.

use burn::tensor::Device;

use super::Selected;
use crate::{Error, Result};

/// The device of the adapter that the browser prefers; `name` is what it is called, for people, and `lost` hears when
/// it is gone for good. Whether it is a real one is for the caller to find out: WGPU cannot see it.
///
/// # Errors
/// [`Error::Device`] when there is no adapter or it refuses to give a device.
pub async fn webgpu(name: String, lost: impl Fn() + Send + 'static) -> Result<Selected> {
    let (device, setup) =
        Device::wgpu_options().init_with_setup_async().await.map_err(|error| {
            Error::Device(format!("the GPU cannot be used: {error}; use the device cpu"))
        })?;
    setup.device.set_device_lost_callback(move |_, _| lost());
    Ok(Selected { device, name, reason: "a GPU was found".into(), granularity: 8 })
}
