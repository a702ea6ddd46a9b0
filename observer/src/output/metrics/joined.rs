//! The metrics of what TLS libraries told, and of what came of it.

use std::sync::atomic::Ordering;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::series::{Definition, Kind, Label, Table};
use crate::observation::{Contradiction, Observation, Source};
use crate::output::words::Word;

/// Which probes told.
pub static SOURCE: Label = Label {
    name: "source",
    values: Source::WORDS,
};
/// What does not fit.
pub static WHAT_CONTRADICTS: Label = Label {
    name: "kind",
    values: Contradiction::WORDS,
};

/// `tls_handshake_sources_total`.
pub static SOURCES: Definition<1> = Definition {
    name: "tls_handshake_sources",
    kind: Kind::Counter,
    help: "TLS handshakes by which probes told of them: those on the wire, those in TLS libraries, or both.",
    labels: [&SOURCE],
    per_service: true,
    initial: "all",
};
/// `tls_library_contradictions_total`.
pub static CONTRADICTIONS: Definition<1> = Definition {
    name: "tls_library_contradictions",
    kind: Kind::Counter,
    help: "TLS handshakes of which a library told what does not fit to what the wire showed, so that it was not believed.",
    labels: [&WHAT_CONTRADICTS],
    per_service: false,
    initial: "all",
};
/// `tls_library_facts_joined_total`.
pub static FACTS: Definition<0> = Definition {
    name: "tls_library_facts_joined",
    kind: Kind::Counter,
    help: "What TLS libraries told that became part of an event: chains, results of verification, alerts, ends of \
           handshakes. What did not is in tls_observer_events_dropped_total, stage join.",
    labels: [],
    per_service: false,
    initial: "the one",
};

/// The metrics of what libraries told.
#[derive(Debug)]
pub(super) struct JoinMetrics {
    pub sources: Table<1, Counter>,
    contradictions: Table<1, Counter>,
    facts: Counter,
}

impl JoinMetrics {
    /// Registers all, and makes every series that has no service.
    pub fn new(registry: &mut Registry) -> Self {
        let sources = Table::register(registry, &SOURCES, Counter::default as fn() -> _);
        let contradictions = Table::register(registry, &CONTRADICTIONS, Counter::default as fn() -> _);
        for kind in Contradiction::WORDS {
            contradictions.get([*kind]);
        }
        let facts = Counter::default();
        super::register(registry, &FACTS, facts.clone());
        Self {
            sources,
            contradictions,
            facts,
        }
    }

    /// Counts what was not believed of one handshake.
    pub fn record(&self, seen: &Observation) {
        for kind in seen.told.iter().flat_map(|told| &told.contradictions) {
            self.contradictions.with([kind.word()], &None, Counter::inc);
        }
    }

    /// Takes over how many facts became part of an event.
    pub fn set_joined(&self, total: u64) {
        self.facts.inner().fetch_max(total, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use crate::join::JoinStats;
    use crate::output::metrics::Metrics;
    use crate::output::metrics::losses::{LOSSES, Loss};
    use crate::output::samples;

    #[test]
    fn what_libraries_told_is_counted() {
        let metrics = Metrics::new(&[]);
        metrics.record(&samples::told_by_library());
        metrics.record(&samples::established_13());
        metrics.set_facts_joined(5);
        metrics.set_facts_joined(3);
        let text = metrics.open_metrics();
        for line in [
            "tls_handshake_sources_total{source=\"both\"} 1",
            "tls_handshake_sources_total{source=\"wire\"} 1",
            "tls_handshake_sources_total{source=\"library\"} 0",
            "tls_library_contradictions_total{kind=\"chain_size\"} 1",
            "tls_library_contradictions_total{kind=\"role\"} 0",
            "tls_library_facts_joined_total 5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
    }

    #[test]
    fn every_loss_is_in_the_reference() {
        for (stage, reason, _) in JoinStats::default().losses() {
            let known = |loss: &Loss| loss.stage == stage && loss.reason == reason;
            assert!(LOSSES.iter().any(known), "{stage}, {reason}");
        }
    }
}
