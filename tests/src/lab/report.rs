//! What a run of the laboratory found, as the tables of the documentation.

mod libraries;
mod reasons;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::judge::Mark;
use super::row::Row;
use super::truth::Ending;

pub use libraries::comparison;
pub use reasons::REASONS;

/// The lines of a document that the tables go between.
const BEGIN: &str = "<!-- laboratory:begin -->";
const END: &str = "<!-- laboratory:end -->";

/// A share: so many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// So many.
    pub part: usize,
    /// Of so many.
    pub whole: usize,
}

impl Share {
    fn of<'a>(rows: impl Iterator<Item = &'a Row>, counts: impl Fn(&Row) -> bool) -> Self {
        let mut share = Self::default();
        for row in rows {
            share.whole += 1;
            share.part += usize::from(counts(row));
        }
        share
    }

    /// With the percentage.
    pub fn text(self) -> String {
        #[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
        let percent = 100.0 * self.part as f64 / self.whole.max(1) as f64;
        format!("{} of {} ({percent:.2} %)", self.part, self.whole)
    }
}

/// The totals of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// TLS 1.2 and before: judged handshakes with everything exactly right.
    pub exact: Share,
    /// The same: true, but less exact than the truth.
    pub vague_12: Share,
    /// The same: told something that is not so.
    pub wrong_12: Share,
    /// TLS 1.3: refusals that were told as such, with the right refuser.
    pub refusals: Share,
    /// The same, of refusals that an alert told the other end of.
    pub spoken_refusals: Share,
    /// TLS 1.3: refusals that were told as a failure of any kind.
    pub failures: Share,
    /// TLS 1.3: good handshakes, not cut off, that were told as failures.
    pub false_alarms: Share,
    /// TLS 1.3: the same for those that a relay cut off after both ends were done.
    pub false_alarms_cut: Share,
    /// TLS 1.3: client certificate states that were told, of those there were.
    pub decided: Share,
    /// TLS 1.3: right ones of those told.
    pub certificates: Share,
    /// TLS 1.3: told something that is not so.
    pub wrong_13: Share,
    /// TLS 1.3: outcome and reason for sure, and as exactly as the peers know them.
    pub exact_13: Share,
    /// TLS 1.3: refusals, the same.
    pub exact_refusals: Share,
    /// TLS 1.3: clients that showed a certificate and are named by it.
    pub clients_named: Share,
    /// TLS 1.3: servers that are named by their certificate.
    pub servers_named: Share,
}

impl Totals {
    /// Of these rows.
    pub fn of(rows: &[Row]) -> Self {
        let judged = || rows.iter().filter(|row| row.mark != Mark::Unjudged);
        let tls13 = || judged().filter(|row| row.version == "1.3");
        let tls12 = || judged().filter(|row| row.version != "1.3");
        let good = |cut: bool| {
            tls13().filter(move |row| row.truth.ending == Ending::Established && row.is_cut == cut)
        };
        let refusals = || tls13().filter(|row| row.truth.ending.is_refusal());
        let found = |row: &Row| row.told.outcome == "rejected" && row.mark != Mark::Wrong;
        let states = || tls13().filter(|row| row.certificate.is_some());
        let decided = || states().filter(|row| row.certificate != Some(Mark::Unknown));
        Self {
            exact: Share::of(tls12(), |row| {
                row.mark == Mark::Right && row.certificate != Some(Mark::Wrong)
            }),
            vague_12: Share::of(tls12(), |row| row.mark == Mark::Vague),
            wrong_12: Share::of(tls12(), Row::is_wrong),
            refusals: Share::of(refusals(), found),
            spoken_refusals: Share::of(refusals().filter(|row| row.was_spoken()), found),
            failures: Share::of(refusals(), |row| {
                !matches!(row.told.outcome.as_str(), "established" | "incomplete")
            }),
            false_alarms: Share::of(good(false), |row| row.told.is_false_alarm(&row.truth)),
            false_alarms_cut: Share::of(good(true), |row| row.told.is_false_alarm(&row.truth)),
            decided: Share::of(states(), |row| row.certificate != Some(Mark::Unknown)),
            certificates: Share::of(decided(), |row| row.certificate == Some(Mark::Right)),
            wrong_13: Share::of(tls13(), Row::is_wrong),
            exact_13: Share::of(tls13(), Row::is_exact),
            exact_refusals: Share::of(refusals(), Row::is_exact),
            clients_named: Share::of(tls13().filter(|row| row.client_named.is_some()), |row| {
                row.client_named == Some(Mark::Right)
            }),
            servers_named: Share::of(tls13().filter(|row| row.server_named.is_some()), |row| {
                row.server_named == Some(Mark::Right)
            }),
        }
    }
}

/// All tables, Markdown.
pub fn tables(rows: &[Row]) -> String {
    let mut text = String::new();
    let parts = [
        pairs(rows),
        totals(rows),
        matrix(rows),
        endings(rows),
        wrong(rows),
        reasons::table(rows),
    ];
    for part in parts {
        let _ = writeln!(text, "{part}");
    }
    text
}

/// Puts the tables between their lines in a document, which is made when it is not there.
///
/// # Errors
/// When the document cannot be read or written, or lacks the lines.
pub fn write(document: &Path, tables: &str) -> Result<()> {
    let old = match std::fs::read_to_string(document) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("{BEGIN}\n{END}\n")
        }
        other => other.with_context(|| document.display().to_string())?,
    };
    let lines = || format!("{}: no lines {BEGIN} and {END}", document.display());
    let (head, rest) = old.split_once(BEGIN).with_context(lines)?;
    let (_, tail) = rest.split_once(END).with_context(lines)?;
    std::fs::write(
        document,
        format!("{head}{BEGIN}\n{}\n{END}{tail}", tables.trim_end()),
    )
    .with_context(|| document.display().to_string())
}

/// Who took part.
fn pairs(rows: &[Row]) -> String {
    let mut stacks: Vec<_> = rows.iter().flat_map(|row| [row.server, row.client]).collect();
    stacks.sort_unstable();
    stacks.dedup();
    let mut pairs: Vec<_> = rows.iter().map(|row| (row.server, row.client)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let unclear = rows.iter().filter(|row| row.mark == Mark::Unjudged).count();
    format!(
        "{} handshakes of {} pairs of server and client ({}). The truth of {unclear} could not be had from the peers' reports; \
         they are in no table below.\n",
        rows.len(),
        pairs.len(),
        stacks.join(", "),
    )
}

/// What is measured, in words.
fn measures(totals: &Totals) -> [(&'static str, Share); 15] {
    [
        ("TLS 1.2: exactly right", totals.exact),
        (
            "TLS 1.2: true, but the wire says less than the peers know",
            totals.vague_12,
        ),
        ("TLS 1.2: wrong", totals.wrong_12),
        (
            "TLS 1.3: refusals told as refusals, with the right refuser",
            totals.refusals,
        ),
        (
            "TLS 1.3: the same, of refusals with an alert that arrived",
            totals.spoken_refusals,
        ),
        ("TLS 1.3: refusals told as failures of any kind", totals.failures),
        ("TLS 1.3: false alarms among good handshakes", totals.false_alarms),
        (
            "TLS 1.3: false alarms among good handshakes cut off after their end",
            totals.false_alarms_cut,
        ),
        ("TLS 1.3: client certificate decided", totals.decided),
        (
            "TLS 1.3: client certificate right where decided",
            totals.certificates,
        ),
        ("TLS 1.3: wrong", totals.wrong_13),
        (
            "TLS 1.3: outcome and reason for sure, and as exact as the peers know them",
            totals.exact_13,
        ),
        ("TLS 1.3: the same, of refusals", totals.exact_refusals),
        (
            "TLS 1.3: clients with a certificate that are named by it",
            totals.clients_named,
        ),
        ("TLS 1.3: servers that are named by theirs", totals.servers_named),
    ]
}

fn totals(rows: &[Row]) -> String {
    let mut text = "| measure | result |\n|---|---|\n".to_owned();
    for (name, share) in measures(&Totals::of(rows)) {
        let _ = writeln!(text, "| {name} | {} |", share.text());
    }
    text
}

/// A table with a row for each `key` and a column for each mark.
fn marks(title: &str, rows: &[Row], key: impl Fn(&Row) -> String) -> String {
    const COLUMNS: [Mark; 4] = [Mark::Right, Mark::Vague, Mark::Wrong, Mark::Unknown];
    let mut counts: BTreeMap<String, [usize; COLUMNS.len()]> = BTreeMap::new();
    for row in rows {
        if let Some(column) = COLUMNS.iter().position(|mark| *mark == row.mark) {
            counts.entry(key(row)).or_default()[column] += 1;
        }
    }
    let mut text = format!("| {title} | right | less exact | wrong | unknown |\n|---|---|---|---|---|\n");
    for (key, counts) in counts {
        let counts = counts.map(|count| count.to_string()).join(" | ");
        let _ = writeln!(text, "| {key} | {counts} |");
    }
    text
}

fn matrix(rows: &[Row]) -> String {
    marks("TLS, rule", rows, |row| {
        format!("{} {}", row.version, row.told.source())
    })
}

fn endings(rows: &[Row]) -> String {
    marks("TLS, truth", rows, |row| {
        format!("{} {}", row.version, row.truth.ending.text())
    })
}

/// Everything that was told wrongly, with the pairs at which it was.
fn wrong(rows: &[Row]) -> String {
    let mut found: BTreeMap<[String; 4], (usize, BTreeSet<String>)> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.is_wrong()) {
        let key = [
            row.version.clone(),
            row.case.clone(),
            row.told_text(),
            row.truth_text(),
        ];
        let (count, pairs) = found.entry(key).or_default();
        *count += 1;
        pairs.insert(format!("{}/{}", row.server, row.client));
    }
    if found.is_empty() {
        return "Nothing was told wrongly.\n".to_owned();
    }
    let mut text =
        "| TLS | case | told wrongly | truth | times | servers/clients |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for (key, (count, pairs)) in found {
        let pairs = pairs.into_iter().collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "| {} | {count} | {pairs} |", key.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_replace_what_stood_between_their_lines() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("outcomes.md");
        write(&path, "one\n").unwrap();
        let head = std::fs::read_to_string(&path)
            .unwrap()
            .replace(BEGIN, &format!("# Head\n\n{BEGIN}"));
        std::fs::write(&path, head + "tail\n").unwrap();
        write(&path, "two\n").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("# Head\n\n{BEGIN}\ntwo\n{END}\ntail\n"));
        std::fs::write(&path, "no lines").unwrap();
        assert!(write(&path, "three").is_err());
    }
}
