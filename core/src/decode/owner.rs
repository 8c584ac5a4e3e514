//! Which of several overlapping windows decides about a span.

use std::ops::Range;

/// The window that sees the most context on the poorer side of the word pieces `start..end`, the first of equals;
/// `None` when no window holds them all. A text edge counts as unlimited context.
///
/// Windows are ascending ranges that together cover `0..total`. Only the owner's verdict on a span counts, so that
/// a window that begins within an entity cannot add a truncated copy of it.
pub fn owner(windows: &[Range<usize>], total: usize, start: usize, end: usize) -> Option<usize> {
    let context = |w: &Range<usize>| {
        let left = if w.start == 0 { usize::MAX } else { start - w.start };
        let right = if w.end == total { usize::MAX } else { w.end - end };
        left.min(right)
    };
    let mut best: Option<(usize, usize)> = None;
    for (index, window) in windows.iter().enumerate() {
        if window.start <= start && end <= window.end {
            let context = context(window);
            if best.is_none_or(|(_, most)| context > most) {
                best = Some((index, context));
            }
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::single_range_in_vec_init)]
    use super::*;

    #[test]
    fn a_span_belongs_to_the_window_that_sees_most_around_it() {
        let windows = [0..10, 6..16, 12..20];
        assert_eq!(owner(&windows, 20, 0, 2), Some(0));
        assert_eq!(owner(&windows, 20, 7, 8), Some(0)); // 2 pieces to the right against 1 to the left
        assert_eq!(owner(&windows, 20, 8, 10), Some(1));
        assert_eq!(owner(&windows, 20, 12, 13), Some(1));
        assert_eq!(owner(&windows, 20, 15, 18), Some(2));
    }

    #[test]
    fn a_span_longer_than_every_window_has_no_owner() {
        assert_eq!(owner(&[0..10, 6..16], 16, 2, 14), None);
        assert_eq!(owner(&[0..10], 10, 0, 10), Some(0));
    }
}
