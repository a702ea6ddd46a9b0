//! The certificate inventory as a table for people, made from its JSON.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Deserialize;

use crate::output::columns::{RED, RESET, YELLOW, cell};

/// Widths of the columns but the last, in characters.
const END: usize = 10;
const LEFT: usize = 9;
const SIDE: usize = 6;
const SUBJECT: usize = 32;
const ISSUER: usize = 24;
const SEEN: usize = 7;
const VERDICT: usize = 13;
const PLACE: usize = 38;
/// Less than this, in seconds, is soon: it is told in hours, and marked.
const SOON: i64 = 2 * 86_400;

/// What the table shows of an inventory; [`super::write`] writes it. A newer agent may say more.
#[derive(Debug, Deserialize)]
pub struct Listing {
    certificates: Vec<Listed>,
    #[serde(default)]
    forgotten: u64,
}

#[derive(Debug, Deserialize)]
struct Listed {
    side: String,
    handshakes: u64,
    refusals: u64,
    verdict: Option<Judged>,
    #[serde(default)]
    places: Vec<Shown>,
    #[serde(default)]
    more_places: bool,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    issuer: String,
    not_after: Option<String>,
    hash: Hash,
    x509: X509,
}

#[derive(Debug, Deserialize)]
struct Judged {
    status: String,
}

#[derive(Debug, Deserialize)]
struct Shown {
    ip: std::net::IpAddr,
    port: u16,
    server_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Hash {
    sha256: String,
}

#[derive(Debug, Deserialize)]
struct X509 {
    #[serde(default)]
    alternative_names: Vec<String>,
}

/// Appends the table, in the order of the listing.
pub fn write(listing: &Listing, now: Timestamp, color: bool, out: &mut String) {
    cell(out, "ENDS", END);
    cell(out, "IN", LEFT);
    cell(out, "SIDE", SIDE);
    cell(out, "SUBJECT", SUBJECT);
    cell(out, "ISSUER", ISSUER);
    cell(out, "SEEN", SEEN);
    cell(out, "REFUSED", SEEN);
    cell(out, "VERDICT", VERDICT);
    out.push_str("WHERE\n");
    for listed in &listing.certificates {
        row(listed, now.as_second(), color, out);
    }
    let count = listing.certificates.len();
    // Writing to a string cannot fail.
    let _ = match listing.forgotten {
        0 => writeln!(out, "{count} certificates"),
        forgotten => writeln!(out, "{count} certificates; {forgotten} more left to make room"),
    };
}

fn row(listed: &Listed, now: i64, color: bool, out: &mut String) {
    let start = out.len();
    cell(
        out,
        listed
            .not_after
            .as_deref()
            .unwrap_or("-")
            .split('T')
            .next()
            .unwrap_or("-"),
        END,
    );
    let left = listed.seconds_left(now);
    let mark = match left {
        Some(..0) => Some(RED),
        Some(0..SOON) => Some(YELLOW),
        _ => None,
    };
    let mark = mark.filter(|_| color);
    out.push_str(mark.unwrap_or_default());
    cell(out, &left.map_or("-".to_owned(), time_left), LEFT);
    out.push_str(mark.map_or("", |_| RESET));
    cell(out, &listed.side, SIDE);
    cell(out, listed.name(), SUBJECT);
    cell(out, &listed.issuer, ISSUER);
    cell(out, &listed.handshakes.to_string(), SEEN);
    cell(out, &listed.refusals.to_string(), SEEN);
    cell(
        out,
        listed.verdict.as_ref().map_or("-", |verdict| &verdict.status),
        VERDICT,
    );
    cell(out, &listed.place(), PLACE);
    out.truncate(start + out[start..].trim_end().len());
    out.push('\n');
}

/// A time that is left, in the unit that fits.
fn time_left(seconds: i64) -> String {
    match seconds {
        ..0 => "expired".to_owned(),
        0..7_200 => format!("{} min", seconds / 60),
        7_200..SOON => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

impl Listed {
    fn seconds_left(&self, now: i64) -> Option<i64> {
        let end: Timestamp = self.not_after.as_deref()?.parse().ok()?;
        Some(end.as_second().saturating_sub(now))
    }

    /// Whom it is about; without a subject its first name, or else its fingerprint.
    fn name(&self) -> &str {
        if !self.subject.is_empty() {
            return &self.subject;
        }
        self.x509.alternative_names.first().unwrap_or(&self.hash.sha256)
    }

    /// The latest place, and how many others.
    fn place(&self) -> String {
        let Some(place) = self.places.first() else {
            return "-".to_owned();
        };
        let mut text = std::net::SocketAddr::new(place.ip, place.port).to_string();
        if let Some(name) = &place.server_name {
            let _ = write!(text, " {name}");
        }
        match (self.places.len() - 1, self.more_places) {
            (0, false) => {}
            (others, false) => drop(write!(text, " +{others}")),
            (others, true) => drop(write!(text, " +{others} and more")),
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::output::samples;
    use crate::watch::inventory::Inventory;

    /// 2024-11-13T22:13:20Z, when the samples end.
    const END_OF_SAMPLES: i64 = 1_731_536_000;

    fn table(document: &Value, now: i64, color: bool) -> String {
        let listing: Listing = serde_json::from_value(document.clone()).unwrap();
        let mut out = String::new();
        write(&listing, Timestamp::from_second(now).unwrap(), color, &mut out);
        out
    }

    fn document() -> Value {
        let mut inventory = Inventory::new(10, 0);
        inventory.observe(&samples::refused_client(), 0);
        let mut out = Vec::new();
        super::super::write(&inventory, Timestamp::UNIX_EPOCH, &mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn one_line_each_under_titles() {
        let text = table(&document(), END_OF_SAMPLES - 3 * 86_400, false);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "ENDS       IN        SIDE   SUBJECT                          ISSUER                   SEEN    REFUSED \
                 VERDICT       WHERE",
                "2024-11-13 3 days    client CN=alice,O=Example               CN=Example CA            1       1       \
                 expired       10.0.0.1:8443 api.example.com",
                "2024-11-13 3 days    server CN=server,O=Example              CN=Example CA            1       0       \
                 valid         10.0.0.1:8443 api.example.com",
                "2 certificates",
            ]
        );
    }

    #[test]
    fn what_has_ended_or_soon_will_is_marked() {
        for (left, text, mark) in [
            (-1, "expired", Some(RED)),
            (60, "1 min", Some(YELLOW)),
            (7_200, "2 hours", Some(YELLOW)),
            (SOON, "2 days", None),
        ] {
            let plain = table(&document(), END_OF_SAMPLES - left, false);
            assert!(
                plain.contains(&format!("2024-11-13 {text} ")) && !plain.contains('\x1b'),
                "{plain}"
            );
            let colored = table(&document(), END_OF_SAMPLES - left, true);
            match mark {
                Some(mark) => assert!(colored.contains(&format!("{mark}{text}")), "{colored}"),
                None => assert!(!colored.contains('\x1b')),
            }
        }
    }

    #[test]
    fn what_is_missing_is_a_dash_and_nothing_steers_the_terminal() {
        let bare = json!({
            "forgotten": 3,
            "certificates": [
                {
                    "side": "client", "handshakes": 7, "refusals": 0, "hash": { "sha256": "ABCD" }, "x509": {},
                    "places": [
                        { "ip": "::1", "port": 1, "server_name": "\u{1b}[2J" },
                        { "ip": "::1", "port": 2 },
                    ],
                    "more_places": true,
                },
                {
                    "side": "server", "handshakes": 1, "refusals": 0, "hash": { "sha256": "EF" },
                    "x509": { "alternative_names": ["spiffe://a/b"] }, "not_after": "not a time",
                },
            ],
        });
        let text = table(&bare, 0, false);
        assert!(!text.contains('\x1b'));
        let lines: Vec<_> = text.lines().collect();
        assert!(
            lines[1].starts_with("-          -         client ABCD "),
            "{text}"
        );
        assert!(lines[1].ends_with("[::1]:1 \u{fffd}[2J +1 and more"), "{text}");
        assert!(
            lines[2].contains("server spiffe://a/b ") && lines[2].ends_with(" -"),
            "{text}"
        );
        assert_eq!(lines[3], "2 certificates; 3 more left to make room");
    }
}
