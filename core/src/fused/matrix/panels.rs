//! The matrix product of browsers: loops that the compiler turns into WebAssembly's vectors, which is three times as
//! fast there as the crate `gemm`.

use std::array::from_fn;

use super::{Matrix, MatrixMut};

/// Rows and columns of a tile of the result: its sums, a row of the panel and an element of `lhs` fill 11 vectors of
/// four elements, and a browser on x86 has 15 registers for them.
const ROWS: usize = 4;
const COLUMNS: usize = 8;

/// As [`super::product`]: every panel of [`COLUMNS`] columns of `rhs`, copied into one piece, times all tiles of
/// [`ROWS`] rows of `lhs`.
pub fn product(out: MatrixMut, scale: f32, lhs: Matrix, rhs: Matrix, accumulate: bool) {
    let copy;
    let lhs = if lhs.column_stride == 1 {
        lhs
    } else {
        copy = row_major(lhs);
        Matrix::new(&copy, lhs.rows, lhs.columns, lhs.columns)
    };
    let mut panel = vec![[0.0; COLUMNS]; lhs.columns];
    for first in (0..out.columns).step_by(COLUMNS) {
        fill(&mut panel, rhs, first);
        let width = COLUMNS.min(out.columns - first);
        let mut put = |row: usize, sums: &[[f32; COLUMNS]]| {
            for (i, sums) in sums.iter().enumerate() {
                let to = &mut out.data[(row + i) * out.stride + first..][..width];
                for (to, sum) in to.iter_mut().zip(sums) {
                    *to = if accumulate { *to + scale * sum } else { scale * sum };
                }
            }
        };
        for row in (0..out.rows).step_by(ROWS) {
            match out.rows - row {
                1 => put(row, &tile::<1>(lhs, row, &panel)),
                2 => put(row, &tile::<2>(lhs, row, &panel)),
                3 => put(row, &tile::<3>(lhs, row, &panel)),
                _ => put(row, &tile::<ROWS>(lhs, row, &panel)),
            }
        }
    }
}

/// `M` rows of `lhs`, from `first` on, times the panel.
#[inline(always)]
fn tile<const M: usize>(
    lhs: Matrix,
    first: usize,
    panel: &[[f32; COLUMNS]],
) -> [[f32; COLUMNS]; M] {
    let mut sums = [[0.0; COLUMNS]; M];
    if panel.is_empty() {
        return sums;
    }
    let rows: [&[f32]; M] = from_fn(|i| &lhs.data[(first + i) * lhs.row_stride..][..panel.len()]);
    for (k, panel) in panel.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(rows) {
            for (sum, x) in sums.iter_mut().zip(panel) {
                *sum += row[k] * x;
            }
        }
    }
    sums
}

/// Copies the columns of `rhs` from `first` on, and zeros behind the last.
fn fill(panel: &mut [[f32; COLUMNS]], rhs: Matrix, first: usize) {
    let width = COLUMNS.min(rhs.columns - first);
    let depth = panel.len();
    let panel = panel.iter_mut().enumerate();
    if width == COLUMNS && rhs.column_stride == 1 {
        for (k, panel) in panel {
            panel.copy_from_slice(&rhs.data[k * rhs.row_stride + first..][..COLUMNS]);
        }
    } else if width == COLUMNS && rhs.row_stride == 1 {
        // weights, which lie on disk as `[out, in]`
        let columns: [&[f32]; COLUMNS] =
            from_fn(|j| &rhs.data[(first + j) * rhs.column_stride..][..depth]);
        for (k, panel) in panel {
            *panel = columns.map(|column| column[k]);
        }
    } else {
        for (k, panel) in panel {
            let at = |j| k * rhs.row_stride + (first + j) * rhs.column_stride;
            *panel = from_fn(|j| if j < width { rhs.data[at(j)] } else { 0.0 });
        }
    }
}

fn row_major(x: Matrix) -> Vec<f32> {
    let row = |i| (0..x.columns).map(move |j| x.data[i * x.row_stride + j * x.column_stride]);
    (0..x.rows).flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in [-1, 1) from a linear congruential generator.
    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn products_of_every_layout_agree_with_sums_in_double_precision() {
        for (rows, columns, depth) in [(1, 8, 5), (4, 16, 32), (7, 19, 3), (6, 1, 1), (3, 24, 0)] {
            let (a, b) = (numbers(rows * depth, 1), numbers(depth * columns, 2));
            let before = numbers(rows * (columns + 2), 3);
            for layout in 0..8 {
                let [a_turned, b_turned, accumulate] = [1, 2, 4].map(|bit| layout & bit != 0);
                let strides = |turned, rows, columns| if turned { [1, rows] } else { [columns, 1] };
                let a_strides = strides(a_turned, rows, depth);
                let b_strides = strides(b_turned, depth, columns);
                let mut out = before.clone();
                product(
                    MatrixMut::new(&mut out, rows, columns, columns + 2),
                    0.5,
                    Matrix::strided(&a, [rows, depth], a_strides),
                    Matrix::strided(&b, [depth, columns], b_strides),
                    accumulate,
                );
                for (at, (&out, &before)) in out.iter().zip(&before).enumerate() {
                    let (i, j) = (at / (columns + 2), at % (columns + 2));
                    let product = |k: usize| {
                        let (a, b) = (
                            a[i * a_strides[0] + k * a_strides[1]],
                            b[k * b_strides[0] + j * b_strides[1]],
                        );
                        f64::from(a) * f64::from(b)
                    };
                    let expected = match (j < columns, accumulate) {
                        (false, _) => f64::from(before),
                        (true, true) => {
                            f64::from(before) + 0.5 * (0..depth).map(product).sum::<f64>()
                        }
                        (true, false) => 0.5 * (0..depth).map(product).sum::<f64>(),
                    };
                    assert!(
                        (f64::from(out) - expected).abs() < 1e-5,
                        "{rows}×{columns}×{depth}, layout {layout}, ({i}, {j}): {out} {expected}"
                    );
                }
            }
        }
    }
}
