//! What library probes add to the wire: the same handshakes as told by an agent without them and by one with them, and
//! which fact each library gives in TLS 1.3.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Share, Totals, measures};
use crate::lab::judge::Mark;
use crate::lab::row::Row;
use crate::lab::run::{PARTNER, PROVEN};
use crate::lab::truth::Ending;
use crate::peers::Version;

/// All tables, Markdown; `wire` and `probed` are what two agents told of the same handshakes.
pub fn comparison(wire: &[Row], probed: &[Row]) -> String {
    let mut text = format!(
        "{} handshakes, each seen by an agent without library probes and by one with them.\n\n\
         | measure | wire | wire and libraries |\n|---|---|---|\n",
        wire.len()
    );
    let columns = measures(&Totals::of(wire))
        .into_iter()
        .zip(measures(&Totals::of(probed)));
    for ((name, without), (_, with)) in columns {
        let _ = writeln!(text, "| {name} | {} | {} |", without.text(), with.text());
    }
    let _ = writeln!(text, "\n{}", sources(probed));
    for part in [Part::Server, Part::Client] {
        let _ = writeln!(text, "{}", facts(part, wire, probed));
    }
    text
}

/// How many handshakes were told by whom.
fn sources(rows: &[Row]) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in rows {
        let source = row.told.source.as_deref().unwrap_or("none");
        *counts.entry((row.version.as_str(), source)).or_default() += 1;
    }
    let mut text = "| TLS | `handshake.source` | handshakes |\n|---|---|---|\n".to_owned();
    for ((version, source), count) in counts {
        let _ = writeln!(text, "| {version} | {source} | {count} |");
    }
    text
}

/// Whose library is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Server,
    Client,
}

impl Part {
    const fn title(self) -> &'static str {
        match self {
            Self::Server => "library, as server",
            Self::Client => "library, as client",
        }
    }

    /// The stack in this part, where the other end's library is not probed.
    fn stack(self, row: &Row) -> Option<&'static str> {
        let (own, other) = match self {
            Self::Server => (row.server, row.client),
            Self::Client => (row.client, row.server),
        };
        (other == PARTNER).then_some(own)
    }

    /// The cases that say something of this part.
    fn cases(self) -> impl Iterator<Item = &'static str> {
        PROVEN
            .into_iter()
            .filter(move |case| case.starts_with("server's") == (self == Self::Client))
    }

    /// How right the certificate of the other end is.
    const fn peer_named(self, row: &Row) -> Option<Mark> {
        match self {
            Self::Server => row.client_named,
            Self::Client => row.server_named,
        }
    }
}

/// A row for each library, a column for each case: how exact the reason is in TLS 1.3, on the wire alone and with probes.
fn facts(part: Part, wire: &[Row], probed: &[Row]) -> String {
    let cases: Vec<_> = part.cases().collect();
    let mut text = format!("| {} | the other's certificate", part.title());
    for case in &cases {
        let _ = write!(text, " | {case}");
    }
    let _ = writeln!(text, " |\n|---|---{}|", "|---".repeat(cases.len()));
    let mut stacks: Vec<_> = probed.iter().filter_map(|row| part.stack(row)).collect();
    stacks.sort_unstable();
    stacks.dedup();
    for stack in stacks {
        let is_of = |row: &&Row| row.version == Version::Tls13.text() && part.stack(row) == Some(stack);
        let without: Vec<_> = wire.iter().filter(is_of).collect();
        let with: Vec<_> = probed.iter().filter(is_of).collect();
        let _ = write!(text, "| {stack} | {}", named(part, &with));
        for case in &cases {
            let _ = write!(text, " | {}", cell(case, &without, &with));
        }
        let _ = writeln!(text, " |");
    }
    text
}

/// The other end named by its certificate.
fn named(part: Part, rows: &[&Row]) -> String {
    let known = || rows.iter().copied().filter(|row| part.peer_named(row).is_some());
    let share = Share::of(known(), |row| part.peer_named(row) == Some(Mark::Right));
    let wrong = Share::of(known(), |row| part.peer_named(row) == Some(Mark::Wrong)).part;
    match (share.whole, share.part, wrong) {
        (0, ..) => "not tried".to_owned(),
        (_, _, 1..) => format!("**wrong {wrong}**, right {} of {}", share.part, share.whole),
        (_, 0, 0) => "not available".to_owned(),
        (whole, part, 0) if whole == part => "exact".to_owned(),
        (whole, part, 0) => format!("exact {part} of {whole}"),
    }
}

/// What is told of a case, without probes and with them, where that differs.
fn cell(case: &str, wire: &[&Row], probed: &[&Row]) -> String {
    let (without, with) = (words(case, wire), words(case, probed));
    if without == with || without.is_empty() {
        with
    } else {
        format!("{without} → {with}")
    }
}

/// How exactly the reason of a case is told, the most frequent first.
fn words(case: &str, rows: &[&Row]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows
        .iter()
        .filter(|row| row.case == case && row.mark != Mark::Unjudged)
    {
        *counts.entry(word(row)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    match &counts[..] {
        [(word, _)] => (*word).to_owned(),
        several => {
            let each = several.iter().map(|(word, count)| format!("{word} {count}"));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

/// How exactly an event tells what happened.
fn word(row: &Row) -> &'static str {
    let verify_failed = row
        .told
        .library_verify
        .as_deref()
        .is_some_and(|term| !term.contains("X509_V_OK"));
    match row.mark {
        _ if row.is_wrong() => "**wrong**",
        Mark::Right if row.told.outcome == "rejected" && row.is_exact() => "exact",
        // The library's verdict is all there is to know: it was the service that refused.
        Mark::Right if row.truth.ending == Ending::RefusedAbove && verify_failed => "exact (verify result)",
        Mark::Right
            if row.truth.ending == Ending::RefusedAbove
                && row.told.client_certificate == "requested_not_sent" =>
        {
            "none sent"
        }
        Mark::Right if row.truth.ending == Ending::RefusedAbove => "not available",
        Mark::Right if row.is_exact() => "exact",
        Mark::Right | Mark::Vague if row.told.evidence == "inferred" => "inferred",
        Mark::Right | Mark::Vague => "less exact",
        _ => "not available",
    }
}
