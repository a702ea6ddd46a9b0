//! The files that processes have mapped for execution: which are the same, which are in use, and what is in them.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::sys::statfs::{OVERLAYFS_SUPER_MAGIC, statfs};

use super::maps::Mapped;
use super::{Appeared, Changes, Counters, Problem};
use crate::libraries::file::Error;
use crate::libraries::identity::{self, Examination};

/// Files remembered: those in use, and as many others as there is room for, so that a program that is started again and
/// again is examined once.
const MAX_FILES: usize = 16 * 1024;

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

    /// Whether it is still that of an open file, and the file has a name: it has been neither written over nor deleted.
    pub fn still_holds(&self, file: &File) -> bool {
        file.metadata().is_ok_and(|metadata| {
            metadata.nlink() > 0 && Self::new(&metadata, self.device.is_none()) == *self
        })
    }
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

/// Who maps a file, and where the kernel has it.
#[derive(Clone, Copy)]
pub(super) struct Mapping<'a> {
    /// The process.
    pub pid: u32,
    /// Its directory in `/proc`.
    pub directory: &'a Path,
    /// What its `maps` says.
    pub mapped: Mapped<'a>,
}

/// All files that are known.
#[derive(Default)]
pub(super) struct Files {
    known: HashMap<FileKey, Known, foldhash::fast::RandomState>,
    /// The agent's own program: it, and other agents like it, are not looked at: they watch, and serve no one.
    own: Option<FileKey>,
    /// Which devices are overlay file systems; for one look only, since device numbers are used again.
    overlays: HashMap<u64, bool>,
    look: u64,
}

impl Files {
    /// Nothing is known but the agent's own program, to which the path leads.
    pub fn new(own: &Path) -> Self {
        let mut files = Self::default();
        files.own = files.key(own).ok().flatten();
        files
    }

    /// A look begins.
    pub fn begin(&mut self, look: u64) {
        self.look = look;
        self.overlays.clear();
    }

    /// How many processes use a file.
    pub fn users(&self, key: &FileKey) -> usize {
        self.known.get(key).map_or(0, |known| known.users)
    }

    /// Whether a file has a TLS library.
    pub fn has_library(&self, key: &FileKey) -> bool {
        self.known
            .get(key)
            .is_some_and(|known| known.examination.is_some())
    }

    /// A process has come to use a file.
    pub fn count_in(&mut self, key: &FileKey) {
        if let Some(known) = self.known.get_mut(key) {
            known.users += 1;
            known.used = self.look;
        }
    }

    /// A process uses a file no more.
    pub fn count_out(&mut self, key: &FileKey) {
        if let Some(known) = self.known.get_mut(key) {
            known.users = known.users.saturating_sub(1);
            known.used = self.look;
        }
    }

    /// The key of a mapped file, which is known from here on; none if it is none to look at.
    ///
    /// # Errors
    /// If it cannot be had.
    pub fn find(
        &mut self,
        mapping: Mapping<'_>,
        changes: &mut Changes,
        counters: &mut Counters,
    ) -> io::Result<Option<FileKey>> {
        let Some((path, key)) = self.reach(mapping)? else {
            return Ok(None);
        };
        match self.known.get(&key) {
            Some(known) if known.is_told || known.examination.is_none() => Ok(Some(key)),
            _ => self.open(&path, key, mapping, changes, counters),
        }
    }

    /// Tells which files are used no more.
    pub fn settle(&mut self, changes: &mut Changes) {
        for (key, known) in &mut self.known {
            if known.is_told && known.users == 0 {
                known.is_told = false;
                changes.gone.push(*key);
            }
        }
    }

    /// A path that leads to the mapped file, and its key; none if it is no file to look at.
    fn reach(&mut self, mapping: Mapping<'_>) -> io::Result<Option<(PathBuf, FileKey)>> {
        let Mapping {
            directory, mapped, ..
        } = mapping;
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
        Ok(key?.filter(|key| Some(*key) != self.own).map(|key| (path, key)))
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
        path: &Path,
        key: FileKey,
        mapping: Mapping<'_>,
        changes: &mut Changes,
        counters: &mut Counters,
    ) -> io::Result<Option<FileKey>> {
        let file = open_same(path, key)?;
        let examination = match self.known.get(&key) {
            Some(known) => known.examination.clone(),
            None => examine(&file, mapping, changes, counters),
        };
        if !self.known.contains_key(&key) && !self.make_room() {
            counters.limited += 1;
            return Ok(None);
        }
        let known = Known {
            examination: examination.clone(),
            users: 0,
            used: self.look,
            is_told: examination.is_some(),
        };
        self.known.insert(key, known);
        changes.appeared.extend(examination.map(|examination| Appeared {
            key,
            file,
            path: mapping.mapped.path.to_owned(),
            deleted: mapping.mapped.deleted,
            pid: mapping.pid,
            examination,
        }));
        Ok(Some(key))
    }

    /// Makes room for one more file by forgetting the one that was used longest ago; false if all are in use.
    fn make_room(&mut self) -> bool {
        if self.known.len() < MAX_FILES {
            return true;
        }
        let idle = self
            .known
            .iter()
            .filter(|(_, known)| known.users == 0 && known.used < self.look);
        let oldest = idle.min_by_key(|(_, known)| known.used).map(|(key, _)| *key);
        oldest.is_some_and(|key| self.known.remove(&key).is_some())
    }
}

fn examine(
    file: &File,
    mapping: Mapping<'_>,
    changes: &mut Changes,
    counters: &mut Counters,
) -> Option<Arc<Examination>> {
    counters.examined += 1;
    match identity::examine(file) {
        Ok(examination) => (!examination.libraries.is_empty()).then(|| Arc::new(examination)),
        // Fonts, archives and the code of other machines are mapped for execution too.
        Err(Error::Unsupported(_)) => None,
        Err(error) => {
            counters.damaged += 1;
            let path = mapping.mapped.path.to_owned();
            let pid = mapping.pid;
            changes.problems.push(Problem { path, pid, error });
            None
        }
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
