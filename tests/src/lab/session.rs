//! A whole run: the agent, the peers, the comparison.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::observed::Observed;
use super::row::Row;
use super::run::{Laboratory, Selection};
use crate::agent::{Agent, Attach};

/// When the agent takes a silent handshake for timed out: before the peers give up.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// The agent's own settle time, its default, and some more: all outcomes are told by then.
const LAST_OUTCOMES: Duration = Duration::from_secs(8);

/// What a run has found.
pub struct Findings {
    /// All handshakes with an event.
    pub rows: Vec<Row>,
    /// Connections without an event.
    pub lost: Vec<String>,
    /// Events without a connection.
    pub surplus: Vec<String>,
    /// What did not work.
    pub problems: Vec<String>,
    /// Cases of a pair that the limit of time has cut off.
    pub skipped: usize,
    /// What the agent says that it has dropped.
    pub dropped: f64,
    /// How long it took.
    pub time: Duration,
}

/// Runs what is selected and compares; a line for each handshake goes into `rows.jsonl` in `directory`.
///
/// # Errors
/// When the rooms, the agent or the file cannot be had.
pub fn run(selection: &Selection, directory: &Path) -> Result<Findings> {
    let began = Instant::now();
    let laboratory = Laboratory::new()?;
    let timeout = format!("{}s", HANDSHAKE_TIMEOUT.as_secs());
    let agent = Agent::start(
        Attach::Cgroup(&laboratory.cgroup),
        &["--handshake-timeout", &timeout],
    )?;
    let outcome = laboratory.run(selection);
    std::thread::sleep(LAST_OUTCOMES);
    let dropped = agent.metrics()?.sum("tls_observer_events_dropped_total", &[]);
    let mut observed = Observed::new(agent.stop_unchecked()?);
    let mut problems = laboratory.absent.clone();
    problems.extend(outcome.problems);
    let mut findings = Findings {
        rows: Vec::new(),
        lost: Vec::new(),
        surplus: Vec::new(),
        problems,
        skipped: outcome.skipped,
        dropped: dropped.context("no tls_observer_events_dropped_total")?,
        time: Duration::ZERO,
    };
    for meeting in &outcome.meetings {
        let (mut rows, mut lost) = Row::of(meeting, &mut observed);
        findings.rows.append(&mut rows);
        findings.lost.append(&mut lost);
    }
    findings.surplus = observed.left().map(ToString::to_string).collect();
    findings.time = began.elapsed();
    findings.store(directory)?;
    Ok(findings)
}

impl Findings {
    /// Where the rows are.
    pub fn rows_file(directory: &Path) -> PathBuf {
        directory.join("rows.jsonl")
    }

    /// Cases that came out otherwise than meant, by the peers' own reports: some library does not do what the case is
    /// for. Each with the pair, the version, the ending, and how often.
    pub fn astray(&self) -> Vec<String> {
        let mut counts = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.is_astray) {
            let what = format!(
                "{} / {}, {}, TLS {}: {}",
                row.server,
                row.client,
                row.case,
                row.version,
                row.truth_text()
            );
            *counts.entry(what).or_insert(0) += 1;
        }
        counts
            .into_iter()
            .map(|(what, count)| format!("{what} ({count})"))
            .collect()
    }

    fn store(&self, directory: &Path) -> Result<()> {
        std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        let path = Self::rows_file(directory);
        let mut file = std::io::BufWriter::new(
            std::fs::File::create(&path).with_context(|| path.display().to_string())?,
        );
        for row in &self.rows {
            writeln!(file, "{}", row.json()?)?;
        }
        file.flush().context("rows")
    }

    /// Nothing was lost: each connection has its event, and each event its connection.
    pub fn is_complete(&self) -> bool {
        self.lost.is_empty() && self.surplus.is_empty() && self.dropped == 0.0
    }
}
