//! The extensions of a certificate that refer to its issuer and to who tells of its revocation.

use super::der::{self, Element};
use super::{CertificateFacts, oid};
use crate::error::ParseError;
use crate::reader::Reader;

/// Distribution points, and names of one, that are kept; further ones are a complaint.
const MAX_POINTS: usize = 16;
/// OCSP responders that are kept; further ones are a complaint.
const MAX_RESPONDERS: usize = 8;

/// A place where CRLs are (RFC 5280, section 4.2.1.13).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistributionPoint {
    /// The names that it has.
    pub names: Vec<GeneralName>,
    /// The CRLs there tell only of some reasons of revocation.
    pub some_reasons: bool,
    /// The CRLs there are issued by another than the certificate's issuer.
    pub other_issuer: bool,
}

/// A name as it stands in an extension (RFC 5280, section 4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneralName {
    /// The first byte of its DER, which tells its kind. The name of a distribution point that goes on from the name of
    /// the CRL's issuer has 0xA1 here.
    pub identifier: u8,
    /// The DER's content.
    pub content: Box<[u8]>,
}

impl GeneralName {
    /// The URI that it is.
    pub fn uri(&self) -> Option<&str> {
        const URI: u8 = 0x86;
        match self.identifier {
            URI => str::from_utf8(&self.content).ok(),
            _ => None,
        }
    }

    fn new(element: &Element<'_>) -> Self {
        Self {
            identifier: element.identifier,
            content: element.content.into(),
        }
    }
}

impl CertificateFacts {
    /// Section 4.2.1.2.
    pub(super) fn read_subject_key_id(
        &mut self,
        value: &mut Reader<'_>,
        field: &'static str,
    ) -> Result<(), ParseError> {
        let id = Element::read(value, field)?.string(der::OCTET_STRING, field)?;
        self.subject_key_id = Some(id.into_owned());
        Ok(())
    }

    /// Section 4.2.1.1.
    pub(super) fn read_authority_key_id(&mut self, value: &mut Reader<'_>) -> Result<(), ParseError> {
        self.authority_key_id = authority_key_id(value)?.map(<[u8]>::to_vec);
        Ok(())
    }

    /// Section 4.2.1.13.
    pub(super) fn read_distribution_points(
        &mut self,
        value: &mut Reader<'_>,
        field: &'static str,
    ) -> Result<(), ParseError> {
        const REASONS: u8 = 0x81;

        let mut points = Element::expect(value, der::SEQUENCE, field)?.reader();
        while !points.is_empty() {
            let mut point = Element::expect(&mut points, der::SEQUENCE, field)?.reader();
            if self.crl_distribution_points.len() == MAX_POINTS {
                return Err(ParseError::Invalid {
                    field,
                    why: "more of them than are kept",
                });
            }
            let names = Element::optional(&mut point, der::context(0), field)?;
            let some_reasons = Element::optional(&mut point, REASONS, field)?.is_some();
            let other_issuer = Element::optional(&mut point, der::context(2), field)?.is_some();
            point.finish(field)?;
            self.crl_distribution_points.push(DistributionPoint {
                names: match names {
                    Some(names) => distribution_point_names(&names, field)?,
                    None => Vec::new(),
                },
                some_reasons,
                other_issuer,
            });
        }
        Ok(())
    }

    /// Section 4.2.2.1.
    pub(super) fn read_access(
        &mut self,
        value: &mut Reader<'_>,
        field: &'static str,
    ) -> Result<(), ParseError> {
        /// id-ad-ocsp, 1.3.6.1.5.5.7.48.1
        const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1];

        let mut descriptions = Element::expect(value, der::SEQUENCE, field)?.reader();
        while !descriptions.is_empty() {
            let mut description = Element::expect(&mut descriptions, der::SEQUENCE, field)?.reader();
            let method = oid::read(&mut description, field)?;
            let location = GeneralName::new(&Element::read(&mut description, field)?);
            description.finish(field)?;
            let Some(url) = location.uri().filter(|_| method == OCSP) else {
                continue;
            };
            if self.ocsp_urls.len() == MAX_RESPONDERS {
                return Err(ParseError::Invalid {
                    field,
                    why: "more OCSP responders than are kept",
                });
            }
            self.ocsp_urls.push(url.to_owned());
        }
        Ok(())
    }
}

/// The keyIdentifier of the next element, an AuthorityKeyIdentifier (section 4.2.1.1). The serial number and issuer
/// that may stand there in its place are passed over.
///
/// # Errors
/// [`ParseError`] when it is none.
pub(crate) fn authority_key_id<'a>(value: &mut Reader<'a>) -> Result<Option<&'a [u8]>, ParseError> {
    const FIELD: &str = "authorityKeyIdentifier";
    const KEY_IDENTIFIER: u8 = 0x80;

    let mut identifier = Element::expect(value, der::SEQUENCE, FIELD)?.reader();
    let key = Element::optional(&mut identifier, KEY_IDENTIFIER, FIELD)?;
    Ok(key.map(|key| key.content))
}

/// The names of the DistributionPointName in `wrapper` (section 4.2.1.13).
///
/// # Errors
/// [`ParseError`] with `field` when there is none, or one that has too many names.
pub(crate) fn distribution_point_names(
    wrapper: &Element<'_>,
    field: &'static str,
) -> Result<Vec<GeneralName>, ParseError> {
    let mut content = wrapper.reader();
    let name = Element::read(&mut content, field)?;
    content.finish(field)?;
    if name.identifier != der::context(0) {
        return Ok(vec![GeneralName::new(&name.typed(der::context(1), field)?)]);
    }
    let mut list = name.reader();
    let mut names = Vec::new();
    while !list.is_empty() {
        if names.len() == MAX_POINTS {
            return Err(ParseError::Invalid {
                field,
                why: "more names of one place than are kept",
            });
        }
        names.push(GeneralName::new(&Element::read(&mut list, field)?));
    }
    Ok(names)
}
