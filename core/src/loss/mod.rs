//! What training minimises: zlpr, and EIoU-EMC on top of it.

mod settings;

pub use settings::{BoxReading, EmcReading, LossKind, LossSettings};
