//! Reads what Rust's test programs print: the counts of each, and the tests that were skipped.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Did what they assert.
    pub passed: usize,
    /// Did not.
    pub failed: usize,
    /// Were not run.
    pub skipped: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// The result of one `cargo test`.
#[derive(Debug, Default)]
pub struct Suite {
    /// The sum over its test programs.
    pub counts: Counts,
    /// The names of the tests that were not run.
    pub skipped: Vec<String>,
}

impl Suite {
    /// Takes up one line of output.
    fn read(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ").and_then(parse_counts) {
            self.counts += counts;
        } else if let Some((name, rest)) = line
            .strip_prefix("test ")
            .and_then(|test| test.split_once(" ... "))
            && rest.starts_with("ignored")
        {
            self.skipped.push(name.to_owned());
        }
    }
}

/// Runs `cargo test`, passing its output on as it comes. A run that fails without a failed test (it does not compile,
/// a test program dies) counts as one.
pub fn run(command: &mut Command) -> Result<Suite> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cargo test")?;
    let mut suite = Suite::default();
    let stdout = BufReader::new(child.stdout.take().context("stdout is not piped")?);
    for line in stdout.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        suite.read(&line);
    }
    if !child.wait()?.success() && suite.counts.failed == 0 {
        suite.counts.failed = 1;
    }
    Ok(suite)
}

/// Reads `ok. 5 passed; 0 failed; 1 ignored; …`.
fn parse_counts(result: &str) -> Option<Counts> {
    let (_, counts) = result.split_once(". ")?;
    let count = |what: &str| {
        let mut words = counts.split("; ").filter_map(|part| part.split_once(' '));
        words.find(|(_, kind)| *kind == what)?.0.parse().ok()
    };
    Some(Counts {
        passed: count("passed")?,
        failed: count("failed")?,
        skipped: count("ignored")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_the_programs_of_one_run() {
        let mut suite = Suite::default();
        for line in [
            "running 3 tests",
            "test reader::tests::ends_early ... ok",
            "test attach::tcx ... ignored, this kernel has no tcx",
            "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 1 filtered out; finished in 1.20s",
            "test result: cut sho",
        ] {
            suite.read(line);
        }
        assert_eq!(
            suite.counts,
            Counts {
                passed: 6,
                failed: 2,
                skipped: 1
            }
        );
        assert_eq!(suite.skipped, ["attach::tcx"]);
        assert_eq!(suite.counts.to_string(), "6 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn a_run_that_dies_without_a_result_has_failed() {
        let suite = run(Command::new("sh").args(["-c", "echo running; exit 101"])).expect("sh runs");
        assert_eq!(
            suite.counts,
            Counts {
                passed: 0,
                failed: 1,
                skipped: 0
            }
        );
    }
}
