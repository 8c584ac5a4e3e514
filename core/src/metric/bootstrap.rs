//! The paired bootstrap (Efron and Tibshirani, 1993; for NLP Berg-Kirkpatrick et al., 2012): how much of a difference
//! between two systems hangs on which sentences happened to be in the test set.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::score::Score;

/// F1 of several systems on the same resamples of the same sentences.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// By system: on the sentences as they are.
    observed: Vec<f64>,
    /// By system: on every resample.
    resampled: Vec<Vec<f64>>,
}

/// A difference in F1 between two systems, in -1..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// On the sentences as they are.
    pub observed: f64,
    /// The 95 % percentile interval.
    pub interval: (f64, f64),
    /// Two-sided: twice the smaller share of resamples in which one system is not ahead of the other.
    pub p: f64,
}

impl Difference {
    /// Whether the interval leaves 0 out.
    pub fn is_shown(&self) -> bool {
        self.interval.0 > 0.0 || self.interval.1 < 0.0
    }
}

impl Bootstrap {
    /// Draws `resamples` times as many sentences as there are, with replacement, the same ones for every system.
    /// `systems` holds each system's counts by sentence; the counts of several seeds may be added up.
    ///
    /// # Panics
    /// When the systems do not have the same number of sentences.
    pub fn new(systems: &[Vec<Score>], resamples: usize, seed: u64) -> Self {
        let sentences = systems.first().map_or(0, Vec::len);
        assert!(systems.iter().all(|s| s.len() == sentences), "the same sentences for all systems");
        let observed = systems.iter().map(|s| f1(s.iter())).collect();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut resampled = vec![Vec::with_capacity(resamples); systems.len()];
        let mut drawn = vec![0; sentences];
        for _ in 0..resamples {
            drawn.fill_with(|| random.random_range(0..sentences));
            for (system, f1s) in systems.iter().zip(&mut resampled) {
                f1s.push(f1(drawn.iter().map(|&sentence| &system[sentence])));
            }
        }
        Self { observed, resampled }
    }

    /// How far system `a` is ahead of system `b`.
    pub fn difference(&self, a: usize, b: usize) -> Difference {
        let pairs = self.resampled[a].iter().zip(&self.resampled[b]);
        let mut differences: Vec<f64> = pairs.map(|(a, b)| a - b).collect();
        differences.sort_by(f64::total_cmp);
        let count = differences.len();
        let below = differences.partition_point(|&d| d < 0.0);
        let not_above = differences.partition_point(|&d| d <= 0.0);
        // one is added to both, because the observed sentences are a draw like any other
        let share = |cases: usize| (cases + 1) as f64 / (count + 1) as f64;
        let at = |quantile: f64| {
            let rank = (quantile * count as f64).ceil() as usize;
            differences.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
        };
        Difference {
            observed: self.observed[a] - self.observed[b],
            interval: (at(0.025), at(0.975)),
            p: (2.0 * share(not_above).min(share(count - below))).min(1.0),
        }
    }
}

/// Micro F1 over sentences.
fn f1<'a>(sentences: impl Iterator<Item = &'a Score>) -> f64 {
    let mut sum = Score::default();
    sentences.for_each(|score| sum += *score);
    sum.f1()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(correct: usize, predicted: usize, gold: usize) -> Score {
        Score { correct, predicted, gold }
    }

    #[test]
    fn two_sentences_have_three_resamples_with_known_shares() {
        // F1 of a is 1, 2/3 or 0 as sentence 1 is drawn twice, once or never (2·1/(1+2), 2·2/(2+2)); b is 0 throughout.
        let a = vec![score(1, 1, 1), score(0, 0, 1)];
        let b = vec![score(0, 0, 1), score(0, 0, 1)];
        let bootstrap = Bootstrap::new(&[a, b], 40_000, 1);
        let share = |value: f64| {
            let hits = bootstrap.resampled[0].iter().filter(|f1| (*f1 - value).abs() < 1e-12);
            hits.count() as f64 / 40_000.0
        };
        // Probabilities 1/4, 1/2, 1/4; 0.01 is more than four standard deviations.
        for (value, expected) in [(1.0, 0.25), (2.0 / 3.0, 0.5), (0.0, 0.25)] {
            assert!((share(value) - expected).abs() < 0.01, "{value}: {}", share(value));
        }
        let difference = bootstrap.difference(0, 1);
        assert_eq!(difference.observed, 2.0 / 3.0);
        assert_eq!(difference.interval, (0.0, 1.0));
        // a is not ahead where neither finds anything, a quarter of all: p = 2 · 1/4.
        assert!((difference.p - 0.5).abs() < 0.02, "{}", difference.p);
        assert!(!difference.is_shown());
    }

    #[test]
    fn a_system_that_is_ahead_in_every_resample_has_the_smallest_p() {
        let a = vec![score(1, 1, 1); 5];
        let b = vec![score(1, 2, 1); 5];
        let bootstrap = Bootstrap::new(&[a, b], 99, 1);
        let difference = bootstrap.difference(0, 1);
        // 2·5/(5+5) - 2·5/(10+5); p = 2 · (0 + 1)/(99 + 1).
        assert!((difference.observed - 1.0 / 3.0).abs() < 1e-12);
        assert!((difference.interval.0 - 1.0 / 3.0).abs() < 1e-12);
        assert!((difference.interval.1 - 1.0 / 3.0).abs() < 1e-12);
        assert!((difference.p - 0.02).abs() < 1e-12);
        assert!(difference.is_shown());
        let reverse = bootstrap.difference(1, 0);
        assert_eq!((reverse.observed, reverse.p), (-difference.observed, difference.p));
    }

    #[test]
    fn equal_systems_show_no_difference() {
        let a = vec![score(1, 2, 3), score(0, 1, 1), score(2, 2, 2)];
        let difference = Bootstrap::new(&[a.clone(), a], 100, 3).difference(0, 1);
        assert_eq!(difference, Difference { observed: 0.0, interval: (0.0, 0.0), p: 1.0 });
        assert!(!difference.is_shown());
        let nothing = Bootstrap::new(&[vec![], vec![]], 10, 1).difference(0, 1);
        assert_eq!((nothing.observed, nothing.p), (0.0, 1.0));
    }
}
