//! Events as a table for people at a terminal.

use observer_tls::x509::CertificateFacts;

use super::columns::{ADDRESS, DIM, GREEN, RED, RESET, YELLOW, address, cell, endpoint};
use super::event::new_certificate::NewPart;
use super::event::text::Named;
use super::event::time::Time;
use super::queue::Render;
use super::words::Word;
use crate::observation::{Action, AlertSeen, Evidence, Observation, Outcome, Reason, Side, Told};
use crate::report::{NewCertificate, RefusalBurst, Refused, Report};

/// Widths of the columns but the last, in characters.
const TIME: usize = 12;
const NAME: usize = 16;
const VERSION: usize = 4;
const RESULT: usize = 32;
const DETAIL: usize = 36;
/// Stands where there is nothing to say.
const ABSENT: &str = "-";

/// Writes one line for each event, and the column titles before the first.
#[derive(Clone, Copy, Debug)]
pub struct TextTable {
    color: bool,
    titled: bool,
}

impl TextTable {
    /// A table, colored or not.
    pub fn new(color: bool) -> Self {
        Self { color, titled: false }
    }
}

/// One line's cells.
struct Row {
    time_ns: u64,
    client: String,
    server: String,
    name: String,
    version: String,
    result: String,
    color: &'static str,
    detail: String,
}

impl Row {
    fn of_observation(seen: &Observation) -> Self {
        let (result, color) = result(seen);
        Self {
            time_ns: seen.time_ns,
            client: endpoint(seen.client),
            server: endpoint(seen.server),
            name: seen.server_name.clone().unwrap_or_else(|| ABSENT.to_owned()),
            version: seen
                .version
                .map_or(ABSENT.to_owned(), |version| Named(version).to_string()),
            result,
            color,
            detail: detail(seen),
        }
    }

    fn of_burst(burst: &RefusalBurst) -> Self {
        let server = match burst.servers.as_slice() {
            [server] => endpoint(*server),
            servers if burst.more_servers => format!("more than {} servers", servers.len()),
            servers => format!("{} servers", servers.len()),
        };
        let (client, refused) = match &burst.refused {
            Refused::Source { network, .. } => (network.to_string(), None),
            Refused::Certificate { leaf, .. } => (ABSENT.to_owned(), Some(subject(leaf))),
        };
        let (count, rate) = (burst.count, burst.rate);
        let reason = burst.reason.map_or(ABSENT, Reason::word);
        let how_often = format!("{count} times (from {rate} on): {reason}");
        Self {
            time_ns: burst.time_ns,
            client,
            server,
            name: ABSENT.to_owned(),
            version: ABSENT.to_owned(),
            result: "refused again and again".to_owned(),
            color: RED,
            detail: refused.map_or(how_often.clone(), |subject| format!("{subject} {how_often}")),
        }
    }

    fn of_new_certificate(new: &NewCertificate) -> Self {
        let parts: Vec<_> = NewPart::of(new).map(Word::word).collect();
        let leaf = &new.leaf;
        Self {
            time_ns: new.time_ns,
            client: endpoint(new.client),
            server: endpoint(new.server),
            name: new.server_name.clone().unwrap_or_else(|| ABSENT.to_owned()),
            version: ABSENT.to_owned(),
            result: format!("{} certificate: new {}", new.side.word(), parts.join(", ")),
            color: YELLOW,
            detail: match &new.previous {
                Some(previous) if new.new_issuer => {
                    format!(
                        "{} by {}, before by {}",
                        subject(leaf),
                        leaf.issuer,
                        previous.issuer
                    )
                }
                _ => format!("{} by {}", subject(leaf), leaf.issuer),
            },
        }
    }

    fn write(&self, color: bool, line: &mut String) {
        let time = Time::from_nanos(self.time_ns).to_string();
        let clock: String = time.chars().skip(11).take(TIME).collect();
        line.push_str(&clock);
        line.push(' ');
        address(line, &self.client);
        line.push_str(" → ");
        address(line, &self.server);
        line.push(' ');
        cell(line, &self.name, NAME);
        cell(line, &self.version, VERSION);
        if color {
            line.push_str(self.color);
        }
        cell(line, &self.result, RESULT);
        if color {
            line.push_str(RESET);
        }
        cell(line, &self.detail, DETAIL);
        line.truncate(line.trim_end().len());
    }
}

impl Render for TextTable {
    fn render(&mut self, report: &Report, out: &mut Vec<u8>) {
        let mut line = String::with_capacity(256);
        if !self.titled {
            self.titled = true;
            cell(&mut line, "TIME (UTC)", TIME);
            cell(&mut line, "CLIENT", ADDRESS + 2);
            cell(&mut line, "SERVER", ADDRESS);
            cell(&mut line, "NAME", NAME);
            cell(&mut line, "TLS", VERSION);
            cell(&mut line, "RESULT", RESULT);
            line.push_str("DETAIL\n");
        }
        let row = match report {
            Report::Observation(seen) => Row::of_observation(seen),
            Report::RefusalBurst(burst) => Row::of_burst(burst),
            Report::NewCertificate(new) => Row::of_new_certificate(new),
        };
        row.write(self.color, &mut line);
        line.push('\n');
        out.extend_from_slice(line.as_bytes());
    }
}

/// What happened, and its color.
fn result(seen: &Observation) -> (String, &'static str) {
    let reason = seen.reason.map_or(seen.outcome.word(), Reason::word);
    if seen.disagreement.is_some() {
        return (format!("! {reason}"), YELLOW);
    }
    match (seen.action, seen.outcome) {
        (Action::LateAlert, _) => ("alert after the handshake".to_owned(), YELLOW),
        (_, Outcome::Established) if seen.resumption.is_some() => ("established, resumed".to_owned(), GREEN),
        (_, Outcome::Established) => ("established".to_owned(), GREEN),
        (_, Outcome::Rejected) => (reason.to_owned(), RED),
        (_, Outcome::Aborted) => (format!("aborted: {reason}"), RED),
        (_, Outcome::TimedOut) => (reason.to_owned(), RED),
        (_, Outcome::Incomplete) => ("incomplete".to_owned(), DIM),
    }
}

/// The certificate in question with the alert about it, or who sent which alert and the client's certificate.
fn detail(seen: &Observation) -> String {
    let mut parts: Vec<String> = Vec::new();
    if seen.disagreement.is_some() {
        let verdicts = [("client", &seen.client_verdict), ("server", &seen.server_verdict)];
        let told = verdicts.into_iter().filter_map(|(side, verdict)| {
            let verdict = verdict
                .as_ref()
                .filter(|verdict| verdict.trust_bundle.is_some())?;
            Some(format!("{side}: {}", verdict.status.word()))
        });
        parts.extend(told);
        let found = seen.told.as_deref().and_then(Told::verification);
        let fault = found.filter(|(_, found)| found.fault.is_some());
        parts.extend(fault.map(|(side, found)| format!("{}: {}", side.word(), found.term)));
    }
    let refused = match seen.reason {
        Some(Reason::Certificate(Side::Client, _)) => seen.client_chain.first(),
        Some(Reason::Certificate(Side::Server, _)) => seen.server_chain.first(),
        _ => None,
    };
    let alert = seen.alerts.last().map(|AlertSeen { sender, alert, .. }| {
        let description = alert.map_or("encrypted alert".to_owned(), |alert| {
            Named(alert.description).to_string()
        });
        (sender.word(), description)
    });
    match (refused, alert) {
        (Some(leaf), Some((_, alert))) => parts.push(format!("{} ({alert})", subject(leaf))),
        (Some(leaf), None) => parts.push(subject(leaf).to_owned()),
        (None, alert) => {
            match alert {
                Some((sender, alert)) => parts.push(format!("{sender}: {alert}")),
                None => parts.extend(seen.rejected_by.map(|side| format!("by {}", side.word()))),
            }
            parts.extend(seen.client_chain.first().map(|leaf| subject(leaf).to_owned()));
        }
    }
    if seen.evidence != Evidence::Observed {
        parts.push(format!("({})", seen.evidence.word()));
    }
    parts.join(" ")
}

/// Whom a certificate is about.
fn subject(leaf: &CertificateFacts) -> &str {
    if leaf.malformed.is_some() {
        "malformed certificate"
    } else {
        &leaf.subject
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    fn lines(color: bool, reports: impl IntoIterator<Item = Report>) -> String {
        let mut table = TextTable::new(color);
        let mut out = Vec::new();
        for report in reports {
            table.render(&report, &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    fn table(color: bool, observations: &[Observation]) -> String {
        lines(color, observations.iter().cloned().map(Report::Observation))
    }

    #[test]
    fn what_many_handshakes_amount_to_fits_the_same_columns() {
        let text = lines(false, samples::findings());
        let found: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(
            found,
            [
                "22:13:20.123 2001:db8::/64         → 10.0.0.1:8443         -                -    \
                 refused again and again          20 times (from 20/10s on): client_c…",
                "22:13:20.123 -                     → more than 8 servers   -                -    \
                 refused again and again          CN=alice,O=Example 20 times (from 2…",
                "22:13:20.123 10.0.0.2:40000        → 10.0.0.1:8443         api.example.com  -    \
                 server certificate: new issuer,… CN=server,O=Example by CN=Example C…",
            ]
        );
    }

    #[test]
    fn a_titled_table_that_fits_a_wide_terminal() {
        let text = table(false, &samples::all());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 7);
        assert!(lines.iter().all(|line| line.chars().count() <= 150), "{text}");
        assert_eq!(
            lines[1],
            "22:13:20.123 10.0.0.2:40000        → 10.0.0.1:8443         api.example.com  1.2  \
             client_certificate_expired       CN=alice,O=Example (certificate_exp…"
        );
        for (line, wanted) in lines.iter().zip([
            "RESULT",
            "expired",
            "resumed",
            "alert after",
            "not_tls",
            "incomplete",
            "! established                    client: revoked server: valid",
        ]) {
            assert!(line.contains(wanted), "{line}");
        }
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn what_a_library_found_is_told_with_the_disagreement() {
        let mut seen = samples::told_by_library();
        seen.client_verdict = None;
        let text = table(false, &[seen]);
        assert!(
            text.contains("! established                    client: X509_V_ERR_CERT_HAS_EXPIRED"),
            "{text}"
        );
    }

    #[test]
    fn colors_only_when_wanted() {
        let text = table(true, &[samples::refused_client()]);
        assert!(text.contains(RED) && text.contains(RESET));
    }

    #[test]
    fn peers_cannot_steer_the_terminal() {
        let mut seen = samples::refused_client();
        seen.server_name = Some("\x1b]0;owned\x07\n".into());
        let text = table(false, &[seen]);
        assert!(!text.contains('\x1b') && !text.contains('\x07'));
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn long_addresses_keep_their_port() {
        let mut seen = samples::established_13();
        seen.client = "[2001:db8:1111:2222:3333:4444:5555:6666]:40001".parse().unwrap();
        assert!(table(false, &[seen]).contains("…444:5555:6666]:40001 →"));
    }
}
