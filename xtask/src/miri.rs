//! `cargo xtask miri`: the TLS parser's unit tests in an interpreter that finds undefined behaviour. The parser has no
//! `unsafe` code of its own; what it does with the crates below it is what is looked at.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::libtest::{Counts, Suite};
use crate::skips::Allowed;
use crate::{ebpf_toolchain, libtest, process};

/// A nightly that has Miri; not each one does.
const TOOLCHAIN: &str = "nightly-2026-05-21";
/// What stands for the whole suite where Miri cannot be had.
const SUITE: &str = "miri";
/// How long rustup may take to begin, and to end, a download.
const FIRST_SIGN: Duration = Duration::from_secs(60);
const WHOLE_DOWNLOAD: Duration = Duration::from_secs(15 * 60);
/// Parts of the names of tests that are left out: they move so many bytes, or try so many cuts, that the interpreter takes
/// minutes for them, or they make keys with code that is not Rust.
const LEFT_OUT: [&str; 6] = [
    "a_cut_leaves_what_stands_before_it",
    "stream::tests::foreign",
    "stream::tests::limits",
    "stream::tests::middle",
    "x509::conformity::tests",
    "any_depth_of_elements_without_length_is_read",
];

/// The verb.
pub fn run() -> Result<ExitCode> {
    let suite = suite()?;
    if !suite.skipped.is_empty() && Allowed::load()?.reason(SUITE).is_none() {
        bail!("no Miri: rustup toolchain install {TOOLCHAIN} --profile minimal --component miri,rust-src");
    }
    println!("{}", suite.counts);
    Ok(if suite.counts.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The tests as one suite; skipped as a whole where Miri is not there and cannot be installed.
pub fn suite() -> Result<Suite> {
    if let Err(error) = provide() {
        eprintln!("miri: not available: {error:#}");
        let counts = Counts {
            skipped: 1,
            ..Counts::default()
        };
        return Ok(Suite {
            counts,
            skipped: vec![SUITE.to_owned()],
        });
    }
    // Of rustup's proxy, for a cargo that runs already is one of another toolchain.
    let mut command = Command::new("rustup");
    command.args(["run", TOOLCHAIN, "cargo", "miri", "test"]);
    command.args(["--package", "observer-tls", "--lib", "--"]);
    for test in LEFT_OUT {
        command.args(["--skip", test]);
    }
    command
        .current_dir(process::workspace())
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO");
    libtest::run(&mut command)
}

/// Finds Miri, or installs it.
fn provide() -> Result<()> {
    let found = || process::output_of("rustup", &["run", TOOLCHAIN, "cargo", "miri", "--version"]).is_some();
    if found() {
        return Ok(());
    }
    if !ebpf_toolchain::has_rustup() {
        bail!("no rustup");
    }
    let mut command = Command::new("rustup");
    command.args(["toolchain", "install", TOOLCHAIN, "--profile", "minimal"]);
    command.args(["--component", "miri,rust-src"]);
    process::run_bounded(&mut command, "downloading", FIRST_SIGN, WHOLE_DOWNLOAD)?;
    if !found() {
        bail!("{TOOLCHAIN} is there, but its Miri does not run");
    }
    Ok(())
}
