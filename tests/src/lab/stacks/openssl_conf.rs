//! OpenSSL's configuration file: what programs on OpenSSL can be told in no other way.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::super::peer::{ClientPlan, ServerPlan};
use super::feature::is_tls13_suite;

/// Writes what this server needs, if anything.
///
/// # Errors
/// When the file cannot be written.
pub fn server(plan: &ServerPlan<'_>) -> Result<Option<PathBuf>> {
    let lines = [
        suite(plan.cipher),
        plan.tickets.map(|count| format!("NumTickets = {count}")),
        plan.padding.map(|bytes| format!("RecordPadding = {bytes}")),
    ];
    write(plan.directory, &lines)
}

/// Writes what this client needs, if anything.
///
/// # Errors
/// When the file cannot be written.
pub fn client(plan: &ClientPlan<'_>) -> Result<Option<PathBuf>> {
    write(plan.directory, &[suite(plan.cipher)])
}

/// OpenSSL's name of a group of a plan.
pub fn group(name: &str) -> String {
    match name {
        "x25519" => "X25519".to_owned(),
        "secp256r1" => "prime256v1".to_owned(),
        other => other.to_owned(),
    }
}

fn suite(cipher: Option<&str>) -> Option<String> {
    let name = cipher.filter(|name| is_tls13_suite(name))?;
    Some(format!("Ciphersuites = {name}"))
}

fn write(directory: &Path, lines: &[Option<String>]) -> Result<Option<PathBuf>> {
    let lines: Vec<_> = lines.iter().flatten().map(String::as_str).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let file = directory.join("openssl.cnf");
    // Node reads a section of its own name.
    let text = format!(
        "openssl_conf = start\nnodejs_conf = start\n[start]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\n{}\n",
        lines.join("\n")
    );
    fs::write(&file, text).with_context(|| file.display().to_string())?;
    Ok(Some(file))
}
