//! Sums over the rows of a matrix: what the gradient of a bias is.

use super::parallel::{map, rows_per_task};
use super::simd::vectorised;

/// Σ over rows of `x`, whose rows have `width` elements.
pub fn column_sums(x: &[f32], width: usize) -> Vec<f32> {
    let block = rows_per_task(x.len() / width.max(1), width) * width;
    add_up(
        width,
        map(x.chunks(block.max(1)), |rows| {
            let mut sums = vec![0.0; width];
            add_rows(&mut sums, rows);
            sums
        }),
    )
}

/// The sum of vectors of `width` elements.
pub fn add_up(width: usize, parts: Vec<Vec<f32>>) -> Vec<f32> {
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_else(|| vec![0.0; width]);
    parts.for_each(|part| add_rows(&mut total, &part));
    total
}

vectorised! {
    /// `sums[j] += Σᵢ rows[i][j]`
    pub fn add_rows(sums: &mut [f32], rows: &[f32]) = add_rows_body
}

#[inline(always)]
fn add_rows_body<const FMA: bool>(sums: &mut [f32], rows: &[f32]) {
    for row in rows.chunks_exact(sums.len().max(1)) {
        for (sum, &x) in sums.iter_mut().zip(row) {
            *sum += x;
        }
    }
}
