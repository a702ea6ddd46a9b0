//! `bench libraries`: what library probes cost the processes that they are in, without and with them by turns in one run.
//! `docs/performance.md` tells what each figure means.

pub mod programs;
pub mod report;
pub mod rounds;
pub mod subject;
pub mod trap;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use self::report::Report;
use self::rounds::{Condition, Idle, Load};
use self::subject::{Library, Subject};
use super::figures::Series;
use super::watch::Watch;
use super::{Ground, machine};
use crate::agent::Attach;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Rounds of each comparison; each condition has its turn in each.
    pub rounds: u32,
    /// Handshakes in one turn.
    pub handshakes: u32,
    /// Bytes in one turn of a bulk comparison.
    pub bytes: u64,
    /// Seconds over which idle agents are measured.
    pub idle_seconds: u32,
}

impl Extent {
    /// What `docs/performance.md` shows.
    pub const FULL: Self = Self {
        rounds: 15,
        handshakes: 400,
        bytes: 256 << 20,
        idle_seconds: 5,
    };
    /// A smoke test: too short for good figures.
    pub const QUICK: Self = Self {
        rounds: 2,
        handshakes: 100,
        bytes: 64 << 20,
        idle_seconds: 2,
    };
}

/// Measures these libraries and prints the tables; the figures also go to a file, a JSON object a line. Without a library,
/// only what a probe costs by itself is measured.
///
/// # Errors
/// When a connection fails, the agent loses anything, or an event lacks what the library told. Missed goals are no error.
pub fn run(extent: Extent, libraries: &[Library], json: Option<&Path>) -> Result<()> {
    println!("{}", machine::description());
    println!("{extent:?}");
    println!("Each figure: median (smallest–largest) of the rounds.\n");
    let (mut report, mut failed) = (Report::default(), Vec::new());
    report.traps(&trap::measure(extent.rounds)?);
    if !libraries.is_empty() {
        let ground = Ground::new()?;
        let idle = idle(&ground, extent)?;
        report.idle(idle);
        for library in libraries {
            // The others can be measured all the same.
            if let Err(error) = measure(&ground, extent, *library, idle, &mut report) {
                eprintln!("{}: {error:#}\n", library.flag());
                failed.push(library.flag());
            }
        }
    }
    println!("Load at the end: {}", machine::load());
    report.goals();
    if let Some(path) = json {
        let mut file = File::create(path).with_context(|| path.display().to_string())?;
        report
            .lines
            .iter()
            .try_for_each(|line| writeln!(file, "{line}"))?;
    }
    ensure!(failed.is_empty(), "not measured: {}", failed.join(", "));
    Ok(())
}

/// CPU seconds a second of agents with nothing to watch.
fn idle(ground: &Ground, extent: Extent) -> Result<Idle> {
    let of = |libraries| -> Result<f64> {
        let watch = Watch::start_with(Attach::Cgroup(&ground.cgroup), &["--libraries", libraries])?;
        let idle = watch.idle(Duration::from_secs(extent.idle_seconds.into()))?;
        watch.finish(0)?;
        Ok(idle)
    };
    Ok([of("off")?, of("auto")?])
}

fn measure(ground: &Ground, extent: Extent, library: Library, idle: Idle, report: &mut Report) -> Result<()> {
    let handshakes = Load {
        connections: extent.handshakes,
        bytes: 0,
    };
    let subject = Subject::new(library, None)?;
    let found = rounds::compare(ground, &subject, handshakes, extent.rounds, idle)?;
    report.handshakes(&subject, &found);
    report.programs(&subject, &programs::measure(ground, &subject, handshakes)?);

    // Go's server of the laboratory gives one line only; its hooks are in nothing that bulk data passes.
    if library != Library::Go {
        let bulk = Load {
            connections: 1,
            bytes: extent.bytes,
        };
        let subject = Subject::new(library, Some(extent.bytes))?;
        let found = rounds::compare(ground, &subject, bulk, extent.rounds, idle)?;
        report.bulk(&subject, &found);
        report.programs(&subject, &programs::measure(ground, &subject, bulk)?);
    }
    Ok(())
}

/// Names of conditions with their figures: what tables and JSON lines go through.
fn by_condition<'a>(
    figures: impl Iterator<Item = &'a Series>,
) -> impl Iterator<Item = (&'static str, &'a Series)> {
    Condition::ALL
        .iter()
        .map(|condition| condition.name())
        .zip(figures)
}
