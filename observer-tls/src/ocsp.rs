//! OCSP responses (RFC 6960, section 4.2), for who decides what they mean. Nothing is checked here: no signature, no
//! clock.

use crate::codepoints::{CrlReason, OcspResponseStatus};
use crate::crl::read_reason;
use crate::error::ParseError;
use crate::reader::Reader;
use crate::x509::der::{self, Element};
use crate::x509::raw_extension::RawExtension;
use crate::x509::{Signed, oid, time};

/// Certificates that one response may tell of; a responder of the web tells of one.
const MAX_ANSWERS: usize = 256;
/// Certificates that a response may bring to show who signed it.
const MAX_CERTIFICATES: usize = 16;

/// An OCSPResponse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// Whether the responder answered.
    pub status: OcspResponseStatus,
    /// The answer, if there is one.
    pub basic: Option<BasicResponse<'a>>,
}

/// A BasicOCSPResponse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasicResponse<'a> {
    /// The signature, over the ResponseData.
    pub signed: Signed<'a>,
    /// Who is said to have signed it.
    pub responder: ResponderId<'a>,
    /// When it was signed, seconds since the Unix epoch.
    pub produced_at: i64,
    /// What it says of each certificate.
    pub answers: Vec<Answer<'a>>,
    /// The first critical extension that is not known, by its OID.
    pub unknown_critical: Option<String>,
    /// The certificates that it brings, DER.
    pub certificates: Vec<&'a [u8]>,
}

/// Who signed a response (section 4.2.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponderId<'a> {
    /// The `Name` of the certificate, DER with tag and length.
    Name(&'a [u8]),
    /// SHA-1 of the bits of the key.
    KeyHash(&'a [u8]),
}

/// What a response says of one certificate: a SingleResponse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The certificate that it is about.
    pub certificate: CertificateId<'a>,
    /// What it says.
    pub status: CertificateStatus,
    /// Since when this was known to be right, seconds since the Unix epoch.
    pub this_update: i64,
    /// When there is newer information at the latest, seconds since the Unix epoch.
    pub next_update: Option<i64>,
}

/// How OCSP names a certificate: a CertID (section 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateId<'a> {
    /// The content of the hash function's object identifier.
    pub hash_algorithm: &'a [u8],
    /// The hash of the issuer's `Name`, DER with tag and length.
    pub issuer_name_hash: &'a [u8],
    /// The hash of the bits of the issuer's key.
    pub issuer_key_hash: &'a [u8],
    /// The content of the serial number's INTEGER.
    pub serial_number: &'a [u8],
}

/// CertStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// It is not revoked.
    Good,
    /// It is.
    Revoked {
        /// Since when, seconds since the Unix epoch.
        at: i64,
        /// Why, if it says so.
        reason: Option<CrlReason>,
    },
    /// The responder does not know it.
    Unknown,
}

impl<'a> Response<'a> {
    /// Reads a DER OCSPResponse.
    ///
    /// # Errors
    /// [`ParseError`] when anything in it cannot be read, or when it has no BasicOCSPResponse although it is successful.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        const FIELD: &str = "OCSPResponse";
        /// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1
        const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 1];

        let mut input = Reader::new(bytes);
        let mut response = Element::expect(&mut input, der::SEQUENCE, FIELD)?.reader();
        input.finish(FIELD)?;
        let [status] = *Element::expect(&mut response, der::ENUMERATED, "responseStatus")?.content else {
            return Err(invalid("responseStatus", "not one byte"));
        };
        let status = OcspResponseStatus(status);
        let Some(bytes) = Element::optional(&mut response, der::context(0), "responseBytes")? else {
            return match status {
                OcspResponseStatus::SUCCESSFUL => Err(invalid("responseBytes", "missing")),
                _ => Ok(Self { status, basic: None }),
            };
        };
        response.finish(FIELD)?;
        let mut bytes = Element::expect(&mut bytes.reader(), der::SEQUENCE, "responseBytes")?.reader();
        if oid::read(&mut bytes, "responseType")? != BASIC {
            return Err(invalid("responseType", "not a basic response"));
        }
        let basic = Element::expect(&mut bytes, der::OCTET_STRING, "response")?;
        bytes.finish("responseBytes")?;
        Ok(Self {
            status,
            basic: Some(BasicResponse::read(&mut basic.reader())?),
        })
    }
}

impl<'a> BasicResponse<'a> {
    fn read(input: &mut Reader<'a>) -> Result<Self, ParseError> {
        const FIELD: &str = "BasicOCSPResponse";

        let mut response = Element::expect(input, der::SEQUENCE, FIELD)?.reader();
        input.finish(FIELD)?;
        let data = Element::expect(&mut response, der::SEQUENCE, "tbsResponseData")?;
        let signed = Signed::read(&data, &mut response)?;
        let mut certificates = Vec::new();
        if let Some(list) = Element::optional(&mut response, der::context(0), "certs")? {
            let mut list = Element::expect(&mut list.reader(), der::SEQUENCE, "certs")?.reader();
            while !list.is_empty() {
                bounded(&certificates, MAX_CERTIFICATES, "certs")?;
                certificates.push(Element::expect(&mut list, der::SEQUENCE, "certs")?.encoded);
            }
        }
        response.finish(FIELD)?;
        Self::read_data(signed, certificates, &mut data.reader())
    }

    /// ResponseData.
    fn read_data(
        signed: Signed<'a>,
        certificates: Vec<&'a [u8]>,
        data: &mut Reader<'a>,
    ) -> Result<Self, ParseError> {
        const BY_NAME: u8 = der::context(1);
        const BY_KEY: u8 = der::context(2);

        Element::optional(data, der::context(0), "version")?;
        let responder = Element::read(data, "responderID")?;
        let responder = match responder.identifier {
            BY_NAME => ResponderId::Name(
                Element::expect(&mut responder.reader(), der::SEQUENCE, "responderID")?.encoded,
            ),
            BY_KEY => ResponderId::KeyHash(
                Element::expect(&mut responder.reader(), der::OCTET_STRING, "responderID")?.content,
            ),
            _ => return Err(invalid("responderID", "neither a name nor the hash of a key")),
        };
        let produced_at = time::read(data, "producedAt")?;
        let mut unknown_critical = None;
        let mut answers = Vec::new();
        let mut list = Element::expect(data, der::SEQUENCE, "responses")?.reader();
        while !list.is_empty() {
            bounded(&answers, MAX_ANSWERS, "responses")?;
            let answer = Element::expect(&mut list, der::SEQUENCE, "responses")?;
            answers.push(Answer::read(&mut answer.reader(), &mut unknown_critical)?);
        }
        note_unknown(data, &mut unknown_critical, "responseExtensions")?;
        data.finish("tbsResponseData")?;
        Ok(Self {
            signed,
            responder,
            produced_at,
            answers,
            unknown_critical,
            certificates,
        })
    }
}

impl<'a> Answer<'a> {
    fn read(answer: &mut Reader<'a>, unknown_critical: &mut Option<String>) -> Result<Self, ParseError> {
        let certificate = CertificateId::read(answer)?;
        let status = Element::read(answer, "certStatus")?;
        let status = CertificateStatus::read(&status)?;
        let this_update = time::read(answer, "thisUpdate")?;
        let next_update = match Element::optional(answer, der::context(0), "nextUpdate")? {
            Some(wrapper) => Some(time::read(&mut wrapper.reader(), "nextUpdate")?),
            None => None,
        };
        note_unknown(answer, unknown_critical, "singleExtensions")?;
        answer.finish("singleResponse")?;
        Ok(Self {
            certificate,
            status,
            this_update,
            next_update,
        })
    }
}

impl<'a> CertificateId<'a> {
    fn read(answer: &mut Reader<'a>) -> Result<Self, ParseError> {
        const FIELD: &str = "certID";
        let mut id = Element::expect(answer, der::SEQUENCE, FIELD)?.reader();
        let mut algorithm = Element::expect(&mut id, der::SEQUENCE, "hashAlgorithm")?.reader();
        let id = Self {
            hash_algorithm: oid::read(&mut algorithm, "hashAlgorithm")?,
            issuer_name_hash: Element::expect(&mut id, der::OCTET_STRING, "issuerNameHash")?.content,
            issuer_key_hash: Element::expect(&mut id, der::OCTET_STRING, "issuerKeyHash")?.content,
            serial_number: Element::expect(&mut id, der::INTEGER, "serialNumber")?.content,
        };
        Ok(id)
    }
}

impl CertificateStatus {
    fn read(element: &Element<'_>) -> Result<Self, ParseError> {
        const GOOD: u8 = 0x80;
        const REVOKED: u8 = der::context(1);
        const UNKNOWN: u8 = 0x82;

        match element.identifier {
            GOOD => Ok(Self::Good),
            UNKNOWN => Ok(Self::Unknown),
            REVOKED => {
                let mut info = element.reader();
                let at = time::read(&mut info, "revocationTime")?;
                let reason = Element::optional(&mut info, der::context(0), "revocationReason")?;
                let reason = reason.map(|reason| read_reason(&mut reason.reader(), "revocationReason"));
                Ok(Self::Revoked {
                    at,
                    reason: reason.transpose()?,
                })
            }
            _ => Err(invalid("certStatus", "none of good, revoked and unknown")),
        }
    }
}

/// Passes over the extensions that may come next, all with tag 1, and notes the first critical one. None that is known
/// (section 4.4) is critical.
fn note_unknown(
    reader: &mut Reader<'_>,
    unknown_critical: &mut Option<String>,
    field: &'static str,
) -> Result<(), ParseError> {
    let Some(wrapper) = Element::optional(reader, der::context(1), field)? else {
        return Ok(());
    };
    let list = Element::read(&mut wrapper.reader(), field)?;
    RawExtension::read_all(&list, |extension| {
        if extension.critical && unknown_critical.is_none() {
            *unknown_critical = Some(extension.identifier());
        }
        Ok(())
    })
}

fn bounded<T>(list: &[T], most: usize, field: &'static str) -> Result<(), ParseError> {
    if list.len() < most {
        Ok(())
    } else {
        Err(invalid(field, "more of them than are read"))
    }
}

fn invalid(field: &'static str, why: &'static str) -> ParseError {
    ParseError::Invalid { field, why }
}
