//! The toolchain that builds the eBPF half: found by the shared rule, else made to hold.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::ebpf_toolchain::{self, DISTRO, NIGHTLY, Toolchain};
use crate::setup::Report;
use crate::{packages, process};

/// The distribution's rustc, cargo and library source, new enough for this workspace.
const DISTRO_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
/// Where the distribution's toolchain has its root.
const DISTRO_ROOT: &str = "/usr";
/// How long rustup may take to begin, and to end, a download. A closed network hangs rather than refuses.
const FIRST_SIGN: Duration = Duration::from_secs(60);
const WHOLE_DOWNLOAD: Duration = Duration::from_secs(15 * 60);

/// Finds the toolchain, or installs it: what costs nothing first, then rustup, then the distribution's packages.
pub fn provide(report: &mut Report) -> Option<Toolchain> {
    if let Some(toolchain) = ebpf_toolchain::find_toolchain() {
        report.found(&describe(&toolchain));
        return Some(toolchain);
    }
    let has_rustup = ebpf_toolchain::has_rustup();
    let mut made = link_distro(has_rustup).and_then(chosen);
    if made.is_err() && has_rustup {
        made = add_nightly().and_then(chosen);
        if let Err(error) = &made {
            report.note(&format!("rustup cannot add {NIGHTLY}: {error:#}"));
        }
    }
    if made.is_err() && packages::is_debian() && process::is_root() {
        made = packages::install(&DISTRO_PACKAGES)
            .and_then(|()| link_distro(has_rustup))
            .and_then(chosen);
    }
    match made {
        Ok(toolchain) => {
            report.installed(&describe(&toolchain));
            Some(toolchain)
        }
        Err(error) => {
            report.missing(&format!("eBPF toolchain: {error:#}"), &remedies(has_rustup));
            None
        }
    }
}

/// The major version of LLVM in the toolchain's rustc, whose bitcode the linker must read.
pub fn llvm_major(toolchain: &Toolchain) -> Result<u32> {
    let version = process::output_of(toolchain.root.join("bin/rustc"), &["--version", "--verbose"]);
    let version = version.context("the toolchain's rustc does not run")?;
    let llvm = version
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "));
    let major = llvm.and_then(|llvm| llvm.split('.').next()?.parse().ok());
    major.context("the toolchain's rustc does not say its LLVM version")
}

/// Makes the distribution's toolchain known to rustup; without rustup it is there as it is.
fn link_distro(has_rustup: bool) -> Result<()> {
    if ebpf_toolchain::distro_toolchain(Path::new(DISTRO_ROOT)).is_none() {
        bail!(
            "{DISTRO_ROOT} has no rustc {} or later with its library source",
            env!("CARGO_PKG_RUST_VERSION")
        );
    }
    if has_rustup {
        process::run(Command::new("rustup").args(["toolchain", "link", DISTRO, DISTRO_ROOT]))?;
    }
    Ok(())
}

fn add_nightly() -> Result<()> {
    let mut command = Command::new("rustup");
    command.args([
        "toolchain",
        "install",
        NIGHTLY,
        "--profile",
        "minimal",
        "--component",
        "rust-src",
    ]);
    process::run_bounded(&mut command, "downloading", FIRST_SIGN, WHOLE_DOWNLOAD)
}

fn chosen((): ()) -> Result<Toolchain> {
    ebpf_toolchain::find_toolchain().context("it is there, but is not the one that PATH gives")
}

fn remedies(has_rustup: bool) -> Vec<String> {
    let nightly = format!("rustup toolchain install {NIGHTLY} --profile minimal --component rust-src");
    let mut commands = vec![if has_rustup {
        nightly
    } else {
        format!("install rustup, then: {nightly}")
    }];
    if packages::is_debian() {
        let link = if has_rustup {
            format!(" && rustup toolchain link {DISTRO} {DISTRO_ROOT}")
        } else {
            String::new()
        };
        commands.push(format!(
            "as root: {}{link}",
            packages::command_line(&DISTRO_PACKAGES)
        ));
    }
    commands
}

fn describe(toolchain: &Toolchain) -> String {
    let version = process::output_of(toolchain.root.join("bin/rustc"), &["--version"]).unwrap_or_default();
    format!(
        "eBPF toolchain {} in {}: {version}",
        toolchain.name,
        toolchain.root.display()
    )
}
