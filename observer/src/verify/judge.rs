//! The judgement of one chain.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use observer_tls::x509::CertificateFacts;

use super::certificate::{Certificate, Unreadable};
use super::explain::{Explained, explain};
use super::faults::Faults;
use super::path::Inspection;
use super::{
    CertificateVerdict, Link, Request, Revocation, Status, TrustBundle, host_name, library, warnings,
};
use crate::observation::Side;

/// Certificates of a chain that are looked at besides the leaf: the first ones. Real chains have up to ten.
const MAX_OTHERS: usize = 31;

/// Bytes of a verdict's detail at most. Names in certificates can have any length.
const MAX_DETAIL: usize = 2048;

/// What a verdict is made of, besides the name of the bundle.
struct Findings {
    faults: Faults,
    /// What is to be told and is no fault.
    notes: Vec<String>,
    revocation: Revocation,
    warnings: Vec<&'static str>,
}

impl TrustBundle {
    /// Judges a chain as a peer would that trusts this bundle, at the time of the handshake. No I/O, no clock.
    pub fn judge(&self, request: &Request<'_>) -> CertificateVerdict {
        let findings = self.look(request).unwrap_or_else(|(status, text)| {
            let mut faults = Faults::default();
            faults.add(status, text);
            Findings {
                faults,
                notes: Vec::new(),
                revocation: Revocation::NotChecked,
                warnings: Vec::new(),
            }
        });
        let (status, mut details) = findings.faults.verdict();
        details.extend(findings.notes);
        CertificateVerdict {
            status,
            revocation: findings.revocation,
            detail: (!details.is_empty()).then(|| cut(details.join("; "))),
            trust_bundle: Some(Arc::clone(&self.name)),
            warnings: findings.warnings.into_iter().map(str::to_owned).collect(),
        }
    }

    /// All that there is to say of a chain; else why there is only one thing.
    fn look(&self, request: &Request<'_>) -> Result<Findings, (Status, String)> {
        let nothing = |why: &str| (Status::NotChecked, why.to_owned());
        let (leaf, others) = request
            .chain
            .split_first()
            .ok_or_else(|| nothing("no certificate"))?;
        let leaf = Certificate::read(Arc::clone(leaf))
            .map_err(|Unreadable(why)| (Status::Malformed, format!("the certificate: {why}")))?;
        if self.anchors.is_empty() {
            return Err(nothing(&format!("bundle {} has no certificates", self.name)));
        }
        let mut notes = Vec::new();
        let others = readable(&leaf, others, &mut notes);
        let Explained {
            path,
            mut faults,
            is_trusted,
        } = self.best_path(&leaf, &others, request);
        self.check_names(&leaf.facts, request, &mut faults, &mut notes);

        // What an issuer says counts if somebody trusts it.
        let links: Vec<Link<'_>> = path.windows(2).filter_map(link).filter(|_| is_trusted).collect();
        let answer = self.revocation.check(&links, request.time, request.stapled);
        if answer.revocation == Revocation::Revoked || answer.chain_revoked {
            faults.add(
                Status::Revoked,
                answer.detail.unwrap_or_else(|| "revoked".to_owned()),
            );
        } else {
            notes.extend(answer.detail);
        }
        Ok(Findings {
            faults,
            notes,
            revocation: answer.revocation,
            warnings: warnings::of(&path, is_trusted, request.side),
        })
    }

    /// The path that speaks best for a leaf, and what is wrong with it.
    fn best_path<'a>(
        &'a self,
        leaf: &'a Certificate,
        others: &'a [Certificate],
        request: &Request<'_>,
    ) -> Explained<'a> {
        let inspection = Inspection::new(request.side, request.time);
        if self.anchors.contains(&leaf.facts) {
            return Explained {
                path: vec![leaf],
                faults: inspection.faults(&[leaf], true),
                is_trusted: true,
            };
        }
        let suits = |path: &[&Certificate]| inspection.faults(path, true).is_empty();
        match library::path(leaf, others, &self.anchors, request.time, suits) {
            Some(path) => Explained {
                path,
                faults: Faults::default(),
                is_trusted: true,
            },
            None => explain(leaf, others, &self.anchors, &self.name, &inspection),
        }
    }

    /// The name asked for in a server's certificate, one of those expected in a client's.
    fn check_names(
        &self,
        leaf: &CertificateFacts,
        request: &Request<'_>,
        faults: &mut Faults,
        notes: &mut Vec<String>,
    ) {
        let (met, wanted) = match (request.side, request.server_name) {
            (Side::Server, Some(name)) => (has_host(leaf, name), asked_for(name)),
            (Side::Server, None) => {
                notes.push("the client asked for no name, so names were not compared".to_owned());
                return;
            }
            (Side::Client, _) => {
                let expected = &self.expected_client_names;
                (
                    expected.are_met_by(leaf),
                    format!("one of the names expected, {expected}"),
                )
            }
        };
        if !met {
            let (status, text) = other_name(leaf, &wanted);
            faults.add(status, text);
        }
    }
}

/// What is wrong with a certificate that does not have the names `wanted`.
fn other_name(leaf: &CertificateFacts, wanted: &str) -> (Status, String) {
    let left_out = leaf.alternative_names_left_out;
    if left_out > 0 {
        let text = format!("{left_out} of its names were not compared with {wanted}");
        return (Status::NotChecked, text);
    }
    let names = leaf.alternative_names();
    let has = match names.as_slice() {
        [] => "it has none".to_owned(),
        names => format!("it has {}", shortened(names)),
    };
    let text = format!("the certificate does not have {wanted}: {has}");
    (Status::NameMismatch, text)
}

/// What is wrong with the names of a server's certificate, for which one need not know whom its peer trusts. One without
/// any is passed over: some clients look at its common name.
pub(super) fn host_fault(leaf: &CertificateFacts, request: &Request<'_>) -> Option<(Status, String)> {
    let name = request.server_name.filter(|_| request.side == Side::Server)?;
    let has_names = !(leaf.dns_names.is_empty() && leaf.ip_addresses.is_empty());
    (has_names && !has_host(leaf, name)).then(|| other_name(leaf, &asked_for(name)))
}

fn asked_for(name: &str) -> String {
    format!("the name {name} that the client asked for")
}

/// Whether a certificate is for this host. RFC 6066, section 3, allows no addresses, which some clients ask for.
fn has_host(leaf: &CertificateFacts, name: &str) -> bool {
    match name.parse::<IpAddr>() {
        Ok(address) => leaf.ip_addresses.iter().any(|text| text.parse() == Ok(address)),
        Err(_) => leaf
            .dns_names
            .iter()
            .any(|presented| host_name::matches(presented, name)),
    }
}

/// A text without what is beyond the bound.
fn cut(mut text: String) -> String {
    if text.len() > MAX_DETAIL {
        text.truncate(text.floor_char_boundary(MAX_DETAIL));
        text.push('…');
    }
    text
}

/// The first names of a list, and how many there are.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

/// The certificates of a chain behind its leaf, each once; notes which of them are of no use.
fn readable(
    leaf: &Certificate,
    others: &[Arc<CertificateFacts>],
    notes: &mut Vec<String>,
) -> Vec<Certificate> {
    let mut seen = HashSet::from([leaf.facts.sha256]);
    let mut certificates = Vec::new();
    for (at, facts) in others.iter().enumerate().take(MAX_OTHERS) {
        if !seen.insert(facts.sha256) {
            continue;
        }
        match Certificate::read(Arc::clone(facts)) {
            Ok(certificate) => certificates.push(certificate),
            Err(Unreadable(why)) => notes.push(format!("certificate {} of the chain: {why}", at + 2)),
        }
    }
    if let Some(more @ 1..) = others.len().checked_sub(MAX_OTHERS) {
        notes.push(format!(
            "the last {more} certificates of the chain were not looked at"
        ));
    }
    certificates
}

/// A certificate of a path with what issued it.
fn link<'a>(pair: &[&'a Certificate]) -> Option<Link<'a>> {
    let [certificate, issuer] = pair else { return None };
    Some(Link {
        certificate: certificate.der(),
        issuer: &issuer.subject,
        issuer_key: &issuer.key_info,
    })
}
