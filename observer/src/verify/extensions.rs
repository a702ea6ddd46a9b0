//! The extensions of a certificate that limit what it is good for (RFC 5280, section 4.2).

use bytes::Bytes;
use observer_tls::x509;

use super::certificate::Unreadable;
use super::der::{self, Elements};
use super::distinguished_name;

/// Critical extensions that are not known and are told; one is enough to refuse a certificate.
const MAX_UNKNOWN: usize = 4;

/// basicConstraints (RFC 5280, section 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// It is a certificate authority.
    pub authority: bool,
    /// How many authorities may be between it and the leaf, those that are self-issued not counted.
    pub path_length: Option<u32>,
}

/// authorityKeyIdentifier (RFC 5280, section 4.2.1.1), each part where it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorityKey {
    /// The issuer's subjectKeyIdentifier.
    pub key: Option<Bytes>,
    /// The issuer's own issuer, in the form of [`distinguished_name::canonical`].
    pub issuer: Option<Vec<u8>>,
    /// The issuer's serial number.
    pub serial: Option<Bytes>,
}

/// What the extensions say; what is not there is `None`.
#[derive(Clone, Debug, Default)]
pub struct Extensions {
    /// Section 4.2.1.9.
    pub basic_constraints: Option<BasicConstraints>,
    /// Section 4.2.1.3; see [`KeyUsage`].
    pub key_usage: Option<KeyUsage>,
    /// Section 4.2.1.12: the content of each object identifier.
    pub purposes: Option<Vec<Bytes>>,
    /// Netscape's certificate type, with the client's bit first.
    pub netscape_type: Option<u8>,
    /// Section 4.2.1.2.
    pub subject_key: Option<Bytes>,
    /// Section 4.2.1.1.
    pub authority_key: AuthorityKey,
    /// Section 4.2.1.6: the content of the `GeneralNames`.
    pub alternative_names: Option<Bytes>,
    /// Section 4.2.1.10: the content of the `NameConstraints`.
    pub name_constraints: Option<Bytes>,
    /// Object identifiers, dotted, of extensions that are critical and that no peer is expected to know; the first ones.
    pub unknown_critical: Vec<String>,
}

/// The bits of keyUsage, the first one the most significant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    pub const DIGITAL_SIGNATURE: Self = Self(0x8000);
    pub const KEY_ENCIPHERMENT: Self = Self(0x2000);
    pub const KEY_AGREEMENT: Self = Self(0x0800);
    pub const CERTIFICATE_SIGN: Self = Self(0x0400);

    /// Whether one of these is among them.
    pub fn has_any(self, of: &[Self]) -> bool {
        of.iter().any(|usage| self.0 & usage.0 != 0)
    }
}

/// The kinds of extension that there may be one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    SubjectKey,
    KeyUsage,
    AlternativeNames,
    BasicConstraints,
    NameConstraints,
    AuthorityKey,
    Purposes,
    NetscapeType,
}

impl Kind {
    /// The kind with this object identifier.
    fn of(identifier: &[u8]) -> Option<Self> {
        Some(match identifier {
            [0x55, 29, 14] => Self::SubjectKey,
            [0x55, 29, 15] => Self::KeyUsage,
            [0x55, 29, 17] => Self::AlternativeNames,
            [0x55, 29, 19] => Self::BasicConstraints,
            [0x55, 29, 30] => Self::NameConstraints,
            [0x55, 29, 35] => Self::AuthorityKey,
            [0x55, 29, 37] => Self::Purposes,
            // 2.16.840.1.113730.1.1
            [0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 1] => Self::NetscapeType,
            _ => return None,
        })
    }

    /// As the standards write it.
    fn name(self) -> &'static str {
        match self {
            Self::SubjectKey => "subjectKeyIdentifier",
            Self::KeyUsage => "keyUsage",
            Self::AlternativeNames => "subjectAltName",
            Self::BasicConstraints => "basicConstraints",
            Self::NameConstraints => "nameConstraints",
            Self::AuthorityKey => "authorityKeyIdentifier",
            Self::Purposes => "extKeyUsage",
            Self::NetscapeType => "netscape-cert-type",
        }
    }

    /// Whether peers look at it when it is critical. OpenSSL refuses critical key identifiers, which RFC 5280 forbids.
    fn may_be_critical(self) -> bool {
        !matches!(self, Self::SubjectKey | Self::AuthorityKey)
    }
}

impl Extensions {
    /// Reads what is inside of the `[3]` of `certificate`, of which it must be a part.
    ///
    /// # Errors
    /// When the list, or one of those that limit, is broken or there twice.
    pub fn read(certificate: &Bytes, list: Option<&[u8]>) -> Result<Self, Unreadable> {
        let mut extensions = Self::default();
        let Some(list) = list else { return Ok(extensions) };
        let broken = || Unreadable("its list of extensions is broken".into());
        let mut wrapper = Elements(list);
        let mut list = wrapper
            .inside(der::SEQUENCE)
            .filter(|_| wrapper.is_empty())
            .ok_or_else(broken)?;
        let mut seen = Vec::new();
        while !list.is_empty() {
            let mut fields = list.inside(der::SEQUENCE).ok_or_else(broken)?;
            let identifier = fields.content(der::OBJECT_IDENTIFIER).ok_or_else(broken)?;
            let critical = fields.content(der::BOOLEAN).is_some_and(|value| value != [0]);
            let value = fields.content(der::OCTET_STRING).ok_or_else(broken)?;
            let kind = Kind::of(identifier);
            let is_known = kind.map_or_else(|| is_ignorable(identifier), Kind::may_be_critical);
            if critical && !is_known && extensions.unknown_critical.len() < MAX_UNKNOWN {
                extensions.unknown_critical.push(dotted(identifier));
            }
            let Some(kind) = kind else { continue };
            let once = !seen.contains(&kind);
            seen.push(kind);
            if !once || extensions.take(kind, value, certificate).is_none() {
                let fault = if once { "is broken" } else { "is there twice" };
                return Err(Unreadable(format!("{} {fault}", kind.name())));
            }
        }
        Ok(extensions)
    }

    /// Reads one; `None` if it is broken.
    fn take(&mut self, kind: Kind, value: &[u8], certificate: &Bytes) -> Option<()> {
        let share = |part: &[u8]| certificate.slice_ref(part);
        let mut elements = Elements(value);
        match kind {
            Kind::SubjectKey => self.subject_key = Some(share(elements.content(der::OCTET_STRING)?)),
            Kind::KeyUsage => {
                let bits = bits(elements.content(der::BIT_STRING)?)?;
                // One without any is forbidden by section 4.2.1.3 and taken by nobody.
                self.key_usage = (bits != 0).then_some(KeyUsage(bits));
                self.key_usage?;
            }
            Kind::AlternativeNames => {
                let names = elements.content(der::SEQUENCE)?;
                self.alternative_names = Some(share(names));
            }
            Kind::BasicConstraints => {
                let mut fields = elements.inside(der::SEQUENCE)?;
                let authority = fields.content(der::BOOLEAN).is_some_and(|value| value != [0]);
                let path_length = match fields.content(der::INTEGER) {
                    Some(number) => Some(unsigned(number)?),
                    None => None,
                };
                self.basic_constraints = Some(BasicConstraints {
                    authority,
                    path_length,
                });
            }
            Kind::NameConstraints => self.name_constraints = Some(share(elements.content(der::SEQUENCE)?)),
            Kind::AuthorityKey => self.authority_key = authority_key(elements.inside(der::SEQUENCE)?, share)?,
            Kind::Purposes => {
                let mut purposes = Vec::new();
                let mut list = elements.inside(der::SEQUENCE)?;
                while !list.is_empty() {
                    purposes.push(share(list.content(der::OBJECT_IDENTIFIER)?));
                }
                self.purposes = Some(purposes);
            }
            Kind::NetscapeType => {
                let [first, _] = bits(elements.content(der::BIT_STRING)?)?.to_be_bytes();
                self.netscape_type = Some(first);
            }
        }
        elements.is_empty().then_some(())
    }
}

/// The parts that tell issuers apart (RFC 5280, section 4.2.1.1); of the issuer's names the directory name.
fn authority_key(mut fields: Elements<'_>, share: impl Fn(&[u8]) -> Bytes) -> Option<AuthorityKey> {
    let key = fields.content(der::primitive(0)).map(&share);
    let names = fields.inside(der::constructed(1));
    let serial = fields.content(der::primitive(2)).map(&share);
    let mut names = names.unwrap_or(Elements(&[]));
    let mut issuer = None;
    while let Some(name) = names.any() {
        if name.tag == der::constructed(4) {
            issuer = distinguished_name::canonical(name.content);
            break;
        }
    }
    fields.is_empty().then_some(AuthorityKey { key, issuer, serial })
}

/// The first sixteen bits of a BIT STRING's content.
fn bits(content: &[u8]) -> Option<u16> {
    let (unused, bytes) = content.split_first()?;
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    (*unused < 8).then(|| u16::from_be_bytes([byte(0), byte(1)]))
}

/// An INTEGER's content as a number that is not negative; one that is too large for it is the largest.
fn unsigned(content: &[u8]) -> Option<u32> {
    let (first, _) = content.split_first()?;
    let significant = content.iter().skip_while(|digit| **digit == 0);
    let value = significant.fold(0_u32, |value, digit| {
        value
            .checked_mul(256)
            .map_or(u32::MAX, |value| value | u32::from(*digit))
    });
    (*first < 0x80).then_some(value)
}

/// An object identifier's content as text.
fn dotted(identifier: &[u8]) -> String {
    x509::dotted(identifier).unwrap_or_else(|| "an identifier that is too long".to_owned())
}

/// Extensions that may be critical and say nothing that is checked here: OpenSSL's list without those of [`Kind`].
/// Policies count only where somebody asks for one (RFC 5280, section 6.1.1), which no TLS peer does by itself.
fn is_ignorable(identifier: &[u8]) -> bool {
    match identifier {
        // cRLDistributionPoints, certificatePolicies, policyMappings, policyConstraints, inhibitAnyPolicy
        [0x55, 29, last] => matches!(last, 31 | 32 | 33 | 36 | 54),
        // id-pkix-ocsp-nocheck, 1.3.6.1.5.5.7.48.1.5
        [0x2b, 6, 1, 5, 5, 7, 48, 1, 5] => true,
        // IP addresses and AS numbers of RFC 3779, 1.3.6.1.5.5.7.1.7 and .8
        [0x2b, 6, 1, 5, 5, 7, 1, 7 | 8] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_USAGE: &[u8] = &[0x55, 29, 15];
    const BASIC_CONSTRAINTS: &[u8] = &[0x55, 29, 19];

    fn extension(identifier: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
        let critical = if critical {
            der::encode(der::BOOLEAN, &[0xff])
        } else {
            Vec::new()
        };
        let identifier = der::encode(der::OBJECT_IDENTIFIER, identifier);
        der::encode(
            der::SEQUENCE,
            &[identifier, critical, der::encode(der::OCTET_STRING, value)].concat(),
        )
    }

    fn read(list: &[Vec<u8>]) -> Result<Extensions, Unreadable> {
        let whole = Bytes::from(der::encode(der::SEQUENCE, &list.concat()));
        Extensions::read(&whole, Some(&whole))
    }

    #[test]
    fn limits_are_read() {
        let extensions = read(&[
            extension(
                BASIC_CONSTRAINTS,
                true,
                &[der::SEQUENCE, 6, der::BOOLEAN, 1, 0xff, der::INTEGER, 1, 3],
            ),
            extension(KEY_USAGE, true, &[der::BIT_STRING, 2, 2, 0x84]),
        ])
        .unwrap();
        let constraints = BasicConstraints {
            authority: true,
            path_length: Some(3),
        };
        assert_eq!(extensions.basic_constraints, Some(constraints));
        let usage = extensions.key_usage.unwrap();
        assert!(
            usage.has_any(&[KeyUsage::DIGITAL_SIGNATURE]) && usage.has_any(&[KeyUsage::CERTIFICATE_SIGN])
        );
        assert!(!usage.has_any(&[KeyUsage::KEY_ENCIPHERMENT, KeyUsage::KEY_AGREEMENT]));
    }

    #[test]
    fn what_is_broken_or_twice_is_refused() {
        let usage = extension(KEY_USAGE, true, &[der::BIT_STRING, 2, 2, 0x84]);
        let twice = read(&[usage.clone(), usage]).unwrap_err();
        assert_eq!(twice.0, "keyUsage is there twice");
        for (identifier, value) in [
            (KEY_USAGE, &[der::BIT_STRING, 2, 0, 0][..]),
            (KEY_USAGE, &[der::SEQUENCE, 0]),
            (BASIC_CONSTRAINTS, &[der::SEQUENCE, 3, der::INTEGER, 1, 0xff]),
            (BASIC_CONSTRAINTS, &[der::SEQUENCE, 0, 0]),
        ] {
            assert!(read(&[extension(identifier, false, value)]).is_err(), "{value:?}");
        }
    }

    #[test]
    fn only_what_nobody_knows_is_unknown_when_critical() {
        let policies = extension(&[0x55, 29, 32], true, &[]);
        let unknown = extension(&[0x2b, 6, 1, 4, 1, 99], true, &[]);
        let harmless = extension(&[0x2b, 6, 1, 4, 1, 98], false, &[]);
        let extensions = read(&[policies, unknown, harmless]).unwrap();
        assert_eq!(extensions.unknown_critical, ["1.3.6.1.4.1.99"]);
    }

    #[test]
    fn large_path_lengths_do_not_wrap() {
        assert_eq!(unsigned(&[0, 0xff]), Some(255));
        assert_eq!(unsigned(&[1, 0, 0, 0, 0]), Some(u32::MAX));
        assert_eq!(unsigned(&[0x80]), None);
        assert_eq!(unsigned(&[]), None);
    }
}
