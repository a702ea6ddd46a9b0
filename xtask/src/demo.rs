//! `cargo xtask demo`: the main job on an embedded default, from nothing.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::build::{self, Profile};
use crate::{process, setup};

/// What is passed on.
#[derive(clap::Args)]
pub struct Options {
    /// Arguments of the demo itself
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// The verb; ends as the demo ends.
pub fn run(options: &Options) -> Result<ExitCode> {
    if !process::is_root() {
        return Ok(process::needs_root(
            "demo",
            "it makes a network namespace and a cgroup, and loads eBPF programs",
        ));
    }
    setup::run(&setup::Options {
        tests: true,
        ci: false,
    })?;
    let agent = build::agent(Profile::Release)?;
    // The demo's peers need not be fast, and the tests use the same build of them.
    let demo = build::live_programs(Profile::Dev)?.join("demo");
    process::become_program(
        Command::new(demo)
            .arg("--observer")
            .arg(agent)
            .args(&options.rest),
    )
}
