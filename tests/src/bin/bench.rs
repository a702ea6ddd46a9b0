//! `cargo xtask bench`: what the agent costs, without and with it by turns. Needs root.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use observer_tests::bench::{Extent, load, report};

/// Measures what the agent costs the services it watches. Exit status 0 also when a goal is missed; 1 when something was
/// lost or failed.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// The agent's binary; found beside this program when not given.
    #[arg(long)]
    observer: Option<PathBuf>,
    /// A short version, under 40 s: shows that it works, not good figures.
    #[arg(long)]
    quick: bool,
    /// Repeats without and with the agent, each.
    #[arg(long)]
    repeats: Option<u32>,
    /// Handshakes in one repeat.
    #[arg(long)]
    handshakes: Option<u32>,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What the benchmark starts itself as.
#[derive(Subcommand)]
#[command(hide = true)]
enum Part {
    /// The measured server.
    #[command(hide = true)]
    Serve(load::Flags),
    /// Its client.
    #[command(hide = true)]
    Load(load::Flags),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match &arguments.part {
        Some(Part::Serve(flags)) => return load::serve(flags),
        Some(Part::Load(flags)) => return load::load(flags),
        None => {}
    }
    if let Some(path) = &arguments.observer {
        // SAFETY: no other thread runs yet that could read the environment.
        unsafe { std::env::set_var("TLS_OBSERVER_BIN", path) };
    }
    let mut extent = if arguments.quick {
        Extent::QUICK
    } else {
        Extent::FULL
    };
    extent.repeats = arguments.repeats.unwrap_or(extent.repeats);
    extent.handshakes = arguments.handshakes.unwrap_or(extent.handshakes);
    report::run(extent)
}
