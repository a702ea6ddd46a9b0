//! The stacks in Rust, built for release as Cargo does that of its own accord.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

/// What rustls' cryptography comes from: features of the axum stack.
const PROVIDERS: [&str; 2] = ["aws-lc", "ring"];
/// Settings for builds of this project, by the beginnings of their names; an operator's build has none of them.
const OWN_SETTINGS: [&str; 3] = ["CARGO_INCREMENTAL", "CARGO_PROFILE_", "RUSTFLAGS"];

/// Builds the axum stack from `source` into `into`, on each provider, as built and stripped of its symbols.
///
/// # Errors
/// When Cargo or `strip` fails, or a program cannot be copied.
pub fn axum(source: &Path, into: &Path) -> Result<()> {
    for provider in PROVIDERS {
        let built = build(
            source,
            into,
            "axum-orders",
            &["--no-default-features", "--features", provider],
        )?;
        let program = into.join(format!("axum-orders-{provider}"));
        copy(&built, &program)?;
        process::run(
            Command::new("strip")
                .arg("-o")
                .arg(into.join(format!("axum-orders-{provider}-stripped")))
                .arg(&program),
        )?;
    }
    Ok(())
}

/// Builds the Actix stack from `source` into `into`, on the system's OpenSSL.
///
/// # Errors
/// When Cargo fails, or the program cannot be copied.
pub fn actix(source: &Path, into: &Path) -> Result<()> {
    let program = "actix-orders";
    copy(&build(source, into, program, &[])?, &into.join(program))
}

/// Where Cargo put `program`.
fn build(source: &Path, into: &Path, program: &str, features: &[&str]) -> Result<PathBuf> {
    let target = into.join("build");
    let mut command = process::cargo(["build", "--release", "--locked"]);
    for (name, _) in env::vars_os().filter(|(name, _)| is_own_setting(name)) {
        command.env_remove(name);
    }
    command
        .args(features)
        .arg("--manifest-path")
        .arg(source.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target);
    process::run(&mut command)?;
    Ok(target.join("release").join(program))
}

fn is_own_setting(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    OWN_SETTINGS
        .iter()
        .any(|setting| name.starts_with(setting.as_bytes()))
}

fn copy(program: &Path, to: &Path) -> Result<()> {
    fs::copy(program, to).with_context(|| to.display().to_string())?;
    Ok(())
}
