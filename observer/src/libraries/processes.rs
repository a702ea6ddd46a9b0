//! The files with TLS libraries that processes use now: which have come into use since the last look, and which are used
//! no more.
//!
//! Each look costs little for a process that has not changed: one read of its `/proc/PID/stat`. A file is examined once,
//! however many processes use it, and is opened through `/proc/PID/map_files`, which is the very file that is mapped: in
//! containers, and when it has been deleted or replaced since. Processes that end while they are read are nothing unusual.
//!
//! A look reads files and may wait for disks, and for network file systems: it belongs on a thread of its own.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::Error;
use super::identity::Examination;
pub use files::FileKey;
use files::{Files, Mapping};
use maps::Fingerprint;
pub use scope::{Filter, cgroup_id};

mod files;
mod maps;
mod scope;
#[cfg(test)]
mod tests;

/// Processes that are looked at.
const MAX_PROCESSES: usize = 128 * 1024;
/// Bytes of `/proc/PID/maps`: the kernel's limit of mappings, 65,530, is some six megabytes.
const MAX_MAPS: u64 = 16 << 20;
/// Files that are mapped for execution by one process; large ones have a few hundred.
const MAX_FILES_PER_PROCESS: usize = 4096;
/// After so many looks a process's mappings are read even if nothing seems to have changed: it may have mapped as much
/// as it unmapped.
const REREAD_AFTER: u64 = 32;

/// A file with a TLS library that has come into use.
#[derive(Debug)]
pub struct Appeared {
    /// Which.
    pub key: FileKey,
    /// The file itself. `/proc/self/fd/N` of it is a path that lasts as long as it is open, whatever becomes of processes
    /// and names.
    pub file: File,
    /// Its path as the first process sees it, for people.
    pub path: PathBuf,
    /// Whether it has been deleted or replaced since it was mapped.
    pub deleted: bool,
    /// The first process found to use it.
    pub pid: u32,
    /// What is in it.
    pub examination: Arc<Examination>,
}

/// A file that could not be examined.
#[derive(Debug)]
pub struct Problem {
    /// Its path as the process sees it.
    pub path: PathBuf,
    /// A process that uses it.
    pub pid: u32,
    /// What is wrong.
    pub error: Error,
}

/// What has changed since the last look.
#[derive(Debug, Default)]
pub struct Changes {
    /// Files with a TLS library that are in use now and were not.
    pub appeared: Vec<Appeared>,
    /// Processes that have come to use a file with a TLS library.
    pub joined: Vec<(FileKey, u32)>,
    /// Processes that use a file with a TLS library no more.
    pub left: Vec<(FileKey, u32)>,
    /// Files that had appeared and that no process uses any more.
    pub gone: Vec<FileKey>,
    /// Programs and libraries that could not be examined, told once each.
    pub problems: Vec<Problem>,
}

/// What was done, and what was not, since the scanner was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Looks at a process.
    pub processes: u64,
    /// Readings of a process's mappings.
    pub maps_read: u64,
    /// Files examined.
    pub examined: u64,
    /// Processes that ended, or unmapped a file, while they were read.
    pub vanished: u64,
    /// Processes and files that this process may not read.
    pub denied: u64,
    /// What could not be read for another reason.
    pub unreadable: u64,
    /// Files that could not be examined though they are programs or libraries.
    pub damaged: u64,
    /// Processes, mappings and files left out because a limit was reached.
    pub limited: u64,
}

struct Process {
    fingerprint: Fingerprint,
    files: Vec<FileKey>,
    /// Number of the last look at which its mappings were read.
    read: u64,
}

/// Looks at the processes again and again.
pub struct Scanner {
    proc: PathBuf,
    filter: Filter,
    own_pid: u32,
    files: Files,
    processes: HashMap<u32, Process, foldhash::fast::RandomState>,
    counters: Counters,
    /// Number of the last look at all processes.
    look: u64,
}

impl Scanner {
    /// A scanner that has seen nothing yet. `proc` is where the proc file system is mounted.
    pub fn new(proc: PathBuf, filter: Filter) -> Self {
        Self {
            filter,
            own_pid: std::process::id(),
            files: Files::new(&proc.join("self/exe")),
            processes: HashMap::default(),
            counters: Counters::default(),
            look: 0,
            proc,
        }
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// How many processes use a file.
    pub fn users(&self, key: &FileKey) -> usize {
        self.files.users(key)
    }

    /// Looks at all processes.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub fn scan(&mut self) -> io::Result<Changes> {
        let (mut pids, unread) = self.filter.processes(&self.proc)?;
        self.counters.unreadable += unread;
        if pids.len() > MAX_PROCESSES {
            self.counters.limited += (pids.len() - MAX_PROCESSES) as u64;
            pids.truncate(MAX_PROCESSES);
        }
        self.look += 1;
        self.files.begin(self.look);
        let mut changes = Changes::default();
        let present: HashSet<u32, foldhash::fast::RandomState> = pids.iter().copied().collect();
        for &pid in &pids {
            self.look_at(pid, &mut changes);
        }
        let ended: Vec<u32> = self
            .processes
            .keys()
            .copied()
            .filter(|pid| !present.contains(pid))
            .collect();
        for pid in ended {
            self.forget(pid, &mut changes);
        }
        self.files.settle(&mut changes);
        Ok(changes)
    }

    /// Looks at one process, as after it has executed a program or mapped a file. Whether it is in the filter's cgroup is
    /// for the caller to know.
    pub fn scan_process(&mut self, pid: u32) -> Changes {
        self.files.begin(self.look);
        let mut changes = Changes::default();
        if self.filter.takes_process(pid) {
            self.look_at(pid, &mut changes);
        }
        self.files.settle(&mut changes);
        changes
    }

    fn look_at(&mut self, pid: u32, changes: &mut Changes) {
        if pid == self.own_pid {
            return;
        }
        self.counters.processes += 1;
        if let Err(error) = self.try_look_at(pid, changes) {
            // What is known of it holds until it is seen to have changed; of one that has ended nothing does.
            if self.count(&error) {
                self.forget(pid, changes);
            }
        }
    }

    fn try_look_at(&mut self, pid: u32, changes: &mut Changes) -> io::Result<()> {
        let directory = self.proc.join(pid.to_string());
        // Some three hundred bytes, which the kernel gives at once.
        let mut stat = [0; 1024];
        let size = File::open(directory.join("stat"))?.read(&mut stat)?;
        let fingerprint = stat.get(..size).and_then(maps::fingerprint);
        let fingerprint = fingerprint.ok_or(io::ErrorKind::InvalidData)?;
        if let Some(process) = self.processes.get(&pid)
            && process.fingerprint == fingerprint
            && self.look - process.read < REREAD_AFTER
        {
            return Ok(());
        }
        let mut files = Vec::new();
        // Threads of the kernel have no memory of their own.
        if fingerprint.mapped > 0 {
            let maps = self.read_maps(&directory)?;
            let mut mapped = maps::executable_files(&maps);
            for file in mapped.by_ref().take(MAX_FILES_PER_PROCESS) {
                if self.filter.takes_path(file.path) {
                    let mapping = Mapping {
                        pid,
                        directory: &directory,
                        mapped: file,
                    };
                    match self.files.find(mapping, changes, &mut self.counters) {
                        Ok(found) => files.extend(found),
                        Err(error) => _ = self.count(&error),
                    }
                }
            }
            self.counters.limited += mapped.count() as u64;
        }
        files.sort_unstable();
        files.dedup();
        let before = self
            .processes
            .get(&pid)
            .filter(|process| process.fingerprint.started == fingerprint.started);
        let before = before.map_or(&[][..], |process| &process.files);
        let new = files
            .iter()
            .filter(|key| !before.contains(key) && self.files.has_library(key));
        changes.joined.extend(new.map(|key| (*key, pid)));
        // Counted in before those of old are counted out: a file that is in both stays in use.
        files.iter().for_each(|key| self.files.count_in(key));
        let read = self.look;
        let process = Process {
            fingerprint,
            files,
            read,
        };
        self.replace(pid, Some(process), changes);
        Ok(())
    }

    fn read_maps(&mut self, directory: &Path) -> io::Result<Vec<u8>> {
        self.counters.maps_read += 1;
        let mut maps = Vec::new();
        let read = File::open(directory.join("maps"))?
            .take(MAX_MAPS)
            .read_to_end(&mut maps)?;
        if read as u64 == MAX_MAPS {
            self.counters.limited += 1;
        }
        Ok(maps)
    }

    fn forget(&mut self, pid: u32, changes: &mut Changes) {
        self.replace(pid, None, changes);
    }

    /// Takes a process's files as they are now, which are counted in already, for those that it had.
    fn replace(&mut self, pid: u32, now: Option<Process>, changes: &mut Changes) {
        let before = match now {
            Some(process) => self.processes.insert(pid, process),
            None => self.processes.remove(&pid),
        };
        let Some(before) = before else { return };
        let now = self
            .processes
            .get(&pid)
            .filter(|process| process.fingerprint.started == before.fingerprint.started);
        let still = now.map_or(&[][..], |process| &process.files);
        for key in &before.files {
            if !still.contains(key) && self.files.has_library(key) {
                changes.left.push((*key, pid));
            }
            self.files.count_out(key);
        }
    }

    /// Counts what could not be read. True if it is because the process or the mapping is not there any more.
    fn count(&mut self, error: &io::Error) -> bool {
        match (error.kind(), error.raw_os_error()) {
            (io::ErrorKind::NotFound, _) | (_, Some(libc::ESRCH)) => {
                self.counters.vanished += 1;
                return true;
            }
            (io::ErrorKind::PermissionDenied, _) => self.counters.denied += 1,
            _ => self.counters.unreadable += 1,
        }
        false
    }
}
