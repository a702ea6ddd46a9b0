//! Events as a table for people at a terminal.

use observer_tls::x509::CertificateFacts;

use super::columns::{ADDRESS, DIM, GREEN, RED, RESET, YELLOW, address, cell};
use super::event::text::Named;
use super::event::time::Time;
use super::queue::Render;
use super::words::Word;
use crate::observation::{Action, AlertSeen, Evidence, Observation, Outcome, Reason, Side};

/// Widths of the columns but the last, in characters.
const TIME: usize = 12;
const NAME: usize = 16;
const VERSION: usize = 4;
const RESULT: usize = 32;
const DETAIL: usize = 36;

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

    fn row(&self, seen: &Observation, line: &mut String) {
        let time = Time::from_nanos(seen.time_ns).to_string();
        let clock: String = time.chars().skip(11).take(TIME).collect();
        let name = seen.server_name.as_deref().unwrap_or("-");
        let version = seen
            .version
            .map_or("-".to_owned(), |version| Named(version).to_string());
        let (result, color) = result(seen);
        line.push_str(&clock);
        line.push(' ');
        address(line, seen.client);
        line.push_str(" → ");
        address(line, seen.server);
        line.push(' ');
        cell(line, name, NAME);
        cell(line, &version, VERSION);
        if self.color {
            line.push_str(color);
        }
        cell(line, &result, RESULT);
        if self.color {
            line.push_str(RESET);
        }
        cell(line, &detail(seen), DETAIL);
        line.truncate(line.trim_end().len());
    }
}

impl Render for TextTable {
    fn render(&mut self, seen: &Observation, out: &mut Vec<u8>) {
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
        self.row(seen, &mut line);
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
            let status = verdict.as_ref()?.status;
            Some(format!("{side}: {}", status.word()))
        });
        parts.extend(told);
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

    fn table(color: bool, observations: &[Observation]) -> String {
        let mut table = TextTable::new(color);
        let mut out = Vec::new();
        for seen in observations {
            table.render(seen, &mut out);
        }
        String::from_utf8(out).unwrap()
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
