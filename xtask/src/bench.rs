//! `cargo xtask bench`: what the agent costs; with a part's name, what replaying captures costs, or how many
//! instructions the parser needs.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::{instructions, live, packages};

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
            let rest = [&[OsString::from("replay")], options.rest.as_slice()].concat();
            live::bench(&live::Options { rest })
        }
    }
}
