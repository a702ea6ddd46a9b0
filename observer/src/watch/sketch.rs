//! Counts of many keys over a sliding window in bounded memory: the space-saving algorithm (Metwally, Agrawal and
//! El Abbadi, 2005), within small sets that a hash chooses.
//!
//! A key belongs to one of [`SETS`] sets, each with room for [`WAYS`] keys. When a set is full, a new key displaces the one
//! with the smallest estimate there and inherits it, so that the estimates of a set always add up to what was counted in
//! it. From this follows, with `n` for all that was counted in the window and in the set of a key:
//!
//! - [`Slot::count`] leaves out what was inherited: it is never more than what was truly counted for the key.
//! - A key with an estimate above `n / WAYS` is not the smallest, so it is never displaced. What a key loses by being
//!   displaced is at most `n / WAYS`; on average over the sets that is a 2,048th of all that was counted.
//!
//! The hash is keyed anew in each run, so nobody can choose keys that meet in one set.

use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;

use super::window::Window;

/// Number of sets, a power of two.
pub const SETS: usize = 256;
/// Keys in one set at most: 2,048 in all.
pub const WAYS: usize = 8;

/// The counts of the keys that were counted most, with something of type `T` about each.
#[derive(Debug)]
pub struct Sketch<K, T> {
    sets: Vec<Vec<Slot<K, T>>>,
    hasher: RandomState,
    /// Keys that were displaced while something was counted for them.
    displaced: u64,
}

/// One key's place.
#[derive(Debug)]
pub struct Slot<K, T> {
    key: K,
    counted: Window,
    inherited: Window,
    /// What else is kept of the key; the default when it comes to this place.
    pub about: T,
}

impl<K, T> Slot<K, T> {
    /// How much was counted for the key in the window, as of the last look.
    pub fn count(&self) -> u32 {
        self.counted.total()
    }

    /// Counts one.
    pub fn add(&mut self, pane: u64) {
        self.counted.count(pane);
    }

    fn advance(&mut self, pane: u64) {
        self.counted.advance(pane);
        self.inherited.advance(pane);
    }

    fn estimate(&self) -> u32 {
        self.counted.total().saturating_add(self.inherited.total())
    }
}

/// Nothing counted yet.
impl<K, T> Default for Sketch<K, T> {
    fn default() -> Self {
        Self {
            sets: std::iter::repeat_with(Vec::new).take(SETS).collect(),
            hasher: RandomState::default(),
            displaced: 0,
        }
    }
}

impl<K: Copy + Eq + Hash, T: Default> Sketch<K, T> {
    /// The place of `key`, with the counts as of `pane`. If the key has none, it gets one.
    pub fn slot(&mut self, key: K, pane: u64) -> &mut Slot<K, T> {
        let set = &mut self.sets[(self.hasher.hash_one(key) % SETS as u64) as usize];
        for slot in &mut *set {
            slot.advance(pane);
        }
        let found = set.iter().position(|slot| slot.key == key);
        let at = found.unwrap_or_else(|| {
            let smallest = set.iter().enumerate().min_by_key(|(_, slot)| slot.estimate());
            let (at, inherited) = match smallest {
                Some((at, smallest)) if set.len() == WAYS => {
                    self.displaced += u64::from(smallest.count() > 0);
                    let inherited = smallest.counted.joined(smallest.inherited);
                    set.swap_remove(at);
                    (set.len(), inherited)
                }
                _ => (set.len(), Window::default()),
            };
            set.push(Slot {
                key,
                counted: Window::default(),
                inherited,
                about: T::default(),
            });
            at
        });
        &mut set[at]
    }

    /// How many keys were displaced that might have come to be counted often.
    pub fn displaced(&self) -> u64 {
        self.displaced
    }

    /// Forgets everything, but not how many were displaced.
    pub fn clear(&mut self) {
        self.sets.iter_mut().for_each(Vec::clear);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::watch::tests::Random;
    use crate::watch::window::PANES;

    /// Exact counts over the same window.
    #[derive(Default)]
    struct Exact {
        seen: Vec<(u64, u32)>,
    }

    impl Exact {
        fn count(&mut self, key: u32, pane: u64) -> HashMap<u32, u32> {
            self.seen.push((pane, key));
            self.seen.retain(|(seen, _)| seen + PANES as u64 > pane);
            let mut counts = HashMap::new();
            for (_, key) in &self.seen {
                *counts.entry(*key).or_default() += 1;
            }
            counts
        }
    }

    #[test]
    fn a_few_keys_are_counted_exactly() {
        let (mut sketch, mut exact, mut random) =
            (Sketch::<_, ()>::default(), Exact::default(), Random::new(7));
        for step in 0..3_000 {
            let (key, pane) = (random.below(50) as u32, step / 20);
            let slot = sketch.slot(key, pane);
            slot.add(pane);
            let found = slot.count();
            assert_eq!(Some(&found), exact.count(key, pane).get(&key));
        }
        assert_eq!(sketch.displaced(), 0);
    }

    /// Thousands of keys that come once or twice, and a few that come often.
    #[test]
    fn many_keys_hide_none_that_comes_often_and_none_is_counted_too_high() {
        for seed in 0..5 {
            let (mut sketch, mut random) = (Sketch::<_, ()>::default(), Random::new(seed));
            let mut truth: HashMap<u32, Window> = HashMap::new();
            for step in 0..60_000_u64 {
                let pane = step / 2_000;
                let key = match random.below(10) {
                    0 => random.below(8) as u32,
                    _ => 100 + random.below(1_000_000) as u32,
                };
                truth.entry(key).or_default().count(pane);
                let slot = sketch.slot(key, pane);
                slot.add(pane);
                assert!(slot.count() <= truth[&key].total());
            }
            let (last, total) = (29, 32_000);
            for key in 0..8 {
                let exact = truth[&key].total();
                let found = sketch.slot(key, last).count();
                let lost = exact - found;
                // Each of them is about an eightieth of all, so it stays in its place after its first few.
                assert!(lost <= total / 256, "{key}: {found} of {exact}");
                assert!(found >= 300, "{key}: {found} of {exact}");
            }
            assert!(sketch.displaced() > 1_000);
        }
    }

    #[test]
    fn the_estimates_of_a_set_add_up_and_large_ones_stay() {
        let (mut sketch, mut random) = (Sketch::<u32, ()>::default(), Random::new(3));
        for step in 0..20_000_u64 {
            let (key, pane) = (random.below(10_000) as u32, step / 400);
            let before: Vec<(u32, u32)> = {
                let set = &mut sketch.sets[(sketch.hasher.hash_one(key) % SETS as u64) as usize];
                set.iter_mut().for_each(|slot| slot.advance(pane));
                set.iter().map(|slot| (slot.key, slot.estimate())).collect()
            };
            let counted: u32 = before.iter().map(|(_, estimate)| estimate).sum();
            sketch.slot(key, pane).add(pane);
            let set = &sketch.sets[(sketch.hasher.hash_one(key) % SETS as u64) as usize];
            assert!(set.len() <= WAYS);
            assert_eq!(set.iter().map(Slot::estimate).sum::<u32>(), counted + 1);
            for (large, _) in before
                .iter()
                .filter(|(_, estimate)| estimate * WAYS as u32 > counted)
            {
                assert!(set.iter().any(|slot| slot.key == *large));
            }
        }
    }

    #[test]
    fn one_that_is_displaced_begins_anew() {
        let mut sketch = Sketch::<u32, u8>::default();
        sketch.slot(1, 0).about = 9;
        assert_eq!(sketch.slot(1, 0).about, 9);
        for other in 2..100_000 {
            sketch.slot(other, 0).add(0);
        }
        assert_eq!(sketch.slot(1, 0).about, 0);
        sketch.clear();
        assert_eq!(sketch.slot(5, 0).count(), 0);
        assert!(sketch.displaced() > 0);
    }
}
