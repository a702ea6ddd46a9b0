//! ServerHello and HelloRetryRequest (RFC 8446, sections 4.1.3 and 4.1.4; RFC 5246, section 7.4.1.3).

use bytes::Bytes;

use crate::codepoints::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion};
use crate::error::ParseError;
use crate::extension::{self, Extension};
use crate::reader::Reader;

/// The random that marks a HelloRetryRequest: SHA-256 of "HelloRetryRequest" (RFC 8446, section 4.1.3).
pub const HELLO_RETRY_REQUEST_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What the server chose, or its request for another ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// `legacy_version`; up to TLS 1.2 the version chosen.
    pub legacy_version: ProtocolVersion,
    /// The server's random.
    pub random: [u8; 32],
    /// The session id: its own, or up to TLS 1.2 the client's when the session is resumed; in TLS 1.3 always an echo.
    pub session_id: Bytes,
    /// The suite chosen.
    pub cipher_suite: CipherSuite,
    /// The compression method chosen.
    pub compression: u8,
    /// Extensions, raw and in order.
    pub extensions: Vec<Extension>,
}

impl ServerHello {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When a field outside of the extensions' contents is cut off or has a length it must not have.
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let legacy_version = ProtocolVersion(reader.u16("legacy_version")?);
        let random = reader.array("random")?;
        // Drafts of TLS 1.3 before the 22nd had neither session id nor compression method here.
        let short_form = legacy_version.is_tls13_draft();
        let session_id = if short_form {
            &[]
        } else {
            reader.vec8("session_id")?.rest()
        };
        if session_id.len() > 32 {
            return Err(ParseError::Invalid {
                field: "session_id",
                why: "longer than 32 bytes",
            });
        }
        let cipher_suite = CipherSuite(reader.u16("cipher_suite")?);
        let compression = if short_form {
            0
        } else {
            reader.u8("compression_method")?
        };
        let extensions = extension::parse_list(&mut reader, body)?;
        let session_id = body.slice_ref(session_id);
        Ok(Self {
            legacy_version,
            random,
            session_id,
            cipher_suite,
            compression,
            extensions,
        })
    }

    /// Whether this is a HelloRetryRequest.
    pub fn is_hello_retry_request(&self) -> bool {
        self.random == HELLO_RETRY_REQUEST_RANDOM
    }

    /// The raw content of the first extension of this type.
    pub fn extension(&self, typ: ExtensionType) -> Option<&Bytes> {
        extension::find(&self.extensions, typ)
    }

    /// The extension types, in order.
    pub fn extension_types(&self) -> Vec<ExtensionType> {
        self.extensions.iter().map(|extension| extension.typ).collect()
    }

    /// The version chosen: that of supported_versions (RFC 8446, section 4.2.1), else `legacy_version`.
    pub fn selected_version(&self) -> ProtocolVersion {
        let chosen = self
            .extension(ExtensionType::SUPPORTED_VERSIONS)
            .and_then(|data| {
                let mut reader = Reader::new(data);
                let version = reader.u16("selected_version").ok()?;
                reader.finish("selected_version").ok()?;
                Some(ProtocolVersion(version))
            });
        chosen.unwrap_or(self.legacy_version)
    }

    /// The group of key_share: with the server's share in a ServerHello, alone in a HelloRetryRequest (RFC 8446,
    /// section 4.2.8).
    pub fn selected_group(&self) -> Option<NamedGroup> {
        let mut reader = Reader::new(self.extension(ExtensionType::KEY_SHARE)?);
        let group = reader.u16("group").ok()?;
        if !reader.is_empty() {
            reader.vec16("key_exchange").ok()?;
        }
        reader.finish("key_share").ok()?;
        Some(NamedGroup(group))
    }

    /// Whether the server took a pre-shared key (RFC 8446, section 4.2.11).
    pub fn has_psk(&self) -> bool {
        self.extension(ExtensionType::PRE_SHARED_KEY).is_some()
    }

    /// The ALPN protocol chosen; up to TLS 1.2 only, since TLS 1.3 encrypts it.
    pub fn alpn(&self) -> Option<Bytes> {
        extension::alpn_names(self.extension(ExtensionType::ALPN)?)
            .ok()?
            .into_iter()
            .next()
    }

    /// Whether the server will send a session ticket (RFC 5077, section 3.2).
    pub fn has_session_ticket(&self) -> bool {
        self.extension(ExtensionType::SESSION_TICKET).is_some()
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::support::*;

    fn parse(random: [u8; 32], extensions: &[Vec<u8>]) -> ServerHello {
        ServerHello::parse(&server_hello_body(random, extensions).into()).unwrap()
    }

    #[test]
    fn up_to_tls12_the_legacy_version_counts() {
        let hello = parse(
            SERVER_RANDOM,
            &[extension(16, &vec16(&vec8(b"h2"))), extension(35, &[])],
        );
        assert_eq!(hello.selected_version(), ProtocolVersion::TLS12);
        assert_eq!(
            hello.cipher_suite,
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        );
        assert_eq!(hello.alpn().as_deref(), Some(&b"h2"[..]));
        assert_eq!(hello.selected_group(), None);
        assert!(hello.has_session_ticket() && !hello.has_psk() && !hello.is_hello_retry_request());
    }

    #[test]
    fn tls13_names_version_and_group_in_extensions() {
        let share = [u16s(&[29]), vec16(&[1; 32])].concat();
        let hello = parse(
            SERVER_RANDOM,
            &[
                extension(43, &u16s(&[0x0304])),
                extension(51, &share),
                extension(41, &[0, 0]),
            ],
        );
        assert_eq!(hello.selected_version(), ProtocolVersion::TLS13);
        assert_eq!(hello.selected_group(), Some(NamedGroup::X25519));
        assert!(hello.has_psk());
    }

    #[test]
    fn a_hello_retry_request_names_only_the_group() {
        let random = Sha256::digest(b"HelloRetryRequest").into();
        let hello = parse(
            random,
            &[extension(43, &u16s(&[0x0304])), extension(51, &u16s(&[24]))],
        );
        assert!(hello.is_hello_retry_request());
        assert_eq!(hello.selected_group(), Some(NamedGroup::SECP384R1));
    }

    #[test]
    fn drafts_of_tls13_have_fewer_fields() {
        let body = [
            u16s(&[0x7f12]),
            SERVER_RANDOM.to_vec(),
            u16s(&[0x1301]),
            vec16(&[]),
        ]
        .concat();
        let hello = ServerHello::parse(&body.into()).unwrap();
        assert_eq!(hello.cipher_suite, CipherSuite::TLS_AES_128_GCM_SHA256);
        assert_eq!(hello.selected_version().label(), Some("1.3"));
    }

    #[test]
    fn broken_ones_say_why() {
        let body = server_hello_body(SERVER_RANDOM, &[]);
        let error = ServerHello::parse(&Bytes::copy_from_slice(&body[..20])).unwrap_err();
        assert_eq!(
            error,
            ParseError::Short {
                field: "random",
                needed: 32,
                available: 18
            }
        );
        let mut long_id = body;
        long_id[34] = 33;
        long_id.extend([0; 40]);
        let error = ServerHello::parse(&long_id.into()).unwrap_err();
        assert_eq!(
            error,
            ParseError::Invalid {
                field: "session_id",
                why: "longer than 32 bytes"
            }
        );
    }
}
