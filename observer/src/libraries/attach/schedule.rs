//! When which processes are looked at.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// After a process has executed a program it is looked at so much later, each time after the one before: the linker has
/// mapped the libraries within milliseconds, interpreters load theirs when a script asks for them.
const AFTER_EXEC: [Duration; 4] = [
    Duration::from_millis(3),
    Duration::from_millis(20),
    Duration::from_millis(150),
    Duration::from_millis(1000),
];
/// Between two looks at all processes, which find libraries that were loaded later, and processes that ended.
const INTERVAL: Duration = Duration::from_secs(2);
/// A look at all processes takes one part in so many of the time at most: with many processes they become rarer.
const SHARE: u32 = 50;
/// Looks after an exec take one part in so many of the time at most, however many programs begin.
const SHARE_AFTER_EXEC: u32 = 10;
/// Processes that wait for a look at once; of more, the next look at all finds those that are still there.
const MAX_WAITING: usize = 4096;

/// The looks that are to come.
#[derive(Debug)]
pub struct Schedule {
    /// When, at which process, and which of the looks after its exec it is.
    waiting: BTreeSet<(Instant, u32, usize)>,
    /// When the next of these may be.
    next: Instant,
    /// When all processes are looked at.
    all: Instant,
}

impl Schedule {
    /// All processes are looked at at once.
    pub fn new(now: Instant) -> Self {
        Self {
            waiting: BTreeSet::new(),
            next: now,
            all: now,
        }
    }

    /// A process has executed a program.
    pub fn exec(&mut self, pid: u32, now: Instant) {
        self.wait(pid, 0, now);
    }

    fn wait(&mut self, pid: u32, step: usize, now: Instant) {
        if let Some(delay) = AFTER_EXEC.get(step)
            && self.waiting.len() < MAX_WAITING
        {
            self.waiting.insert((now + *delay, pid, step));
        }
    }

    /// The processes to look at now. When that is done, [`done`](Self::done) is to be told.
    pub fn due(&mut self, now: Instant) -> BTreeSet<u32> {
        let mut due = BTreeSet::new();
        while now >= self.next
            && let Some(&(when, pid, step)) = self.waiting.first()
            && when <= now
        {
            self.waiting.pop_first();
            due.insert(pid);
            self.wait(pid, step + 1, now);
        }
        due
    }

    /// The processes that were due have been looked at, which took so long.
    pub fn done(&mut self, now: Instant, took: Duration) {
        self.next = now + took * (SHARE_AFTER_EXEC - 1);
    }

    /// Whether all processes are to be looked at now.
    pub fn is_all_due(&self, now: Instant) -> bool {
        self.all <= now
    }

    /// All processes have been looked at, which took so long.
    pub fn all_done(&mut self, now: Instant, took: Duration) {
        self.all = now + INTERVAL.max(took * SHARE);
    }

    /// How long there is nothing to do.
    pub fn pause(&self, now: Instant) -> Duration {
        let first = self.waiting.first().map(|(when, ..)| self.next.max(*when));
        let first = first.map_or(self.all, |first| self.all.min(first));
        first.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_program_that_begins_is_looked_at_soon_and_then_ever_later() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.all_done(start, ms(1));
        assert_eq!(schedule.pause(start), INTERVAL);
        schedule.exec(7, start);
        assert_eq!(schedule.pause(start), ms(3));
        let looks: Vec<u64> = (0..1500)
            .filter(|at| !schedule.due(start + ms(*at)).is_empty())
            .collect();
        assert_eq!(looks, [3, 23, 173, 1173]);
        assert_eq!(schedule.pause(start + ms(1500)), INTERVAL - ms(1500));
    }

    #[test]
    fn a_program_that_executes_another_is_looked_at_once_at_a_time() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        for at in 0..3 {
            schedule.exec(7, start + ms(at));
        }
        schedule.exec(8, start);
        assert_eq!(schedule.due(start + ms(10)), [7, 8].into());
        assert!(schedule.due(start + ms(10)).is_empty());
    }

    #[test]
    fn looks_after_an_exec_take_a_part_of_the_time_only() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.all_done(start, ms(1));
        schedule.exec(7, start);
        assert_eq!(schedule.due(start + ms(3)), [7].into());
        schedule.done(start + ms(13), ms(10));
        schedule.exec(8, start + ms(13));
        assert_eq!(schedule.pause(start + ms(13)), ms(90));
        assert!(schedule.due(start + ms(102)).is_empty());
        assert_eq!(schedule.due(start + ms(103)), [7, 8].into());
    }

    #[test]
    fn looks_at_all_become_rarer_the_longer_they_take_and_a_storm_of_programs_is_bounded() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        assert!(schedule.is_all_due(start));
        schedule.all_done(start, ms(100));
        assert!(!schedule.is_all_due(start + ms(4999)) && schedule.is_all_due(start + ms(5000)));
        for pid in 0..100_000 {
            schedule.exec(pid, start);
        }
        assert_eq!(schedule.due(start + ms(3)).len(), MAX_WAITING);
    }
}
