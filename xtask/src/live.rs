//! The verbs that end as a program of the live tests' crate ends: set up, build it and the agent, become it.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::build::{self, Profile};
use crate::{process, setup};

/// What is passed on.
#[derive(clap::Args)]
pub struct Options {
    /// Arguments of the program itself
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub rest: Vec<OsString>,
}

/// `cargo xtask demo`: the main job on an embedded default, from nothing. Its peers need not be fast, and the tests use
/// the same build of them.
pub fn demo(options: &Options) -> Result<ExitCode> {
    run("demo", Profile::Dev, options)
}

/// `cargo xtask bench`: what the agent costs the services that it watches. Slow peers would hide that cost.
pub fn bench(options: &Options) -> Result<ExitCode> {
    run("bench", Profile::Release, options)
}

fn run(program: &str, peers: Profile, options: &Options) -> Result<ExitCode> {
    if !process::is_root() {
        return Ok(process::needs_root(
            program,
            "it makes a network namespace and a cgroup, and loads eBPF programs",
        ));
    }
    setup::run(&setup::Options {
        tests: true,
        ..setup::Options::default()
    })?;
    let agent = build::agent(Profile::Release)?;
    let program = build::live_programs(peers)?.join(program);
    process::become_program(
        Command::new(program)
            .arg("--observer")
            .arg(agent)
            .args(&options.rest),
    )
}
