//! Which rows are trained on together, and in which order.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Batches whose rows are shuffled first and sorted by length within each run of this many.
const POOL: usize = 32;

/// The batches of an epoch, as indices into `lengths`: shuffled, each of rows of similar length. The same for the
/// same seed and epoch, on every platform.
pub fn batches(lengths: &[usize], size: usize, seed: u64, epoch: usize) -> Vec<Vec<usize>> {
    let mut random = ChaCha8Rng::seed_from_u64(crate::hash::mix(seed, epoch as u64));
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.shuffle(&mut random);
    for pool in order.chunks_mut(size * POOL) {
        pool.sort_by_key(|&row| lengths[row]);
    }
    let mut batches: Vec<Vec<usize>> = order.chunks(size).map(<[usize]>::to_vec).collect();
    batches.shuffle(&mut random);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_comes_once_an_epoch_in_an_order_that_seed_and_epoch_decide() {
        let lengths: Vec<usize> = (0..1000).map(|row| row * 7919 % 97).collect();
        let epoch = batches(&lengths, 16, 1, 0);
        let mut rows: Vec<usize> = epoch.concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..1000).collect::<Vec<_>>());
        assert_eq!(batches(&lengths, 16, 1, 0), epoch);
        assert_ne!(batches(&lengths, 16, 1, 1), epoch);
        assert_ne!(batches(&lengths, 16, 2, 0), epoch);
    }

    #[test]
    fn rows_of_a_batch_are_of_similar_length() {
        let lengths: Vec<usize> = (0..1024).map(|row| row * 7919 % 97).collect();
        let spread = |batch: &Vec<usize>| {
            let of = |row: &usize| lengths[*row];
            batch.iter().map(of).max().unwrap_or(0) - batch.iter().map(of).min().unwrap_or(0)
        };
        let epoch = batches(&lengths, 16, 3, 0);
        let mean = epoch.iter().map(spread).sum::<usize>() as f64 / epoch.len() as f64;
        assert!(mean < 10.0, "{mean}"); // all lengths differ by up to 96
    }
}
