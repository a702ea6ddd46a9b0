//! `bench replay`: what reading a capture costs, beside tshark and tcpdump on the same files in the same run.

pub mod capture;
pub mod chains;
pub mod cost;
pub mod readers;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use self::capture::{Capture, Plan};
use self::chains::Chains;
use self::cost::Cost;
use self::readers::Reader;
use super::figures::{Judged, REPLAY_BULK, REPLAY_HANDSHAKES, REPLAY_MEMORY, Series};
use super::machine;
use crate::agent;
use crate::peers::Version;

const MEGA: f64 = 1e6;
const MEBI: f64 = 1_048_576.0;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Runs of each program on each capture.
    pub repeats: u32,
    /// Handshakes in each capture of handshakes.
    pub handshakes: u32,
    /// Bytes that each of the connections of a bulk capture carries.
    pub bytes: u64,
}

impl Extent {
    /// What `docs/performance.md` shows.
    pub const FULL: Self = Self {
        repeats: 5,
        handshakes: 10_000,
        bytes: 20_000_000,
    };
    /// A smoke test: too short for good figures.
    pub const QUICK: Self = Self {
        repeats: 1,
        handshakes: 1000,
        bytes: 5_000_000,
    };

    fn plans(self) -> [Plan; 4] {
        let handshakes = Plan {
            name: "TLS 1.2, mutual, four certificates",
            version: Version::Tls12,
            connections: self.handshakes,
            bytes: 0,
            ethernet: false,
        };
        let bulk = Plan {
            name: "bulk, packets of up to 64 KiB",
            version: Version::Tls13,
            connections: 20,
            bytes: self.bytes,
            ethernet: false,
        };
        [
            handshakes,
            Plan {
                name: "TLS 1.3, mutual",
                version: Version::Tls13,
                ..handshakes
            },
            bulk,
            Plan {
                name: "bulk, packets of up to 1,500 bytes",
                ethernet: true,
                ..bulk
            },
        ]
    }
}

/// What a program needs for one capture.
#[derive(Debug, Default)]
struct Figures {
    /// CPU seconds for reading it once, without what the program needs to start.
    cpu: Series,
    /// Resident memory at its highest, in bytes.
    peak: Series,
}

/// Records, measures and prints everything. With `keep` the captures stay in that directory.
///
/// # Errors
/// When recording or a program fails, or the observer tells other handshakes than were made. Missed goals are no error.
pub fn run(extent: Extent, keep: Option<&Path>) -> Result<()> {
    println!("{}", machine::description());
    println!("{extent:?}");
    println!(
        "CPU is user and system time, without what the program needs for an empty capture; memory is at its highest."
    );
    println!("Each figure: median (smallest–largest).\n");
    let observer = agent::binary()?;
    let scratch = tempfile::Builder::new().prefix("tlsobs-replay-").tempdir()?;
    let directory = keep.unwrap_or(scratch.path());
    fs::create_dir_all(directory)?;
    let empty = scratch.path().join("empty.pcap");
    Capture::write_empty(&empty)?;
    let chains = Chains::new()?;
    let mut judged = Vec::new();
    for (number, plan) in extent.plans().into_iter().enumerate() {
        let capture = Capture::record(plan, &chains, directory.join(format!("{number}.pcap")))?;
        let bench = Bench {
            observer: &observer,
            empty: &empty,
            output: scratch.path().join("output"),
            capture: &capture,
        };
        let figures = bench.compare(extent.repeats)?;
        show(&capture, &figures);
        judge(&capture, &figures, &mut judged);
        if keep.is_none() {
            fs::remove_file(&capture.path)?;
        }
    }
    println!("Load at the end: {}\n\nGoals", machine::load());
    judged.iter().for_each(|figure| println!("{figure}"));
    Ok(())
}

/// One capture, and all that reads it.
struct Bench<'a> {
    observer: &'a Path,
    empty: &'a Path,
    output: PathBuf,
    capture: &'a Capture,
}

impl Bench<'_> {
    /// Each program by turns, again and again.
    fn compare(&self, repeats: u32) -> Result<Vec<(Reader, Figures)>> {
        let mut figures: Vec<_> = Reader::ALL.map(|reader| (reader, Figures::default())).into();
        for _ in 0..repeats {
            for (reader, figures) in &mut figures {
                let times = reader.times(self.capture.plan.bytes == 0);
                let start = self.cost(*reader, self.empty, 1)?;
                let whole = self.cost(*reader, &self.capture.path, times)?;
                if *reader == Reader::Events {
                    self.check_events(times)?;
                }
                figures.cpu.push((whole.cpu - start.cpu) / f64::from(times));
                figures.peak.push(whole.peak as f64);
            }
        }
        Ok(figures)
    }

    fn cost(&self, reader: Reader, capture: &Path, times: u32) -> Result<Cost> {
        cost::of(&reader.command(self.observer, capture, times), &self.output)
    }

    /// Figures count only for an observer that told each handshake that was made.
    fn check_events(&self, times: u32) -> Result<()> {
        let file = fs::File::open(&self.output).context("events")?;
        let told = BufReader::new(file).split(b'\n').count();
        let made = self.capture.plan.connections * times;
        ensure!(
            u32::try_from(told) == Ok(made),
            "{made} handshakes were made, and {told} events told"
        );
        Ok(())
    }
}

fn of(figures: &[(Reader, Figures)], wanted: Reader) -> Option<&Figures> {
    let found = figures.iter().find(|(reader, _)| *reader == wanted);
    found.map(|(_, figures)| figures)
}

fn show(capture: &Capture, figures: &[(Reader, Figures)]) {
    let Plan {
        name, connections, ..
    } = capture.plan;
    let megabytes = capture.length as f64 / MEGA;
    println!("{name}: {connections} connections, {megabytes:.1} MB");
    println!(
        "  {:30} {:>30} {:>26} {:>20} {:>9}",
        "", "connections a CPU second", "GB a CPU second", "MiB", "× tshark"
    );
    let tshark = of(figures, Reader::Tshark).map_or(f64::NAN, |figures| figures.cpu.median());
    for (reader, Figures { cpu, peak }) in figures {
        println!(
            "  {reader:30} {:>30} {:>26} {:>20} {:>9.1}",
            cpu.inverse(connections.into()).show(0),
            cpu.inverse(megabytes / 1000.0).show(3),
            peak.scaled(1.0 / MEBI).show(1),
            tshark / cpu.median(),
        );
    }
    println!();
}

/// Holds the observer's figures against the goals.
fn judge(capture: &Capture, figures: &[(Reader, Figures)], judged: &mut Vec<Judged>) {
    let (goal, other) = match capture.plan.bytes {
        0 => (REPLAY_HANDSHAKES, Reader::Tshark),
        _ => (REPLAY_BULK, Reader::Copy),
    };
    let Some(events) = of(figures, Reader::Events) else {
        return;
    };
    let other = of(figures, other).map_or(f64::NAN, |figures| figures.cpu.median());
    let mut put = |goal, value| {
        judged.push(Judged {
            goal,
            case: capture.plan.name.into(),
            value,
        });
    };
    put(goal, other / events.cpu.median());
    put(REPLAY_MEMORY, events.peak.largest() / MEBI);
}
