//! What many handshakes together tell: bursts of refusals, certificates that are new, and an inventory of all of them.
//!
//! The stage stands behind the tracker and before the outputs, live and in a replay alike. It is a function of the
//! observations: its time is theirs, so that a capture gives the events that its traffic gave live.

pub mod refusals;
pub mod sketch;
pub mod window;

use crate::config::watching::Watching;
use crate::observation::{Action, Observation};
use crate::output::words::Word;
use crate::report::Report;
use refusals::Refusals;

/// By how much time may fall back, in nanoseconds, before it counts as another time: handshakes are reported in the order of
/// their outcomes, and some are held back for a refusal. A capture may begin earlier than the one before it, and a clock
/// may be set back.
const MAX_FALL_BACK_NS: u64 = 300_000_000_000;

/// Watches all observations.
#[derive(Debug)]
pub struct Watch {
    refusals: Option<Refusals>,
    /// The latest time seen, nanoseconds since the Unix epoch.
    latest_ns: u64,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(settings: &Watching) -> Self {
        Self {
            refusals: settings.burst.map(Refusals::new),
            latest_ns: 0,
        }
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
    }

    /// What was forgotten so far, to stay within bounds.
    pub fn forgotten(&self) -> impl Iterator<Item = (Forgotten, u64)> {
        let source = self.refusals.as_ref().map_or(0, Refusals::displaced);
        [(Forgotten::Source, source)].into_iter()
    }

    fn begin_anew(&mut self) {
        if let Some(refusals) = &mut self.refusals {
            refusals.clear();
        }
    }
}

/// What the watching forgets, or does not take up, when there is too much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// A source or certificate whose refusals were counted.
    Source,
}

impl Forgotten {
    /// Every kind.
    pub const ALL: [Self; 1] = [Self::Source];

    /// What one count is.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Source => {
                "a source or certificate that made room for others while its refusals were counted"
            }
        }
    }
}

impl Word for Forgotten {
    const NAME: &'static str = "Forgotten";
    const WORDS: &'static [&'static str] = &["source"];

    fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
        }
    }
}

#[cfg(test)]
mod tests;
