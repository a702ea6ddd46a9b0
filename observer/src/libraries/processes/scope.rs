//! Which processes are looked at, and which of their files.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use globset::GlobSet;

/// Cgroups below one that are gone through; a host with more has other troubles.
const MAX_CGROUPS: usize = 16 * 1024;

/// What the operator chose.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only processes of this cgroup (v2) and those below it: its directory.
    pub cgroup: Option<PathBuf>,
    /// Of those, only processes of these cgroups and those below them, unless empty.
    pub cgroups: Vec<PathBuf>,
    /// No processes of these cgroups and those below them.
    pub not_cgroups: Vec<PathBuf>,
    /// Only these processes, unless empty.
    pub pids: BTreeSet<u32>,
    /// Not these.
    pub not_pids: BTreeSet<u32>,
    /// Only files whose path, as the process sees it, matches one of these, unless empty.
    pub paths: GlobSet,
    /// Not those that match one of these.
    pub not_paths: GlobSet,
}

impl Filter {
    /// Whether a process that is in the cgroup is looked at.
    pub fn takes_process(&self, pid: u32) -> bool {
        (self.pids.is_empty() || self.pids.contains(&pid)) && !self.not_pids.contains(&pid)
    }

    /// Whether a file is looked at.
    pub fn takes_path(&self, path: &Path) -> bool {
        (self.paths.is_empty() || self.paths.is_match(path)) && !self.not_paths.is_match(path)
    }

    /// The processes that it excludes by name or by cgroup.
    pub fn refused(&self) -> Vec<u32> {
        let (mut refused, _) = members_of_all(&self.not_cgroups);
        refused.extend(&self.not_pids);
        refused.into_iter().collect()
    }

    /// The processes there are now, in order, and how many cgroups could not be read.
    ///
    /// # Errors
    /// If `/proc`, or the cgroup, cannot be read.
    pub fn processes(&self, proc: &Path) -> io::Result<(Vec<u32>, u64)> {
        let (mut pids, mut unread) = match &self.cgroup {
            // Removed meanwhile, for which its processes must have ended.
            Some(cgroup) if !cgroup.try_exists()? => (Vec::new(), 0),
            Some(cgroup) => members(cgroup)?,
            None => (listed(proc)?, 0),
        };
        pids.retain(|&pid| self.takes_process(pid));
        for (cgroups, is_wanted) in [(&self.cgroups, true), (&self.not_cgroups, false)] {
            if !cgroups.is_empty() {
                let (members, failed) = members_of_all(cgroups);
                unread += failed;
                pids.retain(|pid| members.contains(pid) == is_wanted);
            }
        }
        pids.sort_unstable();
        Ok((pids, unread))
    }
}

/// The id of a cgroup (v2), as `bpf_get_current_cgroup_id` tells it in the kernel.
///
/// # Errors
/// What the system call says.
pub fn cgroup_id(cgroup: &Path) -> io::Result<u64> {
    Ok(fs::metadata(cgroup)?.ino())
}

fn listed(proc: &Path) -> io::Result<Vec<u32>> {
    let names = fs::read_dir(proc)?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(names.collect())
}

/// Processes of several cgroups. One that is not there has none: it may come, and come again.
fn members_of_all(cgroups: &[PathBuf]) -> (HashSet<u32>, u64) {
    let mut all = HashSet::new();
    let mut unread = 0;
    for cgroup in cgroups {
        match members(cgroup) {
            Ok((pids, failed)) => {
                all.extend(pids);
                unread += failed;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => unread += 1,
        }
    }
    (all, unread)
}

/// Processes of a cgroup and of those below it. Cgroups come and go while they are read: what cannot be read is counted.
fn members(cgroup: &Path) -> io::Result<(Vec<u32>, u64)> {
    let mut pids = Vec::new();
    let mut unread = 0;
    let mut seen = 0;
    let mut waiting = vec![cgroup.to_owned()];
    while let Some(directory) = waiting.pop() {
        seen += 1;
        if seen > MAX_CGROUPS {
            unread += waiting.len() as u64 + 1;
            break;
        }
        match fs::read_to_string(directory.join("cgroup.procs")) {
            // A process of another PID namespace is a 0.
            Ok(text) => {
                let members = text.lines().filter_map(|line| line.parse::<u32>().ok());
                pids.extend(members.filter(|&pid| pid > 0));
            }
            Err(error) if directory == cgroup => return Err(error),
            // A threaded cgroup, whose processes are those of the one above it.
            Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {}
            Err(_) => unread += 1,
        }
        match fs::read_dir(&directory) {
            Ok(entries) => waiting.extend(
                entries
                    .filter_map(Result::ok)
                    .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                    .map(|entry| entry.path()),
            ),
            Err(_) => unread += 1,
        }
    }
    Ok((pids, unread))
}

#[cfg(test)]
mod tests {
    use super::*;
    use globset::Glob;

    fn globs(pattern: &str) -> GlobSet {
        GlobSet::builder()
            .add(Glob::new(pattern).unwrap())
            .build()
            .unwrap()
    }

    #[test]
    fn a_filter_includes_and_excludes() {
        let all = Filter::default();
        assert!(all.takes_process(1) && all.takes_path(Path::new("/usr/lib/libssl.so.3")));
        let some = Filter {
            pids: [1, 2].into(),
            not_pids: [2].into(),
            paths: globs("/usr/**/*.so*"),
            not_paths: globs("**/libgnutls*"),
            ..Filter::default()
        };
        assert!(some.takes_process(1) && !some.takes_process(2) && !some.takes_process(3));
        assert!(some.takes_path(Path::new("/usr/lib/x/libssl.so.3")));
        assert!(!some.takes_path(Path::new("/usr/lib/libgnutls.so.30")));
        assert!(!some.takes_path(Path::new("/opt/node")));
    }

    #[test]
    fn a_cgroup_s_processes_are_those_below_it_too() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("a/b");
        fs::create_dir_all(&below).unwrap();
        fs::write(root.path().join("cgroup.procs"), "1\n0\n").unwrap();
        fs::write(below.join("cgroup.procs"), "7\n9\n").unwrap();
        let filter = Filter {
            cgroup: Some(root.path().to_owned()),
            not_pids: [9].into(),
            ..Filter::default()
        };
        let (pids, unread) = filter.processes(Path::new("/none")).unwrap();
        assert_eq!(pids, [1, 7]);
        assert_eq!(unread, 1, "a/cgroup.procs is not there");
        let within = |cgroups: &[&str], not_cgroups: &[&str]| {
            let paths = |names: &[&str]| names.iter().map(|name| root.path().join(name)).collect();
            let filter = Filter {
                cgroup: Some(root.path().to_owned()),
                cgroups: paths(cgroups),
                not_cgroups: paths(not_cgroups),
                ..Filter::default()
            };
            filter.processes(Path::new("/none")).unwrap().0
        };
        assert_eq!(within(&["a/b", "c"], &[]), [7, 9]);
        assert_eq!(within(&[], &["a/b", "c"]), [1]);
        assert!(within(&["c"], &[]).is_empty());
        let gone = Filter {
            cgroup: Some(root.path().join("c")),
            ..Filter::default()
        };
        assert_eq!(gone.processes(Path::new("/none")).unwrap(), (vec![], 0));
        let none = Filter::default();
        assert!(none.processes(Path::new("/none")).is_err());
    }
}
