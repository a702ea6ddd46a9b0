//! How many chains may be verified afresh: signatures cost time, and a peer can show as many chains as it likes.

/// A number of verifications that comes back with time.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    left: u32,
    full: u32,
}

impl Budget {
    /// For `full` verifications between two [refills](Self::refill).
    pub const fn new(full: u32) -> Self {
        Self { left: full, full }
    }

    /// No bound: for captures, which wait for their judgement.
    pub const fn unlimited() -> Self {
        Self::new(u32::MAX)
    }

    /// Takes one; false when none is left.
    pub fn take(&mut self) -> bool {
        let is_left = self.left > 0;
        if is_left && self.full < u32::MAX {
            self.left -= 1;
        }
        is_left
    }

    /// Time has passed.
    pub fn refill(&mut self) {
        self.left = self.full;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spent_and_comes_back() {
        let mut budget = Budget::new(2);
        assert_eq!([budget.take(), budget.take(), budget.take()], [true, true, false]);
        budget.refill();
        assert!(budget.take());
    }
}
