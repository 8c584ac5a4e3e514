//! Agreement with the `transformers` package; the vectors are from `tests/reference/encoders.py`.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use serde::Deserialize;

use super::{Encoder, EncoderConfig};
use crate::model::source::ModelSource;

/// How far a hidden state may be from PyTorch's.
const TOLERANCE: f32 = 1e-4;

/// `[rows, tokens, width]`
type States = Vec<Vec<Vec<f32>>>;

#[derive(Deserialize)]
struct Expected {
    ids: Vec<Vec<i64>>,
    mask: Vec<Vec<i64>>,
    layers: Vec<States>,
    last: States,
}

#[derive(Deserialize)]
struct MiniLm {
    rows: Vec<MiniLmRow>,
}

#[derive(Deserialize)]
struct MiniLmRow {
    ids: Vec<i64>,
    mask: Vec<i64>,
    points: Vec<(usize, usize, f32)>,
    mean_abs: f32,
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/encoders")
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn load(folder: &Path, device: &Device) -> Encoder {
    let source = ModelSource::folder(folder);
    EncoderConfig::read(&source).unwrap().load(&source, device).unwrap()
}

fn ids_and_mask(
    ids: &[Vec<i64>],
    mask: &[Vec<i64>],
    device: &Device,
) -> (Tensor<2, Int>, Tensor<2, Bool>) {
    let shape = [ids.len(), ids[0].len()];
    let mask: Vec<bool> = mask.concat().iter().map(|&real| real == 1).collect();
    (
        Tensor::from_data(TensorData::new(ids.concat(), shape), device),
        Tensor::from_data(TensorData::new(mask, shape), device),
    )
}

fn assert_states(name: &str, found: Tensor<3>, expected: &States, mask: &[Vec<i64>]) {
    let [_, tokens, width] = found.dims();
    let found: Vec<f32> = found.into_data().try_to_vec().unwrap();
    for (row, states) in expected.iter().enumerate() {
        for (token, state) in states.iter().enumerate().filter(|(token, _)| mask[row][*token] == 1)
        {
            for (dim, &value) in state.iter().enumerate() {
                let index = (row * tokens + token) * width + dim;
                let difference = (found[index] - value).abs();
                assert!(
                    difference < TOLERANCE,
                    "{name}: row {row}, token {token}, dimension {dim}: {} for {value}",
                    found[index]
                );
            }
        }
    }
}

fn assert_agrees(name: &str, device: &Device) {
    let folder = vectors().join(name);
    let expected: Expected = read(&folder.join("expected.json"));
    let encoder = load(&folder, device);
    let (ids, mask) = ids_and_mask(&expected.ids, &expected.mask, device);
    let last = encoder.forward(ids.clone(), mask.clone());
    assert_states(name, last, &expected.last, &expected.mask);
    let layers = encoder.forward_layers(ids, mask);
    assert_eq!(layers.len(), expected.layers.len());
    for (number, (found, states)) in layers.into_iter().zip(&expected.layers).enumerate() {
        assert_states(&format!("{name}, state {number}"), found, states, &expected.mask);
    }
}

#[test]
fn every_family_agrees_with_transformers_on_the_cpu() {
    for name in ["bert", "roberta", "xlm-roberta", "distilbert", "electra"] {
        assert_agrees(name, &Device::flex());
    }
}

#[cfg(feature = "wgpu")]
#[test]
fn electra_agrees_with_transformers_on_wgpu() {
    let Some(device) = wgpu() else {
        eprintln!("SKIPPED: no WGPU adapter (mesa-vulkan-drivers has one in software)");
        return;
    };
    assert_agrees("electra", &device);
}

#[cfg(feature = "wgpu")]
fn wgpu() -> Option<Device> {
    std::panic::catch_unwind(|| {
        let device = Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
        Tensor::<1>::zeros([1], &device).into_data();
        device
    })
    .ok()
}

#[test]
fn the_real_minilm_agrees_with_transformers() {
    let Some(folder) = minilm() else { return };
    let expected: MiniLm = read(&vectors().join("minilm.json"));
    let device = Device::flex();
    let encoder = load(&folder, &device);
    let (ids, masks): (Vec<_>, Vec<_>) =
        expected.rows.iter().map(|row| (row.ids.clone(), row.mask.clone())).unzip();
    let (ids, mask) = ids_and_mask(&ids, &masks, &device);
    let last = encoder.forward(ids, mask);
    let [_, tokens, width] = last.dims();
    let states: Vec<f32> = last.into_data().try_to_vec().unwrap();
    for (row, expected) in states.chunks(tokens * width).zip(&expected.rows) {
        for &(token, dim, value) in &expected.points {
            let found = row[token * width + dim];
            assert!((found - value).abs() < TOLERANCE, "{token}, {dim}: {found} for {value}");
        }
        let real = expected.mask.iter().filter(|&&real| real == 1).count() * width;
        let mean = row[..real].iter().map(|value| value.abs()).sum::<f32>() / real as f32;
        assert!((mean - expected.mean_abs).abs() < TOLERANCE, "{mean} for {}", expected.mean_abs);
    }
}

/// The folder of the real MiniLM, if it can be had.
fn minilm() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/get-minilm");
    let output = std::process::Command::new("bash").arg(&script).output().ok();
    let folder = output
        .filter(|output| output.status.success())
        .map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    if folder.is_none() {
        eprintln!("SKIPPED: {} gives no MiniLM", script.display());
    }
    folder
}

fn random_tiny(device: &Device) -> Encoder {
    device.seed(7);
    EncoderConfig::tiny(50).init(device)
}

#[test]
fn padding_changes_nothing_for_real_tokens() {
    let device = Device::flex();
    let encoder = random_tiny(&device);
    let short = Tensor::<2, Int>::from_data([[2, 9, 4, 3]], &device);
    let alone: Vec<f32> = encoder.forward(short, None).into_data().try_to_vec().unwrap();
    let ids = Tensor::<2, Int>::from_data([[2, 9, 4, 3, 0, 0, 0], [2, 8, 7, 6, 5, 4, 3]], &device);
    let mask = ids.clone().not_equal_elem(0);
    let padded: Vec<f32> = encoder.forward(ids, mask).into_data().try_to_vec().unwrap();
    for (index, value) in alone.iter().enumerate() {
        assert!((padded[index] - value).abs() < 1e-5, "{index}: {} for {value}", padded[index]);
    }
}

#[test]
fn a_row_of_nothing_but_padding_gives_no_nan() {
    let device = Device::flex();
    let encoder = random_tiny(&device);
    let ids = Tensor::<2, Int>::zeros([2, 5], &device);
    let mask = ids.clone().not_equal_elem(0);
    let states: Vec<f32> = encoder.forward(ids, mask).into_data().try_to_vec().unwrap();
    assert!(states.iter().all(|state| state.is_finite()));
}

#[test]
fn fresh_weights_have_the_spread_of_bert() {
    let device = Device::flex();
    let encoder = random_tiny(&device);
    let ids = Tensor::<2, Int>::from_data([[2, 9, 4, 3]], &device);
    let first: Vec<f32> = encoder.forward_layers(ids, None)[0].to_data().try_to_vec().unwrap();
    // the embeddings' layer norm starts as the identity: mean 0, variance 1 over each token
    let mean = first.iter().sum::<f32>() / first.len() as f32;
    let variance = first.iter().map(|x| x * x).sum::<f32>() / first.len() as f32;
    assert!(mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-3, "{mean} {variance}");
}

#[test]
fn dropout_acts_on_a_training_device_only() {
    let device = Device::flex();
    let ids = |device: &Device| Tensor::<2, Int>::from_data([[2, 9, 4, 3]], device);
    let encoder = random_tiny(&device);
    let run = |encoder: &Encoder, device: &Device| encoder.forward(ids(device), None).into_data();
    assert_eq!(run(&encoder, &device), run(&encoder, &device));
    let training = device.clone().autodiff();
    let encoder = random_tiny(&training);
    assert_ne!(run(&encoder, &training), run(&encoder, &training));
}

#[test]
fn gradients_reach_the_embeddings() {
    let device = Device::flex().autodiff();
    let encoder = random_tiny(&device);
    let ids = Tensor::<2, Int>::from_data([[2, 9, 4, 3]], &device);
    let gradients = encoder.forward(ids, None).powi_scalar(3).sum().backward();
    let words = encoder.embeddings.word_gradient(&gradients).unwrap();
    let rows: Vec<f32> = words.abs().sum_dim(1).into_data().try_to_vec().unwrap();
    for (row, &sum) in rows.iter().enumerate() {
        assert_eq!(sum > 0.0, [2, 9, 4, 3].contains(&row), "row {row}: {sum}");
    }
}
