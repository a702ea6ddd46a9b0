//! One server under the same load without the agent, with the wire's probes only, and with library probes, by turns in
//! short rounds, so that what else the machine does hits all three.

use anyhow::{Result, bail, ensure};

use super::subject::Subject;
use crate::agent::Attach;
use crate::bench::Ground;
use crate::bench::figures::Series;
use crate::bench::watch::Watch;
use crate::bench::workload::{Outcome, Server};
use crate::peers::Version;

/// What all of this is about: in TLS 1.2 the wire shows the certificates.
pub const VERSION: Version = Version::Tls13;
/// Connections before each measurement, and to look whether the library probes are attached.
const WARM_UP: u32 = 20;
/// How often to look for them.
const LOOKS: u32 = 100;

/// What watches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Without,
    /// The agent, without library probes.
    Wire,
    /// The agent, with them.
    Probes,
}

impl Condition {
    /// All, in the order of tables.
    pub const ALL: [Self; 3] = [Self::Without, Self::Wire, Self::Probes];

    /// In tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Without => "without",
            Self::Wire => "wire only",
            Self::Probes => "library probes",
        }
    }
}

/// What a client asks for in one round.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Connections.
    pub connections: u32,
    /// Bytes on each; 0 for one short line.
    pub bytes: u64,
}

impl Load {
    /// What costs are divided by: connections, or bytes.
    fn units(self) -> f64 {
        if self.bytes == 0 {
            f64::from(self.connections)
        } else {
            f64::from(self.connections) * self.bytes as f64
        }
    }
}

/// CPU seconds for each connection, or byte, in the rounds of one condition.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Of the server.
    pub server: Series,
    /// Of the client.
    pub client: Series,
    /// Of the agent, an idle one's taken off; empty without one.
    pub agent: Series,
}

/// Figures of one server and one load.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Of each condition, in the order of [`Condition::ALL`].
    pub figures: [Figures; 3],
    /// Server CPU that library probes add, in each round: seconds above that without the agent.
    pub added: Series,
    /// The same above that with the wire's probes only.
    pub added_to_wire: Series,
    /// Server CPU with library probes, by that without the agent.
    pub ratio: Series,
    /// Client CPU likewise.
    pub client_ratio: Series,
}

/// CPU seconds a second of idle agents: that without, and that with library probes.
pub type Idle = [f64; 2];

/// Runs the rounds.
///
/// # Errors
/// When a connection fails, the agent loses anything, or an event of a handshake tells nothing from the library.
pub fn compare(
    ground: &Ground,
    subject: &Subject,
    load: Load,
    rounds: u32,
    idle: Idle,
) -> Result<Comparison> {
    let server = Server::run(ground, VERSION, &mut subject.command(ground)?)?;
    // Files and caches are cold at first.
    subject.ask(&server, load)?;
    let mut found = Comparison::default();
    for round in 0..rounds as usize {
        let mut outcomes = [None; 3];
        for turn in 0..3 {
            // Another one begins in each round, so that none is always behind the same.
            let at = (round + turn) % 3;
            let (condition, figures) = (Condition::ALL[at], &mut found.figures[at]);
            let (outcome, agent) = measure(ground, subject, &server, load, condition, idle)?;
            figures.server.push(outcome.server_cpu / load.units());
            figures.client.push(outcome.client_cpu / load.units());
            if let Some(agent) = agent {
                figures.agent.push(agent / load.units());
            }
            outcomes[at] = Some(outcome);
        }
        let [Some(without), Some(wire), Some(probes)] = outcomes else {
            continue;
        };
        let units = load.units();
        found.added.push((probes.server_cpu - without.server_cpu) / units);
        found
            .added_to_wire
            .push((probes.server_cpu - wire.server_cpu) / units);
        found.ratio.push(probes.server_cpu / without.server_cpu);
        found.client_ratio.push(probes.client_cpu / without.client_cpu);
    }
    Ok(found)
}

/// One condition of one round; with an agent, its CPU seconds too.
fn measure(
    ground: &Ground,
    subject: &Subject,
    server: &Server<'_>,
    load: Load,
    condition: Condition,
    idle: Idle,
) -> Result<(Outcome, Option<f64>)> {
    if condition == Condition::Without {
        subject.ask(server, warm_up())?;
        return Ok((subject.ask(server, load)?, None));
    }
    let (mut watch, made) = watch(ground, subject, server, condition)?;
    let (mark, joined) = (watch.mark()?, watch.joined());
    let outcome = subject.ask(server, load)?;
    watch.wait_events(load.connections)?;
    let idle = idle[usize::from(condition == Condition::Probes)];
    let agent = watch.cpu_since(&mark, idle)?;
    let joined = watch.joined() - joined;
    let expected = if condition == Condition::Probes {
        load.connections
    } else {
        0
    };
    ensure!(
        joined == u64::from(expected),
        "{}, {}: {joined} of {} handshakes have facts from a library, not {expected}",
        subject.name,
        condition.name(),
        load.connections
    );
    watch.finish(made + load.connections)?;
    Ok((outcome, Some(agent)))
}

const fn warm_up() -> Load {
    Load {
        connections: WARM_UP,
        bytes: 0,
    }
}

/// An agent that watches `server`, its probes in place and warm; also the connections that it has seen for that.
///
/// # Errors
/// When its library probes are not attached in time.
pub fn watch(
    ground: &Ground,
    subject: &Subject,
    server: &Server<'_>,
    condition: Condition,
) -> Result<(Watch, u32)> {
    let libraries = match condition {
        Condition::Probes => subject.libraries,
        _ => "off",
    };
    let mut watch = Watch::start_with(Attach::Cgroup(&ground.cgroup), &["--libraries", libraries])?;
    let mut made = 0;
    for _ in 0..LOOKS {
        let before = watch.joined();
        subject.ask(server, warm_up())?;
        watch.wait_events(WARM_UP)?;
        made += WARM_UP;
        let expected = if condition == Condition::Probes {
            WARM_UP
        } else {
            0
        };
        if watch.joined() - before == u64::from(expected) {
            watch.settle()?;
            return Ok((watch, made));
        }
    }
    bail!(
        "{}, {}: not what was expected of {made} handshakes\n{}",
        subject.name,
        condition.name(),
        watch.transcript()
    )
}
