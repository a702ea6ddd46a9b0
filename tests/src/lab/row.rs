//! One handshake of the laboratory with all that is known of it.

use anyhow::Result;
use serde_json::{Value, json};

use super::fault;
use super::judge::{self, Mark, Told};
use super::observed::Observed;
use super::peer::Fault;
use super::run::Meeting;
use super::truth::{Ending, Reports, Truth};
use crate::events::at;

/// One handshake: who, what, the truth, the event, and how right that is.
pub struct Row {
    /// The server's stack.
    pub server: &'static str,
    /// The client's stack.
    pub client: &'static str,
    /// The case.
    pub case: String,
    /// A relay cut the connection.
    pub is_cut: bool,
    /// What was meant to happen is not what happened, by the peers' reports.
    pub is_astray: bool,
    /// The version.
    pub version: String,
    /// What the ends report.
    pub reports: Reports,
    /// What follows from that.
    pub truth: Truth,
    /// What the event tells.
    pub told: Told,
    /// How right that is.
    pub mark: Mark,
    /// How right the state of the client's certificate is, where it is to be told.
    pub certificate: Option<Mark>,
    /// How right it is by which certificate the event names the client, where it showed one.
    pub client_named: Option<Mark>,
    /// The same of the server.
    pub server_named: Option<Mark>,
    /// The event's encrypted records.
    records: Value,
}

impl Row {
    /// The rows of a meeting, and for each connection without an event a text that says which.
    pub fn of(meeting: &Meeting, observed: &mut Observed) -> (Vec<Self>, Vec<String>) {
        let mut lost = Vec::new();
        let mut rows = Vec::new();
        for (connection, event) in meeting.connections.iter().zip(observed.take(meeting)) {
            let Some(event) = event else {
                let Meeting {
                    server,
                    client,
                    case,
                    version,
                    ..
                } = meeting;
                let name = &case.name;
                lost.push(format!(
                    "{server} with {client}, {name}, {version:?}: {:?}",
                    connection.reports
                ));
                continue;
            };
            let reports = connection.reports.clone();
            let (truth, told) = (
                reports.truth(meeting.circumstances),
                Told::new(&event, observed.has_late_alert(&event)),
            );
            rows.push(Self {
                server: meeting.server,
                client: meeting.client,
                case: meeting.case.name.clone(),
                is_cut: meeting.case.cut.is_some(),
                is_astray: !meeting.case.meant.has_come_about(truth.ending),
                version: judge::version(&event, meeting.version),
                mark: told.mark(&truth, &reports),
                certificate: told.mark_certificate(&truth),
                client_named: told.mark_client(&truth, &meeting.shown),
                server_named: told.mark_server(&truth, &meeting.shown),
                reports,
                truth,
                told,
                records: at(&event, "handshake.encrypted_records").clone(),
            });
        }
        (rows, lost)
    }

    /// Told something that is not so: of the outcome, of the client's certificate, or who the ends were.
    pub fn is_wrong(&self) -> bool {
        self.mark == Mark::Wrong
            || self.names_another()
            || self.mark != Mark::Unjudged && self.certificate == Some(Mark::Wrong)
    }

    /// Names an end by a certificate that is not its own.
    pub fn names_another(&self) -> bool {
        [self.client_named, self.server_named].contains(&Some(Mark::Wrong))
    }

    /// Outcome and reason are known for sure, and as exactly as the peers know them.
    pub fn is_exact(&self) -> bool {
        self.mark == Mark::Right && self.told.is_exact(&self.truth)
    }

    /// The end that was refused got an alert that said so.
    pub fn was_spoken(&self) -> bool {
        let refused = match self.truth.ending {
            Ending::RejectedByServer => &self.reports.client,
            _ => &self.reports.server,
        };
        refused.as_ref().and_then(fault::of) == Some(Fault::Alerted)
    }

    /// What the event tells, in words, with what is wrong of certificates.
    pub fn told_text(&self) -> String {
        let certificate = (self.certificate == Some(Mark::Wrong))
            .then(|| format!(" (client certificate: {})", self.told.client_certificate));
        let another = self.names_another().then_some(" (another's certificate)");
        let rule = self.told.rule.as_ref().map(|rule| format!(" by `{rule}`"));
        format!(
            "{}{}{}{}",
            self.told.text(),
            certificate.unwrap_or_default(),
            another.unwrap_or_default(),
            rule.unwrap_or_default()
        )
    }

    /// The truth, in words.
    pub fn truth_text(&self) -> String {
        let reason = self.truth.reason.as_ref().map(|reason| format!(", {reason}"));
        let certificate = (self.certificate == Some(Mark::Wrong))
            .then(|| format!(" ({})", self.truth.client_certificate.unwrap_or_default()));
        format!(
            "{}{}{}",
            self.truth.ending.text(),
            reason.unwrap_or_default(),
            certificate.unwrap_or_default()
        )
    }

    /// As a line of JSON, for a closer look. The encrypted records are `c` or `s` for the sender, the length, and the
    /// milliseconds since the ClientHello.
    ///
    /// # Errors
    /// Never in practice: all parts are plain values.
    pub fn json(&self) -> Result<String> {
        let record = |record: &Value| {
            let sender = record["sender"]
                .as_str()
                .and_then(|sender| sender.chars().next())
                .unwrap_or('?');
            let milliseconds = record["offset_ns"].as_f64().unwrap_or_default() / 1e6;
            format!("{sender}{}@{milliseconds:.1}", record["length"])
        };
        let records: Vec<_> = self
            .records
            .as_array()
            .into_iter()
            .flatten()
            .map(record)
            .collect();
        Ok(serde_json::to_string(&json!({
            "server": self.server,
            "client": self.client,
            "version": self.version,
            "case": self.case,
            "mark": self.mark,
            "certificate": self.certificate,
            "client_named": self.client_named,
            "server_named": self.server_named,
            "truth": self.truth,
            "told": self.told,
            "records": records.join(" "),
            "reports": self.reports,
        }))?)
    }
}
