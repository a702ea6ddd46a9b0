//! `cargo xtask test`: every test there is, or those of one stack. Its last line sums up all suites.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::build::{self, Profile};
use crate::libtest::{self, Counts, Suite};
use crate::skips::Allowed;
use crate::stacks::{self, Name};
use crate::{lab_packages, process, prometheus, setup};

/// Tells the live tests where the agent is.
const AGENT_PATH: &str = "TLS_OBSERVER_BIN";
/// What stands for all live tests where they cannot run.
const LIVE_SUITE: &str = "observer-tests";

/// Which tests.
#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    only: Option<Only>,
}

#[derive(clap::Subcommand)]
enum Only {
    /// Set up one stack, then run the agent's live tests beside its service (root)
    Stack {
        /// Which stack
        name: Name,
    },
}

/// The verb.
pub fn run(options: &Options) -> Result<ExitCode> {
    if let Some(Only::Stack { name }) = options.only
        && !process::is_root()
    {
        return Ok(process::needs_root(
            &format!("test stack {name}"),
            "live tests make network namespaces and cgroups, and load eBPF programs",
        ));
    }
    setup::run(&setup::Options {
        tests: true,
        ..setup::Options::default()
    })?;
    match options.only {
        None => {
            provide_counterparts()?;
            all(Vec::new(), Vec::new())
        }
        Some(Only::Stack { name }) => stack(name),
    }
}

/// Has what the live tests put the agent beside, where they can run: peers of many libraries, Prometheus, and the stacks.
/// Of those that cannot be had, the peers take no part, and the tests say so; the tests of the others fail.
pub fn provide_counterparts() -> Result<()> {
    if process::is_root() {
        let mut report = setup::Report::default();
        lab_packages::provide(&mut report)?;
        prometheus::provide(&mut report);
        stacks::provide(&mut report, None)?;
    }
    Ok(())
}

/// The tests of one stack, which has to be there.
fn stack(name: Name) -> Result<ExitCode> {
    let mut report = setup::Report::default();
    stacks::provide(&mut report, Some(name))?;
    report.conclude()?;
    let test = name.test();
    let suite = live(&build::agent(Profile::Release)?, &["--test", &test]);
    sum_up(Vec::new(), vec![(&test, suite)])
}

/// Runs all suites, each whatever became of the one before, and sums them up with `suites` that were run before them.
/// `problems` are failures from before them.
pub fn all(problems: Vec<String>, mut suites: Vec<(&str, Result<Suite>)>) -> Result<ExitCode> {
    suites.push(("unit and doc tests", units()));
    let live = build::agent(Profile::Release).and_then(|agent| live(&agent, &[]));
    suites.push(("live tests", live));
    sum_up(problems, suites)
}

fn sum_up(mut problems: Vec<String>, suites: Vec<(&str, Result<Suite>)>) -> Result<ExitCode> {
    let allowed = Allowed::load()?;
    let mut total = Counts::default();
    println!();
    for (name, suite) in suites {
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

/// The live tests, those of `selection` or all, on the agent as it is installed. The tests themselves need no optimisation: they share the unit
/// tests' build of what they depend on.
fn live(agent: &Path, selection: &[&str]) -> Result<Suite> {
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
    let mut command = process::cargo(["test", "--no-fail-fast", "--package", LIVE_SUITE]);
    command.args(selection).args(["--", "--include-ignored"]);
    libtest::run(command.env(AGENT_PATH, agent))
}
