//! Every operation against Burn's own composition of it, forward and backward, and against numbers
//! from elsewhere.
#![allow(clippy::unwrap_used)]

use burn::module::Param;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Bool, Device, Tensor, TensorData, activation};

use super::*;

/// `rows × columns` numbers in [-2, 2), the same ones for the same seed.
fn numbers([rows, columns]: [usize; 2], seed: u64) -> TensorData {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let values: Vec<f32> = (0..rows * columns)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1u64 << 22) as f32 - 2.0
        })
        .collect();
    TensorData::new(values, [rows, columns])
}

fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec().unwrap()
}

/// What `f` makes of inputs of the given shapes, and the gradients of a weighted sum of that by
/// each of them.
fn forward_and_backward(
    shapes: &[[usize; 2]],
    device: &Device,
    f: impl Fn(&[Tensor<2>]) -> Tensor<2>,
) -> Vec<Vec<f32>> {
    let device = device.clone().autodiff();
    let inputs: Vec<Tensor<2>> = (1..)
        .zip(shapes)
        .map(|(seed, &shape)| Tensor::from_data(numbers(shape, seed), &device).require_grad())
        .collect();
    let output = f(&inputs);
    let weights = Tensor::from_data(numbers(output.dims(), 99), &device);
    let gradients = (output.clone() * weights).sum().backward();
    let gradients = inputs.iter().map(|input| values(input.grad(&gradients).unwrap()));
    [values(output)].into_iter().chain(gradients).collect()
}

fn assert_close(what: &str, found: &[Vec<f32>], expected: &[Vec<f32>]) {
    assert_eq!(found.len(), expected.len());
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{what}, tensor {number}");
        let largest = expected.iter().fold(1f32, |largest, x| largest.max(x.abs()));
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() <= 2e-5 * largest,
                "{what}, tensor {number}, element {i}: {found} for {expected}"
            );
        }
    }
}

/// `fused` must do what `composed` does on the CPU backend.
fn assert_agrees(
    what: &str,
    shapes: &[[usize; 2]],
    fused: impl Fn(&[Tensor<2>]) -> Tensor<2>,
    composed: impl Fn(&[Tensor<2>]) -> Tensor<2>,
) {
    let expected = forward_and_backward(shapes, &Device::flex(), composed);
    assert_close(what, &forward_and_backward(shapes, &Device::flex(), &fused), &expected);
}

/// As [`assert_agrees`], on the WGPU device where there is one.
#[cfg(feature = "wgpu")]
fn assert_agrees_on_wgpu(
    what: &str,
    shapes: &[[usize; 2]],
    fused: impl Fn(&[Tensor<2>]) -> Tensor<2>,
) {
    let device = std::panic::catch_unwind(|| {
        let device = Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
        Tensor::<1>::zeros([1], &device).into_data();
        device
    });
    let Ok(device) = device else {
        eprintln!("SKIPPED: no WGPU adapter (mesa-vulkan-drivers has one in software)");
        return;
    };
    let expected = forward_and_backward(shapes, &Device::flex(), &fused);
    assert_close(what, &forward_and_backward(shapes, &device, &fused), &expected);
}

/// A vector from a matrix of one row.
fn vector(x: &Tensor<2>) -> Tensor<1> {
    x.clone().flatten(0, 1)
}

const SIZES: [[usize; 2]; 7] = [[1, 1], [1, 384], [17, 1], [3, 17], [5, 16], [64, 33], [300, 130]];

#[test]
fn gelu_agrees_with_the_composition() {
    for shape in SIZES {
        assert_agrees("gelu", &[shape], |x| gelu(x[0].clone()), |x| activation::gelu(x[0].clone()));
    }
}

#[test]
fn gelu_is_within_a_millionth_of_python() {
    // [x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in …] in f64
    let cases = [
        (-8.0, -4.884981308350689e-15),
        (-3.0, -0.00404969409489031),
        (-1.0, -0.15865525393145707),
        (-0.5, -0.15426876936299344),
        (0.0, 0.0),
        (0.001, 0.000500398942213911),
        (0.5, 0.34573123063700656),
        (1.0, 0.8413447460685429),
        (2.5, 2.4844758366855597),
        (10.0, 10.0),
    ];
    let x = Tensor::<1>::from_data(TensorData::from(cases.map(|(x, _)| x as f32)), &Device::flex());
    for (found, (x, expected)) in values(gelu(x)).into_iter().zip(cases) {
        assert!((f64::from(found) - expected).abs() < 1e-6, "gelu({x}) = {found}");
    }
}

#[test]
fn gelu_of_no_number_is_no_number() {
    let x = Tensor::<1>::from_data(TensorData::from([f32::NAN; 3]), &Device::flex());
    assert!(values(gelu(x)).iter().all(|y| y.is_nan()));
}

#[test]
fn an_operation_leaves_a_shared_input_as_it_was() {
    let x = Tensor::<2>::from_data(numbers([5, 7], 1), &Device::flex());
    let before = values(x.clone());
    let shared = x.clone();
    gelu(x.clone());
    layer_norm(
        x.clone(),
        Tensor::ones([7], &Device::flex()),
        Tensor::zeros([7], &Device::flex()),
        1e-5,
    );
    assert_eq!(values(shared), before);
}

#[test]
fn linear_agrees_with_the_composition() {
    for [rows, output] in SIZES {
        for input in [1, 19, 96] {
            assert_agrees(
                "linear",
                &[[rows, input], [input, output], [1, output]],
                |x| linear(x[0].clone(), x[1].clone(), vector(&x[2])),
                |x| x[0].clone().matmul(x[1].clone()) + x[2].clone(),
            );
        }
    }
}

#[test]
fn linear_takes_transposed_and_sliced_views() {
    assert_agrees(
        "linear of views",
        &[[31, 18], [20, 31], [1, 40]],
        |x| {
            let bias = vector(&x[2]).slice([7..27]);
            linear(x[0].clone().transpose(), x[1].clone().transpose(), bias)
        },
        |x| {
            let bias = x[2].clone().slice([0..1, 7..27]);
            x[0].clone().transpose().matmul(x[1].clone().transpose()) + bias
        },
    );
}

#[test]
fn a_frozen_weight_gets_no_gradient_and_hinders_none() {
    let device = Device::flex().autodiff();
    let x = Tensor::<2>::from_data(numbers([3, 4], 1), &device).require_grad();
    let weight = Tensor::<2>::from_data(numbers([4, 5], 2), &device);
    let y = linear(x.clone(), weight.clone(), Tensor::zeros([5], &device));
    let gradients = y.sum().backward();
    assert!(weight.grad(&gradients).is_none());
    let expected = weight.clone().inner().sum_dim(1).transpose().repeat_dim(0, 3);
    assert_close("dx", &[values(x.grad(&gradients).unwrap())], &[values(expected)]);
}

/// The definition, in Burn's operations.
fn composed_layer_norm(x: Tensor<2>, gamma: &Tensor<2>, beta: &Tensor<2>) -> Tensor<2> {
    let centred = x.clone() - x.mean_dim(1);
    let variance = centred.clone().powi_scalar(2).mean_dim(1);
    centred / (variance + 1e-5).sqrt() * gamma.clone() + beta.clone()
}

#[test]
fn layer_norm_agrees_with_the_composition() {
    for [rows, width] in SIZES.into_iter().filter(|[_, width]| *width > 1) {
        assert_agrees(
            "layer norm",
            &[[rows, width], [1, width], [1, width]],
            |x| layer_norm(x[0].clone(), vector(&x[1]), vector(&x[2]), 1e-5),
            |x| composed_layer_norm(x[0].clone(), &x[1], &x[2]),
        );
        assert_agrees(
            "add, layer norm",
            &[[rows, width], [rows, width], [1, width], [1, width]],
            |x| {
                let (gamma, beta) = (vector(&x[2]), vector(&x[3]));
                add_layer_norm(x[0].clone(), x[1].clone(), gamma, beta, 1e-5, None)
            },
            |x| composed_layer_norm(x[0].clone() + x[1].clone(), &x[2], &x[3]),
        );
    }
}

#[test]
fn layer_norm_takes_a_transposed_view() {
    assert_agrees(
        "layer norm of a view",
        &[[20, 9], [1, 20], [1, 20]],
        |x| layer_norm(x[0].clone().transpose(), vector(&x[1]), vector(&x[2]), 1e-5),
        |x| composed_layer_norm(x[0].clone().transpose(), &x[1], &x[2]),
    );
}

fn no_dropout() -> Dropout {
    DropoutConfig::new(0.0).init()
}

fn composed_attention(x: &[Tensor<2>], shape: Heads, mask: Option<Tensor<2, Bool>>) -> Tensor<2> {
    let [rows, width] = x[0].dims();
    let d = width / shape.heads;
    let split = |x: &Tensor<2>| {
        x.clone().reshape([shape.batch, shape.tokens, shape.heads, d]).swap_dims(1, 2)
    };
    let mut scores = split(&x[0]).matmul(split(&x[1]).swap_dims(2, 3)) / (d as f64).sqrt();
    if let Some(mask) = mask {
        let hidden: Tensor<4> = mask.bool_not().float().unsqueeze_dims(&[1, 1]);
        scores = scores - hidden * 1e4;
    }
    activation::softmax(scores, 3).matmul(split(&x[2])).swap_dims(1, 2).reshape([rows, width])
}

#[test]
fn attention_agrees_with_the_composition() {
    for (batch, tokens, heads, d) in
        [(1, 1, 1, 1), (2, 3, 2, 5), (1, 33, 4, 8), (3, 70, 2, 16), (2, 150, 1, 32)]
    {
        let shape = Heads { batch, tokens, heads };
        assert_agrees(
            &format!("attention {shape:?}"),
            &[[batch * tokens, heads * d]; 3],
            |x| attention(x[0].clone(), x[1].clone(), x[2].clone(), shape, None, &no_dropout()),
            |x| composed_attention(x, shape, None),
        );
    }
}

/// `[2, tokens]`: a row without padding, and one with padding at its end and a gap.
fn mask(tokens: usize, device: &Device) -> Tensor<2, Bool> {
    let real = (0..2 * tokens).map(|i| i < tokens || (i < 2 * tokens - 4 && i != tokens + 1));
    Tensor::from_data(TensorData::new(real.collect::<Vec<bool>>(), [2, tokens]), device)
}

#[test]
fn attention_leaves_padding_out() {
    let shape = Heads { batch: 2, tokens: 21, heads: 3 };
    assert_agrees(
        "masked attention",
        &[[42, 12]; 3],
        |x| {
            let mask = KeyMask::new(mask(21, &x[0].device()));
            attention(x[0].clone(), x[1].clone(), x[2].clone(), shape, Some(&mask), &no_dropout())
        },
        |x| composed_attention(x, shape, Some(mask(21, &x[0].device()))),
    );
}

#[test]
fn a_row_of_nothing_but_padding_gives_numbers() {
    let device = Device::flex();
    let x = Tensor::<2>::from_data(numbers([4, 6], 1), &device);
    let mask = Tensor::<2, Bool>::from_data(TensorData::from([[false; 4]]), &device);
    let shape = Heads { batch: 1, tokens: 4, heads: 2 };
    let mask = KeyMask::new(mask);
    let y = attention(x.clone(), x.clone(), x, shape, Some(&mask), &no_dropout());
    assert!(values(y).iter().all(|y| y.is_finite()));
}

#[test]
fn dropout_drops_its_share_and_keeps_the_mean() {
    let device = Device::flex().autodiff();
    let x = Tensor::<2>::ones([1000, 384], &device);
    seed_dropout(7);
    let y = values(dropout(x, &DropoutConfig::new(0.1).init()));
    let dropped = y.iter().filter(|&&y| y == 0.0).count() as f64 / y.len() as f64;
    // four standard deviations of 384000 draws: 4·√(0.1·0.9/384000) = 0.0019
    assert!((dropped - 0.1).abs() < 0.002, "{dropped}");
    assert!(y.iter().all(|&y| y == 0.0 || (y - 1.0 / 0.9).abs() < 1e-6));
    // no row and no column is like another
    let rows: std::collections::HashSet<Vec<u32>> =
        y.chunks(384).map(|row| row.iter().map(|y| y.to_bits()).collect()).collect();
    assert_eq!(rows.len(), 1000);
    for column in 0..384 {
        let dropped = y.iter().skip(column).step_by(384).filter(|&&y| y == 0.0).count();
        assert!((40..170).contains(&dropped), "{dropped} of 1000 in column {column}");
    }
}

#[test]
fn dropout_depends_on_the_seed_and_on_nothing_else() {
    let device = Device::flex().autodiff();
    let half = DropoutConfig::new(0.5).init();
    let run = |seed| {
        seed_dropout(seed);
        let first = values(dropout(Tensor::<2>::ones([600, 100], &device), &half));
        let second = values(dropout(Tensor::<2>::ones([600, 100], &device), &half));
        (first, second)
    };
    let (first, second) = run(1);
    assert_ne!(first, second);
    assert_eq!(run(1), (first.clone(), second));
    assert_ne!(run(2).0, first);
    #[cfg(feature = "native")]
    {
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one.install(|| run(1)).0, first);
    }
}

#[test]
fn dropout_without_a_seed_of_its_own_draws_from_the_device() {
    let half = DropoutConfig::new(0.5).init();
    let x = || Tensor::<2>::ones([6, 100], &Device::flex().autodiff());
    std::thread::scope(|scope| {
        scope.spawn(|| assert_ne!(values(dropout(x(), &half)), values(dropout(x(), &half))));
    });
}

#[test]
fn dropout_does_nothing_without_autodiff_or_when_frozen() {
    let x = Tensor::<2>::ones([8, 8], &Device::flex());
    let half = DropoutConfig::new(0.5).init();
    assert_eq!(values(dropout(x, &half)), [1.0; 64]);
    let frozen = Dropout { training: Param::from_bool(false), ..half };
    let x = Tensor::<2>::ones([8, 8], &Device::flex().autodiff());
    assert_eq!(values(dropout(x, &frozen)), [1.0; 64]);
}

#[test]
fn gradients_pass_through_what_dropout_kept() {
    let found = forward_and_backward(&[[40, 50]], &Device::flex(), |x| {
        seed_dropout(3);
        dropout(x[0].clone(), &DropoutConfig::new(0.25).init())
    });
    let input: Vec<f32> = numbers([40, 50], 1).try_to_vec().unwrap();
    let weights: Vec<f32> = numbers([40, 50], 99).try_to_vec().unwrap();
    let scale = |y: f32| if y == 0.0 { 0.0 } else { 1.0 / 0.75 };
    let scales: Vec<f32> = found[0].iter().map(|&y| scale(y)).collect();
    let times = |x: &[f32]| x.iter().zip(&scales).map(|(x, s)| x * s).collect::<Vec<_>>();
    assert_close("dropout", &found, &[times(&input), times(&weights)]);
}

/// A matrix of what `draw` multiplies by.
fn scales(draw: Draw, rows: usize, width: usize, device: &Device) -> Tensor<2> {
    let mut scales = vec![1.0; rows * width];
    scales.chunks_mut(width).enumerate().for_each(|(row, x)| draw.scale_row(row, x));
    Tensor::from_data(TensorData::new(scales, [rows, width]), device)
}

#[test]
fn dropout_inside_add_layer_norm_is_dropout_before_it() {
    let third = DropoutConfig::new(0.3).init();
    let draw = |x: &Tensor<2>| {
        seed_dropout(5);
        Draw::next(&third, x).unwrap()
    };
    assert_agrees(
        "dropout, add, layer norm",
        &[[50, 24], [50, 24], [1, 24], [1, 24]],
        |x| {
            let (gamma, beta) = (vector(&x[2]), vector(&x[3]));
            add_layer_norm(x[0].clone(), x[1].clone(), gamma, beta, 1e-5, Some(draw(&x[0])))
        },
        |x| {
            let kept = x[0].clone() * scales(draw(&x[0]), 50, 24, &x[0].device());
            composed_layer_norm(kept + x[1].clone(), &x[2], &x[3])
        },
    );
}

#[test]
fn dropout_inside_attention_acts_on_the_probabilities() {
    let shape = Heads { batch: 2, tokens: 66, heads: 2 };
    let third = DropoutConfig::new(0.3).init();
    assert_agrees(
        "attention with dropout",
        &[[132, 8]; 3],
        |x| {
            seed_dropout(5);
            attention(x[0].clone(), x[1].clone(), x[2].clone(), shape, None, &third)
        },
        |x| {
            seed_dropout(5);
            let draw = Draw::next(&third, &x[0]).unwrap();
            let kept = scales(draw, 2 * 2 * 66, 66, &x[0].device()).reshape([2, 2, 66, 66]);
            let split = |x: &Tensor<2>| x.clone().reshape([2, 66, 2, 4]).swap_dims(1, 2);
            let scores = split(&x[0]).matmul(split(&x[1]).swap_dims(2, 3)) / 2.0;
            let p = activation::softmax(scores, 3) * kept;
            p.matmul(split(&x[2])).swap_dims(1, 2).reshape([132, 8])
        },
    );
}

#[test]
fn empty_batches_give_empty_results() {
    let device = Device::flex();
    let x = Tensor::<2>::zeros([0, 8], &device);
    let vector = || Tensor::<1>::ones([8], &device);
    assert_eq!(gelu(x.clone()).dims(), [0, 8]);
    assert_eq!(
        linear(x.clone(), Tensor::ones([8, 3], &device), Tensor::ones([3], &device)).dims(),
        [0, 3]
    );
    assert_eq!(layer_norm(x.clone(), vector(), vector(), 1e-5).dims(), [0, 8]);
    let shape = Heads { batch: 0, tokens: 5, heads: 2 };
    assert_eq!(attention(x.clone(), x.clone(), x, shape, None, &no_dropout()).dims(), [0, 8]);
}

#[cfg(feature = "wgpu")]
#[test]
fn every_operation_does_on_wgpu_what_it_does_on_the_cpu() {
    assert_agrees_on_wgpu("gelu", &[[5, 33]], |x| gelu(x[0].clone()));
    assert_agrees_on_wgpu("linear", &[[5, 7], [7, 9], [1, 9]], |x| {
        linear(x[0].clone(), x[1].clone(), vector(&x[2]))
    });
    assert_agrees_on_wgpu("layer norm", &[[5, 33], [5, 33], [1, 33], [1, 33]], |x| {
        let (gamma, beta) = (vector(&x[2]), vector(&x[3]));
        let sum = layer_norm(x[0].clone(), gamma.clone(), beta.clone(), 1e-5);
        add_layer_norm(sum, x[1].clone(), gamma, beta, 1e-5, None)
    });
    let shape = Heads { batch: 2, tokens: 9, heads: 3 };
    assert_agrees_on_wgpu("attention", &[[18, 12]; 3], |x| {
        let mask = KeyMask::new(mask(9, &x[0].device()));
        attention(x[0].clone(), x[1].clone(), x[2].clone(), shape, Some(&mask), &no_dropout())
    });
}

#[test]
fn a_product_is_the_same_however_it_is_split() {
    use super::matrix::{Matrix, product_parallel};
    // the sizes at which rows or columns are split, with remainders; exact in f32
    for [rows, inner, columns] in [[300, 40, 150], [31, 200, 531], [1, 900, 1200], [129, 65, 130]] {
        let integers = |n: usize, modulus: usize| -> Vec<f32> {
            (0..n).map(|i| (i * 7 % modulus) as f32 - 4.0).collect()
        };
        let (a, b) = (integers(rows * inner, 11), integers(inner * columns, 13));
        let mut out = vec![1.0; rows * columns];
        let (lhs, rhs) =
            (Matrix::new(&a, rows, inner, inner), Matrix::new(&b, inner, columns, columns));
        product_parallel(&mut out, lhs, rhs, true);
        for (i, j) in [(0, 0), (rows - 1, columns - 1), (rows / 2, columns / 3), (0, columns - 1)] {
            let expected: f32 = (0..inner).map(|k| a[i * inner + k] * b[k * columns + j]).sum();
            assert_eq!(out[i * columns + j], expected + 1.0, "{rows} {inner} {columns}: {i} {j}");
        }
        let accumulated = out.clone();
        product_parallel(&mut out, lhs, rhs, false);
        assert!(out.iter().zip(accumulated).all(|(x, y)| x + 1.0 == y));
    }
}
