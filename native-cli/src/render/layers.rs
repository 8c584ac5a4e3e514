//! How entities lie in each other, put in the order in which a renderer writes them.

use std::collections::BTreeSet;

use innerspan::data::Entity;

/// An entity, or the part of it that fits between the edges of the entities that it crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// Which entity, as an index of the list given.
    pub entity: usize,
    /// Whether the entity begins here.
    pub first: bool,
    /// Whether the entity ends here.
    pub last: bool,
    /// How many fragments lie inside this one at the deepest place: 0 for an innermost one.
    pub height: usize,
}

/// A step of writing a text with its entities; opens and closes balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// From here on inside this fragment too.
    Open(Fragment),
    /// Text inside all the open fragments.
    Text(&'t str),
    /// The fragment that was opened last ends.
    Close(Fragment),
}

/// The entities that can be drawn: not empty, inside the text, on character boundaries.
pub fn drawable<'a>(
    text: &'a str,
    entities: &'a [Entity],
) -> impl Iterator<Item = (usize, &'a Entity)> {
    entities.iter().enumerate().filter(|(_, e)| {
        e.start < e.end
            && text.is_char_boundary(e.start)
            && e.end <= text.len()
            && text.is_char_boundary(e.end)
    })
}

/// Text and entities in writing order: outer before inner, and among equal spans as listed. Where two entities cross,
/// the one that begins later is cut at the end of the other, so that what comes out always nests.
pub fn pieces<'t>(text: &'t str, entities: &[Entity]) -> Vec<Piece<'t>> {
    // start, end (outer first), entity: what still has to be opened, the next one first
    let mut waiting: BTreeSet<(usize, std::cmp::Reverse<usize>, usize)> =
        drawable(text, entities).map(|(i, e)| (e.start, std::cmp::Reverse(e.end), i)).collect();
    let mut open: Vec<(usize, usize)> = Vec::new(); // end, place of its `Open` in `pieces`
    let mut pieces = Vec::new();
    let mut at = 0;
    loop {
        let closes = open.last().map_or(usize::MAX, |&(end, _)| end);
        let opens = waiting.first().map_or(usize::MAX, |&(start, _, _)| start);
        let next = closes.min(opens).min(text.len());
        if at < next {
            pieces.push(Piece::Text(&text[at..next]));
            at = next;
        }
        if closes <= opens {
            let Some((_, place)) = open.pop() else { return pieces };
            let Piece::Open(fragment) = pieces[place] else { return pieces };
            if let Some(Piece::Open(outer)) = open.last().map(|&(_, place)| &mut pieces[place]) {
                outer.height = outer.height.max(fragment.height + 1);
            }
            pieces.push(Piece::Close(fragment));
        } else if let Some((start, std::cmp::Reverse(end), entity)) = waiting.pop_first() {
            let cut = end.min(closes);
            if cut < end {
                waiting.insert((cut, std::cmp::Reverse(end), entity));
            }
            let (first, last) = (start == entities[entity].start, cut == end);
            open.push((cut, pieces.len()));
            pieces.push(Piece::Open(Fragment { entity, first, last, height: 0 }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(start: usize, end: usize, label: &str) -> Entity {
        Entity { start, end, label: label.into(), score: None }
    }

    /// `[A text [B inner]]`, with `~` where an entity goes on.
    fn written(text: &str, entities: &[Entity]) -> String {
        let mut out = String::new();
        for piece in pieces(text, entities) {
            match piece {
                Piece::Open(f) => {
                    out += &format!(
                        "[{}{} ",
                        if f.first { "" } else { "~" },
                        entities[f.entity].label
                    );
                }
                Piece::Text(text) => out += text,
                Piece::Close(f) => out += if f.last { "]" } else { "~]" },
            }
        }
        out
    }

    #[test]
    fn outer_entities_open_before_inner_ones_in_whatever_order_they_are_listed() {
        let mut entities = vec![entity(4, 5, "C"), entity(0, 7, "A"), entity(2, 5, "B")];
        assert_eq!(written("a b c d e", &entities), "[A a [B b [C c]] d] e");
        entities.reverse();
        assert_eq!(written("a b c d e", &entities), "[A a [B b [C c]] d] e");
    }

    #[test]
    fn equal_spans_nest_in_the_order_listed() {
        assert_eq!(written("ab", &[entity(0, 2, "A"), entity(0, 2, "B")]), "[A [B ab]]");
    }

    #[test]
    fn a_crossing_entity_is_cut_where_the_other_ends() {
        assert_eq!(
            written("abcdef", &[entity(0, 4, "A"), entity(2, 6, "B")]),
            "[A ab[B cd~]][~B ef]"
        );
        let three = [entity(0, 3, "A"), entity(1, 5, "B"), entity(2, 6, "C")];
        assert_eq!(written("abcdef", &three), "[A a[B b[C c~]~]][~C [~B de]f]");
    }

    #[test]
    fn neighbours_do_not_nest() {
        assert_eq!(written("abcd", &[entity(0, 2, "A"), entity(2, 4, "B")]), "[A ab][B cd]");
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out() {
        let broken =
            [entity(0, 9, "LONG"), entity(1, 1, "EMPTY"), entity(1, 3, "SPLIT"), entity(0, 2, "A")];
        assert_eq!(written("éa", &broken), "[A é]a");
        assert_eq!(written("", &broken), "");
    }

    #[test]
    fn the_height_counts_what_is_inside() {
        let entities = [entity(0, 7, "A"), entity(2, 5, "B"), entity(4, 5, "C"), entity(6, 7, "D")];
        let heights: Vec<(usize, usize)> = pieces("a b c d e", &entities)
            .iter()
            .filter_map(|p| if let Piece::Close(f) = p { Some((f.entity, f.height)) } else { None })
            .collect();
        assert_eq!(heights, [(2, 0), (1, 1), (3, 0), (0, 2)]);
    }
}
