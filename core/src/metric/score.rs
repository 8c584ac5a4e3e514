//! Precision, recall and F1 from counts.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

/// Counts of correct, predicted and gold items; precision, recall and F1 follow, 0 where they are undefined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Score {
    /// Predicted items that are gold.
    pub correct: usize,
    /// Predicted items.
    pub predicted: usize,
    /// Gold items; `support` where it is written.
    #[serde(rename = "support")]
    pub gold: usize,
}

impl Score {
    /// Share of the predicted that is right, in 0..=1.
    pub fn precision(&self) -> f64 {
        ratio(self.correct, self.predicted)
    }

    /// Share of the gold that was found, in 0..=1.
    pub fn recall(&self) -> f64 {
        ratio(self.correct, self.gold)
    }

    /// Harmonic mean of the two, in 0..=1.
    pub fn f1(&self) -> f64 {
        ratio(2 * self.correct, self.predicted + self.gold)
    }
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.correct += other.correct;
        self.predicted += other.predicted;
        self.gold += other.gold;
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut s = serializer.serialize_struct("Score", 6)?;
        s.serialize_field("precision", &self.precision())?;
        s.serialize_field("recall", &self.recall())?;
        s.serialize_field("f1", &self.f1())?;
        s.serialize_field("correct", &self.correct)?;
        s.serialize_field("predicted", &self.predicted)?;
        s.serialize_field("support", &self.gold)?;
        s.end()
    }
}

/// `part / whole`, 0 for an empty whole.
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
