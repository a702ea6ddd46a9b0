//! `docs/metrics.md`, made from the definitions.

use std::fmt::Write;

use super::authentications::AUTHENTICATIONS;
use super::definitions::*;
use super::expiry::NOT_AFTER;
use super::joined::{CONTRADICTIONS, FACTS, SOURCES};
use super::losses::{LOSSES, Loss};
use super::series::{Definition, Kind};
use super::watching::{BURSTS, FORGOTTEN, NEW_CERTIFICATES};
use crate::output::words::Word as _;
use crate::watch::Forgotten;

/// A definition without its number of labels.
pub trait Documented {
    /// Name in expositions.
    fn name(&self) -> String;
    /// Appends the metric's section.
    ///
    /// # Errors
    /// Those of `out`.
    fn write(&self, out: &mut String) -> std::fmt::Result;
}

impl<const N: usize> Documented for Definition<N> {
    fn name(&self) -> String {
        self.exported_name()
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let kind = match self.kind {
            Kind::Counter => "Counter",
            Kind::Gauge => "Gauge",
            Kind::Histogram => "Histogram",
            Kind::Info => "Info",
        };
        writeln!(out, "\n## `{}`\n\n{kind}. {}", self.exported_name(), self.help)?;
        if N > 0 {
            writeln!(out)?;
        }
        for label in self.labels {
            let values: Vec<_> = label.values.iter().map(|value| format!("`{value}`")).collect();
            match values.as_slice() {
                [] => writeln!(out, "- `{}`", label.name)?,
                values => writeln!(out, "- `{}`: {}", label.name, values.join(", "))?,
            }
        }
        if self.per_service {
            writeln!(out, "- `service`, when services are configured")?;
        }
        if self.kind == Kind::Histogram {
            let bounds: Vec<_> = DURATION_BUCKETS.iter().map(ToString::to_string).collect();
            writeln!(
                out,
                "\nUpper bounds of the buckets, in seconds: {}.",
                bounds.join(", ")
            )?;
        }
        if self.name == DROPPED.name {
            writeln!(out, "\n| stage | reason | one count is |\n|---|---|---|")?;
            for Loss {
                stage,
                reason,
                meaning,
            } in LOSSES
            {
                writeln!(out, "| `{stage}` | `{reason}` | {meaning} |")?;
            }
        }
        if self.name == FORGOTTEN.name {
            writeln!(out, "\n| what | one count is |\n|---|---|")?;
            for what in Forgotten::ALL {
                writeln!(out, "| `{}` | {} |", what.word(), what.meaning())?;
            }
        }
        match self.kind {
            Kind::Counter | Kind::Histogram if N > 0 => {
                writeln!(out, "\nFrom the start at 0: {}.", self.initial)
            }
            _ => Ok(()),
        }
    }
}

/// Every metric, in the order of the reference.
pub fn all() -> [&'static dyn Documented; 25] {
    [
        &HANDSHAKES,
        &FAILURES,
        &DURATION,
        &ALERTS,
        &CLIENT_CERTIFICATES,
        &AUTHENTICATIONS,
        &VERDICTS,
        &DISAGREEMENTS,
        &CIPHERS,
        &GROUPS,
        &SOURCES,
        &CONTRADICTIONS,
        &FACTS,
        &BURSTS,
        &NEW_CERTIFICATES,
        &FORGOTTEN,
        &DROPPED,
        &TRUST_RELOADS,
        &REVOCATION_FETCHES,
        &PROBES,
        &FLOWS,
        &BUFFER_BYTES,
        &RING_BYTES,
        &BUILD,
        &NOT_AFTER,
    ]
}

const PREFACE: &str = "\
# Metrics

<!-- Made from the code (observer/src/output/metrics). To change it, change the code, then run
     UPDATE_DOCS=1 cargo test -p tls-observer --lib output -->

Served at `/metrics` on the address of `listen` (127.0.0.1:9465 unless configured otherwise): as OpenMetrics, with
exemplars, when the scraper asks for it, as Prometheus text (0.0.4) otherwise.

No label holds a name, address, serial number or fingerprint of a peer: those are in the events. (The one exception,
`tls_certificate_not_after_timestamp_seconds`, is off unless asked for.) Values come from the lists below, and what is in no list counts as `other`. The domain metrics (`tls_…`, not `tls_observer_…`) have a label
`service` when the configuration names services; its values are their names, and `other` for listeners without one.

What to ask of them, and rules to alert on: [alerts](alerts.md).
";

/// The whole reference.
pub fn reference() -> String {
    let mut text = PREFACE.to_owned();
    for metric in all() {
        // Writing to a string cannot fail.
        let _ = metric.write(&mut text);
    }
    text
}
