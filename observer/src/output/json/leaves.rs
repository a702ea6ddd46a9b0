//! Leaf certificates written before: services show the same few over and over.

use std::collections::HashMap;
use std::sync::Arc;

use observer_tls::x509::CertificateFacts;

use super::super::event::certificate::{Leaf, WrittenLeaf};

/// Leaves kept at most.
const MAX_LEAVES: usize = 1024;
/// Bytes of their JSON and their DER at most.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The JSON of leaf certificates by their facts.
///
/// Facts are told apart by where they are: the tracker's cache gives equal certificates the same. An entry keeps its
/// facts, so no others can come to be in their place. When there are too many, all go.
#[derive(Debug, Default)]
pub struct Leaves {
    entries: HashMap<usize, Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    /// Holds the place.
    _facts: Arc<CertificateFacts>,
    written: Arc<WrittenLeaf>,
}

impl Leaves {
    /// The JSON of the leaf with these facts; `None` when it cannot be written.
    pub fn of(&mut self, facts: &Arc<CertificateFacts>) -> Option<Arc<WrittenLeaf>> {
        let place = Arc::as_ptr(facts).addr();
        if let Some(entry) = self.entries.get(&place) {
            return Some(Arc::clone(&entry.written));
        }
        let written = Arc::new(WrittenLeaf::new(&Leaf::new(facts))?);
        let bytes = written.size() + facts.der.len();
        if self.entries.len() >= MAX_LEAVES || self.bytes + bytes > MAX_BYTES {
            self.entries.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.entries.insert(
            place,
            Entry {
                _facts: Arc::clone(facts),
                written: Arc::clone(&written),
            },
        );
        Some(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn a_leaf_is_written_once() {
        let mut leaves = Leaves::default();
        let facts = samples::certificate("alice");
        let first = leaves.of(&facts).unwrap();
        assert!(Arc::ptr_eq(&first, &leaves.of(&facts).unwrap()));
        let other = leaves.of(&samples::certificate("bob")).unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
    }

    #[test]
    fn it_is_bounded_and_never_takes_one_for_another() {
        let mut leaves = Leaves::default();
        for number in 0..3 * MAX_LEAVES {
            // Freed at once but for the cache: the allocator would give the same place again.
            let facts = samples::certificate(&format!("n{number}"));
            let mut wanted = Vec::new();
            super::super::writer::write(&Leaf::new(&facts), &mut wanted).unwrap();
            let mut found = Vec::new();
            super::super::writer::write(&*leaves.of(&facts).unwrap(), &mut found).unwrap();
            assert_eq!(found, wanted);
        }
        assert!(leaves.entries.len() <= MAX_LEAVES);
        for number in 0..100_u8 {
            let facts = CertificateFacts {
                der: vec![number; MAX_BYTES / 4].into(),
                ..CertificateFacts::default()
            };
            leaves.of(&Arc::new(facts)).unwrap();
            assert!(leaves.bytes <= MAX_BYTES);
        }
    }
}
