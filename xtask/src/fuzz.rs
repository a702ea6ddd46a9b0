//! `cargo xtask fuzz`: runs the fuzz targets for a while each, as many at once as there are cores.
//!
//! Without a sanitizer they need no nightly compiler, so they are built by the workspace's own.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};

use crate::libtest::Suite;
use crate::{packages, process};

/// The version of cargo-fuzz that is installed where it is missing.
const CARGO_FUZZ: &str = "0.13.2";
/// Captures of the project's own, seeds for the target that reads captures.
const FIXTURES: &str = "tests/fixtures";
/// Seconds for each target in CI.
pub const CI_SECONDS: u32 = 20;
/// Resident memory that no input may need more of, in MiB.
const MEMORY_MIB: &str = "512";
/// Seconds that no input may take longer than.
const INPUT_SECONDS: &str = "10";

/// What is fuzzed, and for how long.
#[derive(clap::Args)]
pub struct Options {
    /// Seconds for each target
    #[arg(long, default_value_t = CI_SECONDS)]
    seconds: u32,
    /// Which targets; all of them when none is named
    targets: Vec<String>,
}

/// The verb.
pub fn run(options: &Options) -> Result<ExitCode> {
    let suite = suite(options.seconds, &options.targets)?;
    println!("{}", suite.counts);
    Ok(if suite.counts.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs the targets, or all when none is given; each counts as a test.
pub fn suite(seconds: u32, targets: &[String]) -> Result<Suite> {
    packages::need_cargo("cargo-fuzz", CARGO_FUZZ)?;
    let known = process::output_of("cargo", &["fuzz", "list", "--fuzz-dir", &directory()]);
    let known = known.context("cargo fuzz lists no targets")?;
    let known: Vec<_> = known.lines().map(str::to_owned).collect();
    if let Some(unknown) = targets.iter().find(|target| !known.contains(target)) {
        bail!("no target `{unknown}`; there are: {}", known.join(", "));
    }
    process::run(&mut fuzz("build", &[]))?;
    let left = if targets.is_empty() { &known } else { targets };
    let left: Mutex<VecDeque<_>> = Mutex::new(left.iter().collect());
    let suite = Mutex::new(Suite::default());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let work = || {
        while let Some(target) = next() {
            let result = run_target(target, seconds);
            let mut suite = suite.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(said) => {
                    suite.counts.passed += 1;
                    println!("fuzz {target}: {said}");
                }
                Err(error) => {
                    suite.counts.failed += 1;
                    println!("fuzz {target}: {error:#}");
                }
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    Ok(suite.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Runs one target, and gives its closing words.
fn run_target(target: &str, seconds: u32) -> Result<String> {
    let corpus = format!("fuzz/corpus/{target}");
    fs::create_dir_all(process::workspace().join(&corpus)).with_context(|| corpus.clone())?;
    let mut command = fuzz("run", &[target, &corpus]);
    let seeds = format!("fuzz/seeds/{target}");
    let fixtures = (target == "capture").then(|| FIXTURES.to_owned());
    command.args([Some(seeds), fixtures].into_iter().flatten());
    command.args([
        "--",
        &format!("-max_total_time={seconds}"),
        &format!("-rss_limit_mb={MEMORY_MIB}"),
        &format!("-timeout={INPUT_SECONDS}"),
        "-print_final_stats=1",
    ]);
    let output = command.output().context("cargo fuzz")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", failure(target, &said));
    Ok(summary(&said))
}

/// Runs and coverage, from libFuzzer's last lines.
fn summary(said: &str) -> String {
    let coverage = said
        .lines()
        .rev()
        .find_map(|line| line.split_once(" cov: ")?.1.split(' ').next());
    let runs = said.lines().rev().find(|line| line.starts_with("Done "));
    format!(
        "{}, {} edges",
        runs.unwrap_or("no runs"),
        coverage.unwrap_or("no")
    )
}

/// What there is to say about a run that failed: the cause, the input, and how to run it again.
fn failure(target: &str, said: &str) -> String {
    let input = said
        .lines()
        .find_map(|line| line.split_once("Test unit written to "));
    let Some((_, input)) = input else {
        return format!("failed without an input\n{said}");
    };
    let root = process::workspace();
    let input = Path::new(input);
    let input = input.strip_prefix(&root).unwrap_or(input).display();
    let mut causes = said
        .lines()
        .skip_while(|line| !line.contains("panicked at") && !line.starts_with("=="));
    let causes: Vec<_> = causes.by_ref().take(6).collect();
    format!(
        "FAILED\n{}\ninput: {input}\nagain: cargo fuzz run -s none {target} {input}",
        causes.join("\n")
    )
}

fn fuzz(verb: &str, arguments: &[&str]) -> Command {
    let mut command = process::cargo(["fuzz", verb, "-s", "none"]);
    // The kernel half is not fuzzed.
    command.args(arguments).env("TLS_OBSERVER_NO_EBPF", "1");
    command
}

fn directory() -> String {
    process::workspace().join("fuzz").display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_find_is_told_with_its_input_and_how_to_repeat_it() {
        let said = "#12 NEW cov: 9 ft: 9\nthread 'main' panicked at src/a.rs:1:2:\nbound exceeded\n\
                    Test unit written to fuzz/artifacts/record/crash-1\n";
        let told = failure("record", said);
        assert!(told.contains("bound exceeded"), "{told}");
        assert!(told.contains("input: fuzz/artifacts/record/crash-1\n"));
        assert!(told.ends_with("cargo fuzz run -s none record fuzz/artifacts/record/crash-1"));
    }

    #[test]
    fn a_run_without_a_find_tells_runs_and_coverage() {
        let said = "#2 INITED cov: 3 ft: 4\n#9 DONE   cov: 17 ft: 20\nDone 9 runs in 31 second(s)\n";
        assert_eq!(summary(said), "Done 9 runs in 31 second(s), 17 edges");
    }
}
