//! CertificateRequest (RFC 5246, section 7.4.4; RFC 4346, section 7.4.4; RFC 8446, section 4.3.2).

use bytes::Bytes;

use crate::codepoints::{ExtensionType, ProtocolVersion, SignatureScheme};
use crate::error::ParseError;
use crate::extension::{self, Extension};
use crate::reader::Reader;
use crate::vectors::whole;
use crate::x509;

/// What the server asks the client to prove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRequest {
    /// `ClientCertificateType` values; up to TLS 1.2.
    pub certificate_types: Bytes,
    /// Signature algorithms; since TLS 1.2.
    pub signature_algorithms: Vec<SignatureScheme>,
    /// Distinguished names of acceptable authorities, DER. Empty: any.
    pub authorities: Vec<Bytes>,
    /// What the client is to repeat in its answer; TLS 1.3, empty within a handshake.
    pub request_context: Bytes,
    /// Extensions, raw and in order, of which signature algorithms and authorities are taken; TLS 1.3.
    pub extensions: Vec<Extension>,
}

/// The three forms of the message.
#[derive(Clone, Copy, Debug)]
enum Form {
    Tls10,
    Tls12,
    Tls13,
}

impl CertificateRequest {
    /// Parses the body of the message, without the handshake header. TLS 1.2 put the signature algorithms before the
    /// names, TLS 1.3 made all of it extensions. When the version is not known, the form is the one in which all lengths
    /// add up; of several the newest that has certificate types, which only TLS 1.3 has not.
    ///
    /// # Errors
    /// When the lengths add up in none of the forms that `version` allows.
    pub fn parse(body: &Bytes, version: Option<ProtocolVersion>) -> Result<Self, ParseError> {
        let forms: &[Form] = match version {
            Some(version) if version.is_tls13() => &[Form::Tls13],
            Some(version) if version.has_signature_algorithms() => &[Form::Tls12],
            Some(_) => &[Form::Tls10],
            // An empty context, or an empty list of types, which is not allowed.
            None if body.first() == Some(&0) => &[Form::Tls13, Form::Tls12, Form::Tls10],
            None => &[Form::Tls12, Form::Tls10, Form::Tls13],
        };
        let (first, others) = forms.split_first().unwrap_or((&Form::Tls12, &[]));
        Self::parse_form(body, *first).or_else(|error| {
            let mut others = others
                .iter()
                .filter_map(|form| Self::parse_form(body, *form).ok());
            others.next().ok_or(error)
        })
    }

    fn parse_form(body: &Bytes, form: Form) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let first = body.slice_ref(reader.vec8("certificate_types")?.peek());
        if matches!(form, Form::Tls13) {
            return Self::parse_extensions(first, reader, body);
        }
        let signature_algorithms = match form {
            Form::Tls12 => extension::signature_schemes(&mut reader)?,
            _ => Vec::new(),
        };
        let list = reader.vec16("certificate_authorities")?;
        reader.finish("certificate_authorities")?;
        Ok(Self {
            certificate_types: first,
            signature_algorithms,
            authorities: extension::distinguished_names(list, body)?,
            ..Self::default()
        })
    }

    fn parse_extensions(
        request_context: Bytes,
        reader: Reader<'_>,
        body: &Bytes,
    ) -> Result<Self, ParseError> {
        let (extensions, error) = extension::parse_list(reader, body);
        if let Some(error) = error {
            return Err(error);
        }
        let parsed = |typ| extension::find(&extensions, typ);
        let signature_algorithms = parsed(ExtensionType::SIGNATURE_ALGORITHMS)
            .and_then(|data| whole(data, "extension_data", extension::signature_schemes).ok());
        let authorities = parsed(ExtensionType::CERTIFICATE_AUTHORITIES).and_then(|data| {
            let names =
                |reader: &mut Reader<'_>| extension::distinguished_names(reader.vec16("authorities")?, data);
            whole(data, "extension_data", names).ok()
        });
        Ok(Self {
            signature_algorithms: signature_algorithms.unwrap_or_default(),
            authorities: authorities.unwrap_or_default(),
            request_context,
            extensions,
            ..Self::default()
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

    #[test]
    fn tls13_has_extensions() {
        let extensions = [
            extension(13, &vec16(&u16s(&[0x0403, 0x0804]))),
            extension(47, &vec16(&vec16(NAME))),
            extension(50, &vec16(&u16s(&[0x0401]))),
        ];
        let body = Bytes::from([vec8(&[]), vec16(&extensions.concat())].concat());
        for version in [Some(ProtocolVersion::TLS13), Some(ProtocolVersion(0x7f1c)), None] {
            let request = CertificateRequest::parse(&body, version).unwrap();
            assert_eq!(
                request.signature_algorithms,
                [0x0403, 0x0804].map(SignatureScheme)
            );
            assert_eq!(request.authority_names(), ["CN=ca"]);
            assert_eq!(request.extensions.len(), 3);
            assert!(request.certificate_types.is_empty() && request.request_context.is_empty());
        }
        let context = Bytes::from([vec8(b"again"), vec16(&extensions.concat())].concat());
        let request = CertificateRequest::parse(&context, None).unwrap();
        assert_eq!(request.request_context.as_ref(), b"again");
        assert!(CertificateRequest::parse(&body, Some(ProtocolVersion::TLS12)).is_err());
    }
}
