//! What a certificate says (RFC 5280), for people to read. Nothing is checked here: no signature, no chain, no clock.
//!
//! Certificates on the wire are odder than the standard allows, and the peers' libraries take many of them. So what
//! any of them reads is read here, too: a part that is broken costs only the facts that are in it.

mod algorithms;
mod conformity;
pub(crate) mod der;
mod extensions;
mod name;
pub(crate) mod oid;
mod parts;
pub(crate) mod raw_extension;
mod references;
mod structure;
pub(crate) mod time;

pub use name::{NameAttributes, name_text};
pub use oid::dotted;
pub use parts::{CertificateParts, PublicKeyParts, Signed};
pub use references::{DistributionPoint, GeneralName};
pub(crate) use references::{authority_key_id, distribution_point_names};

use std::fmt::{Display, Write};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::error::ParseError;

/// Once [`CertificateFacts::malformed`] has so many bytes, nothing is added to it.
const MAX_COMPLAINTS: usize = 256;

/// The facts of one certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The certificate as sent.
    pub der: Bytes,
    /// SHA-256 of `der`.
    pub sha256: [u8; 32],
    /// Why the certificate, or parts of it, could not be read, with `; ` between them. What could be read is filled in
    /// all the same.
    pub malformed: Option<String>,
    /// What a strict reader objects to, once [`CertificateFacts::check_conformity`] was called.
    pub nonconformities: Vec<String>,
    /// The version, counted from 1; 0 when it could not be read.
    pub version: u32,
    /// Subject as RFC 4514 text.
    pub subject: String,
    /// Issuer as RFC 4514 text.
    pub issuer: String,
    /// Attributes of the subject.
    pub subject_attributes: NameAttributes,
    /// Attributes of the issuer.
    pub issuer_attributes: NameAttributes,
    /// Whether subject and issuer are the same name.
    pub self_issued: bool,
    /// Serial number in uppercase hex, two digits a byte, without separators and without the sign byte of DER. One that
    /// is negative, which RFC 5280 forbids, is its magnitude after a `-`.
    pub serial_number: String,
    /// Start of the validity, seconds since the Unix epoch.
    pub not_before: Option<i64>,
    /// Last second of the validity, seconds since the Unix epoch.
    pub not_after: Option<i64>,
    /// DNS names of subjectAltName.
    pub dns_names: Vec<String>,
    /// IP addresses of subjectAltName.
    pub ip_addresses: Vec<String>,
    /// URIs of subjectAltName.
    pub uris: Vec<String>,
    /// Mail addresses of subjectAltName.
    pub emails: Vec<String>,
    /// Distinguished names of subjectAltName as RFC 4514 text.
    pub directory_names: Vec<String>,
    /// User principal names of Windows domains, which are other names of subjectAltName.
    pub user_principal_names: Vec<String>,
    /// Registered ids of subjectAltName: dotted OIDs.
    pub registered_ids: Vec<String>,
    /// How many names of subjectAltName are in none of these lists because there are too many.
    pub alternative_names_left_out: usize,
    /// Signature algorithm, as "ECDSA-SHA256", "SHA256-RSA", "SHA256-RSAPSS", "Ed25519"; else its OID.
    pub signature_algorithm: String,
    /// Algorithm of the public key: "RSA", "ECDSA", "Ed25519", …; else its OID.
    pub public_key_algorithm: String,
    /// Size of the public key in bits: of the modulus, or of the curve's field.
    pub public_key_size: Option<u32>,
    /// Curve of an elliptic-curve key, as "P-256"; else its OID.
    pub public_key_curve: Option<String>,
    /// Public exponent of an RSA key, when it fits.
    pub public_key_exponent: Option<u64>,
    /// basicConstraints says that it is a CA.
    pub is_ca: bool,
    /// keyUsage: "digitalSignature", "keyCertSign", … as RFC 5280 names them.
    pub key_usage: Vec<&'static str>,
    /// extendedKeyUsage: "serverAuth", "clientAuth", … as RFC 5280 names them; else the OID.
    pub extended_key_usage: Vec<String>,
    /// subjectKeyIdentifier.
    pub subject_key_id: Option<Vec<u8>>,
    /// The keyIdentifier of authorityKeyIdentifier.
    pub authority_key_id: Option<Vec<u8>>,
    /// Where authorityInfoAccess says that an OCSP responder is.
    pub ocsp_urls: Vec<String>,
    /// Where cRLDistributionPoints says that CRLs are.
    pub crl_distribution_points: Vec<DistributionPoint>,
}

impl CertificateFacts {
    /// Reads a certificate, copying it. It never fails: see [`CertificateFacts::malformed`].
    pub fn parse(der: &[u8]) -> Self {
        Self::from_bytes(Bytes::copy_from_slice(der))
    }

    /// As [`CertificateFacts::parse`], sharing the bytes.
    pub fn from_bytes(der: Bytes) -> Self {
        let mut facts = Self::default();
        facts.read(&der);
        facts.sha256 = Sha256::digest(&der).into();
        facts.der = der;
        facts
    }

    /// The SPIFFE id: the URI of a certificate that names exactly one, with the scheme `spiffe` (SPIFFE X.509-SVID,
    /// section 2).
    pub fn spiffe_id(&self) -> Option<&str> {
        match self.uris.as_slice() {
            [uri] if uri.starts_with("spiffe://") && self.alternative_names_left_out == 0 => Some(uri),
            _ => None,
        }
    }

    /// All names of subjectAltName as text: DNS names, IP addresses, URIs, mail addresses.
    pub fn alternative_names(&self) -> Vec<String> {
        [&self.dns_names, &self.ip_addresses, &self.uris, &self.emails]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// Notes what is wrong.
    fn complain(&mut self, what: impl Display) {
        match &mut self.malformed {
            None => self.malformed = Some(what.to_string()),
            Some(text) if text.len() < MAX_COMPLAINTS => {
                // Writing to a String cannot fail.
                let _ = write!(text, "; {what}");
            }
            Some(_) => {}
        }
    }

    /// The value, if it could be read; else notes why not.
    fn readable<T>(&mut self, outcome: Result<T, ParseError>) -> Option<T> {
        outcome.inspect_err(|error| self.complain(error)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rubbish_keeps_its_hash_and_the_reason() {
        let facts = CertificateFacts::parse(b"abc");
        assert_eq!(facts.der.as_ref(), b"abc");
        assert_eq!(facts.sha256.first_chunk(), Some(&[0xba, 0x78, 0x16, 0xbf]));
        assert!(facts.malformed.is_some());
        assert_eq!(facts.subject, "");
    }

    #[test]
    fn only_a_sole_uri_is_a_spiffe_id() {
        let one = CertificateFacts {
            uris: vec!["spiffe://prod/ns/a".into()],
            ..Default::default()
        };
        assert_eq!(one.spiffe_id(), Some("spiffe://prod/ns/a"));
        let two = CertificateFacts {
            uris: vec!["spiffe://prod/a".into(), "urn:x".into()],
            ..Default::default()
        };
        assert_eq!(two.spiffe_id(), None);
        assert_eq!(two.alternative_names(), ["spiffe://prod/a", "urn:x"]);
    }
}
