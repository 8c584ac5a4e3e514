#![allow(clippy::unwrap_used)]
//! The heads that choose among alternatives, with their losses. Numbers come from the formulas in double precision
//! (worked out by hand or by an independent script).

use burn::tensor::{Device, Tensor, TensorData};
use futures_lite::future::block_on;

use super::*;
use crate::device::devices;
use crate::loss::{Mention, Transitions, crf_loss};
use crate::model::{Layout, Row};

fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

fn mention(row: usize, label: usize, start: usize, end: usize) -> Mention {
    Mention { row, label, start, end }
}

#[track_caller]
fn close(found: Tensor<1>, expected: f64) {
    let found = f64::from(found.into_scalar::<f32>());
    assert!((found - expected).abs() < 2e-5, "{found} instead of {expected}");
}

/// The chain of two tags whose log Z is 3.896350 and whose best sequence, 0 1 1, scores 2.9.
fn transitions(device: &Device) -> Transitions {
    Transitions {
        between: tensor(&[0.1, -0.3, 0.2, 0.4], [2, 2], device),
        start: tensor(&[0.5, -0.2], [2], device),
        end: tensor(&[0.3, -0.1], [2], device),
    }
}

const EMISSIONS: [f32; 6] = [0.7, 0.2, -0.4, 0.9, 0.1, 0.3];

#[test]
fn the_likelihood_of_tags_is_their_score_over_that_of_all_sequences() {
    for device in devices() {
        let emissions = tensor(&EMISSIONS, [1, 3, 2], &device);
        close(crf_loss(emissions, transitions(&device), &[vec![0, 1, 1]]), 0.996_350);
    }
}

#[test]
fn padding_has_no_part_in_a_chain() {
    for device in devices() {
        let alone = tensor(&EMISSIONS[..4], [1, 2, 2], &device);
        let alone =
            f64::from(crf_loss(alone, transitions(&device), &[vec![0, 1]]).into_scalar::<f32>());
        let mut both = EMISSIONS.to_vec();
        both.extend_from_slice(&[0.7, 0.2, -0.4, 0.9, 50.0, -50.0]);
        let both = tensor(&both, [2, 3, 2], &device);
        let gold = [vec![0, 1, 1], vec![0, 1]];
        close(crf_loss(both, transitions(&device), &gold), (0.996_350 + alone) / 2.0);
    }
}

#[test]
fn gradients_of_a_chain_agree_with_finite_differences() {
    let gold = [vec![0, 1, 1], vec![1, 0]];
    let emissions: Vec<f32> = (0..12).map(|i| (i as f32 * 0.7).sin()).collect();
    let loss = |values: &[f32], device: &Device| {
        let emissions = tensor(&values[..12], [2, 3, 2], device);
        let between = tensor(&values[12..16], [2, 2], device);
        let (start, end) =
            (tensor(&values[16..18], [2], device), tensor(&values[18..], [2], device));
        (emissions, Transitions { between, start, end })
    };
    let mut values = emissions;
    values.extend([0.1, -0.3, 0.2, 0.4, 0.5, -0.2, 0.3, -0.1]);
    let value = |values: &[f32]| {
        let (emissions, transitions) = loss(values, &Device::flex());
        f64::from(crf_loss(emissions, transitions, &gold).into_scalar::<f32>())
    };
    let (emissions, transitions) = loss(&values, &Device::flex().autodiff());
    let emissions = emissions.require_grad();
    let transitions = Transitions {
        between: transitions.between.require_grad(),
        start: transitions.start.require_grad(),
        end: transitions.end.require_grad(),
    };
    let gradients = crf_loss(emissions.clone(), transitions.clone(), &gold).backward();
    let mut found: Vec<f32> = emissions.grad(&gradients).unwrap().try_into_vec_as().unwrap();
    let rest = [transitions.start, transitions.end];
    found.extend(transitions.between.grad(&gradients).unwrap().try_to_vec_as::<f32>().unwrap());
    for tensor in rest {
        found.extend(tensor.grad(&gradients).unwrap().try_to_vec_as::<f32>().unwrap());
    }
    for (at, found) in found.iter().enumerate() {
        let moved = |by: f32| {
            let mut values = values.clone();
            values[at] += by;
            value(&values)
        };
        let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
        assert!((f64::from(*found) - expected).abs() < 1e-3, "{at}: {found} instead of {expected}");
    }
}

/// Far apart scores: sequences that are all but impossible.
#[test]
fn a_chain_of_extreme_scores_stays_finite() {
    for device in devices() {
        let device = device.autodiff();
        let emissions =
            tensor(&[1e4, -1e4, -1e4, 1e4, 1e4, -1e4], [1, 3, 2], &device).require_grad();
        let loss = crf_loss(emissions.clone(), transitions(&device), &[vec![1, 0, 1]]);
        let gradient: Vec<f32> =
            emissions.grad(&loss.backward()).unwrap().try_into_vec_as().unwrap();
        assert!(loss.into_scalar::<f32>().is_finite());
        assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
    }
}

#[test]
fn token_cross_entropy_is_a_mean_over_real_tokens() {
    // one type: B, I, O. Row 0: O B I, row 1: O and two of padding.
    let logits = [
        0.5, -1.0, 2.0, 1.0, 0.0, -1.0, 0.0, 3.0, 0.0, //
        0.0, 0.0, 1.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0,
    ];
    // ln Σeˣ - x: ln(e^.5+e^-1+e^2) - 2 = 0.241_311; ln(e+1+1/e) - 1 = 0.407_606;
    // ln(1+e^3+1) - 3 = 0.094_923; ln(2+e) - 1 = 0.551_445
    let expected = (0.241_311 + 0.407_606 + 0.094_923 + 0.551_445) / 4.0;
    for device in devices() {
        let target = Target::new(vec![mention(0, 0, 1, 2)], vec![0..3, 0..1], 1, 3);
        let logits = tensor(&logits, [2, 3, 3], &device);
        close(token_cross_entropy(logits, &[3, 1], &target), expected);
    }
}

#[test]
fn span_cross_entropy_is_a_mean_over_the_spans_of_real_tokens() {
    // one type, spans of up to 2 tokens; row of 2 real tokens and one of padding: spans (0,0), (0,1), (1,1)
    let mut logits = vec![9.0f32; 3 * 2 * 2];
    logits[..8].copy_from_slice(&[1.0, 0.0, 0.5, -0.5, -1.0, 1.0, 9.0, -9.0]);
    // (0,0) none: ln(1+e); (0,1) gold: ln(1+e^-1); (1,1) none: ln(1+e^-2)
    let ln1p = |x: f64| x.exp().ln_1p();
    let expected = (ln1p(1.0) + ln1p(-1.0) + ln1p(-2.0)) / 3.0;
    for device in devices() {
        // the second mention is wider than what is classified
        let gold = vec![mention(0, 0, 0, 1), mention(0, 0, 0, 2)];
        let target = Target::new(gold, vec![0..2], 1, 3);
        let logits = tensor(&logits, [1, 3, 2, 2], &device);
        close(span_cross_entropy(logits, &[2], &target), expected);
    }
}

#[test]
fn losses_without_gold_are_finite() {
    let device = Device::flex().autodiff();
    let target = Target::new(vec![], vec![1..2, 0..0], 2, 3);
    let tags = tensor(&[0.3; 30], [2, 3, 5], &device).require_grad();
    let spans = tensor(&[0.3; 54], [2, 3, 3, 3], &device).require_grad();
    for (loss, of) in [
        (token_cross_entropy(tags.clone(), &[3, 1], &target), 5f64),
        (span_cross_entropy(spans.clone(), &[3, 1], &target), 3.0),
    ] {
        close(loss.clone(), of.ln());
        loss.backward();
    }
}

/// Logits of a span are a linear map of its two end states side by side.
#[test]
fn spans_are_classified_by_their_ends() {
    let device = Device::flex();
    let head = crate::train::seeded(SpanClassifier::new(4, 2, 3, &device), 7);
    let hidden: Vec<f32> = (0..20).map(|i| (i as f32 * 1.3).cos()).collect();
    let logits = head.forward(tensor(&hidden, [1, 5, 4], &device));
    assert_eq!(logits.dims(), [1, 5, 3, 3]);
    let logits: Vec<f32> = logits.try_into_vec_as().unwrap();
    let weights = |head: &SpanClassifier| -> (Vec<f32>, Vec<f32>) {
        (
            head.start.weight.val().try_into_vec_as().unwrap(),
            head.end.weight.val().try_into_vec_as().unwrap(),
        )
    };
    let (a, e) = weights(&head);
    for (start, end) in [(0, 0), (0, 2), (2, 4), (4, 4)] {
        for class in 0..3 {
            let of = |w: &[f32], token: usize| -> f32 {
                (0..4).map(|i| w[i * 3 + class] * hidden[token * 4 + i]).sum()
            };
            let expected = of(&a, start) + of(&e, end);
            let found = logits[(start * 3 + end - start) * 3 + class];
            assert!((found - expected).abs() < 1e-5, "({start},{end}): {found} vs {expected}");
        }
    }
}

fn batch(lengths: &[usize], device: &Device) -> Batch {
    let rows: Vec<Row> = lengths
        .iter()
        .map(|&length| Row {
            document: 0,
            window: 0,
            ids: vec![1; length],
            layout: Layout { text: 1..length - 1, ..Layout::default() },
        })
        .collect();
    Batch::new(&rows.iter().collect::<Vec<_>>(), 0, 1, 64, device)
}

#[test]
fn found_spans_lie_in_the_text_and_have_probabilities() {
    let device = Device::flex();
    let batch = batch(&[12, 7], &device);
    let hidden: Vec<f32> = (0..2 * 12 * 8).map(|i| (i as f32 * 2.3).sin() * 4.0).collect();
    let hidden = tensor(&hidden, [2, 12, 8], &device);
    for settings in [
        HeadSettings::Tagger,
        HeadSettings::Crf { constrained: false },
        HeadSettings::Crf { constrained: true },
        HeadSettings::SpanClassifier { width: 4 },
    ] {
        let head = crate::train::seeded(settings.init(8, 2, &device), 3);
        let found = block_on(head.find(hidden.clone(), &batch, 0.0)).unwrap();
        assert!(found.iter().any(|row| !row.is_empty()), "{settings:?}");
        for (row, spans) in found.iter().enumerate() {
            for span in spans {
                assert!(1 <= span.start && span.start <= span.end && span.end < [11, 6][row]);
                assert!((0.0..=1.0).contains(&span.probability), "{settings:?}: {span:?}");
            }
        }
        assert!(block_on(head.find(hidden.clone(), &batch, 1.0)).unwrap().concat().is_empty());
    }
}
