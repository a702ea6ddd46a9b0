//! The metrics of what many handshakes together amount to.

use std::sync::atomic::Ordering;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::series::{Definition, Kind, Label, Table};
use crate::output::event::burst::RefusalsBy;
use crate::output::event::new_certificate::NewPart;
use crate::output::words::Word;
use crate::report::Report;
use crate::watch::Forgotten;

/// What was counted.
pub static BY: Label = Label {
    name: "by",
    values: RefusalsBy::WORDS,
};
/// What is new about a certificate.
pub static WHAT_IS_NEW: Label = Label {
    name: "what",
    values: NewPart::WORDS,
};
/// What was forgotten.
pub static WHAT_IS_FORGOTTEN: Label = Label {
    name: "what",
    values: Forgotten::WORDS,
};

/// `tls_refusal_bursts_total`.
pub static BURSTS: Definition<1> = Definition {
    name: "tls_refusal_bursts",
    kind: Kind::Counter,
    help: "Bursts of refusals of one source, or of one certificate. Events name them.",
    labels: [&BY],
    per_service: false,
    initial: "all",
};
/// `tls_certificates_new_total`.
pub static NEW_CERTIFICATES: Definition<1> = Definition {
    name: "tls_certificates_new",
    kind: Kind::Counter,
    help: "Certificates with an issuer, or a serial number, that is new to their name. Those with both count for both.",
    labels: [&WHAT_IS_NEW],
    per_service: false,
    initial: "all",
};
/// `tls_observer_forgotten_total`.
pub static FORGOTTEN: Definition<1> = Definition {
    name: "tls_observer_forgotten",
    kind: Kind::Counter,
    help: "What the watching forgot, or did not take up, to stay within its bounds.",
    labels: [&WHAT_IS_FORGOTTEN],
    per_service: false,
    initial: "all",
};

/// The metrics of the watching.
#[derive(Debug)]
pub(super) struct WatchingMetrics {
    bursts: Table<1, Counter>,
    new: Table<1, Counter>,
    forgotten: Table<1, Counter>,
}

impl WatchingMetrics {
    /// Registers all, and makes every series.
    pub fn new(registry: &mut Registry) -> Self {
        let mut table = |definition: &'static Definition<1>| {
            let table = Table::register(registry, definition, Counter::default as fn() -> _);
            let [label] = definition.labels;
            for value in label.values {
                table.get([value]);
            }
            table
        };
        Self {
            bursts: table(&BURSTS),
            new: table(&NEW_CERTIFICATES),
            forgotten: table(&FORGOTTEN),
        }
    }

    /// Counts what is no single handshake.
    pub fn record(&self, report: &Report) {
        match report {
            Report::Observation(_) => {}
            Report::RefusalBurst(burst) => {
                self.bursts
                    .with([RefusalsBy::of(&burst.refused).word()], &None, Counter::inc);
            }
            Report::NewCertificate(new) => {
                for part in NewPart::of(new) {
                    self.new.with([part.word()], &None, Counter::inc);
                }
            }
        }
    }

    /// Takes over the total of what was forgotten.
    pub fn set_forgotten(&self, what: Forgotten, total: u64) {
        self.forgotten.with([what.word()], &None, |counter| {
            counter.inner().fetch_max(total, Ordering::Relaxed);
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::output::metrics::Metrics;
    use crate::output::samples;
    use crate::watch::Forgotten;

    #[test]
    fn findings_are_counted_without_names() {
        let metrics = Metrics::new(&[]);
        assert!(
            metrics
                .open_metrics()
                .contains("tls_refusal_bursts_total{by=\"source\"} 0\n")
        );
        for finding in samples::findings() {
            metrics.record_finding(&finding);
        }
        metrics.set_forgotten(Forgotten::Source, 7);
        metrics.set_forgotten(Forgotten::Source, 3);
        let text = metrics.open_metrics();
        for line in [
            "tls_refusal_bursts_total{by=\"source\"} 1",
            "tls_refusal_bursts_total{by=\"certificate\"} 1",
            "tls_certificates_new_total{what=\"issuer\"} 1",
            "tls_certificates_new_total{what=\"serial\"} 1",
            "tls_observer_forgotten_total{what=\"source\"} 7",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
        assert!(!text.contains("2001:db8") && !text.contains("alice"));
    }
}
