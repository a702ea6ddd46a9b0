//! The way through a certificate's structure (RFC 5280, section 4.1). What is wrong inside of a field costs that field.

use super::algorithms::{Algorithm, PublicKeyFacts};
use super::der::{self, Element};
use super::name::{Name, hex_upper};
use super::{CertificateFacts, time};
use crate::error::ParseError;
use crate::reader::Reader;

/// Bytes of a serial number at most; section 4.1.2.2 has 20. A longer one is malformed.
const MAX_SERIAL: usize = 512;

impl CertificateFacts {
    /// Certificate.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        let mut input = Reader::new(bytes);
        if let Err(error) = self.read_certificate(&mut input) {
            self.complain(error);
        } else if !input.is_empty() {
            self.complain(format_args!("{} bytes after the certificate", input.len()));
        }
    }

    fn read_certificate(&mut self, input: &mut Reader<'_>) -> Result<(), ParseError> {
        let (mut certificate, cut) = der::clipped(input, der::SEQUENCE, "certificate")?;
        let (mut body, body_cut) = der::clipped(&mut certificate, der::SEQUENCE, "tbsCertificate")?;
        if cut || body_cut {
            self.complain("the end is missing");
        }
        match self.read_body(&mut body) {
            Ok(()) => {}
            // What is cut tells what was there.
            Err(error @ ParseError::Short { .. }) => return Err(error),
            // What has something else in the place of a field is no certificate.
            Err(error) => {
                *self = Self::default();
                return Err(error);
            }
        }
        let optional = self.read_optional(&mut body);
        self.readable(optional);
        self.read_signature(&mut certificate)
    }

    /// The part of a TBSCertificate that each has.
    fn read_body(&mut self, body: &mut Reader<'_>) -> Result<(), ParseError> {
        let version = Element::optional(body, der::context(0), "version")?;
        let serial = Element::expect(body, der::INTEGER, "serialNumber")?;
        self.version = version.map_or(1, |version| {
            self.readable(version_number(&version)).unwrap_or_default()
        });
        self.serial_number = self.readable(serial_text(serial.content)).unwrap_or_default();

        // It is the same as at the end, from where it is taken.
        let algorithm = Element::expect(body, der::SEQUENCE, "signature")?;
        self.readable(Algorithm::read(&algorithm, "signature"));
        let has_issuer = match self.read_name(body, "issuer")? {
            Some(name) => {
                (self.issuer, self.issuer_attributes) = (name.text, name.attributes);
                true
            }
            None => false,
        };
        let validity = Element::expect(body, der::SEQUENCE, "validity")?;
        let validity = self.read_validity(&mut validity.reader());
        self.readable(validity);
        if let Some(name) = self.read_name(body, "subject")? {
            (self.subject, self.subject_attributes) = (name.text, name.attributes);
            self.self_issued = has_issuer && self.subject == self.issuer;
        }

        let key = Element::expect(body, der::SEQUENCE, "subjectPublicKeyInfo")?;
        if let Some(key) = self.readable(PublicKeyFacts::read(key.content)) {
            self.public_key_algorithm = key.algorithm;
            self.public_key_size = key.size;
            self.public_key_curve = key.curve;
            self.public_key_exponent = key.exponent;
            if let Some(fault) = key.fault {
                self.complain(fault);
            }
        }
        Ok(())
    }

    /// The next element as a name; `None` when it is none inside.
    fn read_name(&mut self, body: &mut Reader<'_>, field: &'static str) -> Result<Option<Name>, ParseError> {
        let content = Element::expect(body, der::SEQUENCE, field)?.content;
        let name = self.readable(Name::read(content, field));
        if let Some(fault) = name.as_ref().and_then(|name| name.fault) {
            self.complain(fault);
        }
        Ok(name)
    }

    fn read_validity(&mut self, validity: &mut Reader<'_>) -> Result<(), ParseError> {
        self.not_before = self.readable(time::read(validity, "notBefore"));
        self.not_after = self.readable(time::read(validity, "notAfter"));
        validity.finish("validity")
    }

    /// The part of a TBSCertificate that may be missing.
    fn read_optional(&mut self, body: &mut Reader<'_>) -> Result<(), ParseError> {
        const ISSUER_UNIQUE_ID: u8 = 0x81;
        const SUBJECT_UNIQUE_ID: u8 = 0x82;

        for id in [ISSUER_UNIQUE_ID, SUBJECT_UNIQUE_ID] {
            Element::optional(body, id, "uniqueID")?;
            Element::optional(body, id | der::CONSTRUCTED, "uniqueID")?;
        }
        if body.peek().first() == Some(&der::context(3)) {
            let (mut wrapper, _) = der::clipped(body, der::context(3), "extensions")?;
            let (mut extensions, _) = der::clipped(&mut wrapper, der::SEQUENCE, "extensions")?;
            self.read_extensions(&mut extensions)?;
            wrapper.finish("extensions")?;
        }
        body.finish("tbsCertificate")
    }

    /// The signature and its algorithm, which end the certificate.
    fn read_signature(&mut self, certificate: &mut Reader<'_>) -> Result<(), ParseError> {
        const FIELD: &str = "signatureAlgorithm";
        let sequence = Element::expect(certificate, der::SEQUENCE, FIELD)?;
        let algorithm = self.readable(Algorithm::read(&sequence, FIELD));
        if let Some(algorithm) = algorithm {
            let name = algorithm.signature_name().ok_or(ParseError::Invalid {
                field: FIELD,
                why: "an object identifier that is too long",
            });
            self.signature_algorithm = self.readable(name).unwrap_or_default();
        }
        Element::read(certificate, "signatureValue")?.string(der::BIT_STRING, "signatureValue")?;
        certificate.finish("certificate")
    }
}

/// The version that `[0]` has inside, counted from 1 (section 4.1.2.1).
fn version_number(explicit: &Element<'_>) -> Result<u32, ParseError> {
    match Element::expect(&mut explicit.reader(), der::INTEGER, "version")?.content {
        [number @ ..=2] => Ok(u32::from(*number) + 1),
        _ => Err(ParseError::Invalid {
            field: "version",
            why: "none of 1, 2 and 3",
        }),
    }
}

/// The text of a serial number: see [`CertificateFacts::serial_number`].
fn serial_text(bytes: &[u8]) -> Result<String, ParseError> {
    let invalid = |why| {
        Err(ParseError::Invalid {
            field: "serialNumber",
            why,
        })
    };
    match bytes {
        [] => invalid("no bytes"),
        [0, ..0x80, ..] | [0xff, 0x80..=0xff, ..] => invalid("first bytes that say nothing"),
        bytes if bytes.len() > MAX_SERIAL => invalid("too long"),
        [0x80..=0xff, ..] => Ok(format!("-{}", hex_upper(&negated(bytes)))),
        [0, positive @ ..] if !positive.is_empty() => Ok(hex_upper(positive)),
        positive => Ok(hex_upper(positive)),
    }
}

/// The magnitude of a negative number in two's complement, without leading zeros.
fn negated(bytes: &[u8]) -> Vec<u8> {
    let mut carry = true;
    let mut magnitude: Vec<u8> = bytes
        .iter()
        .rev()
        .map(|byte| {
            let (negated, overflow) = (!byte).overflowing_add(u8::from(carry));
            carry = overflow;
            negated
        })
        .collect();
    while let [.., 0] = *magnitude {
        magnitude.pop();
    }
    magnitude.reverse();
    magnitude
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_signed_numbers() {
        assert_eq!(serial_text(&[0x00, 0xab, 0x01]).unwrap(), "AB01");
        assert_eq!(serial_text(&[0x01, 0x0f]).unwrap(), "010F");
        assert_eq!(serial_text(&[0x00]).unwrap(), "00");
        assert_eq!(serial_text(&[0xff]).unwrap(), "-01");
        assert_eq!(serial_text(&[0xff, 0x00]).unwrap(), "-0100");
        assert_eq!(serial_text(&[0x80]).unwrap(), "-80");
        assert_eq!(
            serial_text(&[0xfb, 0xce, 0x99, 0x6c, 0x13]).unwrap(),
            "-04316693ED"
        );
        assert_eq!(serial_text(&[0x55; MAX_SERIAL]).unwrap().len(), 2 * MAX_SERIAL);
    }

    #[test]
    fn what_is_no_serial_has_no_text() {
        for bytes in [&[][..], &[0, 1], &[0xff, 0xff], &[0x55; MAX_SERIAL + 1]] {
            assert!(serial_text(bytes).is_err(), "{bytes:x?}");
        }
    }
}
