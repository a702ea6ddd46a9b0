//! `cargo xtask build`: the agent, with its kernel half in it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::{process, setup};

const AGENT: &str = "tls-observer";
const LIVE_TESTS: &str = "observer-tests";

/// How it is built.
#[derive(clap::Args)]
pub struct Options {
    /// Optimised, as it is installed
    #[arg(long)]
    release: bool,
}

/// One of Cargo's profiles.
#[derive(Clone, Copy)]
pub enum Profile {
    /// Fast to build.
    Dev,
    /// Optimised.
    Release,
}

/// The verb.
pub fn run(options: &Options) -> Result<()> {
    setup::run(&setup::Options::default())?;
    let agent = agent(if options.release {
        Profile::Release
    } else {
        Profile::Dev
    })?;
    println!("{}", agent.display());
    Ok(())
}

/// Builds the agent; the path of its program.
pub fn agent(profile: Profile) -> Result<PathBuf> {
    build(profile, &["--package", AGENT, "--bin", AGENT])?;
    Ok(programs_of(profile)?.join(AGENT))
}

/// Builds the programs of the live tests, peers and all; the directory that they are in.
pub fn live_programs(profile: Profile) -> Result<PathBuf> {
    build(profile, &["--package", LIVE_TESTS, "--bins"])?;
    programs_of(profile)
}

fn build(profile: Profile, what: &[&str]) -> Result<()> {
    let release: &[&str] = match profile {
        Profile::Dev => &[],
        Profile::Release => &["--release"],
    };
    process::run(&mut process::cargo([&["build"], what, release].concat()))
}

/// Cargo's target directory: the one that this very program was built in.
pub fn target() -> Result<PathBuf> {
    let own = env::current_exe().context("the path of this program")?;
    own.ancestors()
        .nth(2)
        .map(Path::to_owned)
        .context("this program is in no target directory")
}

/// Where Cargo puts programs of a profile.
fn programs_of(profile: Profile) -> Result<PathBuf> {
    Ok(target()?.join(match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    }))
}
