//! The certificates that an operator trusts.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use observer_tls::x509::CertificateFacts;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor};

use super::certificate::Certificate;

/// Trusted certificates: roots, intermediates, or leaves that are trusted as they are.
#[derive(Debug, Default)]
pub struct Anchors {
    certificates: Vec<Arc<Certificate>>,
    /// Places in `certificates` by the subject's canonical form.
    by_subject: HashMap<Vec<u8>, Vec<usize>>,
    /// SHA-256 of each.
    hashes: HashSet<[u8; 32]>,
    /// Those that webpki can use.
    for_webpki: Vec<TrustAnchor<'static>>,
}

/// A certificate that cannot be trusted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadAnchor {
    /// Its place among the certificates given, counted from 1.
    pub position: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BadAnchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "certificate {}: {}", self.position, self.reason)
    }
}

impl Anchors {
    /// Takes certificates in DER, each one once, and tells which of them cannot be used.
    pub fn from_der<D: AsRef<[u8]>>(certificates: impl IntoIterator<Item = D>) -> (Self, Vec<BadAnchor>) {
        let mut anchors = Self::default();
        let mut bad = Vec::new();
        for (at, der) in certificates.into_iter().enumerate() {
            let added = anchors.add(Bytes::copy_from_slice(der.as_ref()));
            bad.extend(added.err().map(|reason| BadAnchor {
                position: at + 1,
                reason,
            }));
        }
        (anchors, bad)
    }

    /// As [`Anchors::from_der`], with the certificates of a PEM file (RFC 7468); its other sections are skipped.
    pub fn from_pem(text: &[u8]) -> (Self, Vec<BadAnchor>) {
        let mut anchors = Self::default();
        let mut bad = Vec::new();
        for (at, section) in CertificateDer::pem_slice_iter(text).enumerate() {
            let added = match section {
                Ok(der) => anchors.add(Bytes::copy_from_slice(&der)),
                Err(error) => Err(format!("not PEM: {error}")),
            };
            bad.extend(added.err().map(|reason| BadAnchor {
                position: at + 1,
                reason,
            }));
        }
        (anchors, bad)
    }

    /// Adds those of another set, those that are already there not a second time.
    pub fn extend(&mut self, other: Self) {
        for certificate in other.certificates {
            self.insert(certificate);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.certificates.len()
    }

    /// Whether nothing is trusted.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    /// Whether this very certificate is one of them.
    pub fn contains(&self, certificate: &CertificateFacts) -> bool {
        self.hashes.contains(&certificate.sha256)
    }

    /// Those with this subject, in canonical form.
    pub(super) fn named<'a>(&'a self, subject: &[u8]) -> impl Iterator<Item = &'a Arc<Certificate>> {
        let places = self.by_subject.get(subject).into_iter().flatten();
        places.filter_map(|place| self.certificates.get(*place))
    }

    /// Those that webpki can use.
    pub(super) fn for_webpki(&self) -> &[TrustAnchor<'static>] {
        &self.for_webpki
    }

    fn add(&mut self, der: Bytes) -> Result<(), String> {
        let facts = Arc::new(CertificateFacts::from_bytes(der));
        let certificate = Certificate::read(facts).map_err(|unreadable| unreadable.0)?;
        self.insert(Arc::new(certificate));
        Ok(())
    }

    fn insert(&mut self, certificate: Arc<Certificate>) {
        if !self.hashes.insert(certificate.facts.sha256) {
            return;
        }
        let der = CertificateDer::from(certificate.der().as_ref());
        if let Ok(anchor) = webpki::anchor_from_trusted_cert(&der) {
            self.for_webpki.push(anchor.to_owned());
        }
        let places = self.by_subject.entry(certificate.canonical_subject.clone());
        places.or_default().push(self.certificates.len());
        self.certificates.push(certificate);
    }
}
