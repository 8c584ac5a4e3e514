#![allow(clippy::unwrap_used, missing_docs)]
//! The stages of training and recognition on the CPU, one by one: `cargo bench -p innerspan`.
//!
//! The network has the shape of MiniLM-L6 (6 layers of width 384, 30,522 word pieces) with fresh weights, and five
//! entity types.

use std::hint::black_box;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures_lite::future::block_on;
use innerspan::data::{Document, Entity, LabelSet};
use innerspan::decode::above_threshold;
use innerspan::device::cpu;
use innerspan::encoder::EncoderConfig;
use innerspan::head::{Head, HeadSettings, NO_SPAN, TwoStageSettings};
use innerspan::loss::{LossKind, LossSettings, Mention, Moment, Target};
use innerspan::model::{
    Batch, DecodeSettings, FORMAT_VERSION, Layout, ModelConfig, NerModel, Row, WindowSettings,
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

fn model(head: HeadSettings) -> NerModel {
    let encoder = EncoderConfig::parse("config.json", MINILM.as_bytes()).unwrap();
    let config = ModelConfig {
        format_version: FORMAT_VERSION,
        labels: labels(),
        head,
        decode: DecodeSettings { threshold: 0.5, word_boundaries: true },
        window: WindowSettings { max_length: 256, stride: 64 },
        training: None,
    };
    seeded(NerModel::new(&encoder, &config, &cpu().device), 1)
}

fn rows(count: usize, tokens: usize) -> Vec<Row> {
    let ids =
        |row: usize| (0..tokens).map(|at| ((row * 7919 + at * 104_729) % 30_000) as u32).collect();
    let layout = Layout {
        text: 1..tokens - 1,
        words: (1..tokens - 1).map(|at| at..at + 1).collect(),
        ..Layout::default()
    };
    let row = |row| Row { document: row, window: 0, ids: ids(row), layout: layout.clone() };
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
    Target::new(mentions, rows.iter().map(|row| row.layout.text.clone()).collect(), 5, tokens)
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

/// The heads by name.
fn heads() -> Vec<(&'static str, HeadSettings)> {
    // fresh weights take every seed for half an entity; trained ones keep a few
    let filter_threshold = 0.9;
    let two_stage = TwoStageSettings { filter_threshold, ..TwoStageSettings::default() };
    vec![
        ("global-pointer", HeadSettings::GlobalPointer { size: 64 }),
        ("efficient-global-pointer", HeadSettings::EfficientGlobalPointer { size: 64 }),
        ("tagger", HeadSettings::Tagger),
        ("crf", HeadSettings::Crf { constrained: false }),
        ("span-classifier", HeadSettings::SpanClassifier { width: 32 }),
        ("two-stage", HeadSettings::TwoStage(two_stage)),
    ]
}
const POINTER: HeadSettings = HeadSettings::GlobalPointer { size: 64 };

fn batch(rows: &[Row], device: &Device) -> Batch {
    Batch::new(&rows.iter().collect::<Vec<_>>(), 0, 1, 512, device)
}

fn forward(c: &mut Criterion) {
    let model = model(POINTER);
    let mut group = c.benchmark_group("encoder");
    group.sample_size(10);
    for (count, tokens) in [(1, 32), (8, 64), (16, 64)] {
        let batch = batch(&rows(count, tokens), &cpu().device);
        group.throughput(Throughput::Elements((count * tokens) as u64));
        group.bench_function(format!("{count}x{tokens}"), |b| {
            b.iter(|| model.hidden(black_box(&batch)).into_data());
        });
    }
}

/// From ids to entities, for comparison with the encoder alone.
fn find(c: &mut Criterion) {
    let batch = batch(&rows(16, 64), &cpu().device);
    let mut group = c.benchmark_group("encoder, head and decoding");
    group.sample_size(10).throughput(Throughput::Elements(16 * 64));
    for (name, head) in heads() {
        let model = model(head);
        group.bench_function(format!("{name} 16x64"), |b| {
            b.iter(|| block_on(model.find(black_box(&batch), 0.9)).unwrap());
        });
    }
}

fn loss(c: &mut Criterion) {
    let rows = rows(16, 64);
    let batch = batch(&rows, &cpu().device);
    let network = model(POINTER);
    let Head::GlobalPointer(head) = &network.head else { unreachable!("it is a pointer") };
    let scores = head.forward(network.hidden(&batch), None);
    let target = target(&rows, 64);
    let mut group = c.benchmark_group("loss and gradient, 16x64");
    group.sample_size(10);
    for kind in [LossKind::Zlpr, LossKind::EiouEmc] {
        let settings = LossSettings { kind, ..LossSettings::default() };
        let moment = Moment { epoch: 1.0, seed: 1 };
        group.bench_function(format!("{kind:?}"), |b| {
            b.iter(|| {
                let scores = scores.clone().autodiff().require_grad();
                settings.of(scores.clone(), &target, moment).backward()
            });
        });
    }
}

fn decode(c: &mut Criterion) {
    let cells = 16 * 5 * 64 * 64;
    let score = |at: usize| if at.is_multiple_of(97) { 3.0 } else { NO_SPAN };
    let scores: Vec<f32> = (0..cells).map(score).collect();
    c.bench_function("decode 16x64", |b| {
        b.iter(|| {
            let windows = scores.chunks_exact(5 * 64 * 64);
            windows.map(|s| above_threshold(s, 5, 64, 1..63, 0.9).len()).sum::<usize>()
        });
    });
}

fn training_step(c: &mut Criterion) {
    let rows = rows(16, 64);
    let batch = batch(&rows, &cpu().device.autodiff());
    let target = target(&rows, 64);
    let rates = Rates { encoder: 1e-4, transitions: 1e-3, head: 1e-3, decay: 0.01, clip: 1.0 };
    let moment = Moment { epoch: 1.0, seed: 1 };
    let mut group = c.benchmark_group("training step");
    group.sample_size(10).throughput(Throughput::Elements(16 * 64));
    let adamw = heads().into_iter().map(|(name, head)| (name, head, OptimizerKind::AdamW));
    let other = ("global-pointer", POINTER, OptimizerKind::Adafactor);
    for (name, head, kind) in adamw.chain([other]) {
        group.bench_function(format!("{name} {kind:?} 16x64"), |b| {
            let mut optimizer = Optimizer::new(kind);
            let mut network = Some(model(head.clone()).train());
            b.iter_batched(
                || (),
                |()| {
                    let model = network.take().unwrap();
                    let loss = model.loss(&batch, &target, &LossSettings::default(), moment);
                    let gradients = GradientsParams::from_grads(loss.backward(), &model);
                    network = Some(optimizer.step(model, gradients, rates));
                },
                BatchSize::PerIteration,
            );
        });
    }
}

criterion_group!(benches, tokenise, forward, find, loss, decode, training_step);
criterion_main!(benches);
