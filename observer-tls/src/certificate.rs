//! Certificate, in the form of TLS 1.2 and before (RFC 5246, section 7.4.2). TLS 1.3 encrypts it.

use bytes::Bytes;

use crate::error::ParseError;
use crate::reader::Reader;

/// A certificate chain, the sender's own certificate first. An empty list is a client that has none to offer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateList {
    /// DER as sent, not checked.
    pub certificates: Vec<Bytes>,
}

impl CertificateList {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When the lengths do not add up.
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let mut list = reader.vec24("certificate_list")?;
        reader.finish("certificate_list")?;
        let mut certificates = Vec::new();
        while !list.is_empty() {
            certificates.push(body.slice_ref(list.vec24("ASN.1Cert")?.peek()));
        }
        Ok(Self { certificates })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::*;

    #[test]
    fn lists_certificates_in_order() {
        let message = Bytes::from(certificate(&[b"leaf", b"", b"root"]));
        let list = CertificateList::parse(&message.slice(4..)).unwrap();
        assert_eq!(list.certificates, [&b"leaf"[..], b"", b"root"]);
    }

    #[test]
    fn an_empty_list_is_valid() {
        assert_eq!(
            CertificateList::parse(&vec24(&[]).into()),
            Ok(CertificateList::default())
        );
    }

    #[test]
    fn lengths_must_add_up() {
        for body in [
            &[0, 0][..],
            &[0, 0, 4, 0, 0, 2, 1],
            &[0, 0, 4, 0, 0, 2, 1, 2],
            &[0, 0, 0, 9],
        ] {
            assert!(
                CertificateList::parse(&Bytes::copy_from_slice(body)).is_err(),
                "{body:?}"
            );
        }
    }
}
