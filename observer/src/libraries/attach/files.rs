//! The files that have probes, by their number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use crate::kernel::loader::Attachment;
use crate::libraries::hooks::{Family, Role};

/// A file with probes in it.
#[derive(Debug)]
pub struct ProbedFile {
    /// Its number: the attach cookie of its probes, and the `target` of their hits. Never given twice.
    pub number: u64,
    /// Its path as the first process found sees it.
    pub path: PathBuf,
    /// Whether its name led elsewhere when it was found: it has been deleted or replaced since it was mapped.
    pub deleted: bool,
    /// The libraries in it that have probes.
    pub libraries: Vec<ProbedLibrary>,
}

/// A library, or a part of one, with probes in it.
#[derive(Clone, Debug)]
pub struct ProbedLibrary {
    /// Which.
    pub family: Family,
    /// What is learned there.
    pub roles: BTreeSet<Role>,
}

impl ProbedFile {
    /// The library of a family in it.
    pub fn library(&self, family: Family) -> Option<&ProbedLibrary> {
        self.libraries.iter().find(|library| library.family == family)
    }

    /// Its path for people.
    pub fn name(&self) -> String {
        let deleted = if self.deleted { " (deleted)" } else { "" };
        format!("{}{deleted}", self.path.display())
    }
}

/// The table, shared between the thread that attaches and those that read.
#[derive(Debug, Default)]
pub(super) struct Files(RwLock<Table>);

#[derive(Debug, Default)]
struct Table {
    files: BTreeMap<u64, Arc<ProbedFile>>,
    /// How often it has changed.
    changes: u64,
}

impl Files {
    /// A file whose probes are about to be put in. It is told of with the next [`tell`](Self::tell).
    pub fn insert(&self, file: Arc<ProbedFile>) {
        // A thread that panicked while it held the lock has left whole entries behind.
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        table.files.insert(file.number, file);
    }

    /// The probes of all files are in.
    pub fn tell(&self) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        table.changes += 1;
    }

    pub fn remove(&self, number: u64) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        table.files.remove(&number);
        table.changes += 1;
    }

    /// Each hook and target once, if the table has changed since `told`.
    pub fn attachments(&self, told: &mut u64) -> Option<Vec<Attachment>> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if table.changes == *told {
            return None;
        }
        *told = table.changes;
        let mut pairs = BTreeSet::new();
        for file in table.files.values() {
            for library in &file.libraries {
                pairs.insert((library.family.probe(), file.name()));
            }
        }
        Some(
            pairs
                .into_iter()
                .map(|(hook, target)| Attachment { hook, target })
                .collect(),
        )
    }
}
