//! Counting by kind, with a bounded number of kinds.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

/// Kinds that are kept apart; sightings of further ones are only counted.
const MAX_KINDS: usize = 1024;
/// Bytes of a name that are kept.
const MAX_NAME: usize = 256;

/// How often each kind was seen.
#[derive(Debug)]
pub(super) struct Tally<K> {
    counts: HashMap<K, u64>,
    limit: usize,
    /// Sightings of kinds for which there was no place.
    unsorted: u64,
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self::with_limit(MAX_KINDS)
    }
}

impl<K> Tally<K> {
    /// Keeps `limit` kinds apart.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            counts: HashMap::new(),
            limit,
            unsorted: 0,
        }
    }
}

impl<K: Eq + Hash> Tally<K> {
    /// Counts one of this kind.
    pub fn add(&mut self, kind: K) {
        if let Some(count) = self.counts.get_mut(&kind) {
            *count += 1;
        } else {
            self.insert(kind);
        }
    }

    /// Counts each of `kinds`.
    pub fn extend(&mut self, kinds: impl IntoIterator<Item = K>) {
        kinds.into_iter().for_each(|kind| self.add(kind));
    }

    fn insert(&mut self, kind: K) {
        if self.counts.len() < self.limit {
            self.counts.insert(kind, 1);
        } else {
            self.unsorted += 1;
        }
    }

    /// How many were counted.
    pub fn total(&self) -> u64 {
        self.counts.values().sum::<u64>() + self.unsorted
    }

    /// How many of this kind were counted.
    pub fn count<Q: Eq + Hash + ?Sized>(&self, kind: &Q) -> u64
    where
        K: Borrow<Q>,
    {
        self.counts.get(kind).copied().unwrap_or_default()
    }

    /// The `shown` most frequent kinds by name; equally frequent ones in the order of their names.
    pub fn table(&self, shown: usize, name: impl Fn(&K) -> String) -> Table {
        let mut entries: Vec<_> = self
            .counts
            .iter()
            .map(|(kind, count)| Entry {
                name: name(kind),
                count: *count,
            })
            .collect();
        entries.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        let rest = entries.split_off(shown.min(entries.len()));
        Table {
            total: self.total(),
            entries,
            more: rest.len(),
            more_count: rest.iter().map(|entry| entry.count).sum(),
            unsorted: self.unsorted,
        }
    }
}

impl Tally<String> {
    /// Counts one of this name, of which a peer may have chosen any length.
    pub fn add_ref(&mut self, name: &str) {
        let name = name.get(..name.floor_char_boundary(MAX_NAME)).unwrap_or_default();
        if let Some(count) = self.counts.get_mut(name) {
            *count += 1;
        } else {
            self.insert(name.to_owned());
        }
    }
}

/// The most frequent kinds.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    /// How many were counted.
    pub total: u64,
    /// The most frequent kinds, the most frequent first.
    pub entries: Vec<Entry>,
    /// How many more kinds there were,
    #[serde(skip_serializing_if = "is_zero")]
    pub more: usize,
    /// and how often they were seen.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_count: u64,
    /// Sightings of kinds that were not kept apart.
    #[serde(skip_serializing_if = "is_zero")]
    pub unsorted: u64,
}

/// One kind.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub name: String,
    pub count: u64,
}

/// For `skip_serializing_if`.
pub(super) fn is_zero<T: PartialEq + Default>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first_and_the_rest_is_counted() {
        let mut tally = Tally::default();
        tally.extend([3, 1, 2, 3, 3, 2, 4]);
        let table = tally.table(2, |kind| kind.to_string());
        let names: Vec<_> = table
            .entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.count))
            .collect();
        assert_eq!(names, [("3", 3), ("2", 2)]);
        assert_eq!((table.total, table.more, table.more_count), (7, 2, 2));
    }

    #[test]
    fn kinds_are_bounded() {
        let mut tally = Tally::with_limit(2);
        for name in ["a", "b", "c", "a", "d"] {
            tally.add_ref(name);
        }
        let table = tally.table(9, String::clone);
        assert_eq!((table.total, table.entries.len(), table.unsorted), (5, 2, 2));
        assert_eq!(tally.count("a"), 2);
    }

    #[test]
    fn names_are_bounded_at_a_character() {
        let mut tally = Tally::default();
        tally.add_ref(&"ä".repeat(1_000));
        let name = &tally.table(1, String::clone).entries[0].name;
        assert!(name.len() <= MAX_NAME && name.chars().all(|c| c == 'ä'));
    }
}
