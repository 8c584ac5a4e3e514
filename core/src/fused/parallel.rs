//! One list of independent tasks, over threads where there are any.

/// Elements below which a second thread costs more than it brings.
const WORTH_A_THREAD: usize = 16 * 1024;

/// How many rows of `width` elements one task should take of `rows`: a few tasks for each thread,
/// so that the last to finish is not far behind, but no tiny ones.
pub fn rows_per_task(rows: usize, width: usize) -> usize {
    let fair = rows.div_ceil(4 * threads());
    fair.max(WORTH_A_THREAD / width.max(1)).max(1)
}

/// Threads that share the work.
pub fn threads() -> usize {
    #[cfg(feature = "native")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "native"))]
    1
}

/// Runs `f` on every task.
pub fn for_each<T: Send>(tasks: impl Iterator<Item = T>, f: impl Fn(T) + Sync + Send) {
    map(tasks, f);
}

/// What `f` makes of every task, in their order.
pub fn map<T: Send, R: Send>(
    tasks: impl Iterator<Item = T>,
    f: impl Fn(T) -> R + Sync + Send,
) -> Vec<R> {
    #[cfg(feature = "native")]
    {
        use rayon::prelude::*;
        let tasks: Vec<T> = tasks.collect();
        if tasks.len() > 1 {
            return tasks.into_par_iter().map(f).collect();
        }
        tasks.into_iter().map(f).collect()
    }
    #[cfg(not(feature = "native"))]
    tasks.map(f).collect()
}
