//! Windows over documents that are longer than what an encoder reads at once.

use std::ops::Range;

/// The windows that cover `pieces` word pieces with at most `capacity` each, neighbours sharing at least `overlap`
/// (at most `capacity - 1`). None for an empty text; every one full where there is more than one.
pub fn windows(pieces: usize, capacity: usize, overlap: usize) -> Vec<Range<usize>> {
    let capacity = capacity.max(1);
    if pieces == 0 {
        return Vec::new();
    }
    if pieces <= capacity {
        return vec![Range { start: 0, end: pieces }];
    }
    let step = capacity - overlap.min(capacity - 1);
    let last = pieces - capacity;
    let starts = (0..last).step_by(step).chain([last]);
    starts.map(|start| start..start + capacity).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_window_reaches_back_to_be_full() {
        assert_eq!(windows(25, 10, 4), [0..10, 6..16, 12..22, 15..25]);
        assert_eq!(windows(22, 10, 4), [0..10, 6..16, 12..22]);
    }

    #[test]
    fn a_text_that_fits_is_one_window_and_no_text_is_none() {
        assert_eq!(windows(10, 10, 4), [Range { start: 0, end: 10 }]);
        assert!(windows(0, 10, 4).is_empty());
    }

    proptest! {
        #[test]
        fn every_run_no_longer_than_the_overlap_lies_in_some_window(
            pieces in 0usize..200, capacity in 0usize..40, overlap in 0usize..60
        ) {
            let windows = windows(pieces, capacity, overlap);
            let run = overlap.min(capacity.saturating_sub(1)).max(1);
            for start in 0..pieces.saturating_sub(run - 1) {
                let holds = |w: &Range<usize>| w.start <= start && start + run <= w.end;
                prop_assert!(windows.iter().any(holds), "{start}..{} of {windows:?}", start + run);
            }
            prop_assert!(windows.iter().all(|w| w.len() <= capacity.max(1) && w.end <= pieces));
        }
    }
}
