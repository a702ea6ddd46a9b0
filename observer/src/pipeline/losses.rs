//! Counts of loss that the stages keep, exported as metrics.

use crate::output::metrics::{DropCounter, Metrics};

/// The counters of one stage.
pub struct LossCounters(Vec<(DropCounter, u64)>);

impl LossCounters {
    /// Counters for these causes, by `stage` and `reason`; the same must come in the same order each time.
    pub fn new(metrics: &Metrics, causes: &[(&'static str, &'static str, u64)]) -> Self {
        let counters = causes
            .iter()
            .map(|(stage, reason, _)| (metrics.drop_counter(stage, reason), 0));
        Self(counters.collect())
    }

    /// Brings them to the stage's totals.
    pub fn export(&mut self, causes: &[(&'static str, &'static str, u64)]) {
        for ((counter, exported), (_, _, total)) in self.0.iter_mut().zip(causes) {
            counter.inc_by(total.saturating_sub(*exported));
            *exported = *total;
        }
    }
}
