//! A map whose least recently used entry can be taken out.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::quality::RandomState;

use crate::flows::queues::Queues;

/// Entries by key, in the order of their last use. Every operation is O(1); the hash is keyed anew in each run.
#[derive(Debug)]
pub struct Lru<K, V> {
    places: HashMap<K, u32, RandomState>,
    /// `None` where an entry was taken out.
    slots: Vec<Option<(K, V)>>,
    free: Vec<u32>,
    order: Queues<1>,
}

impl<K, V> Default for Lru<K, V> {
    fn default() -> Self {
        Self {
            places: HashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            order: Queues::new(),
        }
    }
}

impl<K: Copy + Eq + Hash, V> Lru<K, V> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The value of `key`, which is the latest used from now on.
    pub fn get(&mut self, key: &K) -> Option<&mut V> {
        let place = *self.places.get(key)?;
        self.order.push_back(0, place);
        let (_, value) = self.slots.get_mut(place as usize)?.as_mut()?;
        Some(value)
    }

    /// Puts in a value for `key`, which is the latest used from now on. What it had before is gone.
    pub fn insert(&mut self, key: K, value: V) {
        let place = self.places.get(&key).copied();
        let place = place.or_else(|| self.free.pop()).unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.slots[place as usize] = Some((key, value));
        self.places.insert(key, place);
        self.order.push_back(0, place);
    }

    /// The entry that was not used for longest.
    pub fn oldest(&self) -> Option<(&K, &V)> {
        let (key, value) = self.slots.get(self.order.front(0)? as usize)?.as_ref()?;
        Some((key, value))
    }

    /// Takes out the entry that was not used for longest.
    pub fn pop(&mut self) -> Option<(K, V)> {
        let place = self.order.front(0)?;
        self.order.remove(place);
        let entry = self.slots.get_mut(place as usize)?.take()?;
        self.places.remove(&entry.0);
        self.free.push(place);
        Some(entry)
    }

    /// Takes out the value of `key`.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.places.remove(key)?;
        self.order.remove(place);
        self.free.push(place);
        let (_, value) = self.slots.get_mut(place as usize)?.take()?;
        Some(value)
    }

    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.slots.iter().flatten().map(|(key, value)| (key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_leaves_first() {
        let mut map = Lru::default();
        for key in 0..5_u8 {
            map.insert(key, u32::from(key) * 10);
        }
        assert_eq!(map.get(&0), Some(&mut 0));
        *map.get(&2).unwrap() += 1;
        map.insert(1, 99);
        assert_eq!(map.get(&7), None);
        map.insert(6, 60);
        assert_eq!((map.remove(&6), map.remove(&6)), (Some(60), None));
        assert_eq!(map.len(), 5);
        assert_eq!(map.oldest(), Some((&3, &30)));
        let left: Vec<_> = std::iter::from_fn(|| map.pop()).collect();
        assert_eq!(left, [(3, 30), (4, 40), (0, 0), (2, 21), (1, 99)]);
        assert!(map.is_empty());
    }

    #[test]
    fn places_are_used_again() {
        let mut map = Lru::default();
        for key in 0..10_000_u32 {
            map.insert(key, ());
            if map.len() > 3 {
                assert_eq!(map.pop(), Some((key - 3, ())));
            }
        }
        assert_eq!(map.slots.len(), 4);
        let mut keys: Vec<_> = map.iter().map(|(key, ())| *key).collect();
        keys.sort_unstable();
        assert_eq!(keys, [9_997, 9_998, 9_999]);
    }
}
