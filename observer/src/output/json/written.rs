//! Parts of events that were written before: services show the same few certificates over and over, and clients make the
//! same few offers.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

/// Parts kept at most.
const MAX_PARTS: usize = 1024;
/// Bytes of their JSON, and of what it was made from, at most.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What was written, `W`, by what it was made from.
///
/// The originals are told apart by where they are: the tracker's caches give equal ones the same. An entry keeps its
/// original, so no other can come to be in its place. When there are too many, all go.
#[derive(Debug)]
pub struct Written<T, W> {
    entries: HashMap<usize, Entry<T, W>, RandomState>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<T, W> {
    /// Holds the place.
    _original: Arc<T>,
    written: Arc<W>,
}

impl<T, W> Default for Written<T, W> {
    fn default() -> Self {
        Self {
            entries: HashMap::default(),
            bytes: 0,
        }
    }
}

impl<T, W> Written<T, W> {
    /// What was written of `original`, or what `write` writes now, with the bytes that both take. `None` when it cannot be
    /// written.
    pub fn of(&mut self, original: &Arc<T>, write: impl FnOnce(&T) -> Option<(W, usize)>) -> Option<Arc<W>> {
        let place = Arc::as_ptr(original).addr();
        if let Some(entry) = self.entries.get(&place) {
            return Some(Arc::clone(&entry.written));
        }
        let (written, bytes) = write(original)?;
        let written = Arc::new(written);
        if self.entries.len() >= MAX_PARTS || self.bytes + bytes > MAX_BYTES {
            self.entries.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.entries.insert(
            place,
            Entry {
                _original: Arc::clone(original),
                written: Arc::clone(&written),
            },
        );
        Some(written)
    }
}

#[cfg(test)]
mod tests {
    use observer_tls::x509::CertificateFacts;

    use super::*;
    use crate::output::event::certificate::{Leaf, WrittenLeaf};
    use crate::output::samples;

    fn leaf(facts: &CertificateFacts) -> Option<(WrittenLeaf, usize)> {
        let written = WrittenLeaf::new(&Leaf::new(facts))?;
        let bytes = written.size() + facts.der.len();
        Some((written, bytes))
    }

    #[test]
    fn a_leaf_is_written_once() {
        let mut leaves = Written::default();
        let facts = samples::certificate("alice");
        let first = leaves.of(&facts, leaf).unwrap();
        assert!(Arc::ptr_eq(&first, &leaves.of(&facts, leaf).unwrap()));
        let other = leaves.of(&samples::certificate("bob"), leaf).unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
    }

    #[test]
    fn it_is_bounded_and_never_takes_one_for_another() {
        let mut leaves = Written::default();
        for number in 0..3 * MAX_PARTS {
            // Freed at once but for the cache: the allocator would give the same place again.
            let facts = samples::certificate(&format!("n{number}"));
            let mut wanted = Vec::new();
            super::super::writer::write(&Leaf::new(&facts), &mut wanted).unwrap();
            let mut found = Vec::new();
            super::super::writer::write(&*leaves.of(&facts, leaf).unwrap(), &mut found).unwrap();
            assert_eq!(found, wanted);
        }
        assert!(leaves.entries.len() <= MAX_PARTS);
        for number in 0..100_u8 {
            let facts = CertificateFacts {
                der: vec![number; MAX_BYTES / 4].into(),
                ..CertificateFacts::default()
            };
            leaves.of(&Arc::new(facts), leaf).unwrap();
            assert!(leaves.bytes <= MAX_BYTES);
        }
    }
}
