//! Everything a live test stands on: a namespace, a cgroup, certificates, and the agent watching.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::agent::{Agent, Attach, Ended};
use crate::cgroup::Cgroup;
use crate::netns::Namespace;
use crate::peers::Place;
use crate::pki::Pki;

/// How the agent is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `--cgroup`.
    Cgroup,
    /// `--interface lo`.
    Interface,
}

impl Mode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Cgroup, Self::Interface];
}

/// Loopback of both families.
pub const LOOPBACKS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// A namespace with an agent watching its loopback interface, or the cgroup of the peers in it.
pub struct World {
    /// Where the peers run.
    pub namespace: Namespace,
    /// The cgroup of the peers.
    pub cgroup: Cgroup,
    /// The peers' certificates.
    pub pki: Pki,
    agent: Option<Agent>,
    seen: usize,
}

impl World {
    /// Makes it all; `flags` go to the agent.
    ///
    /// # Errors
    /// When some part cannot be had.
    pub fn new(mode: Mode, flags: &[&str]) -> Result<Self> {
        let (namespace, cgroup) = (Namespace::new()?, Cgroup::new()?);
        let attach = match mode {
            Mode::Cgroup => Attach::Cgroup(&cgroup),
            Mode::Interface => Attach::Interface(&namespace, "lo"),
        };
        let agent = Agent::start(attach, flags)?;
        Self::with(namespace, cgroup, agent)
    }

    /// Makes a world around an agent that runs already.
    ///
    /// # Errors
    /// When certificates cannot be made.
    pub fn with(namespace: Namespace, cgroup: Cgroup, agent: Agent) -> Result<Self> {
        Ok(Self::of_parts(namespace, cgroup, Pki::new()?, agent))
    }

    /// Makes a world whose agent watches the cgroup, with flags that `flags` makes of the peers' certificates.
    ///
    /// # Errors
    /// When some part cannot be had.
    pub fn trusting(flags: impl FnOnce(&Pki) -> Result<Vec<String>>) -> Result<Self> {
        let (namespace, cgroup, pki) = (Namespace::new()?, Cgroup::new()?, Pki::new()?);
        let flags = flags(&pki)?;
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let agent = Agent::start(Attach::Cgroup(&cgroup), &flags)?;
        Ok(Self::of_parts(namespace, cgroup, pki, agent))
    }

    fn of_parts(namespace: Namespace, cgroup: Cgroup, pki: Pki, agent: Agent) -> Self {
        Self {
            namespace,
            cgroup,
            pki,
            agent: Some(agent),
            seen: 0,
        }
    }

    /// Where peers are to run.
    pub fn place(&self) -> Place<'_> {
        Place {
            namespace: &self.namespace,
            cgroup: &self.cgroup,
        }
    }

    /// The agent.
    ///
    /// # Errors
    /// After [`World::finish`].
    pub fn agent(&self) -> Result<&Agent> {
        self.agent.as_ref().context("the agent was stopped")
    }

    /// The next event that no earlier call has given.
    ///
    /// # Errors
    /// When none comes.
    pub fn next_event(&mut self) -> Result<Value> {
        let event = self.agent()?.event_after(self.seen)?;
        self.seen += 1;
        Ok(event)
    }

    /// Ends the agent.
    ///
    /// # Errors
    /// When it does not end well.
    pub fn stop_agent(&mut self) -> Result<Ended> {
        self.agent.take().context("the agent was stopped")?.stop()
    }

    /// Ends the agent and demands that it wrote no event but those given by [`World::next_event`], and that it lost
    /// nothing.
    ///
    /// # Errors
    /// When there was more, or less.
    pub fn finish(&mut self) -> Result<Ended> {
        let agent = self.agent.take().context("the agent was stopped")?;
        let metrics = agent.metrics()?;
        let lost = metrics.sum("tls_observer_events_dropped_total", &[]);
        ensure!(lost == Some(0.0), "events dropped: {lost:?}");
        let ended = agent.stop()?;
        let extra = ended.events.get(self.seen..).unwrap_or_default();
        ensure!(extra.is_empty(), "events that nothing accounts for: {extra:#?}");
        let told =
            ["established", "failed", "incomplete", "late_alerts"].map(|count| ended.summary.get(count));
        let told: usize = told.into_iter().flatten().sum();
        ensure!(
            told == self.seen,
            "{} events, and the summary says {:?}",
            self.seen,
            ended.summary
        );
        Ok(ended)
    }
}
