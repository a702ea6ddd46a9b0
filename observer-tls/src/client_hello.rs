//! ClientHello (RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2).

use bytes::Bytes;

use crate::codepoints::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::error::ParseError;
use crate::extension::{self, Extension};
use crate::reader::Reader;

/// What a client offers, everything in the order offered, GREASE included.
///
/// Extensions are kept raw. The accessors parse them on demand and give `None` or an empty list when an extension is
/// absent or malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// `legacy_version`; up to TLS 1.2 the highest version offered.
    pub legacy_version: ProtocolVersion,
    /// The client's random.
    pub random: [u8; 32],
    /// `legacy_session_id`, 0 to 32 bytes.
    pub session_id: Bytes,
    /// Cipher suites.
    pub cipher_suites: Vec<CipherSuite>,
    /// Compression methods.
    pub compression_methods: Bytes,
    /// Extensions.
    pub extensions: Vec<Extension>,
}

impl ClientHello {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When a field outside of the extensions' contents is cut off or has a length it must not have.
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let legacy_version = ProtocolVersion(reader.u16("legacy_version")?);
        let random = reader.array("random")?;
        let session_id = reader.vec8("session_id")?.rest();
        if session_id.len() > 32 {
            return Err(ParseError::Invalid {
                field: "session_id",
                why: "longer than 32 bytes",
            });
        }
        let cipher_suites = reader
            .vec16("cipher_suites")?
            .u16_list("cipher_suites", CipherSuite)?;
        let compression_methods = reader.vec8("compression_methods")?.rest();
        let extensions = extension::parse_list(&mut reader, body)?;
        Ok(Self {
            legacy_version,
            random,
            session_id: body.slice_ref(session_id),
            cipher_suites,
            compression_methods: body.slice_ref(compression_methods),
            extensions,
        })
    }

    /// The raw content of the first extension of this type.
    pub fn extension(&self, typ: ExtensionType) -> Option<&Bytes> {
        extension::find(&self.extensions, typ)
    }

    /// The extension types, in order.
    pub fn extension_types(&self) -> Vec<ExtensionType> {
        self.extensions.iter().map(|extension| extension.typ).collect()
    }

    /// The host name of server_name (RFC 6066, section 3), bytes outside of UTF-8 replaced.
    pub fn server_name(&self) -> Option<String> {
        self.parsed(ExtensionType::SERVER_NAME, |reader| {
            let mut list = reader.vec16("server_name_list")?;
            let mut host_name = None;
            while !list.is_empty() {
                let name_type = list.u8("name_type")?;
                let name = list.vec16("host_name")?.rest();
                if name_type == 0 && host_name.is_none() {
                    host_name = Some(String::from_utf8_lossy(name).into_owned());
                }
            }
            Ok(host_name)
        })?
    }

    /// The versions of supported_versions (RFC 8446, section 4.2.1); empty up to TLS 1.2.
    pub fn supported_versions(&self) -> Vec<ProtocolVersion> {
        self.parsed(ExtensionType::SUPPORTED_VERSIONS, |reader| {
            reader.vec8("versions")?.u16_list("versions", ProtocolVersion)
        })
        .unwrap_or_default()
    }

    /// The groups of supported_groups (RFC 8446, section 4.2.7; RFC 8422, section 5.1.1).
    pub fn supported_groups(&self) -> Vec<NamedGroup> {
        self.parsed(ExtensionType::SUPPORTED_GROUPS, |reader| {
            reader
                .vec16("named_group_list")?
                .u16_list("named_group_list", NamedGroup)
        })
        .unwrap_or_default()
    }

    /// The groups of the key shares sent (RFC 8446, section 4.2.8).
    pub fn key_share_groups(&self) -> Vec<NamedGroup> {
        self.parsed(ExtensionType::KEY_SHARE, |reader| {
            let mut shares = reader.vec16("client_shares")?;
            let mut groups = Vec::new();
            while !shares.is_empty() {
                groups.push(NamedGroup(shares.u16("group")?));
                shares.vec16("key_exchange")?;
            }
            Ok(groups)
        })
        .unwrap_or_default()
    }

    /// The schemes of signature_algorithms (RFC 8446, section 4.2.3).
    pub fn signature_algorithms(&self) -> Vec<SignatureScheme> {
        self.parsed(ExtensionType::SIGNATURE_ALGORITHMS, |reader| {
            let field = "supported_signature_algorithms";
            reader.vec16(field)?.u16_list(field, SignatureScheme)
        })
        .unwrap_or_default()
    }

    /// The formats of ec_point_formats (RFC 8422, section 5.1.2).
    pub fn ec_point_formats(&self) -> Vec<u8> {
        self.parsed(ExtensionType::EC_POINT_FORMATS, |reader| {
            Ok(reader.vec8("ec_point_format_list")?.rest().to_vec())
        })
        .unwrap_or_default()
    }

    /// The protocol names of ALPN (RFC 7301, section 3.1).
    pub fn alpn(&self) -> Vec<Bytes> {
        let data = self.extension(ExtensionType::ALPN);
        data.and_then(|data| extension::alpn_names(data).ok())
            .unwrap_or_default()
    }

    /// Whether a pre-shared key is offered (RFC 8446, section 4.2.11).
    pub fn has_psk(&self) -> bool {
        self.extension(ExtensionType::PRE_SHARED_KEY).is_some()
    }

    /// The ticket of session_ticket (RFC 5077, section 3.2): `Some` of nothing when the client only says that it
    /// takes tickets.
    pub fn session_ticket(&self) -> Option<&[u8]> {
        self.extension(ExtensionType::SESSION_TICKET).map(Bytes::as_ref)
    }

    /// Whether early data follows (RFC 8446, section 4.2.10).
    pub fn has_early_data(&self) -> bool {
        self.extension(ExtensionType::EARLY_DATA).is_some()
    }

    /// Whether an encrypted ClientHello is inside (RFC 9849). Clients without a key send a GREASE one that looks the
    /// same.
    pub fn ech(&self) -> bool {
        self.extension(ExtensionType::ENCRYPTED_CLIENT_HELLO).is_some()
    }

    /// Whether any suite, extension, group, version, key share or signature scheme is a GREASE value (RFC 8701).
    pub fn has_grease(&self) -> bool {
        self.cipher_suites.iter().any(|suite| suite.is_grease())
            || self.extensions.iter().any(|extension| extension.typ.is_grease())
            || self.supported_groups().iter().any(|group| group.is_grease())
            || self
                .supported_versions()
                .iter()
                .any(|version| version.is_grease())
            || self.key_share_groups().iter().any(|group| group.is_grease())
            || self
                .signature_algorithms()
                .iter()
                .any(|scheme| scheme.is_grease())
    }

    /// Parses the extension of this type in full; `None` when it is absent or malformed.
    fn parsed<T>(
        &self,
        typ: ExtensionType,
        parse: impl FnOnce(&mut Reader<'_>) -> Result<T, ParseError>,
    ) -> Option<T> {
        let mut reader = Reader::new(self.extension(typ)?);
        let value = parse(&mut reader).ok()?;
        reader.finish("extension_data").ok()?;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::*;

    fn parse(extensions: &[Vec<u8>]) -> ClientHello {
        ClientHello::parse(&client_hello_body(extensions).into()).unwrap()
    }

    #[test]
    fn reads_everything_in_the_order_offered() {
        let message = Bytes::from(client_hello());
        let hello = ClientHello::parse(&message.slice(4..)).unwrap();
        assert_eq!(hello.legacy_version, ProtocolVersion::TLS12);
        assert_eq!(hello.random, CLIENT_RANDOM);
        assert_eq!(hello.session_id.as_ref(), [7; 32]);
        let suites = [0x0a0a, 0x1301, 0xc02f].map(CipherSuite);
        assert_eq!(hello.cipher_suites, suites);
        assert_eq!(hello.compression_methods.as_ref(), [0]);
        assert_eq!(
            hello.extension_types(),
            [0x3a3a, 0, 10, 13, 16, 43, 51].map(ExtensionType)
        );
        assert_eq!(hello.server_name().as_deref(), Some("service.example"));
        assert_eq!(
            hello.supported_versions(),
            [ProtocolVersion::TLS13, ProtocolVersion::TLS12]
        );
        assert_eq!(hello.supported_groups(), [0x2a2a, 4588, 29].map(NamedGroup));
        assert_eq!(hello.key_share_groups(), [0x2a2a, 4588].map(NamedGroup));
        assert_eq!(
            hello.signature_algorithms(),
            [0x0403, 0x0804].map(SignatureScheme)
        );
        assert_eq!(hello.alpn(), [&b"h2"[..], b"http/1.1"]);
        assert!(hello.has_grease());
        assert!(!hello.has_psk() && !hello.has_early_data() && !hello.ech());
        assert_eq!(hello.session_ticket(), None);
    }

    #[test]
    fn a_hello_may_end_without_extensions() {
        let mut body = client_hello_body(&[]);
        body.truncate(body.len() - 2);
        let hello = ClientHello::parse(&body.into()).unwrap();
        assert_eq!(hello.extensions, []);
        assert_eq!(hello.supported_versions(), []);
    }

    #[test]
    fn a_broken_extension_leaves_the_others_readable() {
        let hello = parse(&[
            extension(0, &[0, 9, 0]),
            extension(10, &vec16(&[0, 29, 0])),
            extension(13, &[vec16(&u16s(&[0x0403])), vec![0]].concat()),
            extension(16, &vec16(&[5, b'h'])),
            extension(51, &vec16(&[0, 29, 0, 9, 1])),
            extension(43, &vec8(&u16s(&[0x0304]))),
        ]);
        assert_eq!(hello.server_name(), None);
        assert_eq!(hello.supported_groups(), []);
        assert_eq!(hello.signature_algorithms(), []);
        assert!(hello.alpn().is_empty());
        assert_eq!(hello.key_share_groups(), []);
        assert_eq!(hello.supported_versions(), [ProtocolVersion::TLS13]);
    }

    #[test]
    fn tells_psk_tickets_early_data_and_ech() {
        let hello = parse(&[
            extension(35, b"ticket"),
            extension(42, &[]),
            extension(0xfe0d, &[0]),
            extension(11, &vec8(&[0, 1])),
            extension(41, &[1]),
        ]);
        assert_eq!(hello.session_ticket(), Some(&b"ticket"[..]));
        assert_eq!(hello.ec_point_formats(), [0, 1]);
        assert!(hello.has_psk() && hello.has_early_data() && hello.ech());
    }

    #[test]
    fn every_cut_and_every_byte_too_many_is_an_error() {
        let body = Bytes::from(client_hello()).slice(4..);
        let without_extensions = body.len()
            - 2
            - ClientHello::parse(&body)
                .unwrap()
                .extensions
                .iter()
                .fold(0, |sum, e| sum + 4 + e.data.len());
        for end in 0..body.len() {
            assert_eq!(
                ClientHello::parse(&body.slice(..end)).is_ok(),
                end == without_extensions,
                "{end} bytes"
            );
        }
        let longer = Bytes::from([&body[..], &[0]].concat());
        assert_eq!(
            ClientHello::parse(&longer),
            Err(ParseError::Trailing {
                field: "extensions",
                count: 1
            })
        );
    }
}
