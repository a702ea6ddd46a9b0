//! What a certificate says (RFC 5280), for people to read. Nothing is checked here: no signature, no chain, no clock.

mod algorithms;
mod extensions;
mod name;

pub use name::NameAttributes;
pub(crate) use name::name_text;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// The facts of one certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The certificate as sent.
    pub der: Bytes,
    /// SHA-256 of `der`.
    pub sha256: [u8; 32],
    /// Why the certificate, or a part of it, could not be read. What could be read is filled in all the same.
    pub malformed: Option<String>,
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
    /// Serial number in uppercase hex, two digits a byte, without separators and without the sign byte of DER.
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
    /// extendedKeyUsage: "serverAuth", "clientAuth", … as RFC 5280 names them; else the OID.
    pub extended_key_usage: Vec<String>,
}

impl CertificateFacts {
    /// Reads a certificate, copying it. It never fails: see [`CertificateFacts::malformed`].
    pub fn parse(der: &[u8]) -> Self {
        Self::from_bytes(Bytes::copy_from_slice(der))
    }

    /// As [`CertificateFacts::parse`], sharing the bytes.
    pub fn from_bytes(der: Bytes) -> Self {
        let mut facts = Self {
            sha256: Sha256::digest(&der).into(),
            ..Self::default()
        };
        match X509Certificate::from_der(&der) {
            Ok((rest, certificate)) => {
                facts.fill(&certificate);
                if !rest.is_empty() {
                    facts.complain(format!("{} bytes after the certificate", rest.len()));
                }
            }
            Err(error) => facts.complain(error.to_string()),
        }
        facts.der = der;
        facts
    }

    /// The SPIFFE id: the URI of a certificate that names exactly one, with the scheme `spiffe` (SPIFFE X.509-SVID,
    /// section 2).
    pub fn spiffe_id(&self) -> Option<&str> {
        match self.uris.as_slice() {
            [uri] if uri.starts_with("spiffe://") => Some(uri),
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

    fn fill(&mut self, certificate: &X509Certificate<'_>) {
        self.version = certificate.version().0.saturating_add(1);
        self.subject = name::text(certificate.subject());
        self.issuer = name::text(certificate.issuer());
        self.subject_attributes = NameAttributes::of(certificate.subject());
        self.issuer_attributes = NameAttributes::of(certificate.issuer());
        self.serial_number = serial_text(certificate.raw_serial());
        self.not_before = Some(certificate.validity().not_before.timestamp());
        self.not_after = Some(certificate.validity().not_after.timestamp());
        self.signature_algorithm = algorithms::signature(&certificate.signature_algorithm);
        let key = algorithms::PublicKeyFacts::of(certificate.public_key());
        self.public_key_algorithm = key.algorithm;
        self.public_key_size = key.size;
        self.public_key_curve = key.curve;
        self.public_key_exponent = key.exponent;
        self.fill_extensions(certificate.extensions());
    }

    /// Notes what is wrong; the first complaint stays.
    fn complain(&mut self, what: String) {
        self.malformed.get_or_insert(what);
    }
}

/// The bytes of the INTEGER in hex. Its first byte is left out when it only says that the number is positive.
fn serial_text(bytes: &[u8]) -> String {
    name::hex_upper(match bytes {
        [0, rest @ ..] if !rest.is_empty() => rest,
        bytes => bytes,
    })
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
    fn serials_lose_only_the_sign_byte() {
        assert_eq!(serial_text(&[0x00, 0xab, 0x01]), "AB01");
        assert_eq!(serial_text(&[0x01, 0x0f]), "010F");
        assert_eq!(serial_text(&[0x00]), "00");
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
