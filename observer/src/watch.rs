//! What many handshakes together tell: bursts of refusals, certificates that are new, and an inventory of all of them.
//!
//! The stage stands behind the tracker and before the outputs, live and in a replay alike. It is a function of the
//! observations: its time is theirs, so that a capture gives the events that its traffic gave live.

pub mod inventory;
pub mod lru;
pub mod names;
pub mod refusals;
pub mod sketch;
pub mod window;

use crate::config::watching::Watching;
use crate::observation::{Action, Observation};
use crate::output::words::Word;
use crate::report::Report;
use inventory::SharedInventory;
use names::Names;
use refusals::Refusals;

/// By how much time may fall back, in nanoseconds, before it counts as another time: handshakes are reported in the order of
/// their outcomes, and some are held back for a refusal. A capture may begin earlier than the one before it, and a clock
/// may be set back.
const MAX_FALL_BACK_NS: u64 = 300_000_000_000;

/// Bytes of a server's name that are kept: a DNS name has at most 253.
const MAX_NAME_BYTES: usize = 253;

/// Watches all observations.
#[derive(Debug)]
pub struct Watch {
    refusals: Option<Refusals>,
    names: Option<Names>,
    inventory: Option<SharedInventory>,
    /// The latest time seen, nanoseconds since the Unix epoch.
    latest_ns: u64,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(settings: &Watching) -> Self {
        Self {
            refusals: settings.burst.map(Refusals::new),
            names: settings
                .learning
                .map(|time| Names::new(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))),
            inventory: SharedInventory::new(settings),
            latest_ns: 0,
        }
    }

    /// The inventory, if there is one.
    pub fn inventory(&self) -> Option<&SharedInventory> {
        self.inventory.as_ref()
    }

    /// Takes note of `seen`, and adds to `reports` what follows from it. Late alerts are passed over: they are about
    /// handshakes that were seen before.
    pub fn observe(&mut self, seen: &Observation, reports: &mut Vec<Report>) {
        if seen.action == Action::LateAlert {
            return;
        }
        let time_ns = seen.time_ns.saturating_add(seen.duration_ns);
        if time_ns.saturating_add(MAX_FALL_BACK_NS) < self.latest_ns {
            self.begin_anew();
            self.latest_ns = time_ns;
        }
        self.latest_ns = self.latest_ns.max(time_ns);
        if let Some(refusals) = &mut self.refusals {
            refusals.observe(seen, time_ns, reports);
        }
        if let Some(names) = &mut self.names {
            names.observe(seen, time_ns, reports);
        }
        if let Some(inventory) = &self.inventory {
            inventory.lock().observe(seen, time_ns);
        }
    }

    /// What was forgotten so far, to stay within bounds.
    pub fn forgotten(&self) -> [(Forgotten, u64); 5] {
        let (names, serials) =
            (self.names.as_ref()).map_or((0, 0), |names| (names.forgotten(), names.crowded()));
        let (certificates, metrics) = self.inventory.as_ref().map_or((0, 0), |inventory| {
            let inventory = inventory.lock();
            (inventory.forgotten(), inventory.unmeasured())
        });
        [
            (
                Forgotten::Source,
                self.refusals.as_ref().map_or(0, Refusals::displaced),
            ),
            (Forgotten::Certificate, certificates),
            (Forgotten::CertificateMetric, metrics),
            (Forgotten::Name, names),
            (Forgotten::Serial, serials),
        ]
    }

    fn begin_anew(&mut self) {
        if let Some(refusals) = &mut self.refusals {
            refusals.clear();
        }
        if let Some(names) = &mut self.names {
            names.begin_anew();
        }
    }
}

/// What the watching forgets, or does not take up, when there is too much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// A source or certificate whose refusals were counted.
    Source,
    /// A certificate of the inventory.
    Certificate,
    /// A certificate that got no metric.
    CertificateMetric,
    /// A name, or an issuer, that was learned.
    Name,
    /// A new serial number that was not told.
    Serial,
}

impl Forgotten {
    /// What one count is.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Source => {
                "a source or certificate that made room for others while its refusals were counted"
            }
            Self::Certificate => {
                "a certificate that left the inventory to make room; see `certificate_inventory`"
            }
            Self::CertificateMetric => {
                "a certificate without a metric of its own because there were too many; see `certificate_metric`"
            }
            Self::Name => {
                "a name or an issuer that made room for others, so that what was learned of it is gone"
            }
            Self::Serial => {
                "a new serial number of which there is no event because its name shows too many different ones"
            }
        }
    }

    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Source,
        Self::Certificate,
        Self::CertificateMetric,
        Self::Name,
        Self::Serial,
    ];
}

impl Word for Forgotten {
    const NAME: &'static str = "Forgotten";
    const WORDS: &'static [&'static str] = &["source", "certificate", "certificate_metric", "name", "serial"];

    fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Certificate => "certificate",
            Self::CertificateMetric => "certificate_metric",
            Self::Name => "name",
            Self::Serial => "serial",
        }
    }
}

/// The beginning of `text`, `most` bytes long at most.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests;
