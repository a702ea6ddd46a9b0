//! The report at the end of a replay: what was negotiated, what failed and for whom, which certificates expire.
//!
//! Memory is bounded whatever the capture holds: each table keeps a fixed number of entries apart and counts the rest.

mod certificates;
mod failures;
mod numbers;
mod report;
mod slowest;
mod tally;
mod text;

#[cfg(test)]
mod tests;

use observer_tls::alert::Alert;
use observer_tls::codepoints::{CipherSuite, NamedGroup, ProtocolVersion};

use crate::config::values::Format;
use crate::observation::{Action, ClientCertificate, Completeness, Observation, Outcome, Resumption, Side};
use crate::verify::{Disagreement, Status};
use certificates::Certificates;
use failures::Failures;
use report::Report;
use slowest::Slowest;
use tally::Tally;

/// Counts observations.
#[derive(Debug, Default)]
pub struct Summary {
    /// First and last time of an observation, nanoseconds since the Unix epoch.
    span: Option<(u64, u64)>,
    late_alerts: u64,
    outcomes: Tally<Outcome>,
    completeness: Tally<Completeness>,
    versions: Tally<ProtocolVersion>,
    ciphers: Tally<CipherSuite>,
    groups: Tally<NamedGroup>,
    /// Handshakes whose group is known to be, or contain, a post-quantum KEM.
    post_quantum: u64,
    /// How established handshakes resumed a session; `None` for full ones.
    resumption: Tally<Option<Resumption>>,
    alpn: Tally<String>,
    client_certificates: Tally<ClientCertificate>,
    /// Whose certificates the agent judged, and how.
    verdicts: Tally<(Side, Status)>,
    disagreements: Tally<Disagreement>,
    alerts: Tally<(Side, Option<Alert>)>,
    failures: Failures,
    certificates: Certificates,
    slowest: Slowest,
}

impl Summary {
    /// Takes one observation in.
    pub fn add(&mut self, seen: &Observation) {
        let (first, last) = self.span.get_or_insert((seen.time_ns, seen.time_ns));
        *first = seen.time_ns.min(*first);
        *last = seen.time_ns.max(*last);
        for alert in &seen.alerts {
            self.alerts.add((alert.sender, alert.alert));
        }
        if seen.action == Action::LateAlert {
            self.late_alerts += 1;
            return;
        }
        self.outcomes.add(seen.outcome);
        self.completeness.add(seen.completeness);
        self.client_certificates.add(seen.client_certificate);
        self.versions.extend(seen.version);
        self.ciphers.extend(seen.cipher);
        self.groups.extend(seen.group);
        self.post_quantum += u64::from(seen.group.is_some_and(NamedGroup::is_post_quantum));
        if let Some(protocol) = &seen.alpn {
            self.alpn.add_ref(protocol);
        }
        if seen.outcome == Outcome::Established {
            self.resumption.add(seen.resumption);
            self.slowest.add(seen);
        }
        for (side, verdict) in [
            (Side::Client, &seen.client_verdict),
            (Side::Server, &seen.server_verdict),
        ] {
            self.verdicts
                .extend(verdict.as_ref().map(|verdict| (side, verdict.status)));
        }
        self.disagreements.extend(seen.disagreement);
        self.failures.add(seen);
        self.certificates.add(seen);
    }

    /// Appends the report: for people, or one JSON object with the same content on a line.
    pub fn write(&self, format: Format, color: bool, out: &mut Vec<u8>) {
        let report = Report::of(self);
        match format {
            Format::Text => text::write(&report, color, out),
            Format::Json => {
                // Neither writing to memory nor these types can fail.
                if serde_json::to_writer(&mut *out, &report).is_ok() {
                    out.push(b'\n');
                }
            }
        }
    }
}
