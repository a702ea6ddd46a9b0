//! Whether certificates are revoked, by CRLs and by OCSP responses.
//!
//! Each source gives a finding of each certificate of a path. One that says "revoked" counts more than any that says
//! "good", and both more than those that do not tell.

mod crl;
mod evidence;
mod ocsp;
mod signature;

pub use crl::{Crl, CrlError};

use std::collections::HashMap;
use std::sync::Arc;

use evidence::{Finding, Subject};

use super::{Link, Revocation};

/// Sources that do not tell and are named in one answer; of more only the number is told.
const MAX_REMARKS: usize = 4;

/// Where is looked for revoked certificates.
#[derive(Debug, Default)]
pub struct RevocationSources {
    /// CRLs by [`name_key`] of their issuer.
    lists: HashMap<String, Vec<Arc<Crl>>>,
    signers: ocsp::Signers,
}

/// What is known of the revocation of a path's certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Of the leaf.
    pub revocation: Revocation,
    /// By whom that is known, with dates, or why it is not known; and which certificate above the leaf is revoked.
    pub detail: Option<String>,
    /// A certificate above the leaf is revoked.
    pub chain_revoked: bool,
    /// The last second of handshakes for which this is known; `None`: no end is known.
    pub until: Option<i64>,
}

impl RevocationSources {
    /// These CRLs.
    pub fn new(lists: impl IntoIterator<Item = Arc<Crl>>) -> Self {
        let mut sources = Self::default();
        for list in lists {
            let of_issuer = sources.lists.entry(name_key(list.issuer())).or_default();
            of_issuer.push(list);
        }
        sources
    }

    /// What is known of the certificates of a path, leaf first, at `time` (seconds since the Unix epoch). `stapled` is the
    /// DER OCSP response that came with the leaf.
    pub fn check(&self, links: &[Link<'_>], time: i64, stapled: Option<&[u8]>) -> Answer {
        let mut answer = Answer {
            revocation: Revocation::NotChecked,
            detail: None,
            chain_revoked: false,
            until: None,
        };
        if self.lists.is_empty() && stapled.is_none() {
            return answer;
        }
        let mut details = Vec::new();
        for (place, link) in links.iter().enumerate() {
            let staple = stapled.filter(|_| place == 0);
            let subject = Subject::new(link, links.get(place + 1));
            let findings = match &subject {
                Ok(subject) => self.findings(subject, time, staple),
                Err(why) => vec![Finding::Nothing(why.clone())],
            };
            let (revocation, words) = conclude(findings, &mut answer.until);
            if place == 0 {
                answer.revocation = revocation;
                details.extend(words);
            } else if let (Revocation::Revoked, Some(words), Ok(subject)) = (revocation, words, &subject) {
                answer.chain_revoked = true;
                details.push(format!("{}: {words}", subject.facts.subject));
            }
        }
        answer.detail = (!details.is_empty()).then(|| details.join("; "));
        answer
    }

    /// What each source says of `subject`.
    fn findings(&self, subject: &Subject<'_>, time: i64, stapled: Option<&[u8]>) -> Vec<Finding> {
        let staple = stapled.map(|response| {
            ocsp::judge(
                response,
                "the stapled OCSP response",
                subject,
                time,
                &self.signers,
            )
        });
        let lists = self.lists.get(&name_key(&subject.issuer));
        let mut findings: Vec<Finding> = staple.into_iter().collect();
        match lists {
            Some(lists) => findings.extend(lists.iter().map(|list| list.judge(subject, time))),
            None if self.lists.is_empty() => {}
            None => findings.push(Finding::Nothing(format!(
                "no CRL of {} is configured",
                subject.issuer
            ))),
        }
        findings
    }
}

/// Names that differ only in case and in the types of their strings are of the same issuer: whether one signed what he
/// is said to, his key tells.
fn name_key(name: &str) -> String {
    name.to_lowercase()
}

/// What these findings say together, in words, too. `until` ends with the first that counts.
fn conclude(findings: Vec<Finding>, until: &mut Option<i64>) -> (Revocation, Option<String>) {
    let mut good = None;
    let mut remarks = Vec::new();
    let mut left_out = 0_usize;
    for finding in findings {
        match finding {
            Finding::Revoked(words) => return (Revocation::Revoked, Some(words)),
            Finding::Good { words, until: end } => {
                // Of several the one counts that is good the longest.
                let end = end.unwrap_or(i64::MAX);
                if good.as_ref().is_none_or(|(best, _)| *best < end) {
                    good = Some((end, words));
                }
            }
            Finding::Nothing(words) if remarks.len() < MAX_REMARKS => remarks.push(words),
            Finding::Nothing(_) => left_out += 1,
        }
    }
    if let Some((end, words)) = good {
        if end < until.unwrap_or(i64::MAX) {
            *until = Some(end);
        }
        return (Revocation::Good, Some(words));
    }
    if left_out > 0 {
        remarks.push(format!("and {left_out} more"));
    }
    match remarks.is_empty() {
        true => (Revocation::NotChecked, None),
        false => (Revocation::Unknown, Some(remarks.join("; "))),
    }
}
