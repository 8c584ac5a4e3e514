//! Weights before they are trained or loaded; nothing is allocated before one is used.
//!
//! A build that cannot train never reads them, and has zeros for all of them: Burn's initializers would link random
//! numbers, a QR decomposition and, for that, every kernel of a matrix product into what a browser downloads.

use burn::module::{Param, ParamId};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

/// A linear map as `config` starts it.
pub fn linear(config: LinearConfig, device: &Device) -> Linear {
    #[cfg(feature = "train")]
    return config.init(device);
    #[cfg(not(feature = "train"))]
    Linear {
        weight: zeros([config.d_input, config.d_output], device),
        bias: config.bias.then(|| zeros([config.d_output], device)),
    }
}

/// A table as `config` starts it.
pub fn embedding(config: EmbeddingConfig, device: &Device) -> Embedding {
    #[cfg(feature = "train")]
    return config.init(device);
    #[cfg(not(feature = "train"))]
    Embedding { weight: zeros([config.n_embedding, config.d_model], device) }
}

/// A parameter of zeros.
pub fn zeros<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    let init = move |device: &Device, require_grad: bool| {
        let zeros = Tensor::zeros(shape, device);
        if require_grad { zeros.require_grad() } else { zeros }
    };
    Param::uninitialized(ParamId::new(), init, device.clone(), true, shape.into())
}
