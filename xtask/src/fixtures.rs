//! `cargo xtask fixtures`: records the project's own captures anew, from peers in network namespaces of their own.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::build::{self, Profile};
use crate::{live, process, setup};

/// The program that records.
const RECORDER: &str = "record";

/// The verb. It replaces `tests/fixtures` and what stands in its manifest: to be looked through like any change.
pub fn run(options: &live::Options) -> Result<ExitCode> {
    if !process::is_root() {
        return Ok(process::needs_root(
            "fixtures",
            "it makes network namespaces and captures in them",
        ));
    }
    setup::run(&setup::Options {
        tests: true,
        ..setup::Options::default()
    })?;
    let recorder = build::live_programs(Profile::Dev)?.join(RECORDER);
    process::become_program(Command::new(recorder).args(&options.rest))
}
