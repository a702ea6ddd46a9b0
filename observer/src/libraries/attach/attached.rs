//! One file with its probes, as long as it is used.

use std::collections::BTreeMap;
use std::fs::File;
use std::num::NonZeroU32;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use aya::programs::uprobe::UProbeLink;

use super::files::ProbedFile;
use super::object::{Object, Refused};
use super::plan::Plan;
use crate::libraries::hooks::Family;

/// A file with probes, or one that could not have any.
pub struct AttachedFile {
    /// What is known of it, with its number.
    pub probed: Arc<ProbedFile>,
    /// The file: `/proc/self/fd/N` of it is a path for as long as it is open.
    pub file: File,
    /// What was to be attached.
    pub plan: Plan,
    /// Since when no process uses it.
    pub unused_since: Option<Instant>,
    /// Probes in it: of one process, or of all that map it.
    links: BTreeMap<Option<NonZeroU32>, Vec<UProbeLink>>,
}

/// What came of attaching the probes of a plan.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many are attached.
    pub attached: usize,
    /// Those that are not: the program, the function, and why.
    pub refused: Vec<(String, &'static str, Refused)>,
}

impl AttachedFile {
    /// A file without probes yet.
    pub fn new(probed: Arc<ProbedFile>, file: File, plan: Plan) -> Self {
        Self {
            probed,
            file,
            plan,
            unused_since: None,
            links: BTreeMap::new(),
        }
    }

    /// Attaches all probes of the plan, in one process or in all. What the kernel refuses is left out.
    pub fn attach(&mut self, object: &mut Object, pid: Option<NonZeroU32>) -> Outcome {
        let path = PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        let mut outcome = Outcome::default();
        let links = self.links.entry(pid).or_default();
        for probe in &self.plan.probes {
            match object.attach(&probe.program, &path, probe.offset, self.probed.number, pid) {
                Ok(link) => links.push(link),
                Err(error) => outcome
                    .refused
                    .push((probe.program.clone(), probe.hook.program, error)),
            }
        }
        outcome.attached = links.len();
        outcome
    }

    /// Whether a library of this family was asked for and is in it.
    pub fn has(&self, family: Family) -> bool {
        self.probed.library(family).is_some()
    }

    /// Whether any probe is in it.
    pub fn has_probes(&self) -> bool {
        self.links.values().any(|links| !links.is_empty())
    }

    /// The probes of one process, which are taken out when they are dropped.
    pub fn take_links_of(&mut self, pid: NonZeroU32) -> Vec<UProbeLink> {
        self.links.remove(&Some(pid)).unwrap_or_default()
    }

    /// All its probes, which are taken out when they are dropped.
    pub fn into_links(self) -> Vec<UProbeLink> {
        self.links.into_values().flatten().collect()
    }
}
