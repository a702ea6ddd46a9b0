//! The report for people at a terminal.

use std::fmt::Write;

use super::super::columns::{self, BOLD, DIM, GREEN, RED, RESET, YELLOW, cell};
use super::super::words::Word;
use super::certificates::{Expiries, Expiry};
use super::failures::Failure;
use super::numbers::{bar, days, duration, grouped, percent};
use super::report::{Part, Report};
use super::slowest::Slow;
use super::tally::Table;
use crate::observation::{Evidence, Outcome};

/// Widths of columns, in characters.
const NAME: usize = 44;
const COUNT: usize = 12;
const LABEL: usize = 10;
const SUBJECT: usize = 42;
const DURATION: usize = 10;
const ADDRESS: usize = 26;

const DAY: i64 = 86_400;

/// Appends the report.
pub(super) fn write(report: &Report<'_>, color: bool, out: &mut Vec<u8>) {
    let mut page = Page {
        text: String::with_capacity(8192),
        color,
    };
    page.report(report);
    out.extend_from_slice(page.text.as_bytes());
}

struct Page {
    text: String,
    color: bool,
}

impl Page {
    fn report(&mut self, report: &Report<'_>) {
        self.title("TLS HANDSHAKES");
        self.text.push_str(&format!(
            "  {} handshakes, {} later alerts",
            grouped(report.handshakes),
            grouped(report.late_alerts)
        ));
        if let (Some(first), Some(last)) = (report.first, report.last) {
            let span = duration(report.span_ns);
            self.text.push_str(&format!(", from {first} to {last} ({span})"));
        }
        self.text.push('\n');
        if report.handshakes + report.late_alerts == 0 {
            return;
        }
        self.table("OUTCOMES", &report.outcomes, |name| {
            if name == Outcome::Established.word() {
                GREEN
            } else if name == Outcome::Incomplete.word() {
                DIM
            } else {
                RED
            }
        });
        self.table("HOW MUCH WAS SEEN", &report.completeness, plain);
        self.table("VERSIONS", &report.versions, |name| match name {
            "TLS 1.3" | "TLS 1.2" => "",
            _ => YELLOW,
        });
        self.table("CIPHER SUITES", &report.ciphers, plain);
        self.table("KEY EXCHANGE GROUPS", &report.groups, plain);
        self.part("post-quantum", report.post_quantum);
        self.table("ESTABLISHED: FULL AND RESUMED", &report.resumption, plain);
        self.part("resumed", report.resumed);
        self.table("APPLICATION PROTOCOLS", &report.application_protocols, plain);
        self.table("CLIENT CERTIFICATES", &report.client_certificates, plain);
        self.table("VERDICTS ON CERTIFICATES", &report.verdicts, plain);
        self.table("AGAINST THE TRUST BUNDLES", &report.disagreements, |_| YELLOW);
        self.failures(&report.failures);
        self.table("ALERTS", &report.alerts, plain);
        self.certificates(&report.certificates);
        self.slowest(report.slowest);
    }

    fn title(&mut self, title: &str) {
        self.paint(BOLD, title);
        self.text.push('\n');
    }

    fn paint(&mut self, color: &str, text: &str) {
        let color = if self.color { color } else { "" };
        self.text.push_str(color);
        self.text.extend(text.chars().map(columns::shown));
        if !color.is_empty() {
            self.text.push_str(RESET);
        }
    }

    /// A table of counts with their shares as bars; nothing when there is none.
    fn table(&mut self, title: &str, table: &Table, color: impl Fn(&str) -> &'static str) {
        if table.total == 0 {
            return;
        }
        self.text.push('\n');
        self.title(title);
        for entry in &table.entries {
            let mut name = String::new();
            cell(&mut name, &entry.name, NAME);
            self.text.push_str("  ");
            self.paint(color(&entry.name), &name);
            self.text.push_str(&format!(
                "{:>COUNT$} {} ",
                grouped(entry.count),
                percent(entry.count, table.total)
            ));
            self.paint(DIM, &bar(entry.count, table.total));
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.text.push('\n');
        }
        if let Some(more) = more(table) {
            self.paint(DIM, &format!("  {more}"));
            self.text.push('\n');
        }
    }

    fn part(&mut self, name: &str, part: Part) {
        if part.of > 0 {
            let share = percent(part.count, part.of);
            self.text.push_str(&format!(
                "  {name}: {} of {} ({})\n",
                grouped(part.count),
                grouped(part.of),
                share.trim_start()
            ));
        }
    }

    fn failures(&mut self, failures: &[Failure]) {
        if failures.is_empty() {
            return;
        }
        self.text.push('\n');
        self.title("FAILURES");
        for failure in failures {
            self.text
                .push_str(&format!("  {:>COUNT$}  ", grouped(failure.count)));
            self.paint(RED, failure.reason.0.word());
            self.text.push_str("  ");
            self.text.push_str(failure.outcome.0.word());
            if let Some(side) = failure.rejected_by {
                self.text.push_str(&format!(" by {}", side.0.word()));
            }
            if failure.evidence.0 != Evidence::Observed {
                self.text.push_str(&format!(", {}", failure.evidence.0.word()));
            }
            self.text.push('\n');
            for (label, table) in [
                ("clients", &failure.clients),
                ("servers", &failure.servers),
                ("names", &failure.names),
            ] {
                self.list(COUNT + 4, label, table);
            }
        }
    }

    /// A table on one line.
    fn list(&mut self, indent: usize, label: &str, table: &Table) {
        if table.total == 0 {
            return;
        }
        self.text.push_str(&" ".repeat(indent));
        self.paint(DIM, &format!("{label:<LABEL$}"));
        for (index, entry) in table.entries.iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.paint("", &entry.name);
            self.text.push_str(&format!(" ({})", grouped(entry.count)));
        }
        if let Some(more) = more(table) {
            self.text.push_str(&format!(" {more}"));
        }
        self.text.push('\n');
    }

    fn certificates(&mut self, expiries: &Expiries) {
        if expiries.entries.is_empty() {
            return;
        }
        self.text.push('\n');
        self.title("CERTIFICATES BY EXPIRY");
        self.text.push_str(&format!(
            "  {} certificates, {} of them expired when seen\n",
            grouped(expiries.total as u64),
            grouped(expiries.expired as u64)
        ));
        for certificate in &expiries.entries {
            self.certificate(certificate);
        }
        if expiries.more > 0 {
            let more = format!("  and {} more that expire later\n", grouped(expiries.more as u64));
            self.paint(DIM, more.trim_end());
            self.text.push('\n');
        }
        if expiries.unsorted > 0 {
            let more = format!(
                "  {} sightings of further ones, which expire later still",
                grouped(expiries.unsorted)
            );
            self.paint(DIM, &more);
            self.text.push('\n');
        }
    }

    fn certificate(&mut self, certificate: &Expiry) {
        let (text, color) = match (certificate.status, certificate.expires_in) {
            ("expired", Some(seconds)) => (format!("expired {} ago", days(-seconds)), RED),
            ("valid", Some(seconds)) if seconds < 30 * DAY => (format!("in {}", days(seconds)), YELLOW),
            ("valid", Some(seconds)) => (format!("in {}", days(seconds)), ""),
            (status, _) => (status.replace('_', " "), RED),
        };
        let date = certificate.not_after.map(|time| time.to_string());
        let date = date.as_deref().and_then(|time| time.split('T').next());
        let mut line = String::new();
        cell(&mut line, date.unwrap_or("-"), 10);
        self.text.push_str("  ");
        self.text.push_str(&line);
        line.clear();
        cell(&mut line, &text, 20);
        self.paint(color, &line);
        line.clear();
        let subject = match (
            certificate.subject.as_str(),
            certificate.alternative_names.first(),
        ) {
            ("", Some(name)) => name,
            ("", None) => "(no subject)",
            (subject, _) => subject,
        };
        cell(&mut line, subject, SUBJECT);
        if !certificate.issuer.is_empty() {
            cell(&mut line, &format!("by {}", certificate.issuer), SUBJECT);
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
        if !certificate.alternative_names.is_empty() {
            self.text.push_str(&" ".repeat(13));
            self.paint(DIM, &format!("{:<LABEL$}", "names"));
            self.paint("", &certificate.alternative_names.join(", "));
            if certificate.more_names > 0 {
                self.text
                    .push_str(&format!(" and {} more", grouped(certificate.more_names as u64)));
            }
            self.text.push('\n');
        }
        self.list(13, "served", &certificate.served_by);
        self.list(13, "presented", &certificate.presented_by);
    }

    fn slowest(&mut self, slowest: &[Slow]) {
        if slowest.is_empty() {
            return;
        }
        self.text.push('\n');
        self.title("SLOWEST HANDSHAKES");
        for slow in slowest {
            let version = slow
                .version
                .map_or(String::new(), |version| format!("TLS {version}"));
            let mut line = format!("  {:>DURATION$}  ", duration(slow.duration_ns));
            cell(&mut line, &slow.client, ADDRESS);
            line.push_str("→ ");
            cell(&mut line, &slow.server, ADDRESS);
            cell(&mut line, &version, 8);
            cell(
                &mut line,
                if slow.resumed { "resumed" } else { "full" },
                "resumed".len(),
            );
            line.extend(
                slow.server_name
                    .as_deref()
                    .unwrap_or("-")
                    .chars()
                    .map(columns::shown),
            );
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }
}

fn plain(_: &str) -> &'static str {
    ""
}

/// What a table does not show.
fn more(table: &Table) -> Option<String> {
    let mut text = String::new();
    if table.more > 0 {
        text = format!(
            "and {} more ({})",
            grouped(table.more as u64),
            grouped(table.more_count)
        );
    }
    if table.unsorted > 0 {
        let _ = write!(
            text,
            "{}and {} not kept apart",
            if text.is_empty() { "" } else { ", " },
            grouped(table.unsorted)
        );
    }
    (!text.is_empty()).then_some(text)
}
