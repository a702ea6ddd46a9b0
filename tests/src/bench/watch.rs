//! The agent as it is measured: its events go to a file, its losses must stay 0.

use std::fs::File;
use std::io::Read;
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
    events: File,
    lines: u64,
    directory: TempDir,
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
        let directory = tempfile::Builder::new().prefix("tlsobs-bench-").tempdir()?;
        let path = directory.path().join("events.jsonl");
        let output = format!("file:{}", path.display());
        let agent = Agent::start(attach, &["--output", &output])?;
        let events = File::open(&path).context("the agent's events")?;
        Ok(Self {
            agent,
            events,
            lines: 0,
            directory,
        })
    }

    /// The agent's process id.
    pub fn pid(&self) -> u32 {
        self.agent.pid()
    }

    /// Waits until the agent has written `count` more events.
    ///
    /// # Errors
    /// When they do not come in time.
    pub fn wait_events(&mut self, count: u32) -> Result<()> {
        let wanted = self.lines + u64::from(count);
        let mut buffer = vec![0; 256 * 1024];
        poll::until("the agent's events", PATIENCE, || {
            loop {
                let length = self.events.read(&mut buffer)?;
                let new = buffer.get(..length).unwrap_or_default();
                self.lines += new.iter().filter(|byte| **byte == b'\n').count() as u64;
                if self.lines >= wanted {
                    return Ok(Some(()));
                }
                if length == 0 {
                    return Ok(None);
                }
            }
        })
        .with_context(|| format!("{} of {wanted} events came, {:?}", self.lines, self.losses()))
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
