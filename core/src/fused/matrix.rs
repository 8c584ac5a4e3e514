//! Matrix products of strided views.

use super::parallel;

#[cfg(any(test, target_arch = "wasm32"))]
mod panels;

/// A read-only matrix in a slice, with any strides, such as a transposed one.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `columns` neighbours in a row, rows `stride` apart.
    pub fn new(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        Self::strided(data, [rows, columns], [stride, 1])
    }

    /// Element (i, j) at `i * strides[0] + j * strides[1]`.
    ///
    /// # Panics
    /// Where that is outside `data`.
    pub fn strided(
        data: &'a [f32],
        [rows, columns]: [usize; 2],
        [row_stride, column_stride]: [usize; 2],
    ) -> Self {
        if rows > 0 && columns > 0 {
            let last = (rows - 1) * row_stride + (columns - 1) * column_stride;
            assert!(last < data.len(), "a matrix that reaches past its buffer");
        }
        Self { data, rows, columns, row_stride, column_stride }
    }

    /// The transposed matrix.
    pub fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn row_range(self, first: usize, rows: usize) -> Self {
        let start = (first * self.row_stride).min(self.data.len());
        Self::strided(
            &self.data[start..],
            [rows, self.columns],
            [self.row_stride, self.column_stride],
        )
    }
}

/// A matrix to write, `columns` neighbours in a row, rows `stride` apart.
#[derive(Debug)]
pub struct MatrixMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<'a> MatrixMut<'a> {
    /// # Panics
    /// Where an element is outside `data`, or rows overlap.
    pub fn new(data: &'a mut [f32], rows: usize, columns: usize, stride: usize) -> Self {
        if rows > 0 && columns > 0 {
            assert!(columns <= stride, "rows that overlap");
            let last = (rows - 1) * stride + columns - 1;
            assert!(last < data.len(), "a matrix that reaches past its buffer");
        }
        Self { data, rows, columns, stride }
    }
}

/// `out = scale · lhs · rhs`, or `out += …` to `accumulate`, on this thread.
///
/// # Panics
/// Where the sizes disagree.
pub fn product(out: MatrixMut, scale: f32, lhs: Matrix, rhs: Matrix, accumulate: bool) {
    assert_eq!(
        (out.rows, out.columns, lhs.columns),
        (lhs.rows, rhs.columns, rhs.rows),
        "matrices whose sizes disagree"
    );
    #[cfg(target_arch = "wasm32")]
    panels::product(out, scale, lhs, rhs, accumulate);
    // SAFETY: the constructors of the three views have checked that every element lies in its
    // buffer, `out` is borrowed exclusively and its rows do not overlap, and the assertion above
    // gives `gemm` the sizes that the views were checked for.
    #[cfg(not(target_arch = "wasm32"))]
    unsafe {
        gemm::gemm(
            out.rows,
            out.columns,
            lhs.columns,
            out.data.as_mut_ptr(),
            1,
            out.stride as isize,
            accumulate,
            lhs.data.as_ptr(),
            lhs.column_stride as isize,
            lhs.row_stride as isize,
            rhs.data.as_ptr(),
            rhs.column_stride as isize,
            rhs.row_stride as isize,
            1.0,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// [`product`] into a whole buffer of `lhs.rows * rhs.columns` elements, over all threads.
pub fn product_parallel(out: &mut [f32], lhs: Matrix, rhs: Matrix, accumulate: bool) {
    /// Rows or columns of a task: enough of them that reading the other matrix anew for each task
    /// is cheap.
    const SIDE: usize = 64;
    /// Multiplications below which a second thread costs more than it brings.
    const WORTH_A_THREAD: usize = 512 * 1024;
    let (rows, columns) = (lhs.rows, rhs.columns);
    if rows == 0 || columns == 0 {
        return;
    }
    let work = rows.saturating_mul(columns).saturating_mul(lhs.columns);
    let threads = parallel::threads().min(work / WORTH_A_THREAD);
    if threads > 1 && rows >= SIDE * threads {
        let block = rows.div_ceil(2 * threads).max(SIDE).next_multiple_of(16);
        parallel::for_each(out.chunks_mut(block * columns).enumerate(), |(task, out)| {
            let rows = out.len() / columns;
            let lhs = lhs.row_range(task * block, rows);
            product(MatrixMut::new(out, rows, columns, columns), 1.0, lhs, rhs, accumulate);
        });
    } else if threads > 1 && columns >= SIDE * threads {
        let block = columns.div_ceil(threads).next_multiple_of(16);
        let parts = parallel::map((0..columns).step_by(block), |first| {
            let width = block.min(columns - first);
            let mut part = vec![0.0; rows * width];
            let rhs = rhs.t().row_range(first, width).t();
            product(MatrixMut::new(&mut part, rows, width, width), 1.0, lhs, rhs, false);
            (first, width, part)
        });
        for (first, width, part) in parts {
            for (out, part) in out.chunks_mut(columns).zip(part.chunks(width)) {
                let out = &mut out[first..first + width];
                if accumulate {
                    out.iter_mut().zip(part).for_each(|(out, part)| *out += part);
                } else {
                    out.copy_from_slice(part);
                }
            }
        }
    } else {
        product(MatrixMut::new(out, rows, columns, columns), 1.0, lhs, rhs, accumulate);
    }
}
