//! The library probes' part of the way: hits out of their ring, to facts, to the join.

use std::collections::BTreeSet;
use std::fs::File;
use std::future;
use std::io;

use observer_common::hit::counters::LibraryCounter;

use crate::config::Config;
use crate::facts::Fact;
use crate::facts::hit;
use crate::facts::programs::Programs;
use crate::facts::readers::Readers;
use crate::join::Join;
use crate::kernel::KernelError;
use crate::kernel::clock::WallClock;
use crate::kernel::ring::Ring;
use crate::libraries::attach::{Counts, LibraryProbes};
use crate::output::metrics::Metrics;

use super::losses::LossCounters;

/// Library probes, and what their hits become. Without probes it does nothing.
pub struct LibraryStage(Option<Running>);

struct Running {
    probes: LibraryProbes,
    hits: Ring,
    readers: Readers,
    programs: Programs,
    /// Facts on their way to the join; kept for its capacity.
    facts: Vec<Fact>,
    /// All that was in the ring up to then has been read, nanoseconds since the Unix epoch.
    drained_ns: u64,
    /// What the metrics say is attached.
    attached: BTreeSet<(&'static str, String)>,
    losses: LossCounters,
    attach_losses: LossCounters,
    kernel_losses: LossCounters,
    undecodable: LossCounters,
}

impl LibraryStage {
    /// Loads and attaches the probes that the configuration wants. What this host cannot do is told and left out: the wire
    /// still shows the rest.
    ///
    /// # Errors
    /// When the ring cannot be read.
    pub fn start(config: &Config, metrics: &Metrics, dump: Option<File>) -> Result<Self, KernelError> {
        let (probes, ring) = match LibraryProbes::start(config) {
            Ok(Some(started)) => started,
            Ok(None) => return Ok(Self(None)),
            Err(error) => {
                tracing::warn!("degraded: no library probes: {error}");
                return Ok(Self(None));
            }
        };
        for line in &probes.degraded {
            tracing::warn!("degraded: {line}");
        }
        let readers = Readers::default();
        Ok(Self(Some(Running {
            hits: Ring::new(ring, dump)?,
            losses: LossCounters::new(metrics, &readers.losses()),
            attach_losses: LossCounters::new(metrics, &probes.losses()),
            kernel_losses: LossCounters::new(metrics, &kernel_losses(&Counts::default())),
            probes,
            readers,
            programs: Programs::new("/proc".into()),
            facts: Vec::new(),
            drained_ns: 0,
            attached: BTreeSet::new(),
            undecodable: LossCounters::new(metrics, &undecodable(0)),
        })))
    }

    /// Whether there are probes.
    pub fn is_running(&self) -> bool {
        self.0.is_some()
    }

    /// Waits until the ring fills faster than it is looked at.
    pub async fn ready(&mut self) {
        match &mut self.0 {
            Some(running) => running.hits.ready().await,
            None => future::pending().await,
        }
    }

    /// Takes a batch of hits, and hands the facts in them to `join`; true if there may be more.
    ///
    /// # Errors
    /// When the copy of the ring cannot be written.
    pub fn read(&mut self, join: &mut Join) -> io::Result<bool> {
        let Some(running) = &mut self.0 else {
            return Ok(false);
        };
        // Before the ring is looked at: what comes while it is read may be missed.
        let now = WallClock::current()?;
        let (readers, facts) = (&mut running.readers, &mut running.facts);
        let more = running
            .hits
            .read(|record, clock| hit::decode(record, clock).map(|hit| readers.take(&hit, facts)))?;
        if !more {
            running.drained_ns = now;
        }
        for mut fact in running.facts.drain(..) {
            fact.origin.executable = running.programs.of(fact.origin.pid, now);
            join.fact(fact);
        }
        Ok(more)
    }

    /// All that was in the ring up to then has been read, nanoseconds since the Unix epoch.
    pub fn drained_ns(&self) -> u64 {
        self.0.as_ref().map_or(0, |running| running.drained_ns)
    }

    /// Tells what is attached, and exports the counters.
    ///
    /// # Errors
    /// When the kernel's counters cannot be read.
    pub fn tick(&mut self, metrics: &Metrics) -> Result<(), KernelError> {
        let Some(running) = &mut self.0 else { return Ok(()) };
        running.hits.adjust_clock();
        running.tell_attached(metrics);
        running.losses.export(&running.readers.losses());
        running.attach_losses.export(&running.probes.losses());
        let counts = running.probes.counts()?;
        running.kernel_losses.export(&kernel_losses(&counts));
        running.undecodable.export(&undecodable(running.hits.undecodable));
        Ok(())
    }

    /// Detaches the probes; what is in the ring can still be read.
    pub fn detach(&mut self) {
        if let Some(running) = &mut self.0 {
            running.probes.detach();
        }
    }
}

impl Running {
    fn tell_attached(&mut self, metrics: &Metrics) {
        let Some(now) = self.probes.changes() else { return };
        let now: BTreeSet<_> = now
            .into_iter()
            .map(|attachment| (attachment.hook, attachment.target))
            .collect();
        for (hook, target) in now.difference(&self.attached) {
            tracing::info!(hook, target, "attached");
            metrics.set_probe_attached(hook, target, true);
        }
        for (hook, target) in self.attached.difference(&now) {
            tracing::info!(hook, target, "detached");
            metrics.remove_probe(hook, target);
        }
        self.attached = now;
    }
}

/// Records that are no hits, as a cause of loss.
const fn undecodable(total: u64) -> [(&'static str, &'static str, u64); 1] {
    [("decode", "undecodable_hit", total)]
}

/// The counters of the kernel half that tell of a loss, as `stage` and `reason` labels with their counts.
fn kernel_losses(counts: &Counts) -> Vec<(&'static str, &'static str, u64)> {
    let lossy = LibraryCounter::ALL
        .iter()
        .filter(|counter| !counter.stage().is_empty());
    lossy
        .map(|counter| (counter.stage(), counter.reason(), counts.get(*counter)))
        .collect()
}
