//! The learning rate over a run.

use super::settings::{Schedule, TrainSettings};

impl TrainSettings {
    /// The factor on every learning rate at optimiser step `step` (from 0) of `total`: from 0 up to 1 over the
    /// warm-up, then as the schedule says.
    pub fn rate(&self, step: usize, total: usize) -> f64 {
        let warmup = (self.warmup * total as f64).round();
        let step = step as f64;
        if step < warmup {
            return step / warmup;
        }
        match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Linear => (total as f64 - step) / (total as f64 - warmup).max(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_rises_over_the_warm_up_and_falls_to_zero() {
        let settings = TrainSettings { warmup: 0.1, ..TrainSettings::default() };
        // As transformers' get_linear_schedule_with_warmup(10, 100).
        for (step, expected) in [(0, 0.0), (5, 0.5), (10, 1.0), (55, 0.5), (100, 0.0)] {
            assert!((settings.rate(step, 100) - expected).abs() < 1e-12, "{step}");
        }
        let constant = TrainSettings { schedule: Schedule::Constant, ..settings };
        assert_eq!(constant.rate(99, 100), 1.0);
    }

    #[test]
    fn no_warm_up_starts_at_the_full_rate() {
        let settings = TrainSettings { warmup: 0.0, ..TrainSettings::default() };
        assert_eq!(settings.rate(0, 10), 1.0);
        assert!((settings.rate(9, 10) - 0.1).abs() < 1e-12);
    }
}
