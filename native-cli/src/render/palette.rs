//! Which colour an entity type has: the same one in the terminal, in HTML and from run to run.

use std::collections::BTreeMap;

/// How many colours there are; `page.css` has a class `c0`…`c9` for each.
pub const COLOURS: usize = 10;

/// The colours in xterm's 256, chosen to be readable on black and on white; same order as the hues of `page.css`.
const XTERM: [u8; COLOURS] = [167, 172, 142, 71, 37, 32, 68, 98, 170, 132];

/// Colours for a set of entity types.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Palette {
    slots: BTreeMap<String, usize>,
}

impl Palette {
    /// Gives every label the colour of its name's hash, or the next free one. So a type keeps its colour from corpus
    /// to corpus where it can, and up to [`COLOURS`] types never share one. The order of `labels` has no effect.
    pub fn of<'a>(labels: impl IntoIterator<Item = &'a str>) -> Self {
        let mut slots: BTreeMap<String, usize> =
            labels.into_iter().map(|l| (l.to_owned(), preferred(l))).collect();
        let mut taken = [false; COLOURS];
        for slot in slots.values_mut() {
            let free = (0..COLOURS).map(|step| (*slot + step) % COLOURS).find(|&s| !taken[s]);
            *slot = free.unwrap_or(*slot);
            taken[*slot] = true;
        }
        Self { slots }
    }

    /// The colour of `label`, in `0..COLOURS`; also for one that the palette was not made for.
    pub fn slot(&self, label: &str) -> usize {
        self.slots.get(label).copied().unwrap_or_else(|| preferred(label))
    }

    /// The colour of `label` among xterm's 256.
    pub fn xterm(&self, label: &str) -> u8 {
        XTERM[self.slot(label)]
    }

    /// The labels, sorted.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.slots.keys().map(String::as_str)
    }
}

/// FNV-1a, which is the same on every platform and in every version.
fn preferred(label: &str) -> usize {
    let hash = label
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    (hash % COLOURS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_types_have_ten_colours_in_any_order() {
        let labels = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];
        let palette = Palette::of(labels);
        let mut slots: Vec<usize> = labels.iter().map(|l| palette.slot(l)).collect();
        assert_eq!(palette, Palette::of(labels.into_iter().rev()));
        slots.sort_unstable();
        assert_eq!(slots, (0..COLOURS).collect::<Vec<_>>());
    }

    #[test]
    fn more_types_than_colours_and_unknown_types_still_have_one() {
        let labels: Vec<String> = (0..40).map(|n| format!("type {n}")).collect();
        let palette = Palette::of(labels.iter().map(String::as_str));
        assert!(labels.iter().all(|l| palette.slot(l) < COLOURS));
        assert!(palette.slot("never seen") < COLOURS);
    }
}
