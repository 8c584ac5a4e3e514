#![allow(clippy::unwrap_used)]
//! The head as a whole. Numbers come from the formulas, worked out by hand or span by span.

use burn::module::Module;
use burn::tensor::TensorData;
use futures_lite::future::block_on;

use super::span_max::SpanMax;
use super::*;
use crate::device::devices;
use crate::loss::{Mention, Target};
use crate::model::{Layout, Row};
use crate::train::seeded;

const HIDDEN: usize = 6;

fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

/// Numbers without pattern or ties.
fn uneven(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 2.3).sin() * 1.5).collect()
}

/// A row of words of so many pieces between two special tokens.
fn layout(pieces: &[usize]) -> Layout {
    let mut at = 1;
    let mut word = |&count: &usize| {
        at += count;
        at - count..at
    };
    let words = pieces.iter().map(&mut word).collect();
    Layout { text: 1..at, words, ..Layout::default() }
}

fn batch(rows: &[&[usize]], device: &Device) -> Batch {
    let row = |pieces: &&[usize]| {
        let layout = layout(pieces);
        Row { document: 0, window: 0, ids: vec![1; layout.text.end + 1], layout }
    };
    let rows: Vec<Row> = rows.iter().map(row).collect();
    Batch::new(&rows.iter().collect::<Vec<_>>(), 0, 1, 64, device)
}

fn hidden(batch: &Batch, device: &Device) -> Tensor<3> {
    let shape = [batch.layouts.len(), batch.tokens, HIDDEN];
    tensor(&uneven(shape.iter().product()), shape, device)
}

fn settings() -> TwoStageSettings {
    TwoStageSettings {
        seed_lengths: vec![1, 2, 3],
        head_dropout: 0.0,
        ..TwoStageSettings::default()
    }
}

fn head(settings: &TwoStageSettings, device: &Device) -> TwoStage {
    seeded(TwoStage::new(HIDDEN, 2, settings, device), 5)
}

fn target(batch: &Batch, mentions: &[(usize, usize, usize, usize)]) -> Target {
    let mention = |&(row, label, start, end): &_| Mention { row, label, start, end };
    let text = batch.layouts.iter().map(|layout| layout.text.clone()).collect();
    Target::new(mentions.iter().map(mention).collect(), text, 2, batch.tokens)
}

fn value(loss: Tensor<1>) -> f64 {
    f64::from(loss.into_scalar::<f32>())
}

#[test]
fn maxima_over_runs_are_those_of_each_run() {
    for device in devices() {
        let values = uneven(13 * 4);
        let runs: Vec<Range<usize>> =
            (0..13).flat_map(|start| (start + 1..=13).map(move |end| start..end)).collect();
        for longest in [13, 6, 1] {
            let runs: Vec<Range<usize>> =
                runs.iter().filter(|run| run.len() <= longest).cloned().collect();
            let found = SpanMax::new(tensor(&values, [13, 4], &device), longest).of(&runs);
            let found: Vec<f32> = found.try_into_vec_as().unwrap();
            for (run, found) in runs.iter().zip(found.chunks_exact(4)) {
                for (column, found) in found.iter().enumerate() {
                    let of = run.clone().map(|row| values[row * 4 + column]);
                    assert_eq!(*found, of.fold(f32::MIN, f32::max), "{run:?}");
                }
            }
        }
    }
}

#[test]
fn gradients_of_a_maximum_reach_the_largest_alone() {
    let table = tensor(&[1.0, 5.0, 2.0, 4.0, 3.0, 0.0, 2.5], [7, 1], &Device::flex().autodiff())
        .require_grad();
    // 5 is the largest of 0..3 and 0..7, 4 of 2..5, 2.5 of 5..7
    let maxima = SpanMax::new(table.clone(), 7).of(&[0..3, 0..7, 2..5, 5..7]);
    let gradients = maxima.sum().backward();
    let found: Vec<f32> = table.grad(&gradients).unwrap().try_into_vec_as().unwrap();
    assert_eq!(found, [0.0, 2.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn a_word_is_the_maximum_of_its_pieces() {
    for device in devices() {
        let batch = batch(&[&[1, 2], &[], &[3]], &device);
        let words = Words::new(&batch.layouts);
        let values: Vec<f32> = (0..3 * 5).map(|i| (i * 7 % 16) as f32).collect();
        // rows 0 7 14 5 12, 3 10 1 8 15, 6 13 4 11 2
        let found = words.pool(tensor(&values, [3, 5, 1], &device));
        assert_eq!(found.try_into_vec_as::<f32>().unwrap(), [7.0, 14.0, 13.0]);
        assert_eq!([words.of(0), words.of(1), words.of(2)], [0..2, 2..2, 2..3]);
    }
}

#[test]
fn mentions_are_words_where_they_begin_and_end_with_words() {
    let layouts = [layout(&[1]), layout(&[1, 2, 1])];
    let words = Words::new(&layouts);
    let of = |start, end| words.of_mention(&Mention { row: 1, label: 0, start, end });
    assert_eq!(of(1, 3), Some(1..3));
    assert_eq!(of(2, 3), Some(2..3));
    assert_eq!(of(4, 4), Some(3..4));
    assert_eq!([of(2, 2), of(3, 4), of(0, 1), of(4, 5)], [None, None, None, None]);
    assert_eq!(words.tokens(&(1..3)), (1, 3));
}

#[test]
fn many_spans_are_scored_as_each_is() {
    for device in devices() {
        let batch = batch(&[&[1, 2, 1, 1], &[2, 1]], &device);
        let words = Words::new(&batch.layouts);
        let head = head(&settings(), &device);
        let table = Table::new(words.pool(hidden(&batch, &device)), words.longest());
        let spans: Vec<Range<usize>> =
            (0..2).flat_map(|row| seeds(words.of(row), &[1, 2, 3, 4])).collect();
        for boundary in [Boundary::Inner, Boundary::Outer] {
            let none = Dropout { prob: 0.0, ..head.dropout.clone() };
            let each = head.classifier.forward(&table, &spans, boundary, &words, &none);
            let many = head.classifier.forward_many(&table, &spans, boundary, &words);
            let [each, many] = [each, many].map(|t| t.try_into_vec_as::<f32>().unwrap());
            assert_eq!(each.len(), spans.len() * 3);
            for (each, many) in each.iter().zip(&many) {
                assert!((each - many).abs() < 1e-5, "{boundary:?}: {each} and {many}");
            }
        }
    }
}

/// \[first; last; maximum\], the former two within the sentence.
#[test]
fn outer_boundaries_are_the_words_around_a_span() {
    let device = Device::flex();
    let batch = batch(&[&[1], &[1, 1, 1], &[1]], &device);
    let words = Words::new(&batch.layouts);
    let table = Table::new(tensor(&[9.0, 1.0, 3.0, 2.0, 8.0], [5, 1], &device), 3);
    let of = |span: Range<usize>, boundary| -> Vec<f32> {
        table.spans(&[span], boundary, &words).try_into_vec_as().unwrap()
    };
    assert_eq!(of(1..3, Boundary::Inner), [1.0, 3.0, 3.0]);
    assert_eq!(of(2..3, Boundary::Outer), [1.0, 2.0, 3.0]);
    // the sentence's own ends where it has nothing beyond
    assert_eq!(of(1..3, Boundary::Outer), [1.0, 2.0, 3.0]);
    assert_eq!(of(1..4, Boundary::Outer), [1.0, 2.0, 3.0]);
}

#[test]
fn fresh_weights_move_no_boundary() {
    let device = Device::flex();
    let batch = batch(&[&[1, 1, 2, 1]], &device);
    let words = Words::new(&batch.layouts);
    let head = head(&settings(), &device);
    let table = Table::new(words.pool(hidden(&batch, &device)), 4);
    let spans = seeds(0..4, &[1, 2, 3]);
    assert_eq!(block_on(head.adjusted(&table, &spans, &words)).unwrap(), spans);
}

/// With fresh weights no boundary moves; filter, regressor and classifier by Eq. 12 to 17 on each example.
#[test]
fn the_loss_is_the_sum_of_the_means_of_three() {
    for device in devices() {
        let batch = batch(&[&[1, 1, 1, 1, 1, 1]], &device);
        let settings = TwoStageSettings {
            seed_lengths: vec![3, 4],
            negatives: 100, // all there are
            filter_weight: 0.7,
            regressor_weight: 0.3,
            classifier_weight: 0.9,
            ..settings()
        };
        let head = head(&settings, &device);
        // gold: words 0..4 of type 1; 0..3 and 1..4 share 3/4 with it
        let target = target(&batch, &[(0, 1, 1, 4)]);
        let words = Words::new(&batch.layouts);
        let states = hidden(&batch, &device);
        let table = Table::new(words.pool(states.clone()), 6);
        let spans = seeds(0..6, &[3, 4]);
        // seeds of which the last ones end with the sentence: 3..6 once, 4..6, 5..6
        let ious = [0.75, 1.0, 0.75, 3.0 / 5.0, 2.0 / 5.0, 2.0 / 6.0, 1.0 / 6.0, 0.0, 0.0];
        assert_eq!(spans, [0..3, 0..4, 1..4, 1..5, 2..5, 2..6, 3..6, 4..6, 5..6]);
        let scores = |mlp: &SpanMlp| -> Vec<f64> {
            let found = mlp.forward_many(&table, &spans, Boundary::Inner, &words);
            found.try_into_vec_as::<f32>().unwrap().into_iter().map(f64::from).collect()
        };
        let (filter, classes) = (scores(&head.filter), scores(&head.classifier));
        let (mut by_filter, mut by_classifier) = (0.0, 0.0);
        for (at, iou) in ious.iter().enumerate() {
            let p = 1.0 / (1.0 + (-filter[at]).exp());
            let (p, w) = if *iou > 0.7 { (p, *iou) } else { (1.0 - p, 1.0 - iou) };
            by_filter -= w * (1.0 - p).powi(2) * p.ln() / 9.0;
            let row = &classes[at * 3..at * 3 + 3];
            let (class, w) = if *iou == 1.0 { (2, 1.0) } else { (0, 1.0 - iou) };
            let sum: f64 = row.iter().map(|x| x.exp()).sum();
            by_classifier -= w * (row[class].exp() / sum).ln() / 9.0;
        }
        // offsets 0 and 1, 0 and 0, -1 and 0: smooth L1 of 1 is 1/2; overlap 3/4, 1, 3/4
        let by_regressor = (0.75 * 0.5 * 2.0 + 0.25 * 2.0) / 3.0;
        let expected = 0.7 * by_filter + 0.3 * by_regressor + 0.9 * by_classifier;
        let found = value(head.loss(states, &batch, &target, 1));
        assert!((found - expected).abs() < 1e-5, "{found} instead of {expected}");
    }
}

#[test]
fn the_gradient_agrees_with_finite_differences() {
    let device = Device::flex().autodiff();
    let rows: [&[usize]; 2] = [&[1, 2, 1, 1, 1], &[1, 1]];
    let gold = [(0, 1, 1, 3), (0, 0, 2, 3), (0, 0, 4, 6), (1, 1, 1, 1)];
    let with = batch(&rows, &device);
    let trained = head(&settings(), &device);
    let states = hidden(&with, &device).require_grad();
    let gradients = trained.loss(states.clone(), &with, &target(&with, &gold), 3).backward();
    let found: Vec<f32> = states.grad(&gradients).unwrap().try_into_vec_as().unwrap();

    let device = Device::flex();
    let without = batch(&rows, &device);
    let head = head(&settings(), &device);
    let shape = [2, without.tokens, HIDDEN];
    let at = |values: &[f32]| {
        value(head.loss(tensor(values, shape, &device), &without, &target(&without, &gold), 3))
    };
    let values = uneven(shape.iter().product());
    assert!(found.iter().filter(|g| **g != 0.0).count() > 20);
    for cell in (0..values.len()).step_by(5) {
        let moved = |by: f32| {
            let mut values = values.clone();
            values[cell] += by;
            at(&values)
        };
        let expected = (moved(5e-3) - moved(-5e-3)) / 1e-2;
        let off = (f64::from(found[cell]) - expected).abs();
        assert!(off < 2e-3, "{cell}: {} instead of {expected}", found[cell]);
    }
}

#[test]
fn the_seed_alone_draws_the_negatives() {
    let device = Device::flex();
    let batch = batch(&[&[1; 40], &[1; 30]], &device);
    let head = head(&settings(), &device);
    let gold = target(&batch, &[(0, 0, 3, 4)]);
    let loss = |seed| value(head.loss(hidden(&batch, &device), &batch, &gold, seed));
    assert_eq!(loss(1), loss(1));
    assert_ne!(loss(1), loss(2));
}

#[test]
fn rows_without_words_change_nothing() {
    let device = Device::flex();
    let head = head(&settings(), &device);
    let (alone, both) = (batch(&[&[1, 1, 2]], &device), batch(&[&[1, 1, 2], &[]], &device));
    let states = hidden(&both, &device);
    let row = states.clone().narrow(0, 0, 1);
    let gold = [(0, 0, 1, 2)];
    let expected = value(head.loss(row, &alone, &target(&alone, &gold), 1));
    let found = value(head.loss(states, &both, &target(&both, &gold), 1));
    assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
}

#[test]
fn the_loss_and_its_gradient_are_finite_at_the_edges() {
    for device in devices() {
        let on_cpu = device == Device::flex();
        let device = device.autodiff();
        let cases: [(&str, &[&[usize]], &[(usize, usize, usize, usize)]); 6] = [
            ("no words", &[&[], &[]], &[]),
            ("one word", &[&[1]], &[]),
            ("one word that is gold", &[&[2]], &[(0, 1, 1, 2)]),
            ("no gold", &[&[1, 1, 2], &[1]], &[]),
            ("gold within a word", &[&[3, 1]], &[(0, 0, 1, 2)]),
            ("two types on a span", &[&[1, 1]], &[(0, 0, 1, 1), (0, 1, 1, 1)]),
        ];
        // a software adapter spends a minute on compiling kernels for all of them
        let few = if on_cpu { cases.len() } else { 3 };
        for (name, rows, gold) in cases.into_iter().take(few) {
            let batch = batch(rows, &device);
            let states = hidden(&batch, &device).require_grad();
            let loss =
                head(&settings(), &device).loss(states.clone(), &batch, &target(&batch, gold), 1);
            let gradients = loss.backward();
            let gradient: Vec<f32> = states.grad(&gradients).unwrap().try_into_vec_as().unwrap();
            assert!(value(loss).is_finite(), "{name}");
            assert!(gradient.iter().all(|g| g.is_finite()), "{name}");
        }
    }
}

#[test]
fn found_spans_are_words_of_the_text() {
    for device in devices() {
        let batch = batch(&[&[1, 3, 1, 2, 1], &[], &[2]], &device);
        let head = head(&settings(), &device);
        let found = block_on(head.find(hidden(&batch, &device), &batch, 0.0)).unwrap();
        assert_eq!(found.len(), 3);
        assert!(!found[0].is_empty() && found[1].is_empty());
        for (spans, layout) in found.iter().zip(&batch.layouts) {
            for span in spans {
                assert!(layout.words.iter().any(|word| word.start == span.start), "{span:?}");
                assert!(layout.words.iter().any(|word| word.end == span.end + 1), "{span:?}");
                assert!(span.label < 2 && (0.0..=1.0).contains(&span.probability), "{span:?}");
            }
        }
        let none = block_on(head.find(hidden(&batch, &device), &batch, 1.0)).unwrap();
        assert!(none.concat().is_empty());
    }
}

#[test]
fn a_batch_without_words_holds_nothing() {
    let device = Device::flex();
    let batch = batch(&[&[], &[]], &device);
    let found = block_on(head(&settings(), &device).find(hidden(&batch, &device), &batch, 0.0));
    assert_eq!(found.unwrap(), [vec![], vec![]]);
}

/// A regressor that adds a word on either side finds what is longer than every seed.
#[test]
fn a_moved_boundary_makes_a_span_longer_than_any_seed() {
    let device = Device::flex();
    let batch = batch(&[&[1; 8]], &device);
    let words = Words::new(&batch.layouts);
    let mut head = head(&settings(), &device);
    head.regressor = head.regressor.with_offsets([-1.2, 2.0]);
    let table = Table::new(words.pool(hidden(&batch, &device)), 8);
    let moved = block_on(head.adjusted(&table, &seeds(0..8, &[3]), &words)).unwrap();
    // 0..3, 1..4 … 5..8, 6..8, 7..8; the last three end with the sentence and so does 4..7
    assert_eq!(moved, [0..5, 0..6, 1..7, 2..8, 3..8, 4..8, 5..8, 6..8]);
}

#[test]
fn numbers_grow_with_the_seeds_and_parameters_do_not() {
    let device = Device::flex();
    let (short, long) = (settings(), TwoStageSettings { seed_lengths: vec![9], ..settings() });
    let [short, long] = [short, long].map(|settings| head(&settings, &device));
    assert_eq!(long.numbers(20), 3 * short.numbers(20));
    assert_eq!(long.num_params(), short.num_params());
}
