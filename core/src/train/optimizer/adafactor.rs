//! Adafactor (Shazeer and Stern, 2018, Algorithm 4) as `transformers` does it with `scale_parameter=False`,
//! `relative_step=False` and `warmup_init=False`: β̂₂ = 1 - t^-0.8, updates clipped to an RMS of 1, no first moment.

use std::collections::BTreeMap;

use burn::optim::{AdafactorConfig, AdafactorState, Optimizer};
use burn::tensor::{Device, Tensor};

use super::{CHUNK, Change, to_device, to_host};
use crate::Result;
use crate::fused::parallel::map;
use crate::model::weights::{HostTensor, HostTensors};

/// ε₁, on squared gradients.
const EPSILON: f32 = 1e-30;
/// -c of β̂₂ = 1 - t^-c.
const DECAY_RATE: f64 = -0.8;
/// d: the largest RMS of an update before the learning rate.
const CLIP: f64 = 1.0;

/// Moments by parameter path.
#[derive(Debug, Default)]
pub(super) struct Adafactor {
    moments: BTreeMap<String, Moments>,
}

/// The second moment of one parameter, flattened.
#[derive(Debug, Clone)]
struct Moments {
    /// Steps taken with this parameter.
    steps: u32,
    /// Of a vector every element's; else the means over the last dimension.
    rows: Tensor<1>,
    /// The means over the last but one dimension; a vector has none.
    columns: Option<Tensor<1>>,
}

impl Adafactor {
    /// The parameter at `path` after a step.
    pub fn update<const D: usize>(
        &mut self,
        path: String,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        change: Change,
    ) -> Tensor<D> {
        let before = self.moments.remove(&path);
        let (updated, after) = if D == 2 && gradient.device() == Device::flex() {
            in_place(parameter, gradient, before, change)
        } else {
            on_device(parameter, gradient, before, change)
        };
        self.moments.insert(path, after);
        updated
    }

    pub fn state(&self) -> Result<HostTensors> {
        let mut tensors = HostTensors::new();
        for (path, moments) in &self.moments {
            let path = path.replace('.', "/");
            let steps = HostTensor { shape: vec![1], values: vec![moments.steps as f32] };
            tensors.insert(format!("t/{path}"), steps);
            tensors.insert(format!("r/{path}"), to_host(&moments.rows)?);
            if let Some(columns) = &moments.columns {
                tensors.insert(format!("c/{path}"), to_host(columns)?);
            }
        }
        Ok(tensors)
    }

    pub fn restore(mut state: HostTensors, device: &Device) -> Self {
        let names: Vec<String> = state.keys().cloned().collect();
        let mut moments = BTreeMap::new();
        for path in names.iter().filter_map(|name| name.strip_prefix("t/")) {
            let mut take = |kind: &str| state.remove(&format!("{kind}/{path}"));
            let (steps, rows, columns) = (take("t"), take("r"), take("c"));
            let steps = steps.and_then(|steps| steps.values.first().copied());
            if let (Some(steps), Some(rows)) = (steps, rows) {
                let rows = to_device(rows, device);
                let columns = columns.map(|columns| to_device(columns, device));
                let moment = Moments { steps: steps as u32, rows, columns };
                moments.insert(path.replace('/', "."), moment);
            }
        }
        Self { moments }
    }
}

/// One step by Burn's operations.
fn on_device<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    before: Option<Moments>,
    Change { rate, keep, scale }: Change,
) -> (Tensor<D>, Moments) {
    let (mut rows, mut columns) = (parameter.dims(), parameter.dims());
    if D >= 2 {
        (rows[D - 1], columns[D - 2]) = (1, 1);
    }
    let state = before.map(|before| AdafactorState::<D> {
        time: before.steps as usize,
        second_moment: before.rows.reshape(rows),
        column_second_moment: before.columns.map(|moment| moment.reshape(columns)),
    });
    let rule = AdafactorConfig::new()
        .with_epsilon_1(EPSILON)
        .with_clip_threshold(CLIP as f32)
        .with_decay_rate(DECAY_RATE)
        .with_relative_step(false)
        .with_scale_parameter(false)
        .build();
    let (updated, state) = rule.step(rate, parameter * keep, gradient * scale, state);
    let state = state.expect("every step has a state");
    let after = Moments {
        steps: state.time as u32,
        rows: state.second_moment.flatten(0, D - 1),
        columns: state.column_second_moment.map(|moment| moment.flatten(0, D - 1)),
    };
    (updated, after)
}

/// The same for a matrix in three passes over its gradient: on a CPU Burn's dozen passes cost more than the gradients
/// themselves. Sums are of fixed parts in a fixed order, whatever the number of threads.
fn in_place<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    before: Option<Moments>,
    Change { rate, keep, scale }: Change,
) -> (Tensor<D>, Moments) {
    let (device, shape) = (parameter.device(), parameter.dims());
    let (height, width) = (shape[D - 2], shape[D - 1]);
    let part = CHUNK.div_ceil(width.max(1)) * width.max(1);
    let (mut p, g) = (parameter.into_data(), gradient.into_data());
    let g = g.as_slice::<f32>().expect("gradients are f32");

    let steps = before.as_ref().map_or(0, |moments| moments.steps) + 1;
    let weight = f64::from(steps).powf(DECAY_RATE) as f32;
    let (r, c) = mean_squares(g, width, part, scale as f32);
    let blend = |old: Option<Tensor<1>>, new: Vec<f32>| -> Vec<f32> {
        let Some(old) = old else { return new };
        let old = old.into_data();
        let old = old.as_slice::<f32>().expect("moments are f32");
        old.iter().zip(new).map(|(old, new)| (1.0 - weight) * old + weight * new).collect()
    };
    let (old_r, old_c) = before.map_or((None, None), |b| (Some(b.rows), b.columns));
    let (r, c) = (blend(old_r, r), blend(old_c, c));

    // 1/√v̂ᵢⱼ = √(mean R / Rᵢ) · 1/√Cⱼ
    let mean = r.iter().map(|&x| f64::from(x)).sum::<f64>() / height as f64;
    let of_row: Vec<f32> = r.iter().map(|&r| (mean as f32 / r).sqrt() * scale as f32).collect();
    let of_column: Vec<f32> = c.iter().map(|&c| 1.0 / c.sqrt()).collect();
    let squares = map(g.chunks(part).zip(of_row.chunks(part / width)), |(g, of_row)| {
        let rows = g.chunks_exact(width).zip(of_row);
        rows.map(|(g, r)| f64::from(r * r) * f64::from(square_sum(g, &of_column))).sum::<f64>()
    });
    let rms = (squares.iter().sum::<f64>() / g.len() as f64).sqrt();

    let (keep, rate) = (keep as f32, (rate / (rms / CLIP).max(1.0)) as f32);
    let p_slice = p.as_mut_slice::<f32>().expect("parameters are f32");
    let parts = p_slice.chunks_mut(part).zip(g.chunks(part)).zip(of_row.chunks(part / width));
    map(parts, |((p, g), of_row)| {
        for ((p, g), r) in p.chunks_exact_mut(width).zip(g.chunks_exact(width)).zip(of_row) {
            for ((p, g), c) in p.iter_mut().zip(g).zip(&of_column) {
                *p = *p * keep - rate * r * c * g;
            }
        }
    });
    let moment = |values: Vec<f32>| Tensor::<1>::from_data(values.as_slice(), &device);
    let after = Moments { steps, rows: moment(r), columns: Some(moment(c)) };
    (Tensor::from_data(p, &device), after)
}

/// The means of (scale · g)² + ε₁ over each row and each column of a matrix `width` wide, `part` elements at a time.
fn mean_squares(g: &[f32], width: usize, part: usize, scale: f32) -> (Vec<f32>, Vec<f32>) {
    let ones = vec![scale; width];
    let sums = map(g.chunks(part), |g| {
        let mut columns = vec![0.0_f32; width];
        let rows: Vec<f32> = g
            .chunks_exact(width)
            .map(|row| {
                for (sum, g) in columns.iter_mut().zip(row) {
                    *sum += (g * scale) * (g * scale);
                }
                square_sum(row, &ones)
            })
            .collect();
        (rows, columns)
    });
    let mut columns = vec![0.0_f64; width];
    let mut rows = Vec::with_capacity(g.len() / width);
    for (part_rows, part_columns) in sums {
        rows.extend(part_rows.into_iter().map(|sum| sum / width as f32 + EPSILON));
        columns.iter_mut().zip(part_columns).for_each(|(sum, part)| *sum += f64::from(part));
    }
    let height = rows.len() as f64;
    (rows, columns.into_iter().map(|sum| (sum / height) as f32 + EPSILON).collect())
}

/// Σ (gⱼ fⱼ)²
fn square_sum(g: &[f32], f: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    let (g_parts, f_parts) = (g.chunks_exact(LANES), f.chunks_exact(LANES));
    let rest = g_parts.remainder().iter().zip(f_parts.remainder());
    let rest: f32 = rest.map(|(g, f)| (g * f) * (g * f)).sum();
    for (g, f) in g_parts.zip(f_parts) {
        for ((sum, g), f) in sums.iter_mut().zip(g).zip(f) {
            *sum += (g * f) * (g * f);
        }
    }
    sums.iter().sum::<f32>() + rest
}
