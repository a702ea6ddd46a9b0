//! OCSP responses: what one says of a certificate.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use observer_tls::codepoints::OcspResponseStatus;
use observer_tls::ocsp::{BasicResponse, CertificateId, CertificateStatus, ResponderId, Response};
use observer_tls::x509::{CertificateFacts, CertificateParts, PublicKeyParts};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Crl;
use super::evidence::{CLOCK_SKEW, Finding, Known, Period, Subject, date};
use super::signature::{self, Fault};
use crate::verify::Link;

/// Seconds for which a response is good that does not say when the next one comes. Its responder means that there is
/// always a newer one, which does not help who has only this one; so one may not serve forever.
const WITHOUT_END: i64 = 7 * 86_400;
/// Responses of which it is remembered who signed them. When there are more, all are forgotten.
const MAX_REMEMBERED: usize = 1024;

/// Bytes of a responder's name that are shown. It comes with the response, and whoever sends that may write anything.
const MAX_NAME: usize = 256;

/// Who signed a response for an issuer.
#[derive(Clone, Debug)]
enum Signer {
    /// The issuer itself.
    Issuer,
    /// One whose certificate the issuer signed for this.
    Delegate(Delegate),
}

/// A responder and the validity of its certificate, seconds since the Unix epoch.
#[derive(Clone, Debug)]
struct Delegate {
    name: String,
    not_before: i64,
    not_after: i64,
    certificate: Arc<[u8]>,
}

impl Delegate {
    /// What it says, `finding`, if its certificate is valid at `time` and on none of the issuer's `lists`; else why it does
    /// not count.
    fn vouch(
        &self,
        finding: Finding,
        source: &str,
        subject: &Subject<'_>,
        lists: &[Arc<Crl>],
        time: i64,
    ) -> Result<Finding, String> {
        let whose = format!("is signed by {}, whose certificate", self.name);
        if time < self.not_before.saturating_sub(CLOCK_SKEW) {
            let words = format!("{source} {whose} is valid from {} on", date(self.not_before));
            return Ok(Finding::nothing_before(self.not_before, words));
        }
        if time > self.not_after.saturating_add(CLOCK_SKEW) {
            return Err(format!("{whose} expired {}", date(self.not_after)));
        }
        let link = Link {
            certificate: &self.certificate,
            ..*subject.link
        };
        let own = Subject {
            issuer_signs_crls: subject.issuer_signs_crls,
            ..Subject::new(&link, None)?
        };
        let mut said = lists.iter().map(|list| list.judge(&own, time));
        if let Some(revoked) = said.find(|said| said.known == Known::Revoked) {
            return Err(format!("{whose} is {}", revoked.words));
        }
        Ok(finding.no_longer_than(self.not_after))
    }
}

/// Who signed the responses that were seen, or why nobody counts as signer, by a hash of response and issuer.
#[derive(Debug, Default)]
pub(super) struct Signers(Mutex<HashMap<[u8; 32], Result<Signer, String>>>);

/// What `response` says of `subject`, whose issuer has these `lists`, at `time`; `source` is how it came, as "the stapled
/// OCSP response".
pub(super) fn judge(
    response: &[u8],
    source: &str,
    subject: &Subject<'_>,
    lists: &[Arc<Crl>],
    time: i64,
    signers: &Signers,
) -> Finding {
    examine(response, source, subject, lists, time, signers)
        .unwrap_or_else(|why| Finding::nothing(format!("{source} {why}")))
}

/// As [`judge`]; an error is why it does not count, in words that follow those for the response.
fn examine(
    bytes: &[u8],
    source: &str,
    subject: &Subject<'_>,
    lists: &[Arc<Crl>],
    time: i64,
    signers: &Signers,
) -> Result<Finding, String> {
    let response = Response::parse(bytes).map_err(|error| format!("cannot be read: {error}"))?;
    let basic = match response.basic {
        Some(basic) if response.status == OcspResponseStatus::SUCCESSFUL => basic,
        _ => return Err(format!("is none: the responder said {}", response.status)),
    };
    let Some(answer) = basic
        .answers
        .iter()
        .find(|answer| is_about(&answer.certificate, subject))
    else {
        let unknown = basic
            .answers
            .iter()
            .any(|answer| hash(answer.certificate.hash_algorithm, b"").is_none());
        return Err(match unknown {
            true => "names its certificate with a hash that is not known".to_owned(),
            false => "is about another certificate".to_owned(),
        });
    };
    let signer = signers.of(bytes, &basic, subject)?;
    if let Some(oid) = &basic.unknown_critical {
        return Err(format!("has a critical extension that is not known, {oid}"));
    }
    let dated = format!("{source} of {}", date(answer.this_update));
    let period = Period {
        this_update: answer.this_update,
        next_update: answer.next_update,
        without_end: Some(WITHOUT_END),
    };
    let finding = match answer.status {
        CertificateStatus::Good => period.good(&dated, time),
        CertificateStatus::Revoked { at, reason } => period.revoked(&dated, time, at, reason),
        CertificateStatus::Unknown => {
            Finding::nothing(format!("{dated} says that the responder does not know it"))
        }
    };
    match signer {
        Signer::Issuer => Ok(finding),
        Signer::Delegate(delegate) => delegate.vouch(finding, source, subject, lists, time),
    }
}

/// Whether `id` is the certificate of `subject` (RFC 6960, section 4.1.1).
fn is_about(id: &CertificateId<'_>, subject: &Subject<'_>) -> bool {
    let Ok(key) = PublicKeyParts::read(subject.link.issuer_key) else {
        return false;
    };
    let equals =
        |bytes: &[u8], expected: &[u8]| hash(id.hash_algorithm, bytes).is_some_and(|hash| hash == expected);
    id.serial_number == subject.parts.serial_number
        && equals(subject.parts.issuer, id.issuer_name_hash)
        && equals(key.key, id.issuer_key_hash)
}

/// The hash of `bytes` by the function with this object identifier; `None` when that is not known.
fn hash(oid: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match oid {
        // id-sha1, 1.3.14.3.2.26
        [0x2b, 14, 3, 2, 26] => Sha1::digest(bytes).to_vec(),
        // hashAlgs of NIST, 2.16.840.1.101.3.4.2
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1] => Sha256::digest(bytes).to_vec(),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2] => Sha384::digest(bytes).to_vec(),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3] => Sha512::digest(bytes).to_vec(),
        _ => return None,
    })
}

impl Signers {
    /// Who signed `basic`, whose response is `bytes`, for the issuer of `subject`.
    fn of(&self, bytes: &[u8], basic: &BasicResponse<'_>, subject: &Subject<'_>) -> Result<Signer, String> {
        let mut key = Sha256::new();
        key.update(subject.link.issuer_key);
        key.update(subject.link.issuer);
        key.update(bytes);
        let key: [u8; 32] = key.finalize().into();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = known.get(&key) {
            return signer.clone();
        }
        let signer = find_signer(basic, subject);
        if known.len() == MAX_REMEMBERED {
            known.clear();
        }
        known.insert(key, signer.clone());
        signer
    }
}

/// RFC 6960, section 4.2.2.2.
fn find_signer(basic: &BasicResponse<'_>, subject: &Subject<'_>) -> Result<Signer, String> {
    let link = subject.link;
    if is_responder(basic.responder, link.issuer, link.issuer_key) {
        return match signature::verify(&basic.signed, link.issuer_key) {
            Ok(()) => Ok(Signer::Issuer),
            Err(fault) => Err(unsigned("the issuer", fault)),
        };
    }
    let mut delegates = basic.certificates.iter().filter_map(|der| {
        let parts = CertificateParts::read(der).ok()?;
        is_responder(basic.responder, parts.subject, parts.public_key).then_some((parts, der))
    });
    let Some((parts, der)) = delegates.next() else {
        return Err("is not signed by the issuer".to_owned());
    };
    let facts = CertificateFacts::parse(der);
    let mut name = facts.subject;
    name.truncate(name.floor_char_boundary(MAX_NAME));
    if parts.issuer != link.issuer || signature::verify(&parts.signed, link.issuer_key).is_err() {
        return Err(format!(
            "is signed by {name}, whose certificate the issuer did not sign"
        ));
    }
    if !facts
        .extended_key_usage
        .iter()
        .any(|usage| usage == "OCSPSigning")
    {
        return Err(format!("is signed by {name}, whose certificate is not for OCSP"));
    }
    let (Some(not_before), Some(not_after)) = (facts.not_before, facts.not_after) else {
        return Err(format!("is signed by {name}, whose certificate has no validity"));
    };
    match signature::verify(&basic.signed, parts.public_key) {
        Ok(()) => Ok(Signer::Delegate(Delegate {
            name,
            not_before,
            not_after,
            certificate: Arc::from(*der),
        })),
        Err(fault) => Err(unsigned(&name, fault)),
    }
}

fn unsigned(by: &str, fault: Fault) -> String {
    match fault {
        Fault::Wrong => format!("says that {by} signed it, and that is not so"),
        Fault::UnknownAlgorithm => "is signed with an algorithm that is not known".to_owned(),
    }
}

/// Whether `id` is who has this name and key (section 4.2.2.3).
fn is_responder(id: ResponderId<'_>, name: &[u8], public_key: &[u8]) -> bool {
    match id {
        ResponderId::Name(responder) => responder == name,
        ResponderId::KeyHash(hash) => {
            let key = PublicKeyParts::read(public_key);
            key.is_ok_and(|key| Sha1::digest(key.key).as_slice() == hash)
        }
    }
}
