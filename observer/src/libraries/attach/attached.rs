//! One file with its probes, as long as it is used.

use std::collections::BTreeMap;
use std::fs::File;
use std::num::NonZeroU32;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use aya::programs::uprobe::UProbeLink;

use super::object::{Object, Refused};
use super::plan::Plan;

/// Threads that take probes out at once: each waits for the kernel's grace periods, which several can wait for together.
const DETACHERS: usize = 8;

/// A file with probes, or one that could not have any.
pub struct AttachedFile {
    /// Its number; see [`super::ProbedFile`].
    pub number: u64,
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
    pub fn new(number: u64, file: File, plan: Plan) -> Self {
        Self {
            number,
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
            match object.attach(&probe.program, &path, probe.offset, self.number, pid) {
                Ok(link) => links.push(link),
                Err(error) => outcome
                    .refused
                    .push((probe.program.clone(), probe.hook.program, error)),
            }
        }
        outcome.attached = links.len();
        outcome
    }

    /// How many probes it has.
    pub fn probes(&self) -> usize {
        self.links.values().map(Vec::len).sum()
    }

    /// Takes the probes of one process out.
    pub fn detach_process(&mut self, pid: NonZeroU32) {
        detach(self.links.remove(&Some(pid)).unwrap_or_default());
    }

    /// All its probes, to be taken out with [`detach`].
    pub fn into_links(self) -> Vec<UProbeLink> {
        self.links.into_values().flatten().collect()
    }
}

/// Takes probes out.
pub fn detach(links: Vec<UProbeLink>) {
    let mut shares: Vec<Vec<UProbeLink>> = (0..DETACHERS.min(links.len())).map(|_| Vec::new()).collect();
    for (index, link) in links.into_iter().enumerate() {
        let count = shares.len();
        if let Some(share) = shares.get_mut(index % count) {
            share.push(link);
        }
    }
    thread::scope(|scope| {
        for share in shares {
            // Without a thread for them, they are taken out here.
            let builder = thread::Builder::new().name("detach".to_owned());
            let _ = builder.spawn_scoped(scope, move || drop(share));
        }
    });
}
