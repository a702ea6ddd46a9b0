//! Chains of others: NIST's Public Key Interoperability Test Suite, as pyca/cryptography keeps it, and those of Google's
//! certificate transparency tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use observer_tls::x509::CertificateFacts;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::case::Case;

/// 2022-06-01: between the certificates that begin in 2010 and end in 2030, and within those of transparency tests.
const TIME: i64 = 1_654_041_600;

/// All of them that are in a folder.
pub fn cases(folder: &Path) -> Result<Vec<Case>> {
    let mut cases = interoperability(&folder.join("pyca/PKITS_data/certs"))?;
    cases.extend(transparency(&folder.join("ctgo/trillian"))?);
    for case in &mut cases {
        case.time = TIME;
    }
    cases.extend(odd(&folder.join("pyca/custom"))?);
    cases.extend(odd(&folder.join("pyca"))?);
    cases.extend(odd(&folder.join("ctgo/invalid"))?);
    Ok(cases)
}

/// A chain for each end entity of PKITS, with all authorities that may stand above it by their names, in no order.
fn interoperability(folder: &Path) -> Result<Vec<Case>> {
    const ROOT: &str = "TrustAnchorRootCertificate";
    let mut certificates = BTreeMap::new();
    for (name, der) in files(folder, "crt")? {
        certificates.insert(name, CertificateFacts::parse(&der));
    }
    let root = certificates.get(ROOT).context(ROOT)?;
    let mut cases = Vec::new();
    for (name, leaf) in certificates.iter().filter(|(name, _)| name.ends_with("EE")) {
        let mut chain = vec![leaf];
        let mut at = 0;
        while let Some(below) = chain.get(at).copied() {
            at += 1;
            let above = certificates.values().filter(|other| {
                // PKITS has names that differ in case and spaces only.
                plain(&other.subject) == plain(&below.issuer) && other.sha256 != root.sha256
            });
            for issuer in above {
                if !chain.iter().any(|other| other.sha256 == issuer.sha256) {
                    chain.push(issuer);
                }
            }
        }
        let chain: Vec<&[u8]> = chain.iter().map(|facts| facts.der.as_ref()).collect();
        cases.push(Case::new(format!("PKITS {name}"), &chain, &[&root.der]));
    }
    Ok(cases)
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_ascii_alphanumeric())
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// The chains of transparency tests, under both of their roots.
fn transparency(folder: &Path) -> Result<Vec<Case>> {
    let roots: Vec<(String, Vec<u8>)> = files(folder, "cert")?
        .into_iter()
        .filter(|(name, _)| name.starts_with("fake-ca"))
        .collect();
    let mut cases = Vec::new();
    for entry in sorted(folder, "chain")? {
        let text = fs::read(folder.join(format!("{entry}.chain")))?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>()?;
        let chain: Vec<&[u8]> = chain.iter().map(AsRef::as_ref).collect();
        for (root, der) in &roots {
            let case = Case::new(format!("{entry} under {root}"), &chain, &[der]);
            cases.extend([case.as_server(), case]);
        }
    }
    Ok(cases)
}

/// Odd certificates, each alone and trusted as it is, in the middle of its validity.
fn odd(folder: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (name, der) in [files(folder, "pem")?, files(folder, "der")?].concat() {
        if name.contains("crl_") || name.ends_with("_crl") {
            continue;
        }
        let facts = CertificateFacts::parse(&der);
        let case = Case::new(format!("odd {name}"), &[&der], &[&der]);
        let middle = facts
            .not_before
            .zip(facts.not_after)
            .map(|(from, until)| from + (until - from) / 2);
        let case = Case {
            time: middle.unwrap_or(TIME),
            partial_chain: true,
            ..case
        };
        cases.extend([case.as_server(), case]);
    }
    Ok(cases)
}

/// The certificates in a folder, DER or PEM, by name without ending.
fn files(folder: &Path, ending: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let read = |name: String| {
        let bytes = fs::read(folder.join(format!("{name}.{ending}")))?;
        let der = CertificateDer::from_pem_slice(&bytes).map(|der| der.to_vec());
        Ok((name, der.unwrap_or(bytes)))
    };
    sorted(folder, ending)?.into_iter().map(read).collect()
}

/// The names of files with this ending, without it, in order.
fn sorted(folder: &Path, ending: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(&format!(".{ending}")).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}
