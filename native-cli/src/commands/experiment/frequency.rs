//! How often a type was seen, in classes of half a decade.

use std::fmt;

/// A class of frequencies: never, 1 to 3, 4 to 9, 10 to 31, 32 to 99, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frequency(Option<u32>);

impl Frequency {
    /// The class of what was seen so often.
    pub fn of(seen: usize) -> Self {
        Self((0..).take_while(|&class| from(class) <= seen && seen > 0).last())
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("0"),
            Some(class) => write!(f, "{}–{}", from(class), from(class + 1) - 1),
        }
    }
}

/// The least frequency of a class: the first whole number from 10^(class / 2).
fn from(class: u32) -> usize {
    10_f64.powf(f64::from(class) / 2.0).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_half_decades() {
        let shown = |seen| Frequency::of(seen).to_string();
        for (seen, class) in [
            (0, "0"),
            (1, "1–3"),
            (3, "1–3"),
            (4, "4–9"),
            (9, "4–9"),
            (10, "10–31"),
            (32, "32–99"),
            (99, "32–99"),
            (100, "100–316"),
            (1000, "1000–3162"),
        ] {
            assert_eq!(shown(seen), class, "{seen}");
        }
        assert!(Frequency::of(0) < Frequency::of(2) && Frequency::of(9) < Frequency::of(10));
    }
}
