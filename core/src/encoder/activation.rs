//! The feed-forward activation.

use burn::tensor::Tensor;

use super::ops;

/// The activations of Hugging Face configurations that are supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x·Φ(x), with the exact error function.
    Gelu,
    /// Its tanh approximation.
    GeluTanh,
    /// max(x, 0)
    Relu,
    /// x·σ(x)
    Silu,
}

impl Activation {
    /// Every accepted `hidden_act`.
    pub const NAMES: [&str; 8] = [
        "gelu",
        "gelu_python",
        "gelu_new",
        "gelu_fast",
        "gelu_pytorch_tanh",
        "relu",
        "silu",
        "swish",
    ];

    /// The activation that Hugging Face calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "gelu" | "gelu_python" => Self::Gelu,
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Self::GeluTanh,
            "relu" => Self::Relu,
            "silu" | "swish" => Self::Silu,
            _ => return None,
        })
    }

    /// Applies it to every element.
    pub fn forward(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Gelu => ops::gelu(x),
            Self::GeluTanh => ops::gelu_tanh(x),
            Self::Relu => burn::tensor::activation::relu(x),
            Self::Silu => burn::tensor::activation::silu(x),
        }
    }
}
