//! `cargo xtask setup`: finds what the machine has, installs what is missing, and says which.
//!
//! It changes nothing when all is there. Where it may not install (not root, not Debian) it prints the commands.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Result, bail};

use crate::ebpf_toolchain::{self, Toolchain};
use crate::{lab_packages, linker, packages, process, prometheus, stacks, toolchain};

/// The version of cargo-deny that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";
/// What the live tests run: program and Debian package.
const TEST_PROGRAMS: [(&str, &str); 2] = [("openssl", "openssl"), ("ip", "iproute2")];
/// Rust's own tools for CI: cargo's subcommand and rustup's component.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// What is to be set up beyond what builds the agent.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Also what the live tests need
    #[arg(long)]
    pub tests: bool,
    /// Also what CI's checks need
    #[arg(long)]
    pub ci: bool,
    /// Also what the peers of the laboratory need, and the peers themselves
    #[arg(long)]
    pub lab: bool,
    /// Also what the live tests put the agent beside: the services of all stacks, and Prometheus
    #[arg(long)]
    pub stacks: bool,
}

/// The verb; an error if something is missing at the end.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    if let Some(toolchain) = toolchain::provide(&mut report) {
        linker::provide(&mut report, &toolchain);
        wake_build_script(&toolchain, report.changed)?;
    }
    if options.tests {
        test_programs(&mut report);
    }
    if options.ci {
        components(&mut report);
        cargo_deny(&mut report);
    }
    if options.lab {
        lab_packages::provide(&mut report)?;
    }
    if options.stacks {
        prometheus::provide(&mut report);
        stacks::provide(&mut report, None)?;
    }
    report.conclude()
}

/// Says on stderr what became of each item, one line each.
#[derive(Default)]
pub struct Report {
    missing: usize,
    changed: bool,
}

impl Report {
    /// It was there.
    pub fn found(&self, item: &str) {
        eprintln!("found      {item}");
    }

    /// It was not there, and is now.
    pub fn installed(&mut self, item: &str) {
        self.changed = true;
        eprintln!("installed  {item}");
    }

    /// Something worth knowing that is no failure yet.
    pub fn note(&self, text: &str) {
        eprintln!("note       {text}");
    }

    /// An error if something is missing.
    pub fn conclude(&self) -> Result<()> {
        match self.missing {
            0 => Ok(()),
            count => bail!("{count} of what is needed could not be installed; see above for what, and why"),
        }
    }

    /// It is not there and cannot be installed here; `remedies` are the commands for people.
    pub fn missing(&mut self, item: &str, remedies: &[String]) {
        self.missing += 1;
        eprintln!("missing    {item}");
        for remedy in remedies {
            eprintln!("           {remedy}");
        }
    }
}

/// Has the agent's build script run again if the tools came after it last changed: Cargo can watch a tool that is
/// there, but not for one that is not there yet.
fn wake_build_script(toolchain: &Toolchain, changed: bool) -> Result<()> {
    let script = process::workspace().join("observer/build.rs");
    let modified = fs::metadata(&script)?.modified()?;
    let since = modified.duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let tools = [
        ebpf_toolchain::find_linker(),
        Some(toolchain.library_source()),
        Some(toolchain.root.clone()),
    ];
    // The time of installation, which a package or an archive cannot set.
    let came = tools
        .into_iter()
        .flatten()
        .filter_map(|tool| Some(fs::metadata(tool).ok()?.ctime()))
        .max();
    let came = came.and_then(|came| u64::try_from(came).ok());
    if changed || came.is_some_and(|came| came >= since) {
        File::options()
            .append(true)
            .open(&script)?
            .set_modified(SystemTime::now())?;
    }
    Ok(())
}

fn test_programs(report: &mut Report) {
    for (program, package) in TEST_PROGRAMS {
        package_of(program, process::has_program(program), package, report);
    }
}

/// Has an item that one of Debian's packages brings: installs that where the item is not there yet and it can be done.
pub fn package_of(item: &str, is_there: bool, package: &str, report: &mut Report) {
    if is_there {
        report.found(item);
    } else if packages::is_debian() && process::is_root() {
        match packages::install(&[package]) {
            Ok(()) => report.installed(package),
            Err(error) => report.missing(&format!("{item}: {error:#}"), &[]),
        }
    } else {
        report.missing(
            item,
            &[format!("as root: {}", packages::command_line(&[package]))],
        );
    }
}

fn components(report: &mut Report) {
    for (subcommand, component) in COMPONENTS {
        if is_there(subcommand) {
            report.found(component);
        } else if process::run(Command::new("rustup").args(["component", "add", component])).is_ok() {
            report.installed(component);
        } else {
            report.missing(component, &[format!("rustup component add {component}")]);
        }
    }
}

fn cargo_deny(report: &mut Report) {
    let item = format!("cargo-deny {CARGO_DENY}");
    match packages::need_cargo("cargo-deny", CARGO_DENY) {
        Ok(false) => report.found(&item),
        Ok(true) => report.installed(&item),
        Err(error) => {
            let command = packages::cargo_install("cargo-deny", CARGO_DENY).join(" ");
            report.missing(&format!("{item}: {error:#}"), &[format!("cargo {command}")]);
        }
    }
}

fn is_there(subcommand: &str) -> bool {
    process::output_of("cargo", &[subcommand, "--version"]).is_some()
}
