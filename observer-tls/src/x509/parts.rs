//! The parts of a certificate as they stand in it, for who checks signatures and names.

use super::der::{self, Element};
use crate::error::ParseError;
use crate::reader::Reader;

/// Something that is signed: a certificate, a CRL or an OCSP response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// What the signature is over.
    pub message: &'a [u8],
    /// The content of the `AlgorithmIdentifier` of the signature, without tag and length.
    pub algorithm: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// `message` with the algorithm and the signature that stand behind it.
    ///
    /// # Errors
    /// [`ParseError`] when they do not.
    pub(crate) fn read(message: &Element<'a>, behind: &mut Reader<'a>) -> Result<Self, ParseError> {
        Ok(Self {
            message: message.encoded,
            algorithm: Element::expect(behind, der::SEQUENCE, "signatureAlgorithm")?.content,
            signature: Element::read(behind, "signature")?.bits("signature")?,
        })
    }
}

/// A `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKeyParts<'a> {
    /// The content of its `AlgorithmIdentifier`, without tag and length.
    pub algorithm: &'a [u8],
    /// The bits of the key.
    pub key: &'a [u8],
}

impl<'a> PublicKeyParts<'a> {
    /// The parts of a `SubjectPublicKeyInfo`, DER with tag and length.
    ///
    /// # Errors
    /// [`ParseError`] when it is none.
    pub fn read(der: &'a [u8]) -> Result<Self, ParseError> {
        const FIELD: &str = "subjectPublicKeyInfo";
        let mut content = Element::expect(&mut Reader::new(der), der::SEQUENCE, FIELD)?.reader();
        Ok(Self {
            algorithm: Element::expect(&mut content, der::SEQUENCE, FIELD)?.content,
            key: Element::read(&mut content, FIELD)?.bits(FIELD)?,
        })
    }
}

/// A certificate's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateParts<'a> {
    /// The signature, over the tbsCertificate.
    pub signed: Signed<'a>,
    /// The content of the serial number's INTEGER.
    pub serial_number: &'a [u8],
    /// The issuer's `Name`, DER with tag and length.
    pub issuer: &'a [u8],
    /// The subject's `Name`, DER with tag and length.
    pub subject: &'a [u8],
    /// The `SubjectPublicKeyInfo`, DER with tag and length.
    pub public_key: &'a [u8],
}

impl<'a> CertificateParts<'a> {
    /// The parts of a certificate (RFC 5280, section 4.1).
    ///
    /// # Errors
    /// [`ParseError`] when one of them is not where it has to be.
    pub fn read(der: &'a [u8]) -> Result<Self, ParseError> {
        let mut certificate = Element::expect(&mut Reader::new(der), der::SEQUENCE, "certificate")?.reader();
        let body = Element::expect(&mut certificate, der::SEQUENCE, "tbsCertificate")?;
        let signed = Signed::read(&body, &mut certificate)?;
        let mut body = body.reader();
        Element::optional(&mut body, der::context(0), "version")?;
        let serial_number = Element::expect(&mut body, der::INTEGER, "serialNumber")?.content;
        Element::expect(&mut body, der::SEQUENCE, "signature")?;
        let issuer = Element::expect(&mut body, der::SEQUENCE, "issuer")?.encoded;
        Element::expect(&mut body, der::SEQUENCE, "validity")?;
        Ok(Self {
            signed,
            serial_number,
            issuer,
            subject: Element::expect(&mut body, der::SEQUENCE, "subject")?.encoded,
            public_key: Element::expect(&mut body, der::SEQUENCE, "subjectPublicKeyInfo")?.encoded,
        })
    }
}
