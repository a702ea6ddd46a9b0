//! `cargo xtask lab`: the agent beside what real servers and clients of many TLS libraries report, in every case.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::build::{self, Profile};
use crate::{lab_packages, live, process, setup};

/// The program that runs it.
const LABORATORY: &str = "lab";
/// Where the tables go after a whole run.
const DOCUMENT: &str = "docs/outcomes.md";
/// Where those go that compare the wire with library probes.
const LIBRARIES_DOCUMENT: &str = "docs/tls13.md";
/// Where a line for each handshake goes, below Cargo's target directory's usual place.
const ROWS: &str = "target/lab";

/// The verb.
pub fn run(options: &live::Options) -> Result<ExitCode> {
    if !process::is_root() {
        return Ok(process::needs_root(
            LABORATORY,
            "it makes a network namespace and a cgroup, and loads eBPF programs",
        ));
    }
    setup::run(&setup::Options {
        tests: true,
        ..setup::Options::default()
    })?;
    // What is missing takes no part; the laboratory says so again beside its figures.
    lab_packages::provide(&mut setup::Report::default())?;
    let agent = build::agent(Profile::Release)?;
    let laboratory = build::live_programs(Profile::Dev)?.join(LABORATORY);
    let workspace = process::workspace();
    process::become_program(
        Command::new(laboratory)
            .arg("--observer")
            .arg(agent)
            .arg("--document")
            .arg(workspace.join(DOCUMENT))
            .arg("--libraries-document")
            .arg(workspace.join(LIBRARIES_DOCUMENT))
            .arg("--into")
            .arg(workspace.join(ROWS))
            .args(&options.rest),
    )
}
