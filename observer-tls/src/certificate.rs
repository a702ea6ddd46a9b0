//! Certificate, in the forms of TLS 1.2 and before (RFC 5246, section 7.4.2), of TLS 1.3 (RFC 8446, section 4.4.2) and of
//! raw public keys (RFC 7250, section 3).

use bytes::Bytes;

use crate::codepoints::ProtocolVersion;
use crate::error::ParseError;
use crate::extension::{self, Extension};
use crate::reader::Reader;
use crate::vectors::vec24_or_rest;

/// A certificate chain, the sender's own certificate first. An empty list is a client that has none to offer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateList {
    /// DER as sent, not checked. Where raw public keys were agreed on, TLS 1.3 has a SubjectPublicKeyInfo here.
    pub certificates: Vec<Bytes>,
    /// The extensions of each certificate, in the same order; empty up to TLS 1.2.
    pub extensions: Vec<Vec<Extension>>,
    /// What the CertificateRequest that is answered had, TLS 1.3 only; empty within a handshake.
    pub request_context: Bytes,
    /// A SubjectPublicKeyInfo that stands in the place of a chain; up to TLS 1.2.
    pub raw_public_key: Option<Bytes>,
    /// What is wrong with the lengths. The certificates that are whole are listed all the same.
    pub error: Option<ParseError>,
}

impl CertificateList {
    /// Parses the body of the message, without the handshake header. When the version is not known, the form is the one
    /// in which all lengths add up, which never more than one does; if none, that of TLS 1.2.
    ///
    /// # Errors
    /// When the message ends before the length of the list.
    pub fn parse(body: &Bytes, version: Option<ProtocolVersion>) -> Result<Self, ParseError> {
        if version.is_some_and(ProtocolVersion::is_tls13) {
            return Self::parse_tls13(body);
        }
        let mut list = Self::parse_tls12(body)?;
        if list.error.is_some() {
            if let Some(key) = raw_public_key(body) {
                list = Self {
                    raw_public_key: Some(key),
                    ..Self::default()
                };
            } else if version.is_none() {
                let tls13 = Self::parse_tls13(body).ok().filter(|list| list.error.is_none());
                list = tls13.unwrap_or(list);
            }
        }
        Ok(list)
    }

    fn parse_tls12(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let mut chain = Self::default();
        let (mut list, list_error) = vec24_or_rest(&mut reader, "certificate_list")?;
        let mut read = || {
            while !list.is_empty() {
                let der = list.vec24("ASN.1Cert")?.peek();
                chain.certificates.push(body.slice_ref(der));
            }
            reader.finish("certificate_list")
        };
        let error = read().err();
        chain.error = list_error.or(error);
        Ok(chain)
    }

    fn parse_tls13(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let mut chain = Self {
            request_context: body.slice_ref(reader.vec8("certificate_request_context")?.peek()),
            ..Self::default()
        };
        let (mut list, list_error) = vec24_or_rest(&mut reader, "certificate_list")?;
        let mut broken_extensions = None;
        let mut read = || {
            while !list.is_empty() {
                let der = list.vec24("cert_data")?.peek();
                chain.certificates.push(body.slice_ref(der));
                // Of the last entry, if it is cut off, what is left.
                let whole = list.clone().vec16("extensions");
                let length = whole
                    .as_ref()
                    .map_or(list.len(), |extensions| 2 + extensions.len());
                let (extensions, error) =
                    extension::parse_list(Reader::new(list.take(length, "extensions")?), body);
                chain.extensions.push(extensions);
                broken_extensions = broken_extensions.or(whole.err()).or(error);
            }
            reader.finish("certificate_list")
        };
        let error = read().err();
        chain.error = list_error.or(error).or(broken_extensions);
        Ok(chain)
    }
}

/// The key, if the body is a single SubjectPublicKeyInfo (RFC 5280, section 4.1): a SEQUENCE that begins with a SEQUENCE
/// that begins with an OBJECT IDENTIFIER, as no certificate does.
fn raw_public_key(body: &Bytes) -> Option<Bytes> {
    const OBJECT_IDENTIFIER: u8 = 6;
    let mut reader = Reader::new(body);
    let mut key = reader.vec24("ASN1_subjectPublicKeyInfo").ok()?;
    reader.finish("ASN1_subjectPublicKeyInfo").ok()?;
    let der = body.slice_ref(key.peek());
    let mut info = sequence(&mut key).filter(|_| key.is_empty())?;
    let algorithm = sequence(&mut info)?;
    (algorithm.peek().first() == Some(&OBJECT_IDENTIFIER)).then_some(der)
}

/// The content of a DER SEQUENCE.
fn sequence<'a>(reader: &mut Reader<'a>) -> Option<Reader<'a>> {
    const SEQUENCE: u8 = 0x30;
    let field = "SEQUENCE";
    if reader.u8(field).ok()? != SEQUENCE {
        return None;
    }
    let content = match reader.peek().first()? {
        0..=0x7f => reader.vec8(field),
        0x81 => reader.u8(field).and_then(|_| reader.vec8(field)),
        0x82 => reader.u8(field).and_then(|_| reader.vec16(field)),
        _ => return None,
    };
    content.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::{ExtensionContent, ExtensionContext, StapledStatus};
    use crate::support::*;

    fn parse(body: &[u8]) -> CertificateList {
        CertificateList::parse(&Bytes::copy_from_slice(body), None).unwrap()
    }

    #[test]
    fn lists_certificates_in_order() {
        let list = parse(&certificate(&[b"leaf", b"", b"root"])[4..]);
        assert_eq!(list.certificates, [&b"leaf"[..], b"", b"root"]);
        assert_eq!(list.error, None);
    }

    #[test]
    fn an_empty_list_is_valid() {
        assert_eq!(parse(&vec24(&[])), CertificateList::default());
    }

    #[test]
    fn certificates_that_are_whole_are_listed_with_what_is_wrong() {
        let body = certificate(&[b"leaf", b"root"])[4..].to_vec();
        // The list's length is too large and too small, bytes follow it, the last certificate is cut off.
        let mut long = body.clone();
        long[2] += 1;
        let mut short = body.clone();
        short[2] -= 1;
        let trailing = [&body[..], &[0]].concat();
        for (wrong, count) in [(&long[..], 2), (&short, 1), (&trailing, 2), (&body[..16], 1)] {
            let list = parse(wrong);
            assert_eq!(list.certificates, &[&b"leaf"[..], b"root"][..count], "{wrong:?}");
            assert!(list.error.is_some());
        }
        assert!(CertificateList::parse(&Bytes::from_static(&[0, 0]), None).is_err());
    }

    #[test]
    fn tls13_has_extensions_beside_each_certificate() {
        let status = extension(5, &[vec![1], vec24(b"ocsp")].concat());
        let entries = [
            vec24(b"leaf"),
            vec16(&[status, extension(0xabcd, &[1])].concat()),
            vec24(b"root"),
            vec16(&[]),
        ]
        .concat();
        let body = Bytes::from([vec8(&[]), vec24(&entries)].concat());
        for version in [None, Some(ProtocolVersion::TLS13)] {
            let list = CertificateList::parse(&body, version).unwrap();
            assert_eq!(list.certificates, [&b"leaf"[..], b"root"]);
            assert_eq!(list.error, None);
            let [leaf, root] = &list.extensions[..] else {
                panic!("{list:?}")
            };
            assert_eq!((leaf.len(), root.len()), (2, 0));
            let stapled = StapledStatus {
                status_type: crate::codepoints::CertificateStatusType::OCSP,
                responses: vec![Bytes::from_static(b"ocsp")],
            };
            assert_eq!(
                leaf[0].content(ExtensionContext::Certificate),
                Ok(ExtensionContent::StapledStatus(stapled))
            );
        }
        let none = CertificateList::parse(
            &[vec8(b"context"), vec24(&[])].concat().into(),
            Some(ProtocolVersion::TLS13),
        );
        let none = none.unwrap();
        assert_eq!(
            (none.certificates.len(), none.request_context.as_ref()),
            (0, &b"context"[..])
        );
        assert_eq!(parse(&[0, 0, 0, 0]).error, None);
        let missing = [vec8(&[]), vec24(&vec24(b"leaf"))].concat();
        let missing = CertificateList::parse(&missing.into(), Some(ProtocolVersion::TLS13)).unwrap();
        assert_eq!((missing.certificates.len(), missing.extensions.len()), (1, 1));
        assert!(missing.error.is_some());

        // Cut off within the extensions.
        let cut =
            CertificateList::parse(&body.slice(..body.len() - 9), Some(ProtocolVersion::TLS13)).unwrap();
        assert_eq!(cut.certificates, [&b"leaf"[..]]);
        assert_eq!(cut.extensions.len(), 1);
        assert!(cut.error.is_some());
    }

    #[test]
    fn a_raw_public_key_is_no_chain() {
        // An Ed25519 key as RFC 8410, section 10.1 writes it, with a key of sevens.
        let key = [
            &[0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0][..],
            &[7; 32],
        ]
        .concat();
        let list = parse(&vec24(&key));
        assert_eq!(list.raw_public_key.as_deref(), Some(&key[..]));
        assert_eq!((list.certificates.len(), list.error), (0, None));
        // A certificate without the length of its own that it must have.
        let certificate = [&[0x30, 42, 0x30, 40, 0xa0][..], &[7; 39]].concat();
        let list = parse(&vec24(&certificate));
        assert_eq!(list.raw_public_key, None);
        assert!(list.certificates.is_empty() && list.error.is_some());
    }
}
