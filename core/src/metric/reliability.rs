//! Whether scores are probabilities: of the entities found with a score of 0.8, 80 % should be right.

use super::sentence::typed;
use crate::data::Document;

/// Predictions by score.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reliability {
    /// Equal parts of 0..=1, those without predictions included.
    pub bins: Vec<Bin>,
}

/// Predictions with scores in one part of 0..=1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    /// How many.
    pub count: usize,
    /// The sum of their scores.
    pub scores: f64,
    /// How many are right, span and type.
    pub correct: usize,
}

impl Bin {
    /// Their mean score; 0 without predictions.
    pub fn mean_score(&self) -> f64 {
        self.scores / self.count.max(1) as f64
    }

    /// The share that is right; 0 without predictions.
    pub fn precision(&self) -> f64 {
        self.correct as f64 / self.count.max(1) as f64
    }
}

impl Reliability {
    /// No predictions in `bins` bins.
    pub fn new(bins: usize) -> Self {
        Self { bins: vec![Bin::default(); bins] }
    }

    /// Adds the predictions that have scores.
    ///
    /// # Panics
    /// When the two do not hold the same number of documents.
    pub fn add(&mut self, gold: &[Document], predicted: &[Document]) {
        assert_eq!(gold.len(), predicted.len(), "one prediction for each gold document");
        for (gold, predicted) in gold.iter().zip(predicted) {
            let gold = typed(gold);
            for entity in &predicted.entities {
                let Some(score) = entity.score.map(f64::from) else { continue };
                let count = self.bins.len();
                let index = (score * count as f64) as usize;
                let Some(bin) = self.bins.get_mut(index.min(count.saturating_sub(1))) else {
                    continue;
                };
                bin.count += 1;
                bin.scores += score;
                let is_gold = gold.contains(&(entity.start, entity.end, entity.label.as_str()));
                bin.correct += usize::from(is_gold);
            }
        }
    }

    /// Expected calibration error (Guo et al., 2017): the mean distance between score and share right, over predictions;
    /// `None` without any.
    pub fn calibration_error(&self) -> Option<f64> {
        let count: usize = self.bins.iter().map(|bin| bin.count).sum();
        let distance = |bin: &Bin| (bin.scores - bin.correct as f64).abs();
        (count > 0).then(|| self.bins.iter().map(distance).sum::<f64>() / count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Entity;

    fn document(entities: &[(usize, usize, Option<f32>)]) -> Document {
        let entity = |&(start, end, score): &(usize, usize, Option<f32>)| Entity {
            start,
            end,
            label: "X".into(),
            score,
        };
        Document {
            text: "aa bb cc dd".into(),
            entities: entities.iter().map(entity).collect(),
            ..Document::default()
        }
    }

    #[test]
    fn scores_are_compared_with_how_often_they_are_right() {
        let gold = [document(&[(0, 2, None), (3, 5, None)])];
        let predicted = [document(&[
            (0, 2, Some(1.0)),
            (3, 5, Some(0.75)),
            (6, 8, Some(0.625)),
            (9, 11, Some(0.25)),
            (0, 5, None),
        ])];
        let mut reliability = Reliability::new(2);
        reliability.add(&gold, &predicted);
        // Below 0.5 one wrong of 0.25; from 0.5 up 1 + 0.75 + 0.625 with two right.
        let low = Bin { count: 1, scores: 0.25, correct: 0 };
        let high = Bin { count: 3, scores: 2.375, correct: 2 };
        assert_eq!(reliability.bins, [low, high]);
        assert!((high.mean_score() - 2.375 / 3.0).abs() < 1e-12);
        assert!((high.precision() - 2.0 / 3.0).abs() < 1e-12);
        // (1 · |0.25 - 0| + 3 · |2.375/3 - 2/3|) / 4 = (0.25 + 0.375) / 4
        assert_eq!(reliability.calibration_error(), Some(0.15625));
    }

    #[test]
    fn predictions_without_scores_say_nothing() {
        let mut reliability = Reliability::new(10);
        reliability.add(&[document(&[])], &[document(&[(0, 2, None)])]);
        assert_eq!(reliability.calibration_error(), None);
    }
}
