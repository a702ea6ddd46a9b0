//! OpenSSL's configuration file: what programs on OpenSSL can be told in no other way.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::feature::is_tls13_suite;
use crate::lab::peer::{ClientPlan, ServerPlan};

/// What stands in the file.
pub struct Configuration<'a> {
    directory: &'a Path,
    settings: Vec<String>,
}

/// What this server needs.
pub fn server<'a>(plan: &ServerPlan<'a>) -> Configuration<'a> {
    let settings = [
        suite(plan.cipher),
        plan.tickets.map(|count| format!("NumTickets = {count}")),
        plan.padding.map(|bytes| format!("RecordPadding = {bytes}")),
    ];
    Configuration {
        directory: plan.directory,
        settings: settings.into_iter().flatten().collect(),
    }
}

/// What this client needs.
pub fn client<'a>(plan: &ClientPlan<'a>) -> Configuration<'a> {
    Configuration {
        directory: plan.directory,
        settings: suite(plan.cipher).into_iter().collect(),
    }
}

impl Configuration<'_> {
    /// Writes it into the plan's directory, if there is anything to write.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self) -> Result<Option<PathBuf>> {
        if self.settings.is_empty() {
            return Ok(None);
        }
        let file = self.directory.join("openssl.cnf");
        // Node reads a section of its own name.
        let text = format!(
            "openssl_conf = start\nnodejs_conf = start\n[start]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\n{}\n",
            self.settings.join("\n")
        );
        fs::write(&file, text).with_context(|| file.display().to_string())?;
        Ok(Some(file))
    }
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
