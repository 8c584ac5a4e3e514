//! The matrix product of browsers with relaxed SIMD: a fused multiply-add a lane, which the crate `gemm` does not use
//! in WebAssembly.

use core::arch::wasm32::{
    f32x4_add, f32x4_mul, f32x4_relaxed_madd, f32x4_splat, v128, v128_load, v128_load32_splat,
    v128_store,
};

/// Rows and vectors of a tile of the result: its 12 sums, two vectors of `rhs` and one of `lhs` fit into 16 registers.
const ROWS: usize = 6;
const VECTORS: usize = 2;
const LANES: usize = 4;
/// Columns of a tile, of which the result has a multiple.
pub const COLUMNS: usize = VECTORS * LANES;

/// A matrix by its first element and the distance of its rows; elements of a row are neighbours.
#[derive(Clone, Copy)]
pub struct Rows<P> {
    pub first: P,
    pub stride: usize,
}

/// `out = scale · lhs · rhs`, or `out += …` to `accumulate`; `out` is `[rows, columns]`, `lhs` `[rows, depth]`.
///
/// # Safety
/// All elements of the three matrices can be read, those of `out` written by nobody else, and `columns` is a multiple of
/// [`COLUMNS`].
pub unsafe fn product(
    [rows, columns, depth]: [usize; 3],
    out: Rows<*mut f32>,
    scale: f32,
    lhs: Rows<*const f32>,
    rhs: Rows<*const f32>,
    accumulate: bool,
) {
    for column in (0..columns).step_by(COLUMNS) {
        for row in (0..rows).step_by(ROWS) {
            // SAFETY: the tile lies inside the matrices, as the caller promises of them.
            unsafe {
                let out = Rows { first: out.first.add(row * out.stride + column), ..out };
                let lhs = Rows { first: lhs.first.add(row * lhs.stride), ..lhs };
                let rhs = Rows { first: rhs.first.add(column), ..rhs };
                match rows - row {
                    1 => tile::<1>(depth, out, scale, lhs, rhs, accumulate),
                    2 => tile::<2>(depth, out, scale, lhs, rhs, accumulate),
                    3 => tile::<3>(depth, out, scale, lhs, rhs, accumulate),
                    4 => tile::<4>(depth, out, scale, lhs, rhs, accumulate),
                    5 => tile::<5>(depth, out, scale, lhs, rhs, accumulate),
                    _ => tile::<ROWS>(depth, out, scale, lhs, rhs, accumulate),
                }
            }
        }
    }
}

/// [`product`] of a tile of `M` rows and [`COLUMNS`] columns.
#[target_feature(enable = "relaxed-simd")]
unsafe fn tile<const M: usize>(
    depth: usize,
    out: Rows<*mut f32>,
    scale: f32,
    lhs: Rows<*const f32>,
    rhs: Rows<*const f32>,
    accumulate: bool,
) {
    let mut sums = [[f32x4_splat(0.0); VECTORS]; M];
    for k in 0..depth {
        // SAFETY: the caller's promise, here and below.
        let b: [v128; VECTORS] = core::array::from_fn(|vector| unsafe {
            v128_load(rhs.first.add(k * rhs.stride + vector * LANES).cast())
        });
        for (row, sums) in sums.iter_mut().enumerate() {
            let a = unsafe { v128_load32_splat(lhs.first.add(row * lhs.stride + k).cast()) };
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = f32x4_relaxed_madd(a, b, *sum);
            }
        }
    }
    let scale = f32x4_splat(scale);
    for (row, sums) in sums.iter().enumerate() {
        for (vector, &sum) in sums.iter().enumerate() {
            unsafe {
                let out: *mut v128 = out.first.add(row * out.stride + vector * LANES).cast();
                let sum = f32x4_mul(sum, scale);
                v128_store(out, if accumulate { f32x4_add(v128_load(out), sum) } else { sum });
            }
        }
    }
}
