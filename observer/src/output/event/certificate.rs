//! Certificates in events: the fields of ECS `tls.client`, `tls.server` and `x509`.

use observer_tls::x509::{CertificateFacts, NameAttributes};
use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::super::json::writer::{self, Raw};
use super::is_empty;
use super::text::{Digest, Joined};
use super::time::Time;

/// What the event says of one side's leaf certificate.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Leaf<'a> {
    /// Distinguished name of the subject (RFC 4514).
    #[serde(skip_serializing_if = "str::is_empty")]
    pub subject: &'a str,
    /// Distinguished name of the issuer (RFC 4514).
    #[serde(skip_serializing_if = "str::is_empty")]
    pub issuer: &'a str,
    /// Start of the validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// End of the validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
    /// Digests of the certificate as sent.
    pub hash: Hash<'a>,
    /// The certificate's contents.
    pub x509: X509<'a>,
}

/// A leaf in an event.
#[derive(Clone, Copy, Debug)]
pub enum AnyLeaf<'a> {
    /// Still to be written.
    Facts(&'a CertificateFacts),
    /// Written before.
    Written(&'a WrittenLeaf),
}

impl Serialize for AnyLeaf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Facts(facts) => Leaf::new(facts).serialize(serializer),
            Self::Written(written) => written.serialize(serializer),
        }
    }
}

/// The JSON of a [`Leaf`].
#[derive(Debug)]
pub struct WrittenLeaf {
    /// The first key.
    key: String,
    /// Its value, and the members that follow.
    rest: String,
}

impl WrittenLeaf {
    /// Writes `leaf`; `None` when that fails.
    pub fn new(leaf: &Leaf<'_>) -> Option<Self> {
        let mut text = Vec::new();
        writer::write(leaf, &mut text).ok()?;
        let text = String::from_utf8(text).ok()?;
        // A hash is always there, so there is a first member.
        let (key, rest) = text.strip_prefix("{\"")?.strip_suffix('}')?.split_once("\":")?;
        Some(Self {
            key: key.to_owned(),
            rest: rest.to_owned(),
        })
    }

    /// Its length in bytes.
    pub fn size(&self) -> usize {
        self.key.len() + self.rest.len()
    }
}

/// As its one member the first key, with all that follows.
impl Serialize for WrittenLeaf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.key, &Raw(&self.rest))?;
        map.end()
    }
}

/// Digests of a certificate.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Hash<'a> {
    /// SHA-256 of the DER, uppercase hex.
    pub sha256: Digest<'a>,
}

/// A certificate's contents, named as in ECS `x509.*`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "X509")]
pub struct X509<'a> {
    /// Version of the certificate: "3", rarely "1".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_number: Option<&'static str>,
    /// Serial number in uppercase hex, two digits a byte, without separators.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub serial_number: &'a str,
    /// Names of subjectAltName: DNS names, IP addresses, URIs (SPIFFE ids among them), mail addresses.
    #[serde(skip_serializing_if = "Joined::is_empty")]
    pub alternative_names: Joined<'a, 4>,
    /// Who the certificate is about.
    #[serde(skip_serializing_if = "Name::is_empty")]
    pub subject: Name<'a>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Name::is_empty")]
    pub issuer: Name<'a>,
    /// Start of the validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// End of the validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
    /// Algorithm of the issuer's signature, such as "ECDSA-SHA256"; an OID when it has no common name.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub signature_algorithm: &'a str,
    /// Algorithm of the public key, such as "RSA"; an OID when it has no common name.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub public_key_algorithm: &'a str,
    /// Size of the public key in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key_size: Option<u32>,
    /// Curve of an elliptic-curve key, such as "P-256".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key_curve: Option<&'a str>,
    /// Public exponent of an RSA key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key_exponent: Option<u64>,
    /// Why the certificate could not be read (not in ECS). Fields that could not be read are absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub malformed: Option<&'a str>,
    /// What a reader that insists on DER and RFC 5280 objects to (not in ECS). Some peers refuse such a certificate where
    /// others take it.
    #[serde(skip_serializing_if = "is_empty")]
    pub nonconformities: &'a [String],
}

/// A distinguished name. Attributes may occur more than once.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Name<'a> {
    /// The whole name (RFC 4514).
    #[serde(skip_serializing_if = "str::is_empty")]
    pub distinguished_name: &'a str,
    /// CN.
    #[serde(skip_serializing_if = "Joined::is_empty")]
    pub common_name: Joined<'a, 1>,
    /// O.
    #[serde(skip_serializing_if = "Joined::is_empty")]
    pub organization: Joined<'a, 1>,
    /// OU.
    #[serde(skip_serializing_if = "Joined::is_empty")]
    pub organizational_unit: Joined<'a, 1>,
    /// C.
    #[serde(skip_serializing_if = "Joined::is_empty")]
    pub country: Joined<'a, 1>,
    /// L.
    #[serde(skip_serializing_if = "Joined::is_empty")]
    pub locality: Joined<'a, 1>,
    /// ST.
    #[serde(skip_serializing_if = "Joined::is_empty")]
    pub state_or_province: Joined<'a, 1>,
}

impl<'a> Name<'a> {
    fn new(distinguished_name: &'a str, attributes: &'a NameAttributes) -> Self {
        Self {
            distinguished_name,
            common_name: Joined([&attributes.common_name]),
            organization: Joined([&attributes.organization]),
            organizational_unit: Joined([&attributes.organizational_unit]),
            country: Joined([&attributes.country]),
            locality: Joined([&attributes.locality]),
            state_or_province: Joined([&attributes.state_or_province]),
        }
    }

    /// Whether there is nothing to show. No attribute can be there without the whole name.
    fn is_empty(&self) -> bool {
        self.distinguished_name.is_empty()
    }
}

impl<'a> Leaf<'a> {
    /// The fields of `facts`.
    pub fn new(facts: &'a CertificateFacts) -> Self {
        let not_before = facts.not_before.map(Time::from_seconds);
        let not_after = facts.not_after.map(Time::from_seconds);
        Self {
            subject: &facts.subject,
            issuer: &facts.issuer,
            not_before,
            not_after,
            hash: Hash {
                sha256: Digest(&facts.sha256),
            },
            x509: X509 {
                version_number: match facts.version {
                    1 => Some("1"),
                    2 => Some("2"),
                    3 => Some("3"),
                    _ => None,
                },
                serial_number: &facts.serial_number,
                alternative_names: Joined([
                    &facts.dns_names,
                    &facts.ip_addresses,
                    &facts.uris,
                    &facts.emails,
                ]),
                subject: Name::new(&facts.subject, &facts.subject_attributes),
                issuer: Name::new(&facts.issuer, &facts.issuer_attributes),
                not_before,
                not_after,
                signature_algorithm: &facts.signature_algorithm,
                public_key_algorithm: &facts.public_key_algorithm,
                public_key_size: facts.public_key_size,
                public_key_curve: facts.public_key_curve.as_deref(),
                public_key_exponent: facts.public_key_exponent,
                malformed: facts.malformed.as_deref(),
                nonconformities: &facts.nonconformities,
            },
        }
    }
}
