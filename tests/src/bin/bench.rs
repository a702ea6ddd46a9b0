//! `cargo xtask bench`: what the agent costs, without and with it by turns, and what replay costs. Needs root.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use observer_tests::agent;
use observer_tests::bench::libraries::subject::Library;
use observer_tests::bench::replay::{self, cost};
use observer_tests::bench::{Extent, libraries, load, report};

/// Measures what the agent costs the services it watches. Exit status 0 also when a goal is missed; 1 when something was
/// lost or failed.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// The agent's binary; found beside this program when not given.
    #[arg(long, global = true)]
    observer: Option<PathBuf>,
    /// A short version, under 40 s: shows that it works, not good figures.
    #[arg(long, global = true)]
    quick: bool,
    /// Repeats of each measurement.
    #[arg(long, global = true)]
    repeats: Option<u32>,
    /// Handshakes in one repeat.
    #[arg(long, global = true)]
    handshakes: Option<u32>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// Measures instead what reading captures costs, beside tshark and tcpdump.
    Replay {
        /// Keep the captures in this directory.
        #[arg(long)]
        keep: Option<PathBuf>,
    },
    /// Measures instead what library probes cost the processes that they are in.
    Libraries {
        /// Only these; `none` for what a probe costs by itself.
        #[arg(long, value_delimiter = ',', value_parser = library)]
        only: Option<Vec<Option<Library>>>,
        /// Bytes of one bulk transfer.
        #[arg(long)]
        bytes: Option<u64>,
        /// The figures go to this file too, a JSON object a line.
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// The measured server, which the benchmark starts itself.
    #[command(hide = true)]
    Serve(load::Flags),
    /// Its client.
    #[command(hide = true)]
    Load(load::Flags),
    /// Measures one run of a program.
    #[command(hide = true)]
    Measure(cost::Flags),
}

/// A library by its name in `--libraries`.
fn library(name: &str) -> Result<Option<Library>, String> {
    if name == "none" {
        return Ok(None);
    }
    let found = Library::ALL.into_iter().find(|library| library.flag() == name);
    let known = || Library::ALL.map(Library::flag).join(", ");
    found.map(Some).ok_or_else(|| format!("{}, or none", known()))
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(path) = arguments.observer {
        agent::use_binary(path);
    }
    match &arguments.part {
        Some(Part::Serve(flags)) => load::serve(flags, None),
        Some(Part::Load(flags)) => load::load(flags),
        Some(Part::Measure(flags)) => cost::measure(flags),
        Some(Part::Replay { keep }) => {
            let mut extent = if arguments.quick {
                replay::Extent::QUICK
            } else {
                replay::Extent::FULL
            };
            extent.repeats = arguments.repeats.unwrap_or(extent.repeats);
            extent.handshakes = arguments.handshakes.unwrap_or(extent.handshakes);
            replay::run(extent, keep.as_deref())
        }
        Some(Part::Libraries { only, bytes, json }) => {
            let mut extent = if arguments.quick {
                libraries::Extent::QUICK
            } else {
                libraries::Extent::FULL
            };
            extent.rounds = arguments.repeats.unwrap_or(extent.rounds);
            extent.handshakes = arguments.handshakes.unwrap_or(extent.handshakes);
            extent.bytes = bytes.unwrap_or(extent.bytes);
            let only: Option<Vec<_>> = only.as_ref().map(|only| only.iter().copied().flatten().collect());
            libraries::run(extent, only.as_deref().unwrap_or(&Library::ALL), json.as_deref())
        }
        None => {
            let mut extent = if arguments.quick {
                Extent::QUICK
            } else {
                Extent::FULL
            };
            extent.repeats = arguments.repeats.unwrap_or(extent.repeats);
            extent.handshakes = arguments.handshakes.unwrap_or(extent.handshakes);
            report::run(extent)
        }
    }
}
