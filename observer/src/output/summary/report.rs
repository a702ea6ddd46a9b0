//! The report's content, for both forms.

use observer_tls::codepoints::{AlertDescription, ProtocolVersion};
use serde::Serialize;

use super::super::event::text::{Code, Named};
use super::super::event::time::Time;
use super::super::words::Word;
use super::Summary;
use super::certificates::Expiries;
use super::failures::Failure;
use super::slowest::Slow;
use super::tally::Table;
use crate::observation::{Outcome, Resumption};

/// Entries of a table that are shown.
const SHOWN: usize = 12;

/// All that the report says.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    pub handshakes: u64,
    /// Alerts on connections whose handshake was over.
    pub late_alerts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
    /// Nanoseconds from the first to the last.
    pub span_ns: u64,
    pub outcomes: Table,
    /// How much of the handshakes was seen.
    pub completeness: Table,
    pub versions: Table,
    pub ciphers: Table,
    pub groups: Table,
    pub post_quantum: Part,
    pub resumed: Part,
    /// The established handshakes: full, or by what they resumed.
    pub resumption: Table,
    pub application_protocols: Table,
    pub client_certificates: Table,
    /// Certificates by whose they are and what the agent makes of them.
    pub verdicts: Table,
    /// Handshakes that did not go as the trust bundles say.
    pub disagreements: Table,
    pub failures: Vec<Failure>,
    pub alerts: Table,
    pub certificates: Expiries,
    pub slowest: &'a [Slow],
}

/// A number of things and of how many they are a part.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Part {
    pub count: u64,
    pub of: u64,
}

impl<'a> Report<'a> {
    /// The report of what `summary` counted.
    pub fn of(summary: &'a Summary) -> Self {
        let established = summary.outcomes.count(&Outcome::Established);
        Self {
            handshakes: summary.outcomes.total(),
            late_alerts: summary.late_alerts,
            first: summary.span.map(|(first, _)| Time::from_nanos(first)),
            last: summary.span.map(|(_, last)| Time::from_nanos(last)),
            span_ns: summary.span.map_or(0, |(first, last)| last - first),
            outcomes: summary.outcomes.table(SHOWN, word),
            completeness: summary.completeness.table(SHOWN, word),
            versions: summary.versions.table(SHOWN, |version| version_name(*version)),
            ciphers: summary.ciphers.table(SHOWN, name),
            groups: summary.groups.table(SHOWN, name),
            post_quantum: Part {
                count: summary.post_quantum,
                of: summary.groups.total(),
            },
            resumed: Part {
                count: established - summary.resumption.count(&None),
                of: established,
            },
            resumption: summary.resumption.table(SHOWN, |how| {
                match how {
                    None => "full",
                    Some(Resumption::SessionId) => "session_id",
                    Some(Resumption::Ticket) => "ticket",
                    Some(Resumption::Psk) => "psk",
                }
                .to_owned()
            }),
            application_protocols: summary.alpn.table(SHOWN, String::clone),
            client_certificates: summary.client_certificates.table(SHOWN, word),
            verdicts: (summary.verdicts).table(SHOWN, |(side, status)| {
                format!("{}: {}", side.word(), status.word())
            }),
            disagreements: summary.disagreements.table(SHOWN, word),
            failures: summary.failures.list(),
            alerts: summary.alerts.table(SHOWN, |(sender, alert)| match alert {
                Some(alert) => format!(
                    "{}: {} {}",
                    sender.word(),
                    Named(alert.level),
                    Named::<AlertDescription>(alert.description)
                ),
                None => format!("{}: encrypted", sender.word()),
            }),
            certificates: summary.certificates.expiries(),
            slowest: summary.slowest.list(),
        }
    }
}

/// A version with its protocol; drafts of TLS 1.3 with their number.
fn version_name(version: ProtocolVersion) -> String {
    match version.label() {
        Some(label) if version.is_tls13_draft() => {
            let [_, draft] = version.0.to_be_bytes();
            format!("TLS {label} draft {draft}")
        }
        Some(label) => format!("{} {label}", version.protocol().to_uppercase()),
        None => version.to_string(),
    }
}

fn word<T: Word>(value: &T) -> String {
    value.word().to_owned()
}

fn name<T: Code>(value: &T) -> String {
    Named(*value).to_string()
}
