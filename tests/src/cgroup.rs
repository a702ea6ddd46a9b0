//! A cgroup of our own: the agent's probes are attached to nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::poll;

/// Names of our cgroups: prefix, then the pid of the maker, then a number.
const PREFIX: &str = "tlsobs-";

/// A directory in the cgroup v2 tree. Dropping it kills what still runs in it and removes it.
pub struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// Makes a cgroup, after removing those that dead processes left.
    ///
    /// # Errors
    /// Without a cgroup v2 mount, or without the right to write there.
    pub fn new() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let root = mount_point()?;
        remove_leftovers(&root);
        let name = format!(
            "{PREFIX}{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = root.join(name);
        fs::create_dir(&path).with_context(|| format!("make the cgroup {}", path.display()))?;
        Ok(Self { path })
    }

    /// The cgroup's directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            eprintln!("cgroup {}: {error:#}", self.path.display());
        }
    }
}

/// Removes the cgroups this process has made: for a signal handler that ends the process without running destructors.
pub fn remove_own() {
    let Ok(root) = mount_point() else { return };
    for (path, pid) in ours(&root) {
        if pid == std::process::id() {
            let _ = remove(&path);
        }
    }
}

/// Where cgroup v2 is mounted.
fn mount_point() -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").context("/proc/self/mounts")?;
    for line in mounts.lines() {
        let mut columns = line.split(' ').skip(1);
        let (place, kind) = (columns.next(), columns.next());
        if let (Some(place), Some("cgroup2")) = (place, kind) {
            return Ok(PathBuf::from(place));
        }
    }
    bail!("cgroup v2 is not mounted")
}

/// Our cgroups below `root`, each with the pid in its name.
fn ours(root: &Path) -> Vec<(PathBuf, u32)> {
    let Ok(entries) = fs::read_dir(root) else {
        return Vec::new();
    };
    let pid_of = |name: &str| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok();
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.path(), pid_of(entry.file_name().to_str()?)?)))
        .collect()
}

/// Removes the cgroups whose makers are dead.
fn remove_leftovers(root: &Path) {
    for (path, pid) in ours(root) {
        if !Path::new(&format!("/proc/{pid}")).exists() {
            // Another test may do the same at this moment; whoever comes second finds nothing.
            let _ = remove(&path);
        }
    }
}

/// Kills the processes in a cgroup and removes it.
fn remove(path: &Path) -> Result<()> {
    poll::until("empty the cgroup", Duration::from_secs(5), || {
        let Ok(members) = fs::read_to_string(path.join("cgroup.procs")) else {
            return Ok(Some(()));
        };
        for pid in members.lines().filter_map(|line| line.parse().ok()) {
            // A process that has gone in the meantime is what we want.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        Ok(fs::remove_dir(path).ok())
    })
}
