//! How much time may go into chains that were not seen before: signatures are slow, and a peer can show as many chains as
//! it likes, and such as take long.

use std::time::{Duration, Instant};

/// One part in so many of the time that passes: a tenth of one CPU.
const SHARE: u32 = 10;
/// What can be saved up for when many come at once.
const SAVINGS: Duration = Duration::from_millis(100);

/// Time for verifications, which comes back while time passes.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    left: Duration,
    /// Spent beyond what there was.
    debt: Duration,
    /// When it was last looked at.
    then: Instant,
}

impl Budget {
    /// All savings, at this time.
    pub const fn new(now: Instant) -> Self {
        Self {
            left: SAVINGS,
            debt: Duration::ZERO,
            then: now,
        }
    }

    /// Whether another verification may begin.
    pub fn is_left(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.then) / SHARE;
        self.then = now;
        let saved = (self.left + earned).saturating_sub(self.debt);
        self.debt = self.debt.saturating_sub(self.left + earned);
        self.left = saved.min(SAVINGS);
        !self.left.is_zero()
    }

    /// A verification took so long.
    pub fn spend(&mut self, time: Duration) {
        self.debt += time.saturating_sub(self.left);
        self.left = self.left.saturating_sub(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_tenth_of_the_time_comes_back_and_no_more_is_saved_than_the_bound() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        budget.spend(SAVINGS);
        assert!(!budget.is_left(start));
        assert!(budget.is_left(start + ms(10)));
        budget.spend(ms(1));
        assert!(!budget.is_left(start + ms(10)));
        assert!(budget.is_left(start + ms(3_600_000)));
        budget.spend(SAVINGS);
        assert!(!budget.is_left(start + ms(3_600_000)));
    }

    #[test]
    fn what_took_too_long_is_paid_back() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        budget.spend(SAVINGS + ms(50));
        assert!(!budget.is_left(start + ms(400)));
        assert!(!budget.is_left(start + ms(500)));
        assert!(budget.is_left(start + ms(501)));
    }
}
