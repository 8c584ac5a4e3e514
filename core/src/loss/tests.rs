#![allow(clippy::unwrap_used)]
//! Numbers come from the formulas in double precision (worked out by hand or by an independent script).

use burn::tensor::{Device, Tensor, TensorData};

use super::*;
use crate::device::devices;
use crate::head::NO_SPAN;

/// A batch of score matrices from `score(row, label, start, end)`; reversed spans masked.
fn scores(
    shape: [usize; 4],
    device: &Device,
    score: impl Fn(usize, usize, usize, usize) -> f32,
) -> Tensor<4> {
    let [rows, types, tokens, _] = shape;
    let mut values = Vec::new();
    for row in 0..rows {
        for label in 0..types {
            for start in 0..tokens {
                for end in 0..tokens {
                    values.push(if end < start { NO_SPAN } else { score(row, label, start, end) });
                }
            }
        }
    }
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn mention(row: usize, label: usize, start: usize, end: usize) -> Mention {
    Mention { row, label, start, end }
}

fn target(mentions: Vec<Mention>, rows: usize, types: usize, tokens: usize) -> Target {
    Target::new(mentions, vec![0..tokens; rows], types, tokens)
}

#[track_caller]
fn close(found: Tensor<1>, expected: f64) {
    let found = f64::from(found.into_scalar::<f32>());
    assert!((found - expected).abs() < 2e-5, "{found} instead of {expected}");
}

/// Five real cells: gold 2.0 and -0.5, others -1.0, 0.3, -2.2; what is left of the 3 × 3 matrix is far below.
fn five_cells(device: &Device) -> Tensor<4> {
    scores([1, 1, 3, 3], device, |_, _, i, j| match (i, j) {
        (0, 0) => 2.0,
        (0, 1) => -0.5,
        (0, 2) => -1.0,
        (1, 1) => 0.3,
        (1, 2) => -2.2,
        _ => NO_SPAN,
    })
}

#[test]
fn zlpr_is_cross_entropy_with_a_threshold_class() {
    for device in devices() {
        let gold = target(vec![mention(0, 0, 0, 0), mention(0, 0, 0, 1)], 1, 1, 3);
        close(zlpr(five_cells(&device), &gold), 2.063_670_231_1);
        let none = target(vec![], 1, 1, 3);
        let no_gold = scores([1, 1, 2, 2], &device, |_, _, i, j| match (i, j) {
            (0, 0) => -1.0,
            (0, 1) => 0.3,
            _ => -2.2,
        });
        close(zlpr(no_gold, &target(none.mentions, 1, 1, 2)), 1.039_761_174_8);
    }
}

#[test]
fn readings_of_emc_match_their_formulas() {
    for device in devices() {
        let gold = target(vec![mention(0, 0, 0, 0), mention(0, 0, 0, 1)], 1, 1, 3);
        let read = |emc| LossSettings { emc, ..LossSettings::default() };
        close(emc(five_cells(&device), &gold, &read(EmcReading::SoftplusZlpr)), 2.183_217_968_1);
        close(emc(five_cells(&device), &gold, &read(EmcReading::Literal)), 1.449_790_452_0);
        close(emc(five_cells(&device), &gold, &read(EmcReading::Zlpr)), 2.063_670_231_1);
    }
}

#[test]
fn literal_emc_without_gold_is_zero() {
    let device = Device::flex();
    let settings = LossSettings { emc: EmcReading::Literal, ..LossSettings::default() };
    close(emc(five_cells(&device), &target(vec![], 1, 1, 3), &settings), 0.0);
}

/// Four mentions with scores T[mention][type] = [[2,-1],[.5,0],[-.5,1.5],[.2,-.3]] and types 0, 0, 1, 1.
fn four_mentions(device: &Device) -> (Tensor<4>, Target) {
    let t = [[2.0, -1.0], [0.5, 0.0], [-0.5, 1.5], [0.2, -0.3]];
    let scores =
        scores([1, 2, 4, 4], device, |_, label, i, j| if i == j { t[i][label] } else { 9.0 });
    let gold = (0..4).map(|i| mention(0, usize::from(i > 1), i, i)).collect();
    (scores, target(gold, 1, 2, 4))
}

#[test]
fn ranking_compares_gold_of_each_type_with_gold_of_the_others() {
    for device in devices() {
        let (scores, gold) = four_mentions(&device);
        close(ranking(scores, &gold, false), 1.002_464);
    }
}

#[test]
fn ranking_takes_no_span_as_a_negative_of_a_type_it_has() {
    let device = Device::flex();
    let s = scores([1, 2, 2, 2], &device, |_, label, i, _| [[1.0, 0.5], [0.25, -1.0]][i][label]);
    let gold = vec![mention(0, 0, 0, 0), mention(0, 1, 0, 0), mention(0, 1, 1, 1)];
    // Type 0: P = {1.0}, N = {0.25}: ln(1 + e^(0.25-1)). Type 1: every mention has it, so it is left out.
    close(ranking(s, &target(gold, 1, 2, 2), false), (1.0 + (-0.75f64).exp()).ln());
}

#[test]
fn ranking_within_a_sentence_does_not_look_at_others() {
    let device = Device::flex();
    let s = scores([2, 2, 1, 1], &device, |row, label, _, _| [[1.0, 0.0], [0.5, 2.0]][row][label]);
    let gold = target(vec![mention(0, 0, 0, 0), mention(1, 1, 0, 0)], 2, 2, 1);
    close(ranking(s.clone(), &gold, true), 0.0);
    let expected = ((1.0 + (0.5f64 - 1.0).exp()).ln() + (1.0 + (0.0f64 - 2.0).exp()).ln()) / 2.0;
    close(ranking(s, &gold, false), expected);
}

#[test]
fn box_distance_matches_hand_arithmetic() {
    let span = |start: usize, end: usize| Interval { start: start as f64, end: end as f64 + 1.0 };
    let cases = [
        ((2, 5), (2, 5), 0.0),
        ((3, 6), (2, 5), 0.549_287),
        ((2, 8), (2, 5), 0.604_659),
        ((3, 5), (2, 5), 0.302_411),
        ((2, 6), (2, 5), 0.232_763),
        ((0, 1), (0, 0), 0.746_395),
        ((5, 6), (3, 3), 7.277_092),
    ];
    for ((s, e), (gs, ge), expected) in cases {
        let found = box_distance(span(s, e), span(gs, ge));
        assert!((found - expected).abs() < 2e-6, "({s},{e}) against ({gs},{ge}): {found}");
    }
}

/// Six tokens, gold (2, 3), candidates within 2 tokens: all scores 0 but the gold's.
fn risk(gold_score: f32, boxes: BoxReading, device: &Device) -> (Tensor<1>, f32) {
    let device = device.clone().autodiff();
    let s =
        scores([1, 1, 6, 6], &device, |_, _, i, j| if (i, j) == (2, 3) { gold_score } else { 0.0 })
            .require_grad();
    let settings = LossSettings { boxes, window: 2, ..LossSettings::default() };
    let loss = eiou(s.clone(), &target(vec![mention(0, 0, 2, 3)], 1, 1, 6), &settings);
    let gradient = s.grad(&loss.backward()).unwrap();
    (loss.inner(), gradient.slice([0..1, 0..1, 2..3, 3..4]).into_scalar::<f32>())
}

#[test]
fn eiou_matches_the_vectors_of_both_readings() {
    for device in devices() {
        let cases = [
            (0.0, 0.862_865, -0.057_524, 0.470_288),
            (2.0, 0.605_121, -0.209_045, 0.351_337),
            (5.0, 0.079_692, -0.072_822, 0.053_934),
        ];
        for (score, expected, slope, soft) in cases {
            let (loss, gradient) = risk(score, BoxReading::ExpectedRisk, &device);
            close(loss, expected);
            assert!((f64::from(gradient) - slope).abs() < 2e-5, "{gradient} instead of {slope}");
            close(risk(score, BoxReading::SoftBox, &device).0, soft);
        }
    }
}

#[test]
fn eiou_is_a_mean_over_mentions_or_as_zlpr_over_windows_and_types() {
    for device in devices() {
        let gold = target(vec![mention(0, 0, 2, 3), mention(1, 2, 2, 3)], 2, 3, 6);
        let s =
            scores([2, 3, 6, 6], &device, |_, _, i, j| if (i, j) == (2, 3) { 2.0 } else { 0.0 });
        let of = |eiou_mean| {
            eiou(
                s.clone(),
                &gold,
                &LossSettings { eiou_mean, window: 2, ..LossSettings::default() },
            )
        };
        close(of(EiouMean::Mentions), 0.605_121);
        close(of(EiouMean::Types), 2.0 * 0.605_121 / 6.0);
    }
}

fn every_loss() -> Vec<LossSettings> {
    let mut all = vec![LossSettings::default()];
    for boxes in [BoxReading::ExpectedRisk, BoxReading::SoftBox] {
        for emc in
            [EmcReading::Anchored, EmcReading::Zlpr, EmcReading::SoftplusZlpr, EmcReading::Literal]
        {
            let base = LossSettings {
                kind: LossKind::EiouEmc,
                beta: 0.3,
                omega: 0.7,
                boxes,
                emc,
                window: 2,
                rank_within_sentence: false,
                ..LossSettings::default()
            };
            all.push(LossSettings { rank_within_sentence: true, ..base.clone() });
            all.push(base);
        }
    }
    all
}

/// Scores without ties or symmetry, so that no kink of a maximum lies near.
fn uneven(row: usize, label: usize, i: usize, j: usize) -> f32 {
    ((row * 37 + label * 17 + i * 7 + j * 3) as f32 * 0.7).sin() * 1.5
}

#[test]
fn gradients_agree_with_finite_differences() {
    let shape = [2, 2, 4, 4];
    let gold = target(
        vec![mention(0, 0, 0, 2), mention(0, 1, 1, 1), mention(1, 1, 2, 3), mention(1, 0, 0, 0)],
        2,
        2,
        4,
    );
    for settings in every_loss() {
        let value =
            |s: Tensor<4>| f64::from(settings.of(s, &gold, Moment::default()).into_scalar::<f32>());
        let device = Device::flex().autodiff();
        let s = scores(shape, &device, uneven).require_grad();
        let loss = settings.of(s.clone(), &gold, Moment::default());
        let gradient: Vec<f32> = s.grad(&loss.backward()).unwrap().try_into_vec_as().unwrap();
        for cell in
            [(0, 0, 0, 2), (0, 0, 1, 2), (0, 1, 1, 1), (1, 1, 2, 3), (1, 1, 2, 2), (1, 0, 0, 3)]
        {
            let step = 1e-2;
            let moved = |by: f32| {
                scores(shape, &Device::flex(), |r, l, i, j| {
                    uneven(r, l, i, j) + if (r, l, i, j) == cell { by } else { 0.0 }
                })
            };
            let expected = (value(moved(step)) - value(moved(-step))) / (2.0 * f64::from(step));
            let (r, l, i, j) = cell;
            let found = f64::from(gradient[((r * 2 + l) * 4 + i) * 4 + j]);
            assert!(
                (found - expected).abs() < 2e-3,
                "{settings:?} at {cell:?}: {found} vs {expected}"
            );
        }
    }
}

#[test]
fn losses_and_gradients_stay_finite_at_the_edges() {
    let all: Vec<Mention> = (0..3).flat_map(|i| (i..3).map(move |j| mention(0, 0, i, j))).collect();
    let cases: Vec<(&str, [usize; 4], Vec<Mention>, f32)> = vec![
        ("no gold", [1, 2, 3, 3], vec![], 0.5),
        ("one token", [1, 1, 1, 1], vec![mention(0, 0, 0, 0)], -3.0),
        ("every span is gold", [1, 1, 3, 3], all, 2.0),
        ("huge scores", [1, 1, 3, 3], vec![mention(0, 0, 0, 1)], 1e4),
        ("hugely negative scores", [1, 1, 3, 3], vec![mention(0, 0, 0, 1)], -1e4),
    ];
    for device in devices() {
        for (name, shape, gold, score) in &cases {
            for settings in every_loss() {
                let s =
                    scores(*shape, &device.clone().autodiff(), |_, _, _, _| *score).require_grad();
                let gold = target(gold.clone(), shape[0], shape[1], shape[2]);
                let loss = settings.of(s.clone(), &gold, Moment::default());
                let gradient: Vec<f32> =
                    s.grad(&loss.backward()).unwrap().try_into_vec_as().unwrap();
                assert!(loss.into_scalar::<f32>().is_finite(), "{name}: {settings:?}");
                assert!(gradient.iter().all(|g| g.is_finite()), "{name}: gradient of {settings:?}");
            }
        }
    }
}

#[test]
fn rows_of_padding_only_add_a_finite_amount() {
    let device = Device::flex();
    for settings in every_loss() {
        let s = scores([2, 1, 2, 2], &device, |row, _, _, _| if row == 1 { NO_SPAN } else { 0.1 });
        let gold = Target::new(vec![mention(0, 0, 0, 1)], vec![0..2, 0..0], 1, 2);
        assert!(
            settings.of(s, &gold, Moment::default()).into_scalar::<f32>().is_finite(),
            "{settings:?}"
        );
    }
}

#[test]
fn eiou_emc_without_eiou_and_ranking_is_zlpr() {
    let (s, gold) = four_mentions(&Device::flex());
    let settings =
        LossSettings { kind: LossKind::EiouEmc, beta: 0.0, omega: 0.0, ..LossSettings::default() };
    let expected = zlpr(s.clone(), &gold).into_scalar::<f32>();
    assert_eq!(settings.of(s, &gold, Moment::default()).into_scalar::<f32>(), expected);
}

#[test]
fn beta_warms_up_over_its_epochs() {
    let (s, gold) = four_mentions(&Device::flex());
    let at = |beta_warmup, epoch| {
        let kind = LossKind::EiouEmc;
        let settings = LossSettings { kind, beta: 0.4, beta_warmup, ..LossSettings::default() };
        settings.of(s.clone(), &gold, Moment { epoch, seed: 0 }).into_scalar::<f32>()
    };
    let full = at(0.0, 0.0);
    assert_eq!(at(2.0, 2.0), full);
    assert_eq!(at(2.0, 5.0), full);
    let halfway = (at(2.0, 0.0) + full) / 2.0;
    assert!((at(2.0, 1.0) - halfway).abs() < 1e-5);
}

#[track_caller]
fn all_close(found: Tensor<1>, expected: &[f64]) {
    let found: Vec<f32> = found.try_into_vec_as().unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let off = (f64::from(*found) - expected).abs();
        assert!(off < 1e-5, "{found} instead of {expected}");
    }
}

fn vector(values: &[f32], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// The logit of a probability.
fn logit(p: f64) -> f32 {
    (p / (1.0 - p)).ln() as f32
}

#[test]
fn focal_loss_counts_what_is_known_little() {
    for device in devices() {
        // γ = 2 at p of .9, .5 and .1: .001054, .173287 and 1.865094, whichever side is right
        let logits = [logit(0.9), logit(0.5), logit(0.1), logit(0.1), logit(0.9)];
        let sides = [true, true, true, false, false];
        let expected = [0.001_054, 0.173_287, 1.865_094, 0.001_054, 1.865_094];
        all_close(binary_focal(vector(&logits, &device), &sides, 2.0), &expected);
        let plain = [-0.9f64.ln(), 2f64.ln(), -0.1f64.ln(), -0.9f64.ln(), -0.1f64.ln()];
        all_close(binary_focal(vector(&logits, &device), &sides, 0.0), &plain);

        // the same as a softmax over three classes: p, and what is left in two parts
        let rows: Vec<f32> = [0.9, 0.5, 0.1]
            .iter()
            .flat_map(|p: &f64| [(1.0 - p) * 0.25, *p, (1.0 - p) * 0.75].map(|x| x.ln() as f32))
            .collect();
        let rows = Tensor::from_data(TensorData::new(rows, [3, 3]), &device);
        all_close(focal_cross_entropy(rows.clone(), &[1, 1, 1], 2.0), &expected[..3]);
        all_close(focal_cross_entropy(rows, &[1, 1, 1], 0.0), &plain[..3]);
    }
}

#[test]
fn overlap_loss_is_that_of_intervals() {
    for device in devices() {
        let of = |values: [f32; 5]| vector(&values, &device);
        // equal; (3,6) and (2,6): 1 - 3/4; (0,2) and (4,6): 1 + 2/6; touching; within: 1 - 1/4
        let start = of([1.0, 3.0, 0.0, 0.0, 1.0]);
        let end = of([4.0, 6.0, 2.0, 2.0, 2.0]);
        let gold_start = of([1.0, 2.0, 4.0, 2.0, 0.0]);
        let gold_end = of([4.0, 6.0, 6.0, 3.0, 4.0]);
        let expected = [0.0, 0.25, 4.0 / 3.0, 1.0, 0.75];
        all_close(overlap(start, end, gold_start, gold_end), &expected);
    }
}

#[test]
fn smooth_l1_is_a_parabola_within_one_and_a_line_beyond() {
    for device in devices() {
        let found = smooth_l1(vector(&[0.0, 0.5, -0.5, 1.0, 3.0, -2.0], &device));
        all_close(found, &[0.0, 0.125, 0.125, 0.5, 2.5, 1.5]);
    }
}

#[test]
fn gradients_of_the_two_stages_agree_with_finite_differences() {
    let logits = [0.3f32, -1.2, 2.5, 0.7, -0.4, 1.1];
    type Loss<'a> = (&'a str, &'a dyn Fn(Tensor<1>) -> Tensor<1>);
    let sides = [true, false, true, false, true, false];
    let losses: [Loss; 6] = [
        ("focal", &|x| binary_focal(x, &sides, 2.0)),
        ("binary", &|x| binary_focal(x, &sides, 0.0)),
        ("focal of classes", &|x| focal_cross_entropy(x.reshape([2, 3]), &[2, 0], 2.0)),
        ("cross-entropy", &|x| focal_cross_entropy(x.reshape([2, 3]), &[2, 0], 0.0)),
        ("smooth L1", &|x| smooth_l1(x)),
        ("overlap", &|x| {
            let gold = |values: [f32; 3]| vector(&values, &x.device());
            overlap(
                x.clone().narrow(0, 0, 3),
                x.clone().narrow(0, 3, 3) + 3.0,
                gold([0.0; 3]),
                gold([4.0; 3]),
            )
        }),
    ];
    for (name, loss) in losses {
        let x = vector(&logits, &Device::flex().autodiff()).require_grad();
        let gradients = loss(x.clone()).sum().backward();
        let found: Vec<f32> = x.grad(&gradients).unwrap().try_into_vec_as().unwrap();
        for (at, found) in found.iter().enumerate() {
            let moved = |by: f32| {
                let mut values = logits;
                values[at] += by;
                f64::from(loss(vector(&values, &Device::flex())).sum().into_scalar::<f32>())
            };
            let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!(
                (f64::from(*found) - expected).abs() < 1e-3,
                "{name} at {at}: {found} vs {expected}"
            );
        }
    }
}

#[test]
fn focal_losses_of_extreme_scores_stay_finite() {
    for device in devices() {
        let x = vector(&[1e4, -1e4, 0.0], &device.autodiff()).require_grad();
        for sides in [[true, true, true], [false, false, false]] {
            for loss in [
                binary_focal(x.clone(), &sides, 2.0),
                focal_cross_entropy(x.clone().reshape([1, 3]), &[usize::from(sides[0])], 2.0),
            ] {
                let gradients = loss.clone().sum().backward();
                let gradient: Vec<f32> = x.grad(&gradients).unwrap().try_into_vec_as().unwrap();
                assert!(loss.sum().into_scalar::<f32>().is_finite());
                assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
            }
        }
    }
}
