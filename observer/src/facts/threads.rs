//! What readers keep for each thread between its hits, bounded.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

/// Threads at once: far more than take part in handshakes at the same time on one host.
const MAX_THREADS: usize = 4096;
/// After so long without a hit a thread's state means nothing any more: libraries tell all of one handshake message in one
/// go.
const IDLE_NS: u64 = 10_000_000_000;

/// State by thread, or by whatever a library runs its handshakes on.
#[derive(Debug)]
pub struct Threads<K, T> {
    states: HashMap<K, (u64, T), RandomState>,
    /// States that were given up because there were too many.
    pub evicted: u64,
}

impl<K, T> Default for Threads<K, T> {
    fn default() -> Self {
        Self {
            states: HashMap::default(),
            evicted: 0,
        }
    }
}

impl<K: Eq + Hash + Copy, T: Default> Threads<K, T> {
    /// The state of `key`, new if it was last asked for long before `now_ns`.
    pub fn state(&mut self, key: K, now_ns: u64) -> &mut T {
        if self.states.len() >= MAX_THREADS && !self.states.contains_key(&key) {
            self.make_room(now_ns);
        }
        let (used_ns, state) = self.states.entry(key).or_insert_with(|| (now_ns, T::default()));
        if used_ns.saturating_add(IDLE_NS) < now_ns {
            *state = T::default();
        }
        *used_ns = now_ns;
        state
    }

    /// Forgets those that are idle; if there are none, all: a host with so many threads in handshakes at once is under
    /// attack.
    fn make_room(&mut self, now_ns: u64) {
        self.states
            .retain(|_, (used_ns, _)| used_ns.saturating_add(IDLE_NS) >= now_ns);
        if self.states.len() >= MAX_THREADS {
            self.evicted += self.states.len() as u64;
            self.states.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_kept_while_it_is_used() {
        let mut threads = Threads::<u32, Vec<u8>>::default();
        threads.state(1, 0).push(1);
        threads.state(2, 0).push(2);
        assert_eq!(threads.state(1, IDLE_NS), &[1]);
        assert_eq!(threads.state(1, 2 * IDLE_NS), &[1]);
        assert!(threads.state(2, 2 * IDLE_NS).is_empty());
    }

    #[test]
    fn there_is_a_limit() {
        let mut threads = Threads::<u32, u8>::default();
        for thread in 0..MAX_THREADS as u32 {
            *threads.state(thread, 0) = 1;
        }
        // All are idle by then: nothing is lost.
        threads.state(u32::MAX, IDLE_NS + 1);
        assert_eq!((threads.states.len(), threads.evicted), (1, 0));
        for thread in 0..MAX_THREADS as u32 {
            *threads.state(thread, IDLE_NS + 2) = 1;
        }
        assert_eq!(threads.evicted, MAX_THREADS as u64);
        assert!(threads.states.len() <= MAX_THREADS);
    }
}
