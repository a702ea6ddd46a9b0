//! Which processes' hits the kernel takes, beyond what a cgroup says: its map of processes, kept as the configuration has it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::libraries::processes::Filter;

/// What the kernel's map of processes means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Nothing: all processes are wanted.
    All = 0,
    /// Processes that are not in the map are wanted.
    AllBut = 1,
    /// Only processes in the map are wanted.
    Only = 2,
}

impl Policy {
    /// What a filter needs.
    pub fn of(filter: &Filter) -> Self {
        if !filter.pids.is_empty() || !filter.cgroups.is_empty() {
            Self::Only
        } else if !filter.not_pids.is_empty() || !filter.not_cgroups.is_empty() {
            Self::AllBut
        } else {
            Self::All
        }
    }

    /// What is to be in the map now: 1 for a process that is wanted, 0 for one that is not.
    ///
    /// # Errors
    /// If the processes cannot be listed.
    pub fn processes(self, filter: &Filter, proc: &Path) -> io::Result<BTreeMap<u32, u32>> {
        let (pids, wanted) = match self {
            Self::All => return Ok(BTreeMap::new()),
            Self::AllBut => (filter.refused(), 0),
            Self::Only => (filter.processes(proc)?.0, 1),
        };
        Ok(pids.into_iter().map(|pid| (pid, wanted)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_named_is_wanted_alone_and_whoever_is_excluded_is_not() {
        let proc = tempfile::tempdir().unwrap();
        for pid in ["1", "2", "3"] {
            std::fs::create_dir(proc.path().join(pid)).unwrap();
        }
        let entries = |filter: &Filter| {
            let policy = Policy::of(filter);
            let entries = policy.processes(filter, proc.path()).unwrap();
            (policy, entries.into_iter().collect::<Vec<_>>())
        };
        assert_eq!(entries(&Filter::default()), (Policy::All, vec![]));
        let but = Filter {
            not_pids: [2, 9].into(),
            ..Filter::default()
        };
        assert_eq!(entries(&but), (Policy::AllBut, vec![(2, 0), (9, 0)]));
        let only = Filter {
            pids: [1, 2, 9].into(),
            ..but
        };
        assert_eq!(entries(&only), (Policy::Only, vec![(1, 1)]));
    }
}
