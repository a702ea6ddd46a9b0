//! `cargo xtask ci`: format, lints, licences, documentation, instruction counts, fuzz targets, Miri, then all tests; each
//! step runs whatever became of the one before, and any failure fails the whole.

use std::process::{Command, ExitCode};
use std::thread;

use anyhow::Result;

use crate::build::{self, Profile};
use crate::{fuzz, instructions, miri, process, setup, test};

/// All crates but the kernel half, which only builds for the BPF target.
const HOST_CRATES: [&str; 3] = ["--workspace", "--exclude", "observer-ebpf"];

/// The verb.
pub fn run() -> Result<ExitCode> {
    setup::run(&setup::Options {
        tests: true,
        ci: true,
        ..setup::Options::default()
    })?;
    test::provide_counterparts()?;
    let mut problems = Vec::new();
    for (name, mut command) in checks() {
        eprintln!("== {name}");
        if let Err(error) = process::run(&mut command) {
            problems.push(format!("{name}: {error:#}"));
        }
    }
    eprintln!("== instructions");
    if let Err(error) = instructions::run(&instructions::Options::default()) {
        problems.push(format!("instructions: {error:#}"));
    }
    eprintln!("== fuzz targets");
    let fuzz = fuzz::suite(fuzz::CI_SECONDS, &[]);
    eprintln!("== Miri");
    // The live tests need the agent as it is installed. Linking it and Miri each take one core for most of their time.
    let miri = thread::scope(|scope| {
        let agent = scope.spawn(|| build::agent(Profile::Release));
        let miri = miri::suite();
        // Whether there is one, and why not, the live tests tell.
        drop(agent.join());
        miri
    });
    test::all(problems, vec![("fuzz targets", fuzz), ("Miri", miri)])
}

fn checks() -> [(&'static str, Command); 4] {
    let mut clippy = process::cargo(["clippy", "--all-targets"]);
    clippy.args(HOST_CRATES).args(["--", "-D", "warnings"]);
    // Not advisories: their database is a repository to be fetched, and news in it are not this change's fault.
    let deny = process::cargo(["deny", "check", "licenses", "bans", "sources"]);
    let mut doc = process::cargo(["doc", "--no-deps"]);
    doc.args(HOST_CRATES).env("RUSTDOCFLAGS", "-D warnings");
    [
        ("format", process::cargo(["fmt", "--all", "--check"])),
        ("lints", clippy),
        ("licences, bans and sources", deny),
        ("documentation", doc),
    ]
}
