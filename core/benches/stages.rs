#![allow(clippy::unwrap_used, missing_docs)]
//! The stages of training and recognition on the CPU, one by one: `cargo bench -p innerspan`.
//!
//! The network has the shape of MiniLM-L6 (6 layers of width 384, 30,522 word pieces) with fresh weights, and five
//! entity types.

use std::hint::black_box;

use burn::module::Module;
use burn::optim::GradientsParams;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use innerspan::data::{Document, Entity, LabelSet};
use innerspan::decode::above_threshold;
use innerspan::device::cpu;
use innerspan::encoder::EncoderConfig;
use innerspan::head::HeadKind;
use innerspan::loss::{LossKind, LossSettings, Mention, Target};
use innerspan::model::{
    Batch, DecodeSettings, FORMAT_VERSION, HeadSettings, ModelConfig, NerModel, Row, WindowSettings,
};
use innerspan::train::{Optimizer, OptimizerKind, Rates, learn_vocabulary, seeded};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MINILM: &str = r#"{"model_type":"bert","vocab_size":30522,"hidden_size":384,"num_hidden_layers":6,
    "num_attention_heads":12,"intermediate_size":1536,"hidden_act":"gelu","max_position_embeddings":512,
    "type_vocab_size":2,"layer_norm_eps":1e-12,"pad_token_id":0}"#;

fn labels() -> LabelSet {
    let entity = |label: &str| Entity { start: 0, end: 1, label: label.into(), score: None };
    let entities = ["A", "B", "C", "D", "E"].map(entity).to_vec();
    LabelSet::from_documents(&[Document { text: "x".into(), entities, ..Document::default() }])
}

fn model() -> NerModel {
    let encoder = EncoderConfig::parse("config.json", MINILM.as_bytes()).unwrap();
    let config = ModelConfig {
        format_version: FORMAT_VERSION,
        labels: labels(),
        head: HeadSettings { kind: HeadKind::GlobalPointer, size: 64 },
        decode: DecodeSettings { threshold: 0.5, word_boundaries: true },
        window: WindowSettings { max_length: 256, stride: 64 },
        training: None,
    };
    seeded(NerModel::new(&encoder, &config, &cpu().device), 1)
}

fn rows(count: usize, tokens: usize) -> Vec<Row> {
    let ids =
        |row: usize| (0..tokens).map(|at| ((row * 7919 + at * 104_729) % 30_000) as u32).collect();
    let row = |row| Row { document: row, window: 0, ids: ids(row), text: 1..tokens - 1 };
    (0..count).map(row).collect()
}

/// Four mentions a row.
fn target(rows: &[Row], tokens: usize) -> Target {
    let mention = |row: usize, k: usize| Mention {
        row,
        label: (row + k) % 5,
        start: 1 + k * 9,
        end: 3 + k * 10,
    };
    let mentions = (0..rows.len()).flat_map(|row| (0..4).map(move |k| mention(row, k))).collect();
    Target::new(mentions, rows.iter().map(|row| row.text.clone()).collect(), 5, tokens)
}

fn tokenise(c: &mut Criterion) {
    let text = include_str!("../../native-cli/demo/train.jsonl");
    let documents: Vec<Document> = text
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            Document { text: line["text"].as_str().unwrap().to_owned(), ..Document::default() }
        })
        .collect();
    let tokenizer = learn_vocabulary(&documents, 2000).unwrap();
    let mut group = c.benchmark_group("tokenise");
    group.throughput(Throughput::Bytes(documents.iter().map(|d| d.text.len() as u64).sum()));
    group.bench_function("demo corpus", |b| {
        b.iter(|| {
            documents.iter().map(|d| tokenizer.encode(&d.text).unwrap().ids.len()).sum::<usize>()
        });
    });
}

fn forward(c: &mut Criterion) {
    let model = model();
    let mut group = c.benchmark_group("forward");
    group.sample_size(10);
    for (count, tokens) in [(1, 32), (8, 64), (16, 64)] {
        let rows = rows(count, tokens);
        let batch = Batch::new(&rows.iter().collect::<Vec<_>>(), 0, 1, 512, &cpu().device);
        group.throughput(Throughput::Elements((count * tokens) as u64));
        group.bench_function(format!("{count}x{tokens}"), |b| {
            b.iter(|| model.forward(black_box(&batch)).into_data());
        });
    }
}

fn loss(c: &mut Criterion) {
    let rows = rows(16, 64);
    let batch = Batch::new(&rows.iter().collect::<Vec<_>>(), 0, 1, 512, &cpu().device);
    let scores = model().forward(&batch);
    let target = target(&rows, 64);
    let mut group = c.benchmark_group("loss and gradient, 16x64");
    group.sample_size(10);
    for kind in [LossKind::Zlpr, LossKind::EiouEmc] {
        let settings = LossSettings { kind, ..LossSettings::default() };
        group.bench_function(format!("{kind:?}"), |b| {
            b.iter(|| {
                let scores = scores.clone().autodiff().require_grad();
                settings.of(scores.clone(), &target, 1.0).backward()
            });
        });
    }
}

fn decode(c: &mut Criterion) {
    let rows = rows(16, 64);
    let batch = Batch::new(&rows.iter().collect::<Vec<_>>(), 0, 1, 512, &cpu().device);
    let scores: Vec<f32> = model().forward(&batch).try_into_vec_as().unwrap();
    c.bench_function("decode 16x64", |b| {
        b.iter(|| {
            let windows = scores.chunks_exact(5 * 64 * 64);
            windows.map(|s| above_threshold(s, 5, 64, 1..63, 0.9).len()).sum::<usize>()
        });
    });
}

fn training_step(c: &mut Criterion) {
    let rows = rows(16, 64);
    let device = cpu().device.autodiff();
    let batch = Batch::new(&rows.iter().collect::<Vec<_>>(), 0, 1, 512, &device);
    let target = target(&rows, 64);
    let rates = Rates { encoder: 1e-4, head: 1e-3, decay: 0.01, clip: 1.0 };
    let mut group = c.benchmark_group("training step");
    group.sample_size(10).throughput(Throughput::Elements(16 * 64));
    for kind in [OptimizerKind::AdamW, OptimizerKind::Adafactor] {
        group.bench_function(BenchmarkId::new("16x64", format!("{kind:?}")), |b| {
            let mut optimizer = Optimizer::new(kind);
            let mut model = Some(model().train());
            b.iter_batched(
                || (),
                |()| {
                    let network = model.take().unwrap();
                    let loss = LossSettings::default().of(network.forward(&batch), &target, 1.0);
                    let gradients = GradientsParams::from_grads(loss.backward(), &network);
                    model = Some(optimizer.step(network, gradients, rates));
                },
                BatchSize::PerIteration,
            );
        });
    }
}

criterion_group!(benches, tokenise, forward, loss, decode, training_step);
criterion_main!(benches);
