//! The thread that attaches and detaches: when it looks at which processes, and what follows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use aya::programs::uprobe::UProbeLink;

use super::attached::{AttachedFile, Outcome};
use super::counters::AttachCounters;
use super::detacher::Detacher;
use super::files::{Files, ProbedFile};
use super::object::{Object, Refused};
use super::plan::plan;
use super::policy::Policy;
use super::watch::Watch;
use crate::libraries::hooks::Family;
use crate::libraries::processes::{Appeared, Changes, FileKey, Filter, Scanner};

/// Files with probes at once. Containers of one image share theirs, so that a host with more has other troubles.
const MAX_FILES: usize = 256;
/// Probes at once, in all files and, where they are for one process each, of all processes. The kernel needs tens of
/// milliseconds to take one out, so that a process that ends with more of them does so only after minutes.
const MAX_PROBES: usize = 2048;
/// How long probes stay when the last process that used a file is gone. Programs that run for a moment now and then would be
/// gone again before they are seen.
const LINGER: Duration = Duration::from_secs(15);

/// Where the proc file system is.
const PROC: &str = "/proc";

/// What the thread works with.
pub(super) struct Worker {
    object: Object,
    scanner: Scanner,
    filter: Filter,
    families: BTreeSet<Family>,
    policy: Policy,
    /// What the kernel's map of processes has.
    told_processes: BTreeMap<u32, u32>,
    files: Arc<Files>,
    counters: Arc<AttachCounters>,
    attached: HashMap<FileKey, AttachedFile>,
    /// How many probes they have.
    probes: usize,
    detacher: Detacher,
    last_number: u64,
    /// Attached as long as any file is.
    sockets: Option<Watch>,
    /// Kernel programs that were refused, each told once.
    refused_programs: BTreeSet<String>,
    /// Whether it was told that this process may put probes nowhere.
    is_without_rights: bool,
    /// Whether the last look at all processes failed.
    cannot_look: bool,
}

impl Worker {
    pub fn new(
        object: Object,
        filter: Filter,
        families: BTreeSet<Family>,
        files: Arc<Files>,
        counters: Arc<AttachCounters>,
        detacher: Detacher,
    ) -> Self {
        Self {
            object,
            scanner: Scanner::new(PROC.into(), filter.clone()),
            policy: Policy::of(&filter),
            filter,
            families,
            told_processes: BTreeMap::new(),
            files,
            counters,
            attached: HashMap::new(),
            probes: 0,
            detacher,
            last_number: 0,
            sockets: None,
            refused_programs: BTreeSet::new(),
            is_without_rights: false,
            cannot_look: false,
        }
    }

    /// Whether one process can be looked at alone: cgroups tell of their members only all at once.
    pub fn can_look_at_one(&self) -> bool {
        self.filter.cgroups.is_empty() && self.filter.not_cgroups.is_empty()
    }

    /// Looks at all processes.
    pub fn look_at_all(&mut self) {
        let wanted = self.policy.processes(&self.filter, Path::new(PROC));
        let looked = wanted.and_then(|wanted| {
            self.tell_processes(wanted);
            self.scanner.scan()
        });
        match looked {
            Ok(changes) => {
                self.cannot_look = false;
                self.apply(changes);
            }
            // Said once, and again when it went well in between.
            Err(error) => {
                if !std::mem::replace(&mut self.cannot_look, true) {
                    tracing::warn!(%error, "degraded: cannot list the processes to look for TLS libraries");
                }
            }
        }
        let linger = |file: &AttachedFile| file.unused_since.is_some_and(|since| since.elapsed() >= LINGER);
        self.drop_files(|_, file| linger(file));
    }

    /// Looks at one process.
    pub fn look_at(&mut self, pid: u32) {
        let changes = self.scanner.scan_process(pid);
        self.apply(changes);
    }

    /// Takes all probes out, some time.
    pub fn end(mut self) {
        self.drop_files(|_, _| true);
    }

    fn tell_processes(&mut self, wanted: BTreeMap<u32, u32>) {
        for pid in self.told_processes.keys().filter(|pid| !wanted.contains_key(pid)) {
            self.object.forget_process(*pid);
        }
        for (pid, value) in &wanted {
            if self.told_processes.get(pid) != Some(value) && !self.object.set_process(*pid, *value) {
                self.counters.limited.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.told_processes = wanted;
    }

    fn apply(&mut self, changes: Changes) {
        for problem in &changes.problems {
            let (path, error) = (problem.path.display(), &problem.error);
            tracing::warn!(%path, pid = problem.pid, %error, "cannot look for a TLS library in it");
            self.counters.unreadable.fetch_add(1, Ordering::Relaxed);
        }
        for appeared in changes.appeared {
            self.appear(appeared);
        }
        for (key, pid) in changes.left {
            if let (Some(file), Some(pid)) = (self.attached.get_mut(&key), NonZeroU32::new(pid)) {
                let links = file.take_links_of(pid);
                if !links.is_empty() && !file.has_probes() {
                    self.files.remove(file.probed.number);
                }
                self.detach(links);
            }
        }
        for (key, pid) in changes.joined {
            self.join(key, pid);
        }
        let now = Instant::now();
        for key in &changes.gone {
            if let Some(file) = self.attached.get_mut(key) {
                file.unused_since = Some(now);
            }
        }
        // What was deleted, or written over, is not the same for those who come.
        self.drop_files(|key, file| file.unused_since.is_some() && !key.still_holds(&file.file));
    }

    /// A file with a library has come into use.
    fn appear(&mut self, appeared: Appeared) {
        if let Some(file) = self.attached.get_mut(&appeared.key) {
            file.unused_since = None;
            return;
        }
        let plan = plan(&appeared.examination, &self.families, self.object.has_cookies());
        if plan.libraries.is_empty() {
            return;
        }
        let number = self.last_number + 1;
        self.last_number = number;
        let probed = ProbedFile {
            number,
            path: appeared.path,
            deleted: appeared.deleted,
            libraries: plan.libraries.clone(),
        };
        let name = probed.name();
        for note in &plan.notes {
            tracing::info!(target = name, "library probes: {note}");
        }
        if plan.probes.is_empty() {
            return;
        }
        if self.attached.len() >= MAX_FILES {
            self.counters.limited.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                target = name,
                "not probed: {MAX_FILES} files have probes; exclude some with --libraries-exclude"
            );
            return;
        }
        if self.sockets.is_none() {
            match self.object.watch_sockets() {
                Ok(watch) => self.sockets = Some(watch),
                Err(error) => {
                    tracing::warn!(target = name, "not probed: {error}");
                    self.counters.refused.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
        }
        if let Some(offset) = plan.error_offset
            && !self.object.set_error_offset(number, offset)
        {
            self.counters.limited.fetch_add(1, Ordering::Relaxed);
        }
        let mut file = AttachedFile::new(Arc::new(probed), appeared.file, plan);
        if file.has(Family::Go) {
            self.object.add_coroutines(appeared.pid);
        }
        if self.filter.pids.is_empty() {
            self.attach(&mut file, None);
        }
        self.attached.insert(appeared.key, file);
    }

    /// A process has come to use a file. Only what is probed for each process alone need know; and Go's processes are told to
    /// the kernel before their first hit.
    fn join(&mut self, key: FileKey, pid: u32) {
        let Some(mut file) = self.attached.remove(&key) else {
            return;
        };
        if file.has(Family::Go) {
            self.object.add_coroutines(pid);
        }
        if !self.filter.pids.is_empty() {
            self.attach(&mut file, NonZeroU32::new(pid));
        }
        self.attached.insert(key, file);
    }

    /// Attaches a file's probes, and tells what the kernel refused.
    fn attach(&mut self, file: &mut AttachedFile, pid: Option<NonZeroU32>) {
        let (name, wanted) = (file.probed.name(), file.plan.probes.len());
        if self.probes + self.detacher.waiting() + wanted > MAX_PROBES {
            self.counters.limited.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                target = name,
                "not probed: {MAX_PROBES} probes are there; exclude some files with --libraries-exclude"
            );
            return;
        }
        // Known before it is hit first.
        self.files.insert(file.probed.clone());
        let begun = Instant::now();
        let outcome = file.attach(&mut self.object, pid);
        tracing::debug!(target = name, probes = outcome.attached, ?pid, took = ?begun.elapsed(), "probes put in");
        self.probes += outcome.attached;
        if file.has_probes() {
            self.files.tell();
        } else {
            self.files.remove(file.probed.number);
        }
        self.tell_refused(&name, wanted, outcome);
    }

    fn tell_refused(&mut self, name: &str, wanted: usize, outcome: Outcome) {
        let is_told = |error: &Refused| *error != Refused::Gone;
        let refused = outcome
            .refused
            .iter()
            .filter(|(.., error)| is_told(error))
            .count();
        self.counters.refused.fetch_add(refused as u64, Ordering::Relaxed);
        let mut places = BTreeMap::<String, BTreeSet<&str>>::new();
        for (program, function, error) in outcome.refused {
            match error {
                Refused::Program(ref why) => {
                    if self.refused_programs.insert(program.clone()) {
                        tracing::warn!(
                            program,
                            "degraded: the kernel has no probes of this kind: {why}; remedy: see tls-observer check"
                        );
                    }
                }
                Refused::Rights(_) => {
                    // The same for all files.
                    if !std::mem::replace(&mut self.is_without_rights, true) {
                        tracing::warn!("degraded: no library probes: {error}");
                    }
                }
                // Of one process: there is nothing to probe any more.
                Refused::Gone => {}
                Refused::Place(why) => _ = places.entry(why).or_default().insert(function),
            }
        }
        for (why, functions) in places {
            let functions = functions.into_iter().collect::<Vec<_>>().join(", ");
            tracing::warn!(
                target = name,
                functions,
                "{refused} of {wanted} probes are refused: {why}; remedy: see tls-observer check, or exclude the file with \
                 --libraries-exclude path:{name}"
            );
        }
    }

    fn detach(&mut self, links: Vec<UProbeLink>) {
        self.probes -= links.len();
        self.detacher.detach(links);
    }

    /// Takes the probes out of the files for which the closure holds.
    fn drop_files(&mut self, mut is_over: impl FnMut(&FileKey, &AttachedFile) -> bool) {
        let mut links = Vec::new();
        for (_, file) in self.attached.extract_if(|key, file| is_over(key, file)) {
            self.files.remove(file.probed.number);
            self.object.forget_error_offset(file.probed.number);
            links.extend(file.into_links());
        }
        self.detach(links);
        if self.attached.is_empty() {
            self.sockets = None;
        }
    }
}
