//! OpenSSL's configuration file: what programs on OpenSSL can be told in no other way.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::feature::is_tls13_suite;
use crate::lab::peer::{ClientPlan, ServerPlan, openssl_cipher};

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
        padding(plan.padding),
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
        settings: suite(plan.cipher)
            .into_iter()
            .chain(padding(plan.padding))
            .collect(),
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

/// Puts OpenSSL's names of cipher suite and group into a plan.
pub fn rename(plan: &mut Value) {
    put(plan, "cipher", openssl_cipher);
    put(plan, "group", group);
}

/// As [`rename`], for a program that can set suites of TLS 1.3 by the configuration file only.
pub fn rename_without_tls13(plan: &mut Value) {
    if plan["cipher"].as_str().is_some_and(is_tls13_suite) {
        plan["cipher"] = Value::Null;
    }
    rename(plan);
}

fn put(plan: &mut Value, field: &str, rename: fn(&str) -> String) {
    if let Some(name) = plan[field].as_str() {
        plan[field] = rename(name).into();
    }
}

fn suite(cipher: Option<&str>) -> Option<String> {
    let name = cipher.filter(|name| is_tls13_suite(name))?;
    Some(format!("Ciphersuites = {name}"))
}

fn padding(bytes: Option<u16>) -> Option<String> {
    bytes.map(|bytes| format!("RecordPadding = {bytes}"))
}
