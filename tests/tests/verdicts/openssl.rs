//! What OpenSSL says of a chain.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use data_encoding::BASE64;
use tls_observer::observation::Side;

use super::case::Case;

/// What is wrong with a chain: nothing, or the kinds of fault that OpenSSL found, by the names of our statuses.
pub type Kinds = BTreeSet<&'static str>;

/// What OpenSSL says of files that it cannot read.
const UNREADABLE: [&str; 3] = ["Could not read", "unable to load", "Error loading file"];

/// Judges a case by `openssl verify`, with files in `folder`.
pub fn judge(case: &Case, folder: &Path) -> Result<Kinds> {
    let (leaf, others) = case.chain.split_first().context("no leaf")?;
    let files = [
        ("anchors.pem", case.anchors.as_slice()),
        ("others.pem", others),
        ("leaf.pem", std::slice::from_ref(leaf)),
    ];
    for (name, certificates) in files {
        let text: String = certificates.iter().map(|der| pem(der)).collect();
        fs::write(folder.join(name), text)?;
    }
    let purpose = match case.side {
        Side::Client => "sslclient",
        Side::Server => "sslserver",
    };
    let mut command = Command::new("openssl");
    command
        .current_dir(folder)
        .args(["verify", "-no-CApath", "-no-CAstore"]);
    command.args([
        "-CAfile",
        "anchors.pem",
        "-purpose",
        purpose,
        "-attime",
        &case.time.to_string(),
    ]);
    if !others.is_empty() {
        command.args(["-untrusted", "others.pem"]);
    }
    if case.partial_chain {
        command.arg("-partial_chain");
    }
    if let Some(name) = &case.server_name {
        command.args(["-verify_hostname", name]);
    }
    let output = command.arg("leaf.pem").output().context("openssl verify")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let kinds: Kinds = said.lines().filter_map(code).map(kind).collect();
    match (output.status.success(), kinds.is_empty()) {
        (true, _) => Ok(Kinds::new()),
        (false, false) => Ok(kinds),
        // What cannot even be loaded has no code.
        (false, true) if UNREADABLE.iter().any(|words| said.contains(words)) => {
            Ok(Kinds::from(["malformed"]))
        }
        (false, true) if said.contains("verification failed") => Ok(Kinds::from(["another"])),
        (false, true) => bail!("{}: {said}", case.name),
    }
}

/// A section of a PEM file.
pub fn pem(der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

/// The number in `error 20 at 0 depth lookup: …`.
fn code(line: &str) -> Option<u32> {
    let (number, rest) = line.strip_prefix("error ")?.split_once(' ')?;
    rest.starts_with("at ").then(|| number.parse().ok())?
}

/// The status that a code of `openssl/x509_vfy.h` comes to.
fn kind(code: u32) -> &'static str {
    match code {
        // UNABLE_TO_DECRYPT_CERT_SIGNATURE … ERROR_IN_CERT_NOT_AFTER_FIELD, INVALID_EXTENSION
        4..=8 | 13..=16 | 41 => "malformed",
        9 => "not_yet_valid",
        10 => "expired",
        // UNABLE_TO_GET_ISSUER_CERT, DEPTH_ZERO_SELF_SIGNED_CERT … CERT_CHAIN_TOO_LONG, NO_ISSUER_PUBLIC_KEY, PATH_LENGTH_EXCEEDED
        2 | 18..=22 | 24 | 25 => "untrusted",
        // KEYUSAGE_NO_CERTSIGN, UNHANDLED_CRITICAL_EXTENSION, name constraints, INVALID_CA
        32 | 34 | 47..=53 | 79 => "untrusted",
        26 => "wrong_purpose",
        62 => "name_mismatch",
        _ => "another",
    }
}
