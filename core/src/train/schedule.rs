//! The steps of a run, and the learning rate over them.

use super::settings::{Schedule, TrainSettings};

impl TrainSettings {
    /// The batches of an epoch of so many windows.
    pub fn batches(&self, windows: usize) -> usize {
        windows.div_ceil(self.batch_size)
    }

    /// The optimiser steps of a whole run on so many windows.
    pub fn steps(&self, windows: usize) -> usize {
        let all = self.steps_of_epoch(windows) * self.epochs;
        if self.max_steps > 0 { all.min(self.max_steps) } else { all }
    }

    /// The epoch in which a run on so many windows takes its last step.
    pub fn last_epoch(&self, windows: usize) -> usize {
        self.steps(windows).div_ceil(self.steps_of_epoch(windows).max(1))
    }

    fn steps_of_epoch(&self, windows: usize) -> usize {
        self.batches(windows).div_ceil(self.accumulate)
    }

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
    fn a_run_has_the_steps_of_its_epochs_but_no_more_than_it_may() {
        let settings =
            TrainSettings { epochs: 3, batch_size: 8, accumulate: 4, ..TrainSettings::default() };
        // 75 windows are 10 batches, which are 3 steps: of 4, 4 and 2 batches
        assert_eq!((settings.batches(75), settings.steps(75), settings.last_epoch(75)), (10, 9, 3));
        let bounded = TrainSettings { max_steps: 6, ..settings };
        assert_eq!((bounded.steps(75), bounded.last_epoch(75)), (6, 2));
        let bounded = TrainSettings { max_steps: 7, ..bounded };
        assert_eq!((bounded.steps(75), bounded.last_epoch(75)), (7, 3));
        assert_eq!((bounded.steps(30), bounded.last_epoch(30)), (3, 3));
    }

    #[test]
    fn no_warm_up_starts_at_the_full_rate() {
        let settings = TrainSettings { warmup: 0.0, ..TrainSettings::default() };
        assert_eq!(settings.rate(0, 10), 1.0);
        assert!((settings.rate(9, 10) - 0.1).abs() < 1e-12);
    }
}
