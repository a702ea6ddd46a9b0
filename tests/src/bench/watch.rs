//! The agent as it is measured: its events go to a file, its losses must stay 0.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::machine::{Resident, cpu_time, resident};
use crate::agent::{Agent, Attach};
use crate::poll::{self, PATIENCE};

/// After the last event the agent still has closes to see and things to forget; that belongs to the handshakes' cost.
const AFTERMATH: Duration = Duration::from_millis(250);

/// A running agent and the file with its events.
pub struct Watch {
    agent: Agent,
    events: BufReader<File>,
    /// The part of the next event that was read.
    line: Vec<u8>,
    lines: u64,
    joined: u64,
    directory: TempDir,
}

/// Whether both the wire and a library told of an event. As the agent writes it: parsing each event would take the CPU
/// that is measured.
fn is_joined(line: &[u8]) -> bool {
    const JOINED: &[u8] = br#""source":"both""#;
    line.windows(JOINED.len()).any(|part| part == JOINED)
}

/// A moment from which on the agent's CPU time is counted.
pub struct Mark {
    when: Instant,
    cpu: Duration,
}

impl Watch {
    /// Starts the agent.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn start(attach: Attach<'_>) -> Result<Self> {
        Self::start_with(attach, &[])
    }

    /// Starts the agent with further flags.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn start_with(attach: Attach<'_>, flags: &[&str]) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("tlsobs-bench-").tempdir()?;
        let path = directory.path().join("events.jsonl");
        let output = format!("file:{}", path.display());
        let agent = Agent::start(attach, &[&["--output", &output], flags].concat())?;
        let events = File::open(&path).context("the agent's events")?;
        Ok(Self {
            agent,
            events: BufReader::with_capacity(256 * 1024, events),
            line: Vec::new(),
            lines: 0,
            joined: 0,
            directory,
        })
    }

    /// The agent's process id.
    pub fn pid(&self) -> u32 {
        self.agent.pid()
    }

    /// What the agent has said so far.
    pub fn transcript(&self) -> String {
        self.agent.transcript()
    }

    /// Waits until the agent has written `count` more events.
    ///
    /// # Errors
    /// When they do not come in time.
    pub fn wait_events(&mut self, count: u32) -> Result<()> {
        let wanted = self.lines + u64::from(count);
        poll::until("the agent's events", PATIENCE, || {
            while self.lines < wanted {
                self.events.read_until(b'\n', &mut self.line)?;
                if !self.line.ends_with(b"\n") {
                    return Ok(None);
                }
                self.lines += 1;
                self.joined += u64::from(is_joined(&self.line));
                self.line.clear();
            }
            Ok(Some(()))
        })
        .with_context(|| format!("{} of {wanted} events came, {:?}", self.lines, self.losses()))
    }

    /// Of the events waited for, those that library probes added to.
    pub fn joined(&self) -> u64 {
        self.joined
    }

    /// Begins to count CPU time.
    ///
    /// # Errors
    /// When the agent has ended.
    pub fn mark(&self) -> Result<Mark> {
        Ok(Mark {
            when: Instant::now(),
            cpu: cpu_time(self.pid())?,
        })
    }

    /// CPU seconds since `mark` beyond those that an idle agent uses (`idle`, CPU seconds a second).
    ///
    /// # Errors
    /// When the agent has ended.
    pub fn cpu_since(&self, mark: &Mark, idle: f64) -> Result<f64> {
        std::thread::sleep(AFTERMATH);
        let used = cpu_time(self.pid())?.saturating_sub(mark.cpu).as_secs_f64();
        Ok(used - idle * mark.when.elapsed().as_secs_f64())
    }

    /// CPU seconds a second that the agent uses with nothing to watch.
    ///
    /// # Errors
    /// When the agent has ended.
    pub fn idle(&self, over: Duration) -> Result<f64> {
        std::thread::sleep(AFTERMATH);
        let mark = self.mark()?;
        std::thread::sleep(over);
        let used = cpu_time(self.pid())?.saturating_sub(mark.cpu);
        Ok(used.as_secs_f64() / mark.when.elapsed().as_secs_f64())
    }

    /// Waits until the agent has nothing left to do: it examines programs when they first run.
    ///
    /// # Errors
    /// When it does not come to rest.
    pub fn settle(&self) -> Result<()> {
        /// An agent that uses less than a twentieth of a CPU for so long is at rest.
        const REST: Duration = Duration::from_millis(200);
        poll::until("an agent at rest", PATIENCE, || {
            let mark = self.mark()?;
            std::thread::sleep(REST);
            let used = cpu_time(self.pid())?.saturating_sub(mark.cpu);
            Ok((used * 20 < REST).then_some(()))
        })
    }

    /// The agent's memory.
    ///
    /// # Errors
    /// When the agent has ended.
    pub fn resident(&self) -> Result<Resident> {
        resident(self.pid())
    }

    /// The loss counters that have moved.
    fn losses(&self) -> Result<Vec<String>> {
        let samples = self.agent.metrics()?.0;
        let losses: Vec<_> = samples
            .into_iter()
            .filter(|sample| sample.name == "tls_observer_events_dropped_total")
            .collect();
        ensure!(!losses.is_empty(), "the agent exports no loss counters");
        Ok(losses
            .into_iter()
            .filter(|sample| sample.value != 0.0)
            .map(|sample| sample.line)
            .collect())
    }

    /// Ends the agent. It must have lost nothing, and have seen exactly `handshakes` established.
    ///
    /// # Errors
    /// When it lost something, or saw something else.
    pub fn finish(self, handshakes: u32) -> Result<()> {
        let losses = self.losses()?;
        ensure!(
            losses.is_empty(),
            "the agent lost something:\n{}",
            losses.join("\n")
        );
        let ended = self.agent.stop()?;
        let established = ended.summary.get("established").copied();
        if established != usize::try_from(handshakes).ok() {
            let kept = self.directory.keep();
            bail!(
                "{handshakes} handshakes were made, the agent saw {:?}; its events are kept in {}",
                ended.summary,
                kept.display()
            );
        }
        Ok(())
    }
}
