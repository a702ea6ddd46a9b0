//! What is lost on the way: by the kernel half, and because a file cannot be probed.

use std::sync::atomic::{AtomicU64, Ordering};

use aya::maps::{MapData, PerCpuArray};
use observer_common::hit::counters::{COUNTERS, LibraryCounter};

use crate::kernel::KernelError;

/// Counters of the kernel half.
pub struct Counters(CounterMap);

/// The kernel's map of them.
pub type CounterMap = PerCpuArray<MapData, [u64; COUNTERS as usize]>;

/// Their values at one moment, summed over all CPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; COUNTERS as usize]);

impl Counts {
    /// One counter's value.
    pub fn get(&self, counter: LibraryCounter) -> u64 {
        self.0[counter as usize]
    }
}

impl Counters {
    /// Those in this map.
    pub(super) fn new(map: CounterMap) -> Self {
        Self(map)
    }

    /// Reads all of them.
    ///
    /// # Errors
    /// What the map says.
    pub fn read(&self) -> Result<Counts, KernelError> {
        let cpus = self.0.get(&0, 0).map_err(|source| KernelError::Map {
            name: "LIBRARY_COUNTERS",
            source: Box::new(source),
        })?;
        let mut sums = Counts::default();
        for cpu in cpus.iter() {
            for (sum, value) in sums.0.iter_mut().zip(cpu) {
                *sum += value;
            }
        }
        Ok(sums)
    }
}

/// What the thread that attaches could not do, since it began.
#[derive(Debug, Default)]
pub struct AttachCounters {
    /// Probes that the kernel refused.
    pub refused: AtomicU64,
    /// Files and processes beyond a limit.
    pub limited: AtomicU64,
    /// Programs and libraries that could not be read or understood.
    pub unreadable: AtomicU64,
}

impl AttachCounters {
    /// Counts, as `tls_observer_events_dropped_total` has them: stage, reason, total.
    pub fn losses(&self) -> [(&'static str, &'static str, u64); 3] {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("library_probes", "refused", read(&self.refused)),
            ("library_probes", "too_many", read(&self.limited)),
            ("library_probes", "unreadable", read(&self.unreadable)),
        ]
    }
}
