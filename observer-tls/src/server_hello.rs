//! ServerHello and HelloRetryRequest (RFC 8446, sections 4.1.3 and 4.1.4; RFC 5246, section 7.4.1.3).

use bytes::Bytes;

use crate::client_hello::session_id;
use crate::codepoints::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion};
use crate::error::ParseError;
use crate::extension::{self, Extension, ExtensionContext};
use crate::reader::Reader;
use crate::vectors::whole;

/// The random that marks a HelloRetryRequest: SHA-256 of "HelloRetryRequest" (RFC 8446, section 4.1.3).
pub const HELLO_RETRY_REQUEST_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Drafts of TLS 1.3 before the 22nd, whose ServerHello had neither session id nor compression method.
const SHORT_FORM_DRAFTS: std::ops::RangeInclusive<u16> = 0x7f00..=0x7f15;

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
    /// Extensions, raw and in order; those before the damage if there is any.
    pub extensions: Vec<Extension>,
    /// The first thing in the message that is not as it must be: a session id that is too long, lengths that do not add
    /// up, bytes behind the extensions, an early end. The other fields have what can be read.
    pub error: Option<ParseError>,
}

impl ServerHello {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When the message ends before the cipher suite's end, or begins with what is no version and is broken besides.
    /// What else is wrong is told by [`ServerHello::error`].
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let legacy_version = ProtocolVersion(reader.u16("legacy_version")?);
        let random = reader.array("random")?;
        let short_form = SHORT_FORM_DRAFTS.contains(&legacy_version.0);
        let (session_id, long_id) = match short_form {
            true => (Bytes::new(), None),
            false => session_id(&mut reader, body)?,
        };
        let cipher_suite = CipherSuite(reader.u16("cipher_suite")?);
        let (compression, cut) = match short_form {
            true => (0, None),
            false => match reader.u8("compression_method") {
                Ok(method) => (method, None),
                Err(error) => (0, Some(error)),
            },
        };
        let (extensions, broken_list) = extension::parse_list(reader, body);
        let error = long_id.or(cut).or(broken_list);
        match error {
            Some(error) if !legacy_version.is_plausible() => Err(error),
            error => Ok(Self {
                legacy_version,
                random,
                session_id,
                cipher_suite,
                compression,
                extensions,
                error,
            }),
        }
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
        self.parsed(ExtensionType::SUPPORTED_VERSIONS, |reader| {
            reader.u16("selected_version").map(ProtocolVersion)
        })
        .unwrap_or(self.legacy_version)
    }

    /// The group of key_share: with the server's share in a ServerHello, alone in a HelloRetryRequest (RFC 8446,
    /// section 4.2.8). Drafts of TLS 1.3 before the 23rd had another number for it.
    pub fn selected_group(&self) -> Option<NamedGroup> {
        self.parsed(ExtensionType::KEY_SHARE, selected_group)
            .or_else(|| self.parsed(ExtensionType::KEY_SHARE_DRAFT, selected_group))
    }

    /// Whether the server took a pre-shared key (RFC 8446, section 4.2.11).
    pub fn has_psk(&self) -> bool {
        self.extension(ExtensionType::PRE_SHARED_KEY).is_some()
    }

    /// The ALPN protocol chosen; up to TLS 1.2 only, since TLS 1.3 encrypts it.
    pub fn alpn(&self) -> Option<Bytes> {
        let names = extension::alpn(self.extension(ExtensionType::ALPN)?).ok()?;
        names.into_iter().next()
    }

    /// Whether the server will send a session ticket (RFC 5077, section 3.2).
    pub fn has_session_ticket(&self) -> bool {
        self.extension(ExtensionType::SESSION_TICKET).is_some()
    }

    /// What the extensions' contents depend on: whether this is a HelloRetryRequest.
    pub fn extension_context(&self) -> ExtensionContext {
        match self.is_hello_retry_request() {
            true => ExtensionContext::HelloRetryRequest,
            false => ExtensionContext::ServerHello,
        }
    }

    /// Parses the extension of this type in full; `None` when it is absent or malformed.
    fn parsed<T>(
        &self,
        typ: ExtensionType,
        parse: impl FnOnce(&mut Reader<'_>) -> Result<T, ParseError>,
    ) -> Option<T> {
        whole(self.extension(typ)?, "extension_data", parse).ok()
    }
}

fn selected_group(reader: &mut Reader<'_>) -> Result<NamedGroup, ParseError> {
    let group = reader.u16("group")?;
    if !reader.is_empty() {
        reader.vec16("key_exchange")?;
    }
    Ok(NamedGroup(group))
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
        let long_id = [&body[..34], &vec8(&[7; 33]), &body[35..]].concat();
        let hello = ServerHello::parse(&long_id.into()).unwrap();
        assert_eq!(
            (hello.session_id.len(), hello.cipher_suite),
            (33, CipherSuite(0xc02f))
        );
        let error = ParseError::Invalid {
            field: "session_id",
            why: "longer than 32 bytes",
        };
        assert_eq!(hello.error, Some(error));
    }

    #[test]
    fn extensions_before_the_damage_are_read() {
        let mut body = server_hello_body(SERVER_RANDOM, &[extension(43, &u16s(&[0x0304]))]);
        body.push(0);
        let hello = ServerHello::parse(&body.into()).unwrap();
        assert_eq!(hello.selected_version(), ProtocolVersion::TLS13);
        assert!(hello.error.is_some());
        let mut cut = server_hello_body(SERVER_RANDOM, &[]);
        cut.truncate(cut.len() - 2);
        assert_eq!(ServerHello::parse(&cut.into()).unwrap().error, None);
    }
}
