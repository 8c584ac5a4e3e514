//! A text and what is annotated in it.

use std::ops::Range;

/// A text with its entities. All offsets are UTF-8 byte offsets on character boundaries, half open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The corpus' own name for the document, where it has one.
    pub id: Option<String>,
    /// The text as given.
    pub text: String,
    /// The words, where the corpus was tokenised already; ascending, not overlapping.
    pub words: Option<Vec<Range<usize>>>,
    /// The annotated or recognised entities; nested and overlapping ones allowed.
    pub entities: Vec<Entity>,
}

/// One mention: a typed span of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The entity type.
    pub label: String,
    /// The probability that the model gave it, in [0, 1]; `None` for gold.
    pub score: Option<f32>,
}

impl Document {
    /// A document of words: its text is the words with one space between.
    pub fn from_words<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Self {
        let mut text = String::new();
        let mut ranges = Vec::new();
        for word in words {
            if !ranges.is_empty() {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(word.as_ref());
            ranges.push(start..text.len());
        }
        Self { text, words: Some(ranges), ..Self::default() }
    }

    /// The characters of an entity.
    ///
    /// # Panics
    /// When the entity is not of this document.
    pub fn text_of(&self, entity: &Entity) -> &str {
        &self.text[entity.start..entity.end]
    }

    /// Whether all words and entities lie in the text, on character boundaries and in order.
    ///
    /// # Errors
    /// The first that does not, in words; entities and words count from 0, offsets are bytes.
    pub fn check(&self) -> Result<(), String> {
        for (index, Entity { start, end, label, .. }) in self.entities.iter().enumerate() {
            self.check_span(*start, *end).map_err(|wrong| format!("entities[{index}]: {wrong}"))?;
            if label.is_empty() {
                return Err(format!("entities[{index}] has an empty label"));
            }
        }
        let words = self.words.as_deref().unwrap_or_default();
        for (index, word) in words.iter().enumerate() {
            self.check_span(word.start, word.end)
                .map_err(|wrong| format!("words[{index}]: {wrong}"))?;
        }
        match words.windows(2).position(|pair| pair[1].start < pair[0].end) {
            Some(index) => Err(format!(
                "words[{}] begins at {}, before words[{index}] ends at {}",
                index + 1,
                words[index + 1].start,
                words[index].end
            )),
            None => Ok(()),
        }
    }

    fn check_span(&self, start: usize, end: usize) -> Result<(), String> {
        if start >= end {
            return Err(format!("the start {start} is not before the end {end}"));
        }
        if end > self.text.len() {
            return Err(format!(
                "the end {end} is past the end of the text, which has {} bytes",
                self.text.len()
            ));
        }
        match [start, end].into_iter().find(|&at| !self.text.is_char_boundary(at)) {
            Some(at) => Err(format!("offset {at} lies inside a character")),
            None => Ok(()),
        }
    }

    /// How deep each entity lies: 1 inside no other, else 1 more than the deepest of those that properly contain it.
    pub fn nesting_depths(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.entities.len()).collect();
        let span = |index: usize| (self.entities[index].start, self.entities[index].end);
        order.sort_by_key(|&index| (span(index).0, std::cmp::Reverse(span(index).1)));
        let mut ends: Vec<usize> = self.entities.iter().map(|entity| entity.end).collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        ends.dedup();
        let mut deepest = Deepest(vec![0; ends.len() + 1]);
        let mut depths = vec![1; order.len()];
        // whoever contains an entity comes before it; those of the same span do not contain each other
        for same in order.chunk_by(|&a, &b| span(a) == span(b)) {
            let end = span(same[0]).1;
            let rank = ends.partition_point(|&other| other > end) + 1;
            let depth = deepest.up_to(rank) + 1;
            deepest.raise(rank, depth);
            for &index in same {
                depths[index] = depth;
            }
        }
        depths
    }

    /// For each entity, whether another one shares a character with it.
    pub fn overlapping(&self) -> Vec<bool> {
        let mut order: Vec<usize> = (0..self.entities.len()).collect();
        order.sort_by_key(|&index| self.entities[index].start);
        let mut overlaps = vec![false; order.len()];
        let mut reaching: Option<usize> = None;
        for index in order {
            if let Some(before) = reaching
                && self.entities[before].end > self.entities[index].start
            {
                overlaps[before] = true;
                overlaps[index] = true;
            }
            if reaching.is_none_or(|before| self.entities[before].end < self.entities[index].end) {
                reaching = Some(index);
            }
        }
        overlaps
    }
}

/// The largest value of each prefix, as a Fenwick tree; positions count from 1.
struct Deepest(Vec<usize>);

impl Deepest {
    fn up_to(&self, mut at: usize) -> usize {
        let mut largest = 0;
        while at > 0 {
            largest = largest.max(self.0[at]);
            at &= at - 1;
        }
        largest
    }

    fn raise(&mut self, mut at: usize, value: usize) {
        while at < self.0.len() {
            self.0[at] = self.0[at].max(value);
            at += at & at.wrapping_neg();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn document(spans: &[(usize, usize)]) -> Document {
        let entity = |&(start, end): &(usize, usize)| Entity {
            start,
            end,
            label: "x".to_owned(),
            score: None,
        };
        Document {
            text: "x".repeat(40),
            entities: spans.iter().map(entity).collect(),
            ..Document::default()
        }
    }

    #[test]
    fn what_is_wrong_with_a_span_is_said() {
        let wrong = |text: &str, start, end| {
            let mut document = document(&[(start, end)]);
            document.text = text.to_owned();
            document.check().err()
        };
        assert_eq!(wrong("abc", 1, 3), None);
        assert_eq!(
            wrong("abc", 2, 2).as_deref(),
            Some("entities[0]: the start 2 is not before the end 2")
        );
        assert_eq!(
            wrong("abc", 1, 4).as_deref(),
            Some("entities[0]: the end 4 is past the end of the text, which has 3 bytes")
        );
        assert_eq!(
            wrong("aé", 0, 2).as_deref(),
            Some("entities[0]: offset 2 lies inside a character")
        );
    }

    #[test]
    fn words_that_overlap_are_refused() {
        let mut own = document(&[]);
        own.words = Some(vec![0..3, 2..5]);
        assert_eq!(
            own.check().err().as_deref(),
            Some("words[1] begins at 2, before words[0] ends at 3")
        );
    }

    #[test]
    fn depth_counts_what_properly_contains_an_entity() {
        // [0,10) holds [2,6), which holds [3,5); [5,12) crosses; [2,6) comes twice
        let own = document(&[(3, 5), (0, 10), (2, 6), (2, 6), (5, 12), (20, 21)]);
        assert_eq!(own.nesting_depths(), [3, 1, 2, 2, 1, 1]);
        assert_eq!(own.overlapping(), [true, true, true, true, true, false]);
    }

    proptest! {
        #[test]
        fn depth_and_overlap_are_what_comparing_all_pairs_gives(
            spans in prop::collection::vec((0usize..20, 1usize..12), 0..14)
        ) {
            let spans: Vec<_> = spans.into_iter().map(|(start, length)| (start, start + length)).collect();
            let own = document(&spans);
            let contains = |a: (usize, usize), b: (usize, usize)| a != b && a.0 <= b.0 && b.1 <= a.1;
            fn depth(spans: &[(usize, usize)], of: (usize, usize), contains: &dyn Fn((usize, usize), (usize, usize)) -> bool) -> usize {
                1 + spans.iter().filter(|&&other| contains(other, of)).map(|&other| depth(spans, other, contains)).max().unwrap_or(0)
            }
            let depths: Vec<usize> = spans.iter().map(|&of| depth(&spans, of, &contains)).collect();
            prop_assert_eq!(own.nesting_depths(), depths);
            let overlapping: Vec<bool> = spans.iter().enumerate().map(|(i, a)| {
                spans.iter().enumerate().any(|(j, b)| i != j && a.0 < b.1 && b.0 < a.1)
            }).collect();
            prop_assert_eq!(own.overlapping(), overlapping);
        }
    }
}
