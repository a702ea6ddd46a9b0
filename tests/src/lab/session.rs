//! A whole run: the agents, the peers, the comparison.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::observed::Observed;
use super::row::Row;
use super::run::{Extent, Laboratory, Outcome, Probed, Selection};
use crate::agent::{Agent, Attach};
use crate::probed;
use crate::process::Process;

/// When the agent takes a silent handshake for timed out: before the peers give up.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// The agent's own settle time, its default, and some more: all outcomes are told by then.
const LAST_OUTCOMES: Duration = Duration::from_secs(8);

/// One agent of a run. Several watch the same traffic side by side, so that what they tell can be compared.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Its name, in the names of files.
    pub name: &'a str,
    /// Its flags, beside those that all have.
    pub flags: &'a [&'a str],
}

impl View<'_> {
    /// The agent as it comes.
    pub const DEFAULT: Self = Self {
        name: "default",
        flags: &[],
    };

    /// The agent with the wire's probes alone.
    pub const WIRE: Self = Self {
        name: "wire",
        flags: &["--libraries", "off"],
    };

    /// Where its rows go: `rows-NAME.jsonl`.
    pub fn rows_file(&self, directory: &Path) -> PathBuf {
        directory.join(format!("rows-{}.jsonl", self.name))
    }

    /// Whether it may put probes into the library of a stack.
    fn probes(&self, stack: &str) -> bool {
        let listed = |library| {
            self.flags
                .iter()
                .any(|flag| flag.split(',').any(|named| named == library))
        };
        match stack {
            "rustls" => listed("rustls"),
            "rustls-aws-lc" => listed("aws-lc"),
            "boringssl" => listed("boringssl"),
            "gnutls" | "go" => listed(stack),
            _ => listed("openssl"),
        }
    }

    fn start(&self, laboratory: &Laboratory) -> Result<Agent> {
        let timeout = format!("{}s", HANDSHAKE_TIMEOUT.as_secs());
        let flags = [&["--handshake-timeout", &timeout], &probed::FLAGS[..], self.flags].concat();
        Agent::start(Attach::Cgroup(&laboratory.cgroup), &flags)
            .with_context(|| format!("the agent {}", self.name))
    }
}

/// What one agent of a run has told.
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
    /// What the agent says that it has dropped of what the wire showed.
    pub dropped: f64,
    /// All that it says that it has dropped, and what libraries told that did not become part of an event: how much, and why.
    pub losses: Vec<String>,
    /// How long it took.
    pub time: Duration,
}

/// Runs what is selected, once for all agents, and compares; a line for each handshake goes into a file for each agent in
/// `directory`, and so does the agent's log. Gives the findings in the order of the views.
///
/// # Errors
/// When the rooms, an agent or a file cannot be had.
pub fn run(selection: &Selection, views: &[View<'_>], directory: &Path) -> Result<Vec<Findings>> {
    let began = Instant::now();
    let laboratory = Laboratory::new()?;
    let agents: Vec<_> = views
        .iter()
        .map(|view| view.start(&laboratory))
        .collect::<Result<_>>()?;
    let wait = |stack: &str, process: &Process, patience| {
        for (view, agent) in views.iter().zip(&agents) {
            if view.probes(stack) {
                probed::wait(agent, process.pid(), patience);
            }
        }
    };
    let unhurried = selection.extent == Extent::Libraries;
    let outcome = laboratory.run(selection, unhurried.then_some(&wait as &Probed<'_>));
    std::thread::sleep(LAST_OUTCOMES);
    std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let mut all = Vec::new();
    for (view, agent) in views.iter().zip(agents) {
        let log = directory.join(format!("agent-{}.log", view.name));
        std::fs::write(&log, agent.log()).with_context(|| log.display().to_string())?;
        let findings = Findings::of(agent, &laboratory, &outcome, began)?;
        findings.store(&view.rows_file(directory))?;
        all.push(findings);
    }
    Ok(all)
}

/// Where the agent joins what libraries tell to what the wire showed.
const JOIN: &str = "join";

impl Findings {
    /// Ends the agent and compares its events with what the peers reported.
    fn of(agent: Agent, laboratory: &Laboratory, outcome: &Outcome, began: Instant) -> Result<Self> {
        let metrics = agent.metrics()?;
        let lost = |labels: &[_]| metrics.sum("tls_observer_events_dropped_total", labels);
        let (all, of_libraries) = (lost(&[]), lost(&[("stage", JOIN)]).unwrap_or_default());
        let mut observed = Observed::new(agent.stop_unchecked()?);
        let mut findings = Self {
            rows: Vec::new(),
            lost: Vec::new(),
            surplus: Vec::new(),
            problems: [&laboratory.absent[..], &outcome.problems].concat(),
            skipped: outcome.skipped,
            dropped: all.context("no tls_observer_events_dropped_total")? - of_libraries,
            losses: metrics.losses(),
            time: Duration::ZERO,
        };
        for meeting in &outcome.meetings {
            let (mut rows, mut lost) = Row::of(meeting, &mut observed);
            findings.rows.append(&mut rows);
            findings.lost.append(&mut lost);
        }
        findings.surplus = observed.left().map(ToString::to_string).collect();
        findings.time = began.elapsed();
        Ok(findings)
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

    fn store(&self, path: &Path) -> Result<()> {
        let file = std::fs::File::create(path).with_context(|| path.display().to_string())?;
        let mut file = std::io::BufWriter::new(file);
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
