//! Debian packages, and installing them.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// Whether this machine has Debian's package manager.
pub fn is_debian() -> bool {
    process::has_program("apt-get")
}

/// The command that installs `names`, to be shown to people.
pub fn command_line(names: &[&str]) -> String {
    format!("apt-get install {}", names.join(" "))
}

/// Installs `names` as root, after `apt-get update` where the lists do not know them.
pub fn install(names: &[&str]) -> Result<()> {
    if !names.iter().all(|name| is_known(name)) {
        process::run(apt_get().arg("update"))?;
    }
    process::run(
        apt_get()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(names),
    )
}

/// Downloads the package `name` into `directory`, after `apt-get update` where the lists do not know it and we may do that.
pub fn download(name: &str, directory: &Path) -> Result<()> {
    if !is_known(name) && process::is_root() {
        process::run(apt_get().arg("update"))?;
    }
    process::run(apt_get().args(["download", name]).current_dir(directory))
}

/// Has `program`: installs `package` where it is missing and that can be done here.
pub fn need(program: &str, package: &str) -> Result<()> {
    if process::has_program(program) {
        return Ok(());
    }
    if is_debian() && process::is_root() {
        return install(&[package]);
    }
    bail!("no {program}; as root: {}", command_line(&[package]));
}

/// Has cargo's subcommand `program` in this very version, installing it where it is missing. Gives whether it had to.
pub fn need_cargo(program: &str, version: &str) -> Result<bool> {
    let subcommand = program.strip_prefix("cargo-").unwrap_or(program);
    let found = process::output_of("cargo", &[subcommand, "--version"]);
    if found.as_deref() == Some(&format!("{program} {version}")) {
        return Ok(false);
    }
    process::run(Command::new("cargo").args(cargo_install(program, version)))?;
    Ok(true)
}

/// Cargo's arguments that install a program of its own.
pub fn cargo_install<'a>(program: &'a str, version: &'a str) -> [&'a str; 5] {
    ["install", program, "--version", version, "--locked"]
}

fn is_known(name: &str) -> bool {
    process::output_of("apt-cache", &["show", "--no-all-versions", name]).is_some_and(|text| !text.is_empty())
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet=2").env("DEBIAN_FRONTEND", "noninteractive");
    command
}
