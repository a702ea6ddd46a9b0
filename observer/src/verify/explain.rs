//! What is wrong with a chain that webpki does not accept; or that nothing is, where webpki asks for more than peers do.
//!
//! Peers on OpenSSL take certificates of version 1, leaves that are authorities, names that differ in case, critical
//! policies, constraints of directory names and others that webpki refuses. So the paths are gone over here once more, and
//! all that is wrong with the best of them is told, not only what was seen first.

use std::collections::HashMap;

use super::Status;
use super::anchors::Anchors;
use super::certificate::Certificate;
use super::faults::Faults;
use super::path::{Inspection, Path, title};
use super::search::{self, MAX_PATHS};
use super::signature::{self, Outcome};

/// Signatures that are checked for one chain: what an attacker's choice of certificates may cost. Real ones need two to
/// four.
pub const MAX_SIGNATURES: usize = 32;

/// The best path of a chain.
#[derive(Debug)]
pub struct Explained<'a> {
    /// The path; without a trusted certificate at its end if none was found.
    pub path: Path<'a>,
    /// All that is wrong with it.
    pub faults: Faults,
    /// Whether its last certificate is trusted.
    pub is_trusted: bool,
}

/// Finds the path with the least wrong. `bundle` is the name of the anchors.
pub fn explain<'a>(
    leaf: &'a Certificate,
    others: &'a [Certificate],
    anchors: &'a Anchors,
    bundle: &str,
    inspection: &Inspection,
) -> Explained<'a> {
    let mut signatures = Signatures::default();
    let is_self_signed =
        |certificate: &Certificate| signatures.outcome(certificate, certificate) == Some(Outcome::Good);
    let found = search::paths(leaf, others, anchors, is_self_signed);
    let mut judge = |path: Path<'a>, is_trusted| {
        let mut faults = inspection.faults(&path, is_trusted);
        signatures.check(&path, &mut faults);
        Explained {
            path,
            faults,
            is_trusted,
        }
    };
    let complete = found.complete.into_iter().map(|path| judge(path, true));
    let best = complete.min_by_key(|explained| explained.faults.weight());
    let mut explained = best.unwrap_or_else(|| {
        let mut explained = judge(found.incomplete, false);
        explained.faults.add(
            Status::Untrusted,
            unknown_issuer(&explained.path, anchors, bundle),
        );
        explained
    });
    if found.gave_up && !explained.faults.is_empty() {
        let text = format!("the chain allows too many paths, {MAX_PATHS} of them at most were looked at");
        explained.faults.add(Status::Untrusted, text);
    }
    explained
}

/// Why a path does not end in a trusted certificate.
fn unknown_issuer(path: &Path<'_>, anchors: &Anchors, bundle: &str) -> String {
    let Some((depth, top)) = path.iter().enumerate().next_back() else {
        return "no certificate".to_owned();
    };
    let title = title(top, depth);
    let trusted = format!("the {} certificates of bundle {bundle}", anchors.len());
    let issuer = &top.facts.issuer;
    let why = if top.is_self_issued() {
        format!("{title} is self-signed and not among {trusted}")
    } else if anchors.named(&top.canonical_issuer).next().is_some() {
        format!(
            "{title} names {issuer} as its issuer, but another key than that of this name in bundle {bundle}"
        )
    } else {
        format!("the issuer of {title}, {issuer}, is neither sent nor among {trusted}")
    };
    format!("no chain to a trusted certificate: {why}")
}

/// Signatures that were checked, by the hashes of certificate and issuer.
#[derive(Default)]
struct Signatures(HashMap<([u8; 32], [u8; 32]), Outcome>);

impl Signatures {
    /// Notes what is wrong with the signatures of a path, from its end on. Below a wrong one there is nothing to be said.
    fn check(&mut self, path: &[&Certificate], faults: &mut Faults) {
        for (depth, link) in path.windows(2).enumerate().rev() {
            let [certificate, issuer] = link else { continue };
            let title_of_issuer = title(issuer, depth + 1);
            let title = title(certificate, depth);
            let Some(outcome) = self.outcome(certificate, issuer) else {
                let text = format!("more than {MAX_SIGNATURES} signatures would have to be checked");
                faults.add(Status::Untrusted, text);
                return;
            };
            match outcome {
                Outcome::Good => {}
                Outcome::Wrong => {
                    let text = format!("the signature of {title} is not by the key of {title_of_issuer}");
                    faults.add(Status::Malformed, text);
                    return;
                }
                Outcome::NotSupported => {
                    let facts = &issuer.facts;
                    let size = facts
                        .public_key_size
                        .map_or_else(String::new, |size| format!(" of {size} bits"));
                    let text = format!(
                        "the signature of {title} cannot be checked: {} by a key {}{size}",
                        certificate.facts.signature_algorithm, facts.public_key_algorithm
                    );
                    faults.add(Status::NotChecked, text);
                }
            }
        }
    }

    /// How the signature turned out; `None` if there were too many.
    fn outcome(&mut self, certificate: &Certificate, issuer: &Certificate) -> Option<Outcome> {
        let key = (certificate.facts.sha256, issuer.facts.sha256);
        if let Some(known) = self.0.get(&key) {
            return Some(*known);
        }
        if self.0.len() >= MAX_SIGNATURES {
            return None;
        }
        let outcome = signature::check(certificate, issuer);
        self.0.insert(key, outcome);
        Some(outcome)
    }
}
