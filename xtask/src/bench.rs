//! `cargo xtask bench`: what the agent costs; with a part's name, what library probes or replaying captures cost, or how
//! many instructions the parser needs.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::{instructions, lab_packages, live, packages, setup};

/// What replay is measured beside, and its Debian package; tcpdump also records.
const READERS: [(&str, &str); 2] = [("tshark", "tshark"), ("tcpdump", "tcpdump")];

/// Which benchmark.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_precedence_over_arg = true)]
#[group(skip)]
pub struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    live: live::Options,
}

#[derive(clap::Subcommand)]
enum Part {
    /// Measure what library probes cost the processes that they are in, for each TLS library (root)
    Libraries(live::Options),
    /// Record captures with real peers, and measure what reading them costs, beside tshark and tcpdump (root)
    Replay(live::Options),
    /// Count the parser's instructions, and compare them with the ones on record
    Instructions(instructions::Options),
}

/// The verb.
pub fn run(options: &Options) -> Result<ExitCode> {
    match &options.part {
        None => live::bench(&options.live),
        Some(Part::Instructions(options)) => instructions::run(options).map(|()| ExitCode::SUCCESS),
        Some(Part::Replay(options)) => {
            for (program, package) in READERS {
                packages::need(program, package)?;
            }
            part("replay", options)
        }
        Some(Part::Libraries(options)) => {
            // The laboratory's servers are measured; one that cannot be had is missed when its turn comes.
            lab_packages::provide(&mut setup::Report::default())?;
            part("libraries", options)
        }
    }
}

fn part(name: &str, options: &live::Options) -> Result<ExitCode> {
    let rest = [&[OsString::from(name)], options.rest.as_slice()].concat();
    live::bench(&live::Options { rest })
}
