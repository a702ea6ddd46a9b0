//! A count over a sliding window, in constant memory.

/// Into how many panes a window is divided.
pub const PANES: usize = 16;

/// What was counted in the latest pane and the 15 before it.
///
/// The window slides in steps of a pane. So what is counted is never older than a window, and all that is younger than 15
/// sixteenths of one is counted: the count is never too high.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Pane `n` is at `n % PANES`.
    panes: [u32; PANES],
    total: u32,
    /// The number of the latest pane.
    latest: u64,
}

impl Window {
    /// How much was counted, as of the latest pane.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// Forgets what is too old once `pane` has come.
    pub fn advance(&mut self, pane: u64) {
        let passed = pane.saturating_sub(self.latest);
        if passed >= PANES as u64 {
            (self.panes, self.total) = ([0; PANES], 0);
        } else {
            for gone in self.latest + 1..=pane {
                self.total -= std::mem::take(&mut self.panes[place(gone)]);
            }
        }
        self.latest = self.latest.max(pane);
    }

    /// Counts one in `pane`, which is the latest from now on, or was not long ago. One older than the window is not counted.
    pub fn count(&mut self, pane: u64) {
        self.advance(pane);
        if self.latest - pane < PANES as u64 && self.total < u32::MAX {
            self.panes[place(pane)] += 1;
            self.total += 1;
        }
    }

    /// Both counts as one.
    pub fn joined(mut self, mut other: Self) -> Self {
        self.advance(other.latest);
        other.advance(self.latest);
        for (pane, more) in self.panes.iter_mut().zip(other.panes) {
            let sum = pane.saturating_add(more).min(u32::MAX - (self.total - *pane));
            self.total += sum - *pane;
            *pane = sum;
        }
        self
    }
}

fn place(pane: u64) -> usize {
    (pane % PANES as u64) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::watch::tests::Random;

    #[test]
    fn it_counts_what_the_last_panes_hold() {
        let (mut window, mut random) = (Window::default(), Random::new(1));
        let mut exact = VecDeque::new();
        let mut pane = 1_000;
        for _ in 0..20_000 {
            pane += [0, 0, 0, 1, 1, 3, 40][random.below(7)] * u64::from(random.below(4) == 0);
            // Some come late, and some too late.
            let late = pane - [0, 0, 0, 2, 15, 16, 300][random.below(7)];
            window.advance(pane);
            window.count(late);
            exact.push_back(late);
            exact.retain(|seen| seen + PANES as u64 > pane);
            assert_eq!(window.total() as usize, exact.len());
        }
    }

    #[test]
    fn two_windows_join_pane_by_pane() {
        let (mut one, mut other) = (Window::default(), Window::default());
        for pane in [5, 6, 6, 9] {
            one.count(pane);
        }
        for pane in [8, 22] {
            other.count(pane);
        }
        let mut joined = one.joined(other);
        assert_eq!(joined, other.joined(one));
        assert_eq!(joined.total(), 3, "what came before pane 7 is gone");
        joined.advance(24);
        assert_eq!(joined.total(), 2);
    }

    #[test]
    fn it_does_not_overflow() {
        let full = Window {
            panes: [u32::MAX / 16; PANES],
            total: u32::MAX / 16 * 16,
            latest: 15,
        };
        let mut joined = full.joined(full);
        assert_eq!(joined.total(), u32::MAX);
        joined.count(15);
        joined.advance(u64::MAX);
        assert_eq!(joined.total(), 0);
    }
}
