//! EncryptedExtensions (RFC 8446, section 4.3.1) and the HelloRetryRequest of TLS 1.3's drafts before the 22nd, which
//! was a message of its own.

use bytes::Bytes;

use crate::codepoints::{CipherSuite, ProtocolVersion};
use crate::error::ParseError;
use crate::extension::{self, Extension};
use crate::reader::Reader;

/// The draft of TLS 1.3 from which on a HelloRetryRequest names the cipher suite: the 19th.
const FIRST_DRAFT_WITH_CIPHER: u16 = 0x7f13;

/// What a server answers to the client's extensions in TLS 1.3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncryptedExtensions {
    /// Extensions, raw and in order; those before the damage if there is any.
    pub extensions: Vec<Extension>,
    /// What is wrong with the rest.
    pub error: Option<ParseError>,
}

impl EncryptedExtensions {
    /// Parses the body of the message, without the handshake header.
    pub fn parse(body: &Bytes) -> Self {
        let (extensions, error) = extension::parse_list(Reader::new(body), body);
        Self { extensions, error }
    }
}

/// A HelloRetryRequest of an early draft of TLS 1.3 (draft-ietf-tls-tls13-18 and -21, section 4.1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftHelloRetryRequest {
    /// The version chosen.
    pub version: ProtocolVersion,
    /// The suite chosen; since draft 19.
    pub cipher_suite: Option<CipherSuite>,
    /// Extensions, raw and in order; those before the damage if there is any.
    pub extensions: Vec<Extension>,
    /// What is wrong with the rest.
    pub error: Option<ParseError>,
}

impl DraftHelloRetryRequest {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When a field before the extensions is cut off.
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let version = ProtocolVersion(reader.u16("server_version")?);
        let cipher_suite = match version.0 >= FIRST_DRAFT_WITH_CIPHER {
            true => Some(CipherSuite(reader.u16("cipher_suite")?)),
            false => None,
        };
        let (extensions, error) = extension::parse_list(reader, body);
        Ok(Self {
            version,
            cipher_suite,
            extensions,
            error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codepoints::{ExtensionType, NamedGroup};
    use crate::extension::{ExtensionContent, ExtensionContext};
    use crate::support::*;

    #[test]
    fn extensions_are_read_in_order() {
        let body = vec16(&[extension(0, &[]), extension(16, &vec16(&vec8(b"h2")))].concat());
        let message = EncryptedExtensions::parse(&body.into());
        let contents: Vec<_> = message
            .extensions
            .iter()
            .map(|extension| extension.content(ExtensionContext::EncryptedExtensions))
            .collect();
        let names = ExtensionContent::ProtocolNames(vec![Bytes::from_static(b"h2")]);
        assert_eq!(contents, [Ok(ExtensionContent::Present), Ok(names)]);
        assert_eq!(message.error, None);
        assert!(
            EncryptedExtensions::parse(&Bytes::from_static(&[0]))
                .error
                .is_some()
        );
    }

    #[test]
    fn draft_retry_requests_name_the_suite_since_the_19th() {
        let share = vec16(&extension(40, &u16s(&[23])));
        for (version, suite) in [(0x7f12, None), (0x7f13, Some(CipherSuite(0x1301)))] {
            let suite_bytes = suite.map_or(vec![], |suite| u16s(&[suite.0]));
            let body = [u16s(&[version]), suite_bytes, share.clone()].concat();
            let request = DraftHelloRetryRequest::parse(&body.into()).unwrap();
            assert_eq!((request.version.0, request.cipher_suite), (version, suite));
            let [extension] = &request.extensions[..] else {
                panic!("{request:?}")
            };
            assert_eq!(extension.typ, ExtensionType::KEY_SHARE_DRAFT);
            assert_eq!(
                extension.content(ExtensionContext::HelloRetryRequest),
                Ok(ExtensionContent::SelectedGroup(NamedGroup::SECP256R1))
            );
        }
    }
}
