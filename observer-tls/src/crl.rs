//! Lists of revoked certificates (RFC 5280, section 5), for who decides what they mean. Nothing is checked here: no
//! signature, no clock.

use bytes::Bytes;

use crate::codepoints::CrlReason;
use crate::error::ParseError;
use crate::reader::Reader;
use crate::x509::der::{self, Element};
use crate::x509::raw_extension::RawExtension;
use crate::x509::{GeneralName, Signed, authority_key_id, distribution_point_names, time};

const ENTRIES: &str = "revokedCertificates";

/// A CRL. Its entries stay as they are; what is kept besides the bytes are four bytes an entry, by which it is found.
#[derive(Clone, Debug)]
pub struct CertificateList {
    /// The name of who issued it, DER with tag and length.
    pub issuer: Bytes,
    /// When it was issued, seconds since the Unix epoch.
    pub this_update: i64,
    /// When the next one is issued at the latest, seconds since the Unix epoch.
    pub next_update: Option<i64>,
    /// The keyIdentifier of authorityKeyIdentifier.
    pub authority_key_id: Option<Bytes>,
    /// What it tells of.
    pub scope: Scope,
    message: Bytes,
    algorithm: Bytes,
    signature: Bytes,
    /// The content of revokedCertificates.
    entries: Bytes,
    /// Where each entry begins in `entries`, in the order of their serial numbers.
    by_serial: Vec<u32>,
}

/// What a CRL tells of (section 5.2.5): the default tells of all that its issuer issued.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The names of the distribution point whose certificates it tells of, if it is for one.
    pub distribution_point: Option<Vec<GeneralName>>,
    /// It tells only of certificates that are no CA's.
    pub only_user_certificates: bool,
    /// It tells only of CA certificates.
    pub only_ca_certificates: bool,
    /// It tells only of attribute certificates.
    pub only_attribute_certificates: bool,
    /// It tells only of some reasons.
    pub only_some_reasons: bool,
    /// It tells of certificates of other issuers, too.
    pub indirect: bool,
    /// It tells only what changed since another one (section 5.2.4).
    pub delta: bool,
    /// The first critical extension, of itself or of an entry, that is not known, by its OID. So it may tell of less
    /// than it seems to; what it lists is revoked all the same (X.509, section 9.5.1).
    pub unknown_critical: Option<String>,
}

/// What a CRL says of a certificate that is on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was revoked, seconds since the Unix epoch.
    pub revoked_at: i64,
    /// Why, if it says so.
    pub reason: Option<CrlReason>,
}

impl CertificateList {
    /// Reads a DER CRL, whose bytes are kept and not copied.
    ///
    /// # Errors
    /// [`ParseError`] when anything in it, entries included, cannot be read, and when it has 4 GiB of entries.
    pub fn parse(der: &Bytes) -> Result<Self, ParseError> {
        let mut input = Reader::new(der);
        let mut list = Element::expect(&mut input, der::SEQUENCE, "CertificateList")?.reader();
        input.finish("CertificateList")?;
        let message = Element::expect(&mut list, der::SEQUENCE, "tbsCertList")?;
        let signed = Signed::read(&message, &mut list)?;
        list.finish("CertificateList")?;

        let mut body = message.reader();
        Element::optional(&mut body, der::INTEGER, "version")?;
        if Element::expect(&mut body, der::SEQUENCE, "signature")?.content != signed.algorithm {
            return Err(ParseError::Invalid {
                field: "signature",
                why: "another algorithm than that of signatureAlgorithm",
            });
        }
        let issuer = Element::expect(&mut body, der::SEQUENCE, "issuer")?.encoded;
        let this_update = time::read(&mut body, "thisUpdate")?;
        let next_update = match body.peek() {
            [der::UTC_TIME | der::GENERALIZED_TIME, ..] => Some(time::read(&mut body, "nextUpdate")?),
            _ => None,
        };
        let entries = Element::optional(&mut body, der::SEQUENCE, ENTRIES)?;
        let entries = entries.map_or(&[][..], |entries| entries.content);
        let extensions = Element::optional(&mut body, der::context(0), "crlExtensions")?;
        body.finish("tbsCertList")?;

        let mut scope = Scope::default();
        let mut authority = None;
        if let Some(extensions) = extensions {
            let list = Element::read(&mut extensions.reader(), "crlExtensions")?;
            RawExtension::read_all(&list, |extension| scope.read_extension(extension, &mut authority))?;
        }
        let by_serial = index(entries, &mut scope)?;
        Ok(Self {
            issuer: der.slice_ref(issuer),
            this_update,
            next_update,
            authority_key_id: authority,
            scope,
            message: der.slice_ref(signed.message),
            algorithm: der.slice_ref(signed.algorithm),
            signature: der.slice_ref(signed.signature),
            entries: der.slice_ref(entries),
            by_serial,
        })
    }

    /// What the signature is over, and the signature.
    pub fn signed(&self) -> Signed<'_> {
        Signed {
            message: &self.message,
            algorithm: &self.algorithm,
            signature: &self.signature,
        }
    }

    /// Bytes of memory that it takes: its own, and what leads to its entries.
    pub fn weight(&self) -> usize {
        self.message.len() + self.signature.len() + size_of_val(self.by_serial.as_slice())
    }

    /// How many certificates are on it.
    pub fn len(&self) -> usize {
        self.by_serial.len()
    }

    /// Whether no certificate is on it.
    pub fn is_empty(&self) -> bool {
        self.by_serial.is_empty()
    }

    /// What it says of the certificate whose serial number's INTEGER has this content; `None` when that is not on it.
    /// One that was on an earlier list and is no longer revoked is not on it, either.
    pub fn find(&self, serial_number: &[u8]) -> Option<Entry> {
        let at = |start: u32| self.entries.get(start as usize..).and_then(RawEntry::at);
        let first = self
            .by_serial
            .partition_point(|start| at(*start).is_some_and(|entry| entry.serial_number < serial_number));
        let same = self.by_serial.get(first..)?.iter().map_while(|start| at(*start));
        same.take_while(|entry| entry.serial_number == serial_number)
            .filter_map(|entry| entry.meaning(&mut Scope::default()).ok())
            .find(|entry| entry.reason != Some(CrlReason::REMOVE_FROM_CRL))
    }
}

/// Where the entries begin, in the order of their serial numbers. What of them narrows the scope is noted there.
fn index(content: &[u8], scope: &mut Scope) -> Result<Vec<u32>, ParseError> {
    let mut reader = Reader::new(content);
    let mut found: Vec<(&[u8], u32)> = Vec::new();
    while !reader.is_empty() {
        let start = u32::try_from(reader.offset()).map_err(|_| ParseError::Invalid {
            field: ENTRIES,
            why: "more than 4 GiB",
        })?;
        let entry = RawEntry::read(&mut reader)?;
        entry.meaning(scope)?;
        found.push((entry.serial_number, start));
    }
    found.sort_unstable();
    // Not in the place of the pairs, which took more.
    let mut starts = Vec::with_capacity(found.len());
    starts.extend(found.iter().map(|(_, start)| *start));
    Ok(starts)
}

/// An entry as it stands on the list (section 5.1.2.6).
struct RawEntry<'a> {
    /// The content of its INTEGER.
    serial_number: &'a [u8],
    /// What stands behind the serial number.
    rest: Reader<'a>,
}

impl<'a> RawEntry<'a> {
    fn read(list: &mut Reader<'a>) -> Result<Self, ParseError> {
        let mut rest = Element::expect(list, der::SEQUENCE, ENTRIES)?.reader();
        Ok(Self {
            serial_number: Element::expect(&mut rest, der::INTEGER, "userCertificate")?.content,
            rest,
        })
    }

    fn at(bytes: &'a [u8]) -> Option<Self> {
        Self::read(&mut Reader::new(bytes)).ok()
    }

    /// What it says. Critical extensions that are not known are noted in `scope`; one of them is certificateIssuer, which
    /// only indirect lists have.
    fn meaning(&self, scope: &mut Scope) -> Result<Entry, ParseError> {
        let mut rest = self.rest.clone();
        let revoked_at = time::read(&mut rest, "revocationDate")?;
        let mut reason = None;
        if !rest.is_empty() {
            let extensions = Element::read(&mut rest, "crlEntryExtensions")?;
            RawExtension::read_all(&extensions, |extension| {
                match extension.oid {
                    // id-ce-cRLReasons
                    [0x55, 29, 21] => reason = Some(read_reason(&mut extension.reader(), extension.field)?),
                    // id-ce-instructionCode and id-ce-invalidityDate
                    [0x55, 29, 23 | 24] => {}
                    _ => scope.note_unknown(extension),
                }
                Ok(())
            })?;
        }
        rest.finish(ENTRIES)?;
        Ok(Entry { revoked_at, reason })
    }
}

/// The next element as a CRLReason (section 5.3.1).
///
/// # Errors
/// [`ParseError`] with `field` when it is none.
pub(crate) fn read_reason(reader: &mut Reader<'_>, field: &'static str) -> Result<CrlReason, ParseError> {
    match Element::expect(reader, der::ENUMERATED, field)?.content {
        [code] => Ok(CrlReason(*code)),
        _ => Err(ParseError::Invalid {
            field,
            why: "not one byte",
        }),
    }
}

impl Scope {
    /// An extension of the list (section 5.2).
    fn read_extension(
        &mut self,
        extension: &RawExtension<'_>,
        authority: &mut Option<Bytes>,
    ) -> Result<(), ParseError> {
        match extension.oid {
            // id-ce-authorityKeyIdentifier
            [0x55, 29, 35] => {
                *authority = authority_key_id(&mut extension.reader())?.map(Bytes::copy_from_slice);
            }
            // id-ce-deltaCRLIndicator
            [0x55, 29, 27] => self.delta = true,
            // id-ce-issuingDistributionPoint
            [0x55, 29, 28] => self.read_distribution_point(&mut extension.reader())?,
            // id-ce-cRLNumber and id-ce-issuerAltName, which change nothing.
            [0x55, 29, 18 | 20] => {}
            _ => self.note_unknown(extension),
        }
        Ok(())
    }

    /// IssuingDistributionPoint (section 5.2.5).
    fn read_distribution_point(&mut self, value: &mut Reader<'_>) -> Result<(), ParseError> {
        const FIELD: &str = "issuingDistributionPoint";
        const USER: u8 = 0x81;
        const CA: u8 = 0x82;
        const REASONS: u8 = 0x83;
        const INDIRECT: u8 = 0x84;
        const ATTRIBUTE: u8 = 0x85;

        let mut content = Element::expect(value, der::SEQUENCE, FIELD)?.reader();
        while !content.is_empty() {
            let element = Element::read(&mut content, FIELD)?;
            let truth = element.is_true();
            match element.identifier {
                point if point == der::context(0) => {
                    self.distribution_point = Some(distribution_point_names(&element, FIELD)?);
                }
                USER => self.only_user_certificates = truth,
                CA => self.only_ca_certificates = truth,
                REASONS => self.only_some_reasons = true,
                INDIRECT => self.indirect = truth,
                ATTRIBUTE => self.only_attribute_certificates = truth,
                _ => {
                    return Err(ParseError::Invalid {
                        field: FIELD,
                        why: "an element that is not known",
                    });
                }
            }
        }
        Ok(())
    }

    fn note_unknown(&mut self, extension: &RawExtension<'_>) {
        if extension.critical && self.unknown_critical.is_none() {
            self.unknown_critical = Some(extension.identifier());
        }
    }
}
