//! Hits of each library probe, and the time that its program takes, as the kernel counts them.

use std::collections::BTreeMap;

use anyhow::Result;

use super::rounds::{self, Condition, Load};
use super::subject::Subject;
use crate::bench::Ground;
use crate::bench::bpf::{self, CGROUP_SKB, Program, Runs, Statistics};
use crate::bench::workload::Server;

/// What one program did.
#[derive(Clone, Debug)]
pub struct Cost {
    /// The program's name.
    pub name: String,
    /// Runs for each connection.
    pub runs: f64,
    /// Nanoseconds of one; the counting itself is in them.
    pub nanoseconds: f64,
}

/// Runs of the library programs while a load is served, the busiest first.
///
/// # Errors
/// When the statistics cannot be had, a connection fails, or the agent loses anything.
pub fn measure(ground: &Ground, subject: &Subject, load: Load) -> Result<Vec<Cost>> {
    let _statistics = Statistics::enable()?;
    let server = Server::run(ground, rounds::VERSION, &mut subject.command(ground)?)?;
    let (mut watch, warm_up) = rounds::watch(ground, subject, &server, Condition::Probes)?;
    let before = bpf::programs(watch.pid())?;
    subject.ask(&server, load)?;
    watch.wait_events(load.connections)?;
    let after = bpf::programs(watch.pid())?;
    let costs = costs(&before, &after, load.connections)?;
    watch.finish(warm_up + load.connections)?;
    Ok(costs)
}

fn costs(
    before: &BTreeMap<u32, Program>,
    after: &BTreeMap<u32, Program>,
    connections: u32,
) -> Result<Vec<Cost>> {
    let mut costs = Vec::new();
    for (id, program) in after {
        let earlier = before.get(id).map_or(Runs::default(), |program| program.runs);
        let runs = program.runs.since(earlier);
        if program.kind != CGROUP_SKB && runs.count > 0 {
            costs.push(Cost {
                name: bpf::name(*id)?,
                runs: runs.count as f64 / f64::from(connections),
                nanoseconds: runs.mean(),
            });
        }
    }
    costs.sort_by(|one, other| other.runs.total_cmp(&one.runs));
    Ok(costs)
}
