//! The extensions of a certificate that are reported (RFC 5280, section 4.2.1).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::der::{self, Element};
use super::name::Name;
use super::raw_extension::RawExtension;
use super::{CertificateFacts, oid};
use crate::error::ParseError;
use crate::reader::Reader;

/// Names of subjectAltName that are kept; further ones are counted.
const MAX_ALTERNATIVE_NAMES: usize = 4096;
/// Purposes of extendedKeyUsage that are kept; further ones are a complaint.
const MAX_PURPOSES: usize = 64;

const SUBJECT_ALT_NAME: &str = "subjectAltName";
const EXTENDED_KEY_USAGE: &str = "extendedKeyUsage";

/// The names of KeyUsage's bits (section 4.2.1.3).
const KEY_USAGES: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

/// The extensions that are read, as bits of the set of those that were seen.
#[derive(Clone, Copy)]
enum Known {
    KeyUsage = 1,
    SubjectAltName = 2,
    BasicConstraints = 4,
    ExtendedKeyUsage = 8,
    SubjectKeyIdentifier = 16,
    AuthorityKeyIdentifier = 32,
    CrlDistributionPoints = 64,
    AuthorityInfoAccess = 128,
}

impl CertificateFacts {
    /// Reads the Extensions of a TBSCertificate. One that is broken is a complaint.
    ///
    /// # Errors
    /// [`ParseError`] when the list itself is broken.
    pub(super) fn read_extensions(&mut self, extensions: &mut Reader<'_>) -> Result<(), ParseError> {
        let mut seen = 0;
        while !extensions.is_empty() {
            let extension = Element::read(extensions, "extension")?;
            let outcome = self.read_extension(&extension, &mut seen);
            self.readable(outcome);
        }
        Ok(())
    }

    /// One extension, if it is of those that are reported. `seen` is the set of those that were there before.
    fn read_extension(&mut self, extension: &Element<'_>, seen: &mut u8) -> Result<(), ParseError> {
        // Whether it is critical is not reported.
        let extension = RawExtension::read(extension)?;
        let field = extension.field;
        let known = match extension.oid {
            // id-ce, 2.5.29
            [0x55, 29, 14] => Known::SubjectKeyIdentifier,
            [0x55, 29, 15] => Known::KeyUsage,
            [0x55, 29, 17] => Known::SubjectAltName,
            [0x55, 29, 19] => Known::BasicConstraints,
            [0x55, 29, 31] => Known::CrlDistributionPoints,
            [0x55, 29, 35] => Known::AuthorityKeyIdentifier,
            [0x55, 29, 37] => Known::ExtendedKeyUsage,
            // id-pe, 1.3.6.1.5.5.7.1
            [0x2b, 6, 1, 5, 5, 7, 1, 1] => Known::AuthorityInfoAccess,
            _ => return Ok(()),
        };
        // Section 4.2 allows one of each. The first is believed.
        if *seen & known as u8 != 0 {
            return Err(ParseError::Invalid {
                field,
                why: "a second one",
            });
        }
        *seen |= known as u8;
        let mut value = extension.reader();
        match known {
            Known::KeyUsage => self.read_key_usage(&mut value, field),
            Known::SubjectAltName => self.read_alternative_names(&mut value),
            Known::BasicConstraints => self.read_basic_constraints(&mut value, field),
            Known::ExtendedKeyUsage => self.read_purposes(&mut value),
            Known::SubjectKeyIdentifier => self.read_subject_key_id(&mut value, field),
            Known::AuthorityKeyIdentifier => self.read_authority_key_id(&mut value),
            Known::CrlDistributionPoints => self.read_distribution_points(&mut value, field),
            Known::AuthorityInfoAccess => self.read_access(&mut value, field),
        }?;
        value.finish(field)
    }

    /// Section 4.2.1.3.
    fn read_key_usage(&mut self, value: &mut Reader<'_>, field: &'static str) -> Result<(), ParseError> {
        let bits = Element::read(value, field)?.bits(field)?;
        let is_set = |bit: usize| {
            let byte = bits.get(bit / 8).copied().unwrap_or(0);
            byte & (0x80 >> (bit % 8)) != 0
        };
        let names = KEY_USAGES.iter().enumerate();
        self.key_usage = names
            .filter(|(bit, _)| is_set(*bit))
            .map(|(_, name)| *name)
            .collect();
        Ok(())
    }

    /// Section 4.2.1.9.
    fn read_basic_constraints(
        &mut self,
        value: &mut Reader<'_>,
        field: &'static str,
    ) -> Result<(), ParseError> {
        let mut constraints = Element::expect(value, der::SEQUENCE, field)?.reader();
        let authority = Element::optional(&mut constraints, der::BOOLEAN, field)?;
        // The length of the path, which is not reported.
        Element::optional(&mut constraints, der::INTEGER, field)?;
        constraints.finish(field)?;
        self.is_ca = match authority.map(|authority| authority.content) {
            None => false,
            // BER takes any byte but zero for true (X.690, section 8.2.2).
            Some([truth]) => *truth != 0,
            Some(_) => {
                return Err(ParseError::Invalid {
                    field,
                    why: "a truth value that is not one byte",
                });
            }
        };
        Ok(())
    }

    /// Section 4.2.1.12.
    fn read_purposes(&mut self, value: &mut Reader<'_>) -> Result<(), ParseError> {
        let mut purposes = Element::expect(value, der::SEQUENCE, EXTENDED_KEY_USAGE)?.reader();
        while !purposes.is_empty() {
            let purpose = oid::read(&mut purposes, EXTENDED_KEY_USAGE)?;
            if self.extended_key_usage.len() == MAX_PURPOSES {
                return Err(ParseError::Invalid {
                    field: EXTENDED_KEY_USAGE,
                    why: "more purposes than are kept",
                });
            }
            self.extended_key_usage
                .push(purpose_text(purpose).ok_or(ParseError::Invalid {
                    field: EXTENDED_KEY_USAGE,
                    why: "a purpose whose identifier is too long",
                })?);
        }
        Ok(())
    }

    /// Section 4.2.1.6. A name that cannot be read is a complaint, and the others are read.
    fn read_alternative_names(&mut self, value: &mut Reader<'_>) -> Result<(), ParseError> {
        let mut names = Element::expect(value, der::SEQUENCE, SUBJECT_ALT_NAME)?.reader();
        let mut kept = 0;
        while !names.is_empty() {
            let name = Element::read(&mut names, SUBJECT_ALT_NAME)?;
            if kept == MAX_ALTERNATIVE_NAMES {
                self.alternative_names_left_out += 1;
                continue;
            }
            kept += 1;
            let outcome = self.add_name(&name);
            self.readable(outcome);
        }
        Ok(())
    }

    /// GeneralName, by its context-specific tag. Those of X.400, EDI and other protocols are passed over.
    fn add_name(&mut self, name: &Element<'_>) -> Result<(), ParseError> {
        const FIELD: &str = SUBJECT_ALT_NAME;
        const OTHER_NAME: u8 = 0x80;
        const RFC822_NAME: u8 = 0x81;
        const DNS_NAME: u8 = 0x82;
        const DIRECTORY_NAME: u8 = 0x84;
        const URI: u8 = 0x86;
        const IP_ADDRESS: u8 = 0x87;
        const REGISTERED_ID: u8 = 0x88;

        match name.identifier & !der::CONSTRUCTED {
            OTHER_NAME => {
                if let Some(principal) = user_principal_name(name)? {
                    self.user_principal_names.push(principal);
                }
            }
            RFC822_NAME => self.emails.push(text(name)?),
            DNS_NAME => self.dns_names.push(text(name)?),
            DIRECTORY_NAME => {
                let content = Element::expect(&mut name.reader(), der::SEQUENCE, FIELD)?.content;
                self.directory_names.push(Name::read(content, FIELD)?.text);
            }
            URI => self.uris.push(text(name)?),
            IP_ADDRESS => {
                let address = address_text(&name.octets(FIELD)?);
                self.ip_addresses.push(address.ok_or(ParseError::Invalid {
                    field: FIELD,
                    why: "an IP address that has neither 4 nor 16 bytes",
                })?);
            }
            REGISTERED_ID => {
                let id = oid::dotted(name.content);
                self.registered_ids.push(id.ok_or(ParseError::Invalid {
                    field: FIELD,
                    why: "a registered id that is no object identifier",
                })?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// An IA5String that only implies its type. Some certificates have UTF-8 here.
fn text(name: &Element<'_>) -> Result<String, ParseError> {
    let text = name.octets(SUBJECT_ALT_NAME)?.into_owned();
    String::from_utf8(text).map_err(|_| ParseError::Invalid {
        field: SUBJECT_ALT_NAME,
        why: "a name that is no text",
    })
}

/// The UserPrincipalName of Windows domains, an otherName; `None` for other kinds.
fn user_principal_name(name: &Element<'_>) -> Result<Option<String>, ParseError> {
    /// 1.3.6.1.4.1.311.20.2.3
    const UPN: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3];

    let mut content = name.reader();
    let kind = Element::expect(&mut content, der::OBJECT_IDENTIFIER, SUBJECT_ALT_NAME)?;
    let value = Element::expect(&mut content, der::context(0), SUBJECT_ALT_NAME)?;
    if kind.content != UPN {
        return Ok(None);
    }
    // A UTF8String.
    text(&Element::read(&mut value.reader(), SUBJECT_ALT_NAME)?).map(Some)
}

fn address_text(bytes: &[u8]) -> Option<String> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(bytes).to_string());
    }
    <[u8; 16]>::try_from(bytes)
        .ok()
        .map(|bytes| Ipv6Addr::from(bytes).to_string())
}

/// The name of a purpose, else its OID; `None` when it is none.
fn purpose_text(oid: &[u8]) -> Option<String> {
    let name = match oid {
        [0x55, 29, 37, 0] => "anyExtendedKeyUsage",
        // id-kp, 1.3.6.1.5.5.7.3
        [0x2b, 6, 1, 5, 5, 7, 3, 1] => "serverAuth",
        [0x2b, 6, 1, 5, 5, 7, 3, 2] => "clientAuth",
        [0x2b, 6, 1, 5, 5, 7, 3, 3] => "codeSigning",
        [0x2b, 6, 1, 5, 5, 7, 3, 4] => "emailProtection",
        [0x2b, 6, 1, 5, 5, 7, 3, 8] => "timeStamping",
        [0x2b, 6, 1, 5, 5, 7, 3, 9] => "OCSPSigning",
        _ => return oid::dotted(oid),
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_four_or_sixteen_bytes() {
        assert_eq!(address_text(&[192, 0, 2, 1]).as_deref(), Some("192.0.2.1"));
        let mut v6 = [0; 16];
        v6[15] = 1;
        assert_eq!(address_text(&v6).as_deref(), Some("::1"));
        assert_eq!(address_text(&[1, 2, 3]), None);
    }

    #[test]
    fn key_usages_are_bits() {
        let usage = |bits: &[u8]| {
            let mut facts = CertificateFacts::default();
            facts.read_key_usage(&mut Reader::new(bits), "keyUsage").unwrap();
            facts.key_usage
        };
        assert_eq!(usage(&[3, 2, 5, 0xa0]), ["digitalSignature", "keyEncipherment"]);
        assert_eq!(
            usage(&[3, 3, 7, 0x06, 0x80]),
            ["keyCertSign", "cRLSign", "decipherOnly"]
        );
        assert!(usage(&[3, 1, 0]).is_empty());
    }
}
