//! An extension as it stands in certificates, CRLs, their entries and OCSP responses (RFC 5280, section 4.1).

use std::borrow::Cow;

use super::der::{self, Element};
use super::oid;
use crate::error::ParseError;
use crate::reader::Reader;

/// One extension.
#[derive(Clone, Debug)]
pub(crate) struct RawExtension<'a> {
    /// The content of its identifier.
    pub(crate) oid: &'a [u8],
    /// Its name, for errors.
    pub(crate) field: &'static str,
    /// Whether who does not know it must not go on without it.
    pub(crate) critical: bool,
    /// The DER of what it says.
    pub(crate) value: Cow<'a, [u8]>,
}

impl<'a> RawExtension<'a> {
    /// The extension that `element` is.
    ///
    /// # Errors
    /// [`ParseError`] when it is none.
    pub(crate) fn read(element: &Element<'a>) -> Result<Self, ParseError> {
        let mut content = element.typed(der::SEQUENCE, "extension")?.reader();
        let oid = oid::read(&mut content, "extension")?;
        let field = name(oid);
        let critical = Element::optional(&mut content, der::BOOLEAN, field)?;
        let value = Element::read(&mut content, field)?.string(der::OCTET_STRING, field)?;
        content.finish(field)?;
        Ok(Self {
            oid,
            field,
            critical: critical.is_some_and(|critical| critical.is_true()),
            value,
        })
    }

    /// Hands each extension of the list that `sequence` is to `each`.
    ///
    /// # Errors
    /// [`ParseError`] when the list or one of them is broken, and what `each` returns.
    pub(crate) fn read_all(
        sequence: &Element<'a>,
        mut each: impl FnMut(&Self) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        let mut list = sequence.typed(der::SEQUENCE, "extensions")?.reader();
        while !list.is_empty() {
            each(&Self::read(&Element::read(&mut list, "extension")?)?)?;
        }
        Ok(())
    }

    /// The dotted identifier, for who does not know it.
    pub(crate) fn identifier(&self) -> String {
        oid::dotted(self.oid).unwrap_or_else(|| "with an identifier that is too long".to_owned())
    }

    /// A reader of what it says.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(&self.value)
    }
}

/// The names of the extensions that are read (RFC 5280, sections 4.2, 5.2 and 5.3).
fn name(oid: &[u8]) -> &'static str {
    match oid {
        // id-ce, 2.5.29
        [0x55, 29, 14] => "subjectKeyIdentifier",
        [0x55, 29, 15] => "keyUsage",
        [0x55, 29, 17] => "subjectAltName",
        [0x55, 29, 19] => "basicConstraints",
        [0x55, 29, 21] => "reasonCode",
        [0x55, 29, 28] => "issuingDistributionPoint",
        [0x55, 29, 31] => "cRLDistributionPoints",
        [0x55, 29, 35] => "authorityKeyIdentifier",
        [0x55, 29, 37] => "extendedKeyUsage",
        // id-pe, 1.3.6.1.5.5.7.1
        [0x2b, 6, 1, 5, 5, 7, 1, 1] => "authorityInfoAccess",
        _ => "extension",
    }
}
