//! `cargo xtask bench instructions`: how many instructions the parser needs for each case of `observer-tls/benches`,
//! counted by valgrind, beside the counts on record. They do not depend on how busy or fast the machine is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::{packages, process};

/// The counts on record.
const RECORD: &str = "observer-tls/benches/instructions.txt";
/// The program that runs the cases.
const PROGRAM: &str = "instructions";
/// How often a case is run beyond the first time, which does not count.
const TIMES: u64 = 10;
/// The part of a count by which it may grow, in thousandths.
const TOLERANCE: u64 = 30;
/// By what the counts of two builds of the same code differ: paths are part of a build, and with them the order of its
/// functions and the alignment of copies.
const SLACK: u64 = 200;

/// How the counts are used.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Put the counts on record
    #[arg(long)]
    save: bool,
}

/// The verb; an error if a case needs more than is on record.
pub fn run(options: &Options) -> Result<()> {
    packages::need("valgrind", "valgrind")?;
    let program = build()?;
    let recorded = parse(&fs::read_to_string(process::workspace().join(RECORD)).unwrap_or_default())?;
    let mut counted = BTreeMap::new();
    let mut worse = Vec::new();
    println!(
        "{:26} {:>12} {:>12} {:>8} {:>9}",
        "instructions", "now", "on record", "change", "a byte"
    );
    for (name, bytes) in cases(&program)? {
        let once = count(&program, &name, 1)?;
        let many = count(&program, &name, 1 + TIMES)?;
        let now = many.saturating_sub(once) / TIMES;
        let before = recorded.get(&name).copied();
        let change = before.map(|before| (now as f64 / before as f64 - 1.0) * 100.0);
        println!(
            "{name:26} {now:>12} {:>12} {:>8} {:>9.2}",
            before.map_or("-".into(), |before| before.to_string()),
            change.map_or("-".into(), |change| format!("{change:+.1} %")),
            now as f64 / bytes as f64
        );
        if !before.is_some_and(|before| is_within(now, before)) {
            worse.push(name.clone());
        }
        counted.insert(name, now);
    }
    if options.save {
        return fs::write(process::workspace().join(RECORD), render(&counted)).context(RECORD);
    }
    if !worse.is_empty() {
        bail!(
            "more than on record: {}; if that is meant: cargo xtask bench instructions --save",
            worse.join(", ")
        );
    }
    Ok(())
}

/// Whether the count has not grown beyond the tolerance.
fn is_within(now: u64, before: u64) -> bool {
    now.saturating_sub(SLACK) * 1000 <= before * (1000 + TOLERANCE)
}

/// Builds the program that runs the cases; its path.
fn build() -> Result<PathBuf> {
    let mut command = process::cargo([
        "bench",
        "--no-run",
        "--package",
        "observer-tls",
        "--bench",
        PROGRAM,
    ]);
    command
        .arg("--message-format=json-render-diagnostics")
        .stdout(Stdio::piped());
    let output = command.stderr(Stdio::inherit()).output().context("cargo bench")?;
    ensure!(output.status.success(), "cargo bench failed: {}", output.status);
    let executable = String::from_utf8(output.stdout)?.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == PROGRAM).then(|| message["executable"].as_str().map(PathBuf::from))?
    });
    executable.context("cargo tells no program")
}

/// Names of the cases, and the bytes that each reads in one run.
fn cases(program: &Path) -> Result<Vec<(String, u64)>> {
    let list = process::output_of(program, &[]).context("the cases")?;
    let line = |line: &str| -> Result<_> {
        let (name, bytes) = line.split_once(' ').context("a case without bytes")?;
        Ok((name.to_owned(), bytes.parse()?))
    };
    list.lines().map(line).collect()
}

/// The instructions of a process that runs a case so many times.
fn count(program: &Path, name: &str, times: u64) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([name, &times.to_string()])
        .output()
        .context("valgrind")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind failed: {told}");
    let collected = told.lines().find_map(|line| line.split_once("Collected :"));
    let (_, collected) = collected.with_context(|| format!("valgrind tells no count: {told}"))?;
    Ok(collected.trim().parse()?)
}

/// Reads lines of a name and a count.
fn parse(text: &str) -> Result<BTreeMap<String, u64>> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| -> Result<_> {
        let (name, count) = line
            .split_once(' ')
            .with_context(|| format!("{RECORD}: `{line}`"))?;
        Ok((name.to_owned(), count.trim().parse()?))
    };
    lines.map(pair).collect()
}

fn render(counts: &BTreeMap<String, u64>) -> String {
    let mut text = format!(
        "# Instructions of one run of each case (x86-64, release build). `cargo xtask bench instructions` fails\n\
         # above these by more than {} % and {SLACK}; with --save it writes them anew.\n",
        TOLERANCE / 10
    );
    for (name, count) in counts {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name} {count}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_on_record_is_read_again() {
        let counts = BTreeMap::from([("hello".to_owned(), 1234), ("bulk".to_owned(), 5)]);
        assert_eq!(parse(&render(&counts)).expect("well-formed"), counts);
        assert!(parse("hello\n").is_err());
    }

    #[test]
    fn a_count_may_shrink_but_not_grow() {
        assert!(is_within(10_300 + SLACK, 10_000));
        assert!(!is_within(10_301 + SLACK, 10_000));
        assert!(is_within(1, 1000));
    }
}
