//! The files with TLS libraries that processes use now: which have come into use since the last look, and which are used
//! no more.
//!
//! Each look costs little for a process that has not changed: one read of its `/proc/PID/stat`. A file is examined once,
//! however many processes use it, and is opened through `/proc/PID/map_files`, which is the very file that is mapped: in
//! containers, and when it has been deleted or replaced since. Processes that end while they are read are nothing unusual.
//!
//! A look reads files and may wait for disks, and for network file systems: it belongs on a thread of its own.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::sys::statfs::{OVERLAYFS_SUPER_MAGIC, statfs};

use super::file::Error;
use super::identity::{self, Examination};
use maps::{Fingerprint, Mapped};
pub use scope::{Filter, cgroup_id};

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
/// Files remembered: those in use, and as many others as there is room for, so that a program that is started again and
/// again is examined once.
const MAX_FILES: usize = 16 * 1024;
/// After so many looks a process's mappings are read even if nothing seems to have changed: it may have mapped as much
/// as it unmapped.
const REREAD_AFTER: u64 = 32;

/// What makes two files the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileKey {
    /// The device. None for overlay file systems, where the containers made of one image have a device each, and share the
    /// file below, with the probes in it.
    pub device: Option<u64>,
    /// The inode.
    pub inode: u64,
    /// Length in bytes.
    pub size: u64,
    /// When its content was changed last, nanoseconds since the Unix epoch. A file that is written over is another.
    pub modified: i128,
}

impl FileKey {
    fn new(metadata: &Metadata, is_overlay: bool) -> Self {
        Self {
            device: (!is_overlay).then(|| metadata.dev()),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
        }
    }
}

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

/// A file that is or was in use.
struct Known {
    /// What is in it, if it has a TLS library.
    examination: Option<Arc<Examination>>,
    /// How many processes use it.
    users: usize,
    /// Number of the last look at which that changed.
    used: u64,
    /// Whether it was told that it appeared, and not yet that it is gone.
    is_told: bool,
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
    own_file: Option<FileKey>,
    files: HashMap<FileKey, Known, foldhash::fast::RandomState>,
    processes: HashMap<u32, Process, foldhash::fast::RandomState>,
    /// Which devices are overlay file systems; for one look only, since device numbers are used again.
    overlays: HashMap<u64, bool>,
    counters: Counters,
    look: u64,
}

impl Scanner {
    /// A scanner that has seen nothing yet. `proc` is where the proc file system is mounted.
    pub fn new(proc: PathBuf, filter: Filter) -> Self {
        let mut scanner = Self {
            filter,
            own_pid: std::process::id(),
            own_file: None,
            files: HashMap::default(),
            processes: HashMap::default(),
            overlays: HashMap::new(),
            counters: Counters::default(),
            look: 0,
            proc,
        };
        // The agent and other agents like it are not looked at: they watch, and serve no one.
        scanner.own_file = scanner.key(&scanner.proc.join("self/exe")).ok().flatten();
        scanner
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// How many processes use a file.
    pub fn users(&self, key: &FileKey) -> usize {
        self.files.get(key).map_or(0, |known| known.users)
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
        self.overlays.clear();
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
            self.forget(pid);
        }
        self.settle(&mut changes);
        Ok(changes)
    }

    /// Looks at one process, as after it has executed a program or mapped a file. Whether it is in the filter's cgroup is
    /// for the caller to know.
    pub fn scan_process(&mut self, pid: u32) -> Changes {
        self.look += 1;
        self.overlays.clear();
        let mut changes = Changes::default();
        if self.filter.takes_process(pid) {
            self.look_at(pid, &mut changes);
        }
        self.settle(&mut changes);
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
                self.forget(pid);
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
                    files.extend(self.file(pid, &directory, file, changes));
                }
            }
            self.counters.limited += mapped.count() as u64;
        }
        files.sort_unstable();
        files.dedup();
        // Counted in before those of old are counted out: a file that is in both stays in use.
        for key in &files {
            if let Some(known) = self.files.get_mut(key) {
                known.users += 1;
                known.used = self.look;
            }
        }
        self.forget(pid);
        let read = self.look;
        let process = Process {
            fingerprint,
            files,
            read,
        };
        self.processes.insert(pid, process);
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

    /// The key of a mapped file, which is known from here on; none if it cannot be had or is none to look at.
    fn file(
        &mut self,
        pid: u32,
        directory: &Path,
        mapped: Mapped<'_>,
        changes: &mut Changes,
    ) -> Option<FileKey> {
        let (path, key) = match self.reach(directory, mapped) {
            Ok(reached) => reached?,
            Err(error) => {
                self.count(&error);
                return None;
            }
        };
        match self.files.get(&key) {
            Some(known) if known.is_told || known.examination.is_none() => Some(key),
            _ => self.open(pid, &path, key, mapped, changes),
        }
    }

    /// A path that leads to the mapped file, and its key; none if it is no file to look at.
    fn reach(&mut self, directory: &Path, mapped: Mapped<'_>) -> io::Result<Option<(PathBuf, FileKey)>> {
        let mut path = directory.join("map_files").join(mapped.range());
        let mut key = self.key(&path);
        // map_files asks for more rights than the process's root does, where the name may lead to another file by now.
        if key
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
            && !mapped.deleted
            && let Ok(relative) = mapped.path.strip_prefix("/")
        {
            let named = directory.join("root").join(relative);
            let of_name = self.key(&named);
            if of_name
                .as_ref()
                .is_ok_and(|key| key.is_some_and(|key| key.inode == mapped.inode))
            {
                (path, key) = (named, of_name);
            }
        }
        Ok(key?
            .filter(|key| Some(*key) != self.own_file)
            .map(|key| (path, key)))
    }

    /// The key of a file, or none if it is no regular one: a device is never opened.
    fn key(&mut self, path: &Path) -> io::Result<Option<FileKey>> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let device = metadata.dev();
        let is_overlay = match self.overlays.get(&device) {
            Some(&known) => known,
            None => {
                let found = statfs(path)?.filesystem_type() == OVERLAYFS_SUPER_MAGIC;
                self.overlays.insert(device, found);
                found
            }
        };
        Ok(Some(FileKey::new(&metadata, is_overlay)))
    }

    /// Opens a file that has come into use, and examines it unless it was before.
    fn open(
        &mut self,
        pid: u32,
        path: &Path,
        key: FileKey,
        mapped: Mapped<'_>,
        changes: &mut Changes,
    ) -> Option<FileKey> {
        let file = match open_same(path, key) {
            Ok(file) => file,
            Err(error) => {
                self.count(&error);
                return None;
            }
        };
        let examination = match self.files.get(&key) {
            Some(known) => known.examination.clone(),
            None => self.examine(&file, pid, mapped.path, changes),
        };
        if !self.files.contains_key(&key) && !self.make_room() {
            self.counters.limited += 1;
            return None;
        }
        let known = Known {
            examination: examination.clone(),
            users: 0,
            used: self.look,
            is_told: examination.is_some(),
        };
        self.files.insert(key, known);
        changes.appeared.extend(examination.map(|examination| Appeared {
            key,
            file,
            path: mapped.path.to_owned(),
            deleted: mapped.deleted,
            pid,
            examination,
        }));
        Some(key)
    }

    fn examine(
        &mut self,
        file: &File,
        pid: u32,
        path: &Path,
        changes: &mut Changes,
    ) -> Option<Arc<Examination>> {
        self.counters.examined += 1;
        match identity::examine(file) {
            Ok(examination) => (!examination.libraries.is_empty()).then(|| Arc::new(examination)),
            // Fonts, archives and the code of other machines are mapped for execution too.
            Err(Error::Unsupported(_)) => None,
            Err(error) => {
                self.counters.damaged += 1;
                let path = path.to_owned();
                changes.problems.push(Problem { path, pid, error });
                None
            }
        }
    }

    /// Makes room for one more file by forgetting the one that was used longest ago; false if all are in use.
    fn make_room(&mut self) -> bool {
        if self.files.len() < MAX_FILES {
            return true;
        }
        let idle = self
            .files
            .iter()
            .filter(|(_, known)| known.users == 0 && known.used < self.look);
        let oldest = idle.min_by_key(|(_, known)| known.used).map(|(key, _)| *key);
        oldest.is_some_and(|key| self.files.remove(&key).is_some())
    }

    fn forget(&mut self, pid: u32) {
        for key in self
            .processes
            .remove(&pid)
            .map(|process| process.files)
            .unwrap_or_default()
        {
            if let Some(known) = self.files.get_mut(&key) {
                known.users = known.users.saturating_sub(1);
                known.used = self.look;
            }
        }
    }

    /// Tells which files are used no more.
    fn settle(&mut self, changes: &mut Changes) {
        for (key, known) in &mut self.files {
            if known.is_told && known.users == 0 {
                known.is_told = false;
                changes.gone.push(*key);
            }
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

/// Opens a file, and makes sure that it is the one that its key was made of: its name may lead to another by now, to
/// one even that lets nobody open it until somebody else comes.
fn open_same(path: &Path, key: FileKey) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    if FileKey::new(&file.metadata()?, key.device.is_none()) != key {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(file)
}
