//! A certificate as path validation needs it: what is compared, what is signed, and the extensions that limit it.

use std::sync::Arc;

use bytes::Bytes;
use observer_tls::x509::{CertificateFacts, CertificateParts, PublicKeyParts};

use super::der::{self, Elements};
use super::distinguished_name;
use super::extensions::Extensions;

/// Why something is no certificate that a peer could read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

/// A certificate (RFC 5280, section 4.1).
#[derive(Clone, Debug)]
pub struct Certificate {
    /// What it says.
    pub facts: Arc<CertificateFacts>,
    /// The part that is signed, DER.
    pub signed: Bytes,
    /// Its signature.
    pub signature: Bytes,
    /// AlgorithmIdentifier of the signature, without tag and length.
    pub signature_algorithm: Bytes,
    /// Whether the signature is whole bytes, and the signed part names the same algorithm, as it must (RFC 5280, section
    /// 4.1.1.2).
    pub is_well_signed: bool,
    /// Serial number, the content of its INTEGER.
    pub serial: Bytes,
    /// Subject, DER of the `Name`.
    pub subject: Bytes,
    /// Issuer in the form in which names are compared; see [`distinguished_name::canonical`].
    pub canonical_issuer: Vec<u8>,
    /// Subject in that form.
    pub canonical_subject: Vec<u8>,
    /// Its key, DER of the `SubjectPublicKeyInfo`.
    pub key_info: Bytes,
    /// AlgorithmIdentifier of its key, without tag and length.
    pub key_algorithm: Bytes,
    /// Its key, the content of `subjectPublicKey`.
    pub key: Bytes,
    /// Start of the validity, seconds since the Unix epoch.
    pub not_before: i64,
    /// Last second of the validity, seconds since the Unix epoch.
    pub not_after: i64,
    /// Its extensions.
    pub extensions: Extensions,
}

impl Certificate {
    /// Finds the parts.
    ///
    /// # Errors
    /// When a part that each certificate has is missing or not readable.
    pub fn read(facts: Arc<CertificateFacts>) -> Result<Self, Unreadable> {
        let unreadable = || {
            let reason = facts.malformed.as_deref();
            Unreadable(
                reason
                    .unwrap_or("its structure is not that of a certificate")
                    .to_owned(),
            )
        };
        let parts = CertificateParts::read(&facts.der).map_err(|error| Unreadable(error.to_string()))?;
        let key = PublicKeyParts::read(parts.public_key).map_err(|error| Unreadable(error.to_string()))?;
        let (is_all, signature_is_whole) = form(&facts.der);
        if !is_all {
            return Err(Unreadable("there are bytes behind its end".to_owned()));
        }
        let (signed_algorithm, extensions) = further_parts(parts.signed.message).ok_or_else(unreadable)?;
        let (Some(not_before), Some(not_after)) = (facts.not_before, facts.not_after) else {
            return Err(unreadable());
        };
        // X.690, section 8.3.2; peers refuse it.
        if let [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] = parts.serial_number {
            return Err(Unreadable("its serial number has a byte too many".to_owned()));
        }
        let canonical = |name: &[u8]| distinguished_name::canonical(name).ok_or_else(unreadable);
        let share = |part: &[u8]| facts.der.slice_ref(part);
        Ok(Self {
            signed: share(parts.signed.message),
            signature: share(parts.signed.signature),
            signature_algorithm: share(parts.signed.algorithm),
            is_well_signed: signature_is_whole && signed_algorithm == parts.signed.algorithm,
            serial: share(parts.serial_number),
            subject: share(parts.subject),
            canonical_issuer: canonical(parts.issuer)?,
            canonical_subject: canonical(parts.subject)?,
            key_info: share(parts.public_key),
            key_algorithm: share(key.algorithm),
            key: share(key.key),
            not_before,
            not_after,
            extensions: Extensions::read(&facts.der, extensions)?,
            facts,
        })
    }

    /// The certificate, DER.
    pub fn der(&self) -> &Bytes {
        &self.facts.der
    }

    /// Whether subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.canonical_issuer == self.canonical_subject
    }

    /// Whether this may be the issuer of `subject`: by name and, where both say it, by key identifier or serial number
    /// (RFC 5280, section 4.2.1.1). The signature is not checked.
    pub fn may_have_issued(&self, subject: &Self) -> bool {
        let authority = &subject.extensions.authority_key;
        let same = |theirs: &Option<Bytes>, ours: Option<&Bytes>| match (theirs, ours) {
            (Some(theirs), Some(ours)) => theirs == ours,
            _ => true,
        };
        self.canonical_subject == subject.canonical_issuer
            && same(&authority.key, self.extensions.subject_key.as_ref())
            && same(&authority.serial, Some(&self.serial))
            && authority
                .issuer
                .as_ref()
                .is_none_or(|issuer| *issuer == self.canonical_issuer)
    }
}

/// Whether a certificate is nothing but a signed part, an algorithm and a signature, and whether the signature is whole
/// bytes: what is not signed must have no room for anything else.
fn form(der: &[u8]) -> (bool, bool) {
    let mut behind = Elements(der);
    let mut fields = behind.inside(der::SEQUENCE).unwrap_or(Elements(&[]));
    fields.element(der::SEQUENCE);
    fields.element(der::SEQUENCE);
    let is_whole = fields
        .content(der::BIT_STRING)
        .is_some_and(|bits| bits.first() == Some(&0));
    (fields.is_empty() && behind.is_empty(), is_whole)
}

/// What the signed part, given with tag and length, has besides what [`CertificateParts`] finds: the content of its own
/// AlgorithmIdentifier, and what is inside of the `[3]` of its extensions.
fn further_parts(signed: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    const VERSION: u8 = der::constructed(0);
    const UNIQUE_IDS: [u8; 2] = [der::primitive(1), der::primitive(2)];
    const EXTENSIONS: u8 = der::constructed(3);

    let mut fields = Elements(signed).inside(der::SEQUENCE)?;
    fields.element(VERSION);
    fields.element(der::INTEGER)?; // serialNumber
    let algorithm = fields.content(der::SEQUENCE)?;
    for _ in ["issuer", "validity", "subject", "subjectPublicKeyInfo"] {
        fields.element(der::SEQUENCE)?;
    }
    for unique_id in UNIQUE_IDS {
        fields.element(unique_id);
    }
    let extensions = fields.content(EXTENSIONS);
    fields.is_empty().then_some((algorithm, extensions))
}
