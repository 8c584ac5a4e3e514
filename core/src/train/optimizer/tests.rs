#![allow(clippy::unwrap_used)]
use super::*;
use burn::nn::{Linear, LinearConfig};

/// y = x·w + b with w = (0.5, -1.5), b = 0.25.
fn linear(device: &Device) -> Linear {
    let weight = Tensor::<2>::from_data([[0.5f32], [-1.5]], device);
    of(weight, Tensor::<1>::from_data([0.25f32], device))
}

fn of(weight: Tensor<2>, bias: Tensor<1>) -> Linear {
    let [inputs, outputs] = weight.dims();
    let mut linear = LinearConfig::new(inputs, outputs).init(&weight.device());
    linear.weight = Param::from_tensor(weight.require_grad());
    linear.bias = Some(Param::from_tensor(bias.require_grad()));
    linear
}

fn gradients(linear: &Linear, x: [f32; 2]) -> GradientsParams {
    let x = Tensor::<2>::from_data([x], &linear.weight.device());
    let loss = linear.forward(x).square().sum();
    GradientsParams::from_grads(loss.backward(), linear)
}

/// Makes `linear`'s gradients what they are to be.
fn given(linear: &Linear, weight: [[f32; 3]; 2], bias: [f32; 3]) -> GradientsParams {
    let device = linear.weight.device();
    let of_weight = linear.weight.val() * Tensor::<2>::from_data(weight, &device);
    let of_bias = linear.bias.as_ref().unwrap().val() * Tensor::<1>::from_data(bias, &device);
    let loss = of_weight.sum() + of_bias.sum();
    GradientsParams::from_grads(loss.backward(), linear)
}

fn agree<const D: usize>(found: Tensor<D>, expected: &[f64], tolerance: f64) {
    let found: Vec<f32> = found.try_into_vec_as().unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let distance = (f64::from(*found) - expected).abs();
        assert!(distance < tolerance, "{found} instead of {expected}");
    }
}

#[test]
fn two_steps_of_adamw_agree_with_pytorch() {
    // torch.optim.AdamW(lr=0.1, weight_decay=0.01 on w, 0 on b) on (x·w + b)², x = (1, 2) then (-1, 0.5).
    let device = Device::flex().autodiff();
    let mut linear = linear(&device);
    let mut optimizer = Optimizer::new(OptimizerKind::AdamW);
    let rates = Rates { encoder: 9.0, transitions: 9.0, head: 0.1, decay: 0.01, clip: 0.0 };
    for x in [[1.0, 2.0], [-1.0, 0.5]] {
        let gradients = gradients(&linear, x);
        linear = optimizer.step(linear, gradients, rates);
    }
    let (weight, bias) = by_hand();
    agree(linear.weight.val(), &weight, 1e-5);
    agree(linear.bias.unwrap().val(), &[bias], 1e-5);
}

/// The same two steps in double precision.
fn by_hand() -> ([f64; 2], f64) {
    let (mut p, mut m, mut v) = ([0.5, -1.5, 0.25], [0.0; 3], [0.0; 3]);
    for (t, x) in [(1, [1.0, 2.0, 1.0]), (2, [-1.0, 0.5, 1.0])] {
        let y: f64 = (0..3).map(|i| p[i] * x[i]).sum();
        for i in 0..3 {
            let g = 2.0 * y * x[i];
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.999 * v[i] + 0.001 * g * g;
            let (m_hat, v_hat) = (m[i] / (1.0 - 0.9f64.powi(t)), v[i] / (1.0 - 0.999f64.powi(t)));
            let decay = if i < 2 { 0.001 } else { 0.0 };
            p[i] = p[i] * (1.0 - decay) - 0.1 * m_hat / (v_hat.sqrt() + 1e-8);
        }
    }
    ([p[0], p[1]], p[2])
}

#[test]
fn three_steps_of_adafactor_agree_with_transformers() {
    // On the CPU matrices go through a kernel of ours and vectors through Burn's; on other devices everything does.
    let mut devices = vec![Device::flex().autodiff()];
    if let Ok(adapter) = crate::device::select(crate::device::DeviceChoice::Wgpu) {
        devices.push(adapter.device.autodiff());
    }
    for device in devices {
        let weight = Tensor::<2>::from_data([[0.5f32, -1.0, 0.25], [1.5, 0.0, -0.75]], &device);
        let bias = Tensor::<1>::from_data([0.1f32, -0.2, 0.3], &device);
        let mut linear = of(weight, bias);
        let mut optimizer = Optimizer::new(OptimizerKind::Adafactor);
        let rates = Rates { encoder: 9.0, transitions: 9.0, head: 0.1, decay: 0.01, clip: 0.0 };
        for (weight, bias) in [
            ([[0.2, -0.4, 0.1], [0.0, 0.3, -0.5]], [0.2, -0.1, 0.0]),
            ([[-0.3, 0.1, 0.6], [0.2, -0.2, 0.4]], [0.5, 0.05, -0.3]),
            ([[2.0, -1.0, 0.05], [0.4, 0.0, -0.1]], [-4.0, 0.3, 0.1]),
        ] {
            let gradients = given(&linear, weight, bias);
            linear = optimizer.step(linear, gradients, rates);
        }
        agree(linear.weight.val(), &ADAFACTOR_WEIGHT, 1e-5);
        agree(linear.bias.unwrap().val(), &ADAFACTOR_BIAS, 1e-5);
    }
}

/// `transformers.Adafactor(lr=0.1, scale_parameter=False, relative_step=False, warmup_init=False)` in double precision,
/// `weight_decay=0.01` for the matrix, 0 for the vector, with the gradients above.
const ADAFACTOR_WEIGHT: [f64; 6] = [
    0.320489967863,
    -0.761651373689,
    0.082820231574,
    1.299556930976,
    0.008502954319,
    -0.656653621921,
];
const ADAFACTOR_BIAS: [f64; 3] = [0.009076677280, -0.276010007878, 0.375927952072];

#[test]
fn adafactor_on_a_matrix_of_many_parts_is_what_burn_makes_of_it() {
    // 700 × 300 numbers: three and a fraction of the parts that a CPU takes at a time, and a rest of lanes.
    let device = Device::flex();
    let values = |seed: u64, count: usize| -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..count).map(|_| next()).collect()
    };
    let matrix = |seed| -> Tensor<2> {
        Tensor::from_data(TensorData::new(values(seed, 700 * 300), [700, 300]), &device)
    };
    let change = Change { rate: 0.01, keep: 0.999, scale: 0.5 };
    let [mut found, mut expected] = [Adafactor::default(), Adafactor::default()];
    let (mut p, mut q) = (matrix(1), matrix(1).unsqueeze::<3>());
    for seed in 2..4 {
        p = found.update("w".into(), p, matrix(seed), change);
        q = expected.update("w".into(), q, matrix(seed).unsqueeze(), change);
    }
    let expected: Vec<f32> = q.try_into_vec_as().unwrap();
    let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
    agree(p, &expected, 1e-5);
}

#[test]
fn clipping_scales_all_gradients_by_their_common_norm() {
    let device = Device::flex().autodiff();
    let linear = linear(&device);
    // y = 0.5 - 3 + 0.25 = -2.25; gradient 2y·(1, 2, 1), norm 4.5·√6.
    let gradients = gradients(&linear, [1.0, 2.0]);
    let expected = 2.0 / (4.5 * 6f64.sqrt() + 1e-6);
    assert!((clip_factor(&linear, &gradients, 2.0) - expected).abs() < 1e-6);
    assert_eq!(clip_factor(&linear, &gradients, 100.0), 1.0);
    assert_eq!(clip_factor(&linear, &gradients, 0.0), 1.0);
}

#[test]
fn restored_state_goes_on_as_if_never_saved() {
    for kind in [OptimizerKind::AdamW, OptimizerKind::Adafactor] {
        let device = Device::flex().autodiff();
        let rates = Rates { encoder: 0.0, transitions: 0.0, head: 0.1, decay: 0.01, clip: 1.0 };
        let mut linear = linear(&device);
        let mut optimizer = Optimizer::new(kind);
        let first = gradients(&linear, [1.0, 2.0]);
        linear = optimizer.step(linear, first, rates);
        let state = optimizer.state().unwrap();
        let mut restored = Optimizer::restore(kind, state, 1, &device.clone().inner());
        let second = |linear: &Linear| gradients(linear, [-1.0, 0.5]);
        let expected = optimizer.step(linear.clone(), second(&linear), rates);
        let found = restored.step(linear.clone(), second(&linear), rates);
        assert_eq!(found.weight.val().into_data(), expected.weight.val().into_data());
        let bias = |linear: Linear| linear.bias.unwrap().val().into_data();
        assert_eq!(bias(found), bias(expected), "{kind:?}");
    }
}
