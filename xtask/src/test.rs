//! `cargo xtask test`: every test there is. Its last line sums up all suites.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::build::{self, Profile};
use crate::libtest::{self, Counts, Suite};
use crate::skips::Allowed;
use crate::{lab_packages, process, setup};

/// Tells the live tests where the agent is.
const AGENT_PATH: &str = "TLS_OBSERVER_BIN";
/// What stands for all live tests where they cannot run.
const LIVE_SUITE: &str = "observer-tests";

/// The verb.
pub fn run() -> Result<ExitCode> {
    setup::run(&setup::Options {
        tests: true,
        ..setup::Options::default()
    })?;
    if process::is_root() {
        // Library probes are proven with peers of many libraries.
        lab_packages::provide(&mut setup::Report::default())?;
    }
    all(Vec::new(), Vec::new())
}

/// Runs all suites, each whatever became of the one before, and sums them up with `more` that were run before them.
/// `problems` are failures from before them.
pub fn all(mut problems: Vec<String>, more: Vec<(&str, Result<Suite>)>) -> Result<ExitCode> {
    let allowed = Allowed::load()?;
    let units = units();
    let live = build::agent(Profile::Release).and_then(|agent| live(&agent));
    let mut total = Counts::default();
    println!();
    let tests = [("unit and doc tests", units), ("live tests", live)];
    for (name, suite) in more.into_iter().chain(tests) {
        let suite = suite.unwrap_or_else(|error| {
            problems.push(format!("{name}: {error:#}"));
            Suite {
                counts: Counts {
                    failed: 1,
                    ..Counts::default()
                },
                ..Suite::default()
            }
        });
        for test in &suite.skipped {
            match allowed.reason(test) {
                Some(reason) => println!("skipped: {test}: {reason}"),
                None => problems.push(format!(
                    "{test} was skipped, and is not on the list of allowed skips"
                )),
            }
        }
        println!("{name}: {}", suite.counts);
        total += suite.counts;
    }
    for problem in &problems {
        println!("failure: {problem}");
    }
    println!("{total}");
    Ok(if problems.is_empty() && total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn units() -> Result<Suite> {
    let selection = [
        "--workspace",
        "--exclude",
        "observer-ebpf",
        "--exclude",
        LIVE_SUITE,
    ];
    libtest::run(process::cargo(["test", "--no-fail-fast"]).args(selection))
}

/// The live tests, on the agent as it is installed. The tests themselves need no optimisation: they share the unit
/// tests' build of what they depend on.
fn live(agent: &Path) -> Result<Suite> {
    if !process::is_root() {
        let counts = Counts {
            skipped: 1,
            ..Counts::default()
        };
        return Ok(Suite {
            counts,
            skipped: vec![LIVE_SUITE.to_owned()],
        });
    }
    // A plain `cargo test` passes them over, for they need root.
    let mut command = process::cargo([
        "test",
        "--no-fail-fast",
        "--package",
        LIVE_SUITE,
        "--",
        "--include-ignored",
    ]);
    libtest::run(command.env(AGENT_PATH, agent))
}
