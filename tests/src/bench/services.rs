//! What a service's clients and its machine notice: the same load without and with the agent, by turns.

use std::time::Duration;

use anyhow::Result;

use super::figures::Series;
use super::machine::Resident;
use super::watch::Watch;
use super::workload::{Outcome, Server};
use super::{Extent, Ground};
use crate::agent::Attach;
use crate::peers::{Stack, Version};

/// Figures of one load.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Handshakes, or bytes, a second without the agent.
    pub rate_without: Series,
    /// The same with it.
    pub rate_with: Series,
    /// Server CPU seconds for each handshake, or byte, without the agent.
    pub server_without: Series,
    /// The same with it.
    pub server_with: Series,
    /// With to without, of each pair of repeats.
    pub rate_ratio: Series,
    /// With to without, of each pair of repeats.
    pub server_ratio: Series,
    /// Agent CPU seconds for each handshake, or byte, above idle.
    pub agent: Series,
    /// Resident memory of the agent after each repeat, in bytes.
    pub resident: Series,
    /// The same at its highest.
    pub resident_peak: Series,
}

/// What a client asks for in one repeat.
#[derive(Clone, Copy, Debug)]
pub enum Task {
    /// Many connections with one tiny request each.
    Handshakes,
    /// One connection with a long answer.
    Bulk,
}

impl Task {
    /// Connections, and bytes on each.
    fn extent(self, extent: Extent) -> (u32, u64) {
        match self {
            Self::Handshakes => (extent.handshakes, 0),
            Self::Bulk => (1, extent.bytes),
        }
    }
}

/// CPU seconds a second of an agent with nothing to watch.
///
/// # Errors
/// When the agent does not run.
pub fn idle(ground: &Ground, extent: Extent) -> Result<f64> {
    let watch = Watch::start(Attach::Cgroup(&ground.cgroup))?;
    let idle = watch.idle(Duration::from_secs(extent.idle_seconds.into()))?;
    watch.finish(0)?;
    Ok(idle)
}

/// Puts a server of `stack` under load, without and with the agent by turns. `idle` is what [`idle`] gave.
///
/// # Errors
/// When a connection fails, or the agent loses anything.
pub fn compare(
    ground: &Ground,
    extent: Extent,
    (stack, version): (Stack, Version),
    task: Task,
    idle: f64,
) -> Result<Comparison> {
    let server = Server::start(ground, stack, version)?;
    let (connections, bytes) = task.extent(extent);
    let units = if bytes == 0 {
        f64::from(connections)
    } else {
        bytes as f64
    };
    let mut found = Comparison::default();
    for _ in 0..extent.repeats {
        server.load(extent.warm_up, 0)?;
        let without = server.load(connections, bytes)?;
        let (with, agent, memory) = watched(ground, extent, &server, (connections, bytes), idle)?;

        found.rate_without.push(units / without.seconds);
        found.rate_with.push(units / with.seconds);
        found.rate_ratio.push(without.seconds / with.seconds);
        found.server_without.push(without.server_cpu / units);
        found.server_with.push(with.server_cpu / units);
        found.server_ratio.push(with.server_cpu / without.server_cpu);
        found.agent.push(agent / units);
        found.resident.push(memory.now as f64);
        found.resident_peak.push(memory.peak as f64);
    }
    Ok(found)
}

/// One repeat with the agent: what the client saw, the agent's CPU seconds, its memory.
fn watched(
    ground: &Ground,
    extent: Extent,
    server: &Server<'_>,
    (connections, bytes): (u32, u64),
    idle: f64,
) -> Result<(Outcome, f64, Resident)> {
    let mut watch = Watch::start(Attach::Cgroup(&ground.cgroup))?;
    server.load(extent.warm_up, 0)?;
    watch.wait_events(extent.warm_up)?;
    let mark = watch.mark()?;
    let outcome = server.load(connections, bytes)?;
    watch.wait_events(connections)?;
    let agent = watch.cpu_since(&mark, idle)?;
    let memory = watch.resident()?;
    watch.finish(extent.warm_up + connections)?;
    Ok((outcome, agent, memory))
}
