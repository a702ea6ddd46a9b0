//! `cargo xtask bench`: what the agent costs the services that it watches.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::build::{self, Profile};
use crate::{process, setup};

/// What is passed on.
#[derive(clap::Args)]
pub struct Options {
    /// Arguments of the benchmark itself
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// The verb; ends as the benchmark ends.
pub fn run(options: &Options) -> Result<ExitCode> {
    if !process::is_root() {
        return Ok(process::needs_root(
            "bench",
            "it makes a network namespace and a cgroup, and loads eBPF programs",
        ));
    }
    setup::run(&setup::Options {
        tests: true,
        ci: false,
    })?;
    let agent = build::agent(Profile::Release)?;
    // Slow peers would hide the agent's cost.
    let bench = build::live_programs(Profile::Release)?.join("bench");
    process::become_program(
        Command::new(bench)
            .arg("--observer")
            .arg(agent)
            .args(&options.rest),
    )
}
