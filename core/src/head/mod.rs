//! What scores spans: one file a head.

use serde::{Deserialize, Serialize};

/// The heads by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// One query and key per type (Global Pointer).
    GlobalPointer,
    /// One query and key for all types, plus a bias per type (Efficient Global Pointer).
    EfficientGlobalPointer,
}
