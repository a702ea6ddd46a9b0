//! CertificateRequest, up to TLS 1.2 (RFC 5246, section 7.4.4).

use bytes::Bytes;

use crate::codepoints::{ProtocolVersion, SignatureScheme};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::x509;

/// What the server asks the client to prove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRequest {
    /// `ClientCertificateType` values.
    pub certificate_types: Bytes,
    /// Signature algorithms; TLS 1.2 only.
    pub signature_algorithms: Vec<SignatureScheme>,
    /// Distinguished names of acceptable authorities, DER. Empty: any.
    pub authorities: Vec<Bytes>,
}

impl CertificateRequest {
    /// Parses the body of the message, without the handshake header. TLS 1.2 put the signature algorithms before the
    /// names. When the version is not known, the form is the one in which all lengths add up; the newer one first.
    ///
    /// # Errors
    /// When the lengths add up in neither of the forms that `version` allows.
    pub fn parse(body: &Bytes, version: Option<ProtocolVersion>) -> Result<Self, ParseError> {
        match version {
            Some(version) => Self::parse_form(body, version >= ProtocolVersion::TLS12),
            None => {
                Self::parse_form(body, true).or_else(|error| Self::parse_form(body, false).map_err(|_| error))
            }
        }
    }

    fn parse_form(body: &Bytes, with_signature_algorithms: bool) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let certificate_types = body.slice_ref(reader.vec8("certificate_types")?.peek());
        let mut signature_algorithms = Vec::new();
        if with_signature_algorithms {
            let field = "supported_signature_algorithms";
            signature_algorithms = reader.vec16(field)?.u16_list(field, SignatureScheme)?;
        }
        let mut list = reader.vec16("certificate_authorities")?;
        reader.finish("certificate_authorities")?;
        let mut authorities = Vec::new();
        while !list.is_empty() {
            authorities.push(body.slice_ref(list.vec16("DistinguishedName")?.peek()));
        }
        Ok(Self {
            certificate_types,
            signature_algorithms,
            authorities,
        })
    }

    /// The authorities as RFC 4514 text; one that is not a distinguished name as `#` and its bytes in hex.
    pub fn authority_names(&self) -> Vec<String> {
        self.authorities.iter().map(|der| x509::name_text(der)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::*;

    /// DER of the name CN=ca.
    const NAME: &[u8] = &[0x30, 13, 0x31, 11, 0x30, 9, 6, 3, 0x55, 4, 3, 0x0c, 2, b'c', b'a'];

    fn body(with_signature_algorithms: bool) -> Bytes {
        let mut body = vec8(&[1, 64]);
        if with_signature_algorithms {
            body.extend(vec16(&u16s(&[0x0403, 0x0401])));
        }
        body.extend(vec16(&[vec16(NAME), vec16(&[1, 2])].concat()));
        body.into()
    }

    #[test]
    fn both_forms_are_read_with_and_without_the_version() {
        for version in [Some(ProtocolVersion::TLS12), None] {
            let request = CertificateRequest::parse(&body(true), version).unwrap();
            assert_eq!(request.certificate_types.as_ref(), [1, 64]);
            assert_eq!(
                request.signature_algorithms,
                [0x0403, 0x0401].map(SignatureScheme)
            );
            assert_eq!(request.authority_names(), ["CN=ca", "#0102"]);
        }
        for version in [Some(ProtocolVersion::TLS10), None] {
            let request = CertificateRequest::parse(&body(false), version).unwrap();
            assert_eq!(request.signature_algorithms, []);
            assert_eq!(request.authority_names(), ["CN=ca", "#0102"]);
        }
        assert!(CertificateRequest::parse(&body(true), Some(ProtocolVersion::TLS11)).is_err());
        assert!(CertificateRequest::parse(&body(false), Some(ProtocolVersion::TLS12)).is_err());
    }

    #[test]
    fn a_server_may_take_any_authority() {
        let body = [vec8(&[1]), vec16(&u16s(&[0x0804])), vec16(&[])].concat();
        let request = CertificateRequest::parse(&body.into(), None).unwrap();
        assert!(request.authorities.is_empty());
        assert!(CertificateRequest::parse(&Bytes::from_static(&[9]), None).is_err());
    }
}
