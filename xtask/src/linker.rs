//! bpf-linker, pinned, and built for the LLVM of the toolchain whose bitcode it links.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::ebpf_toolchain::{self, LINKER, Toolchain};
use crate::setup::Report;
use crate::{packages, process, toolchain};

const VERSION: &str = "0.13.0";

/// Finds the linker, or installs it.
pub fn provide(report: &mut Report, toolchain: &Toolchain) {
    let present = ebpf_toolchain::find_linker().and_then(|linker| process::output_of(linker, &["--version"]));
    if let Some(version) = &present
        && is_recent_enough(version)
    {
        report.found(version);
        return;
    }
    match install(toolchain) {
        Ok(llvm) => report.installed(&format!("{LINKER} {VERSION} for LLVM {llvm}")),
        Err(error) => report.missing(&format!("{LINKER} {VERSION}: {error:#}"), &remedies(toolchain)),
    }
}

/// The pinned version or a later one of the user's own; an earlier one is replaced.
fn is_recent_enough(version: &str) -> bool {
    let numbers =
        |version: &str| -> Option<Vec<u32>> { version.split('.').map(|part| part.parse().ok()).collect() };
    let found = version
        .strip_prefix(LINKER)
        .and_then(|version| numbers(version.trim()));
    found >= numbers(VERSION)
}

fn install(toolchain: &Toolchain) -> Result<u32> {
    let major = toolchain::llvm_major(toolchain)?;
    let prefix = match llvm_prefix(major) {
        Some(prefix) => prefix,
        None if packages::is_debian() && process::is_root() => {
            packages::install(&[&llvm_package(major)])?;
            llvm_prefix(major).context("its package is there, but not its llvm-config")?
        }
        None => bail!("LLVM {major} with its headers is not installed"),
    };
    process::run(
        Command::new("cargo")
            .args(install_arguments(major))
            .env("LLVM_PREFIX", prefix),
    )?;
    Ok(major)
}

/// Where LLVM of this version is, laid out as Debian does or named by its own `llvm-config`.
fn llvm_prefix(major: u32) -> Option<PathBuf> {
    let debian = PathBuf::from(format!("/usr/lib/llvm-{major}"));
    if debian.join("bin/llvm-config").is_file() {
        return Some(debian);
    }
    [format!("llvm-config-{major}"), "llvm-config".to_owned()]
        .iter()
        .find_map(|program| {
            let version = process::output_of(program, &["--version"])?;
            let prefix = process::output_of(program, &["--prefix"])?;
            (version.split('.').next() == Some(&major.to_string())).then(|| Path::new(&prefix).to_owned())
        })
}

fn install_arguments(major: u32) -> [String; 8] {
    let feature = format!("llvm-{major}");
    [
        "install",
        LINKER,
        "--version",
        VERSION,
        "--locked",
        "--no-default-features",
        "--features",
        &feature,
    ]
    .map(str::to_owned)
}

fn llvm_package(major: u32) -> String {
    format!("llvm-{major}-dev")
}

fn remedies(toolchain: &Toolchain) -> Vec<String> {
    // The project's own binaries carry an LLVM in them.
    let binary = format!("cargo binstall {LINKER}@{VERSION}");
    let Ok(major) = toolchain::llvm_major(toolchain) else {
        return vec![binary];
    };
    let mut commands = Vec::new();
    if packages::is_debian() && llvm_prefix(major).is_none() {
        commands.push(format!(
            "as root: {}",
            packages::command_line(&[&llvm_package(major)])
        ));
    }
    commands.push(format!(
        "LLVM_PREFIX=/usr/lib/llvm-{major} cargo {}",
        install_arguments(major).join(" ")
    ));
    commands.push(format!("or, with cargo-binstall: {binary}"));
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_pinned_version_and_later_ones() {
        assert!(is_recent_enough("bpf-linker 0.13.0"));
        assert!(is_recent_enough("bpf-linker 0.14.1"));
        assert!(!is_recent_enough("bpf-linker 0.9.14"));
        assert!(!is_recent_enough("something else"));
    }
}
