//! ClientHello (RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2; RFC 6347, section 4.2.1).

use bytes::Bytes;

use crate::codepoints::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::error::ParseError;
use crate::extension::{self, Extension, KeyShare};
use crate::reader::Reader;
use crate::vectors::{vec16_or_rest, whole};

/// Longest session id (RFC 5246, section 7.4.1.2; RFC 8446, section 4.1.2).
pub const MAX_SESSION_ID_BYTES: usize = 32;

/// What a client offers, everything in the order offered, GREASE included.
///
/// Extensions are kept raw. The accessors parse them on demand and give `None` or an empty list when an extension is
/// absent or malformed; [`Extension::content`] tells what is wrong.
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
    /// Extensions, those before the damage if there is any.
    pub extensions: Vec<Extension>,
    /// The first thing in the message that is not as it must be: a session id that is too long, half a cipher suite,
    /// lengths that do not add up, bytes behind the extensions, an early end. The other fields have what can be read.
    pub error: Option<ParseError>,
}

impl ClientHello {
    /// Parses the body of the message, without the handshake header.
    ///
    /// # Errors
    /// When the message ends within version or random, or begins with what is no version and is broken besides. What
    /// else is wrong is told by [`ClientHello::error`].
    pub fn parse(body: &Bytes) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let mut hello = Self {
            legacy_version: ProtocolVersion(reader.u16("legacy_version")?),
            random: reader.array("random")?,
            session_id: Bytes::new(),
            cipher_suites: Vec::new(),
            compression_methods: Bytes::new(),
            extensions: Vec::new(),
            error: None,
        };
        if let Err(error) = hello.read(reader, body) {
            hello.error.get_or_insert(error);
        }
        match hello.error {
            Some(error) if !hello.legacy_version.is_plausible() => Err(error),
            _ => Ok(hello),
        }
    }

    /// Reads what comes after the random, as far as there is something.
    fn read(&mut self, mut reader: Reader<'_>, body: &Bytes) -> Result<(), ParseError> {
        (self.session_id, self.error) = session_id(&mut reader, body)?;
        if self.legacy_version.is_dtls() {
            reader.vec8("cookie")?;
        }
        let (mut suites, cut) = vec16_or_rest(&mut reader, "cipher_suites")?;
        let pairs = suites.take(suites.len() & !1, "cipher_suites")?;
        self.cipher_suites = Reader::new(pairs).u16_list("cipher_suites", CipherSuite)?;
        self.error = self.error.or(cut).or(suites.finish("cipher_suites").err());
        self.compression_methods = body.slice_ref(reader.vec8("compression_methods")?.peek());
        let (extensions, broken_list) = extension::parse_list(reader, body);
        self.extensions = extensions;
        self.error = self.error.or(broken_list);
        Ok(())
    }

    /// The raw content of the first extension of this type.
    pub fn extension(&self, typ: ExtensionType) -> Option<&Bytes> {
        extension::find(&self.extensions, typ)
    }

    /// The extension types, in order.
    pub fn extension_types(&self) -> Vec<ExtensionType> {
        self.extensions.iter().map(|extension| extension.typ).collect()
    }

    /// The host name of server_name (RFC 6066, section 3), bytes outside of UTF-8 replaced. An empty one is none.
    pub fn server_name(&self) -> Option<String> {
        let name = extension::host_name(self.extension(ExtensionType::SERVER_NAME)?)?;
        Some(String::from_utf8_lossy(name).into_owned())
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
        self.key_shares().iter().map(|share| share.group).collect()
    }

    /// The key shares sent (RFC 8446, section 4.2.8); drafts of TLS 1.3 before the 23rd had another number for them.
    pub fn key_shares(&self) -> Vec<KeyShare> {
        self.parsed(ExtensionType::KEY_SHARE, extension::key_shares)
            .or_else(|| self.parsed(ExtensionType::KEY_SHARE_DRAFT, extension::key_shares))
            .unwrap_or_default()
    }

    /// The schemes of signature_algorithms (RFC 8446, section 4.2.3).
    pub fn signature_algorithms(&self) -> Vec<SignatureScheme> {
        self.parsed(ExtensionType::SIGNATURE_ALGORITHMS, extension::signature_schemes)
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
        self.extension(ExtensionType::ALPN)
            .and_then(|data| extension::alpn(data).ok())
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

    /// Whether an encrypted ClientHello is inside (RFC 9849), or GREASE in its place: an onlooker cannot tell which
    /// (section 6.2).
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
        whole(self.extension(typ)?, "extension_data", parse).ok()
    }
}

/// A session id, of a client or a server, and whether it is too long.
pub(crate) fn session_id(
    reader: &mut Reader<'_>,
    body: &Bytes,
) -> Result<(Bytes, Option<ParseError>), ParseError> {
    let id = body.slice_ref(reader.vec8("session_id")?.peek());
    let error = (id.len() > MAX_SESSION_ID_BYTES).then_some(ParseError::Invalid {
        field: "session_id",
        why: "longer than 32 bytes",
    });
    Ok((id, error))
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
    fn a_cut_leaves_what_stands_before_it() {
        let body = Bytes::from(client_hello()).slice(4..);
        let whole = ClientHello::parse(&body).unwrap();
        let extension_bytes = whole.extensions.iter().map(|e| 4 + e.data.len()).sum::<usize>();
        let without_extensions = body.len() - 2 - extension_bytes;
        for end in 0..body.len() {
            let Ok(hello) = ClientHello::parse(&body.slice(..end)) else {
                assert!(end < 34, "{end} bytes");
                continue;
            };
            assert!(end >= 34, "{end} bytes");
            assert_eq!(hello.error.is_none(), end == without_extensions, "{end} bytes");
            assert_eq!(hello.random, whole.random);
            assert!(whole.cipher_suites.starts_with(&hello.cipher_suites));
            assert!(whole.extensions.starts_with(&hello.extensions));
            assert_eq!(
                hello.cipher_suites.len(),
                (end.max(69) - 69).div_euclid(2).min(3),
                "{end} bytes"
            );
        }
    }

    #[test]
    fn what_is_no_version_and_broken_is_no_hello() {
        let mut body = client_hello_body(&[]);
        body[0] = 9;
        assert_eq!(
            ClientHello::parse(&body.clone().into()).unwrap().legacy_version.0,
            0x0903
        );
        body.push(0);
        assert!(ClientHello::parse(&body.into()).is_err());
    }

    #[test]
    fn what_can_be_read_of_a_wrong_hello_is_read() {
        let body = client_hello_body(&[server_name("service.example")]);
        let parse = |body: &[u8]| ClientHello::parse(&Bytes::copy_from_slice(body)).unwrap();

        let trailing = parse(&[&body[..], &[0]].concat());
        let error = ParseError::Trailing {
            field: "extensions",
            count: 1,
        };
        assert_eq!(trailing.error, Some(error));
        assert_eq!(trailing.server_name().as_deref(), Some("service.example"));

        // A session id of 33 bytes; a list of suites with half a one at its end.
        let long_id = parse(&[&body[..34], &[33, 7], &body[35..]].concat());
        let error = ParseError::Invalid {
            field: "session_id",
            why: "longer than 32 bytes",
        };
        assert_eq!((long_id.session_id.len(), long_id.error), (33, Some(error)));
        assert_eq!(long_id.server_name().as_deref(), Some("service.example"));
        let odd = parse(&[&body[..67], &[0, 7], &body[69..75], &[0x13], &body[75..]].concat());
        let error = ParseError::Trailing {
            field: "cipher_suites",
            count: 1,
        };
        assert_eq!((odd.cipher_suites.len(), odd.error), (3, Some(error)));
        assert_eq!(odd.server_name().as_deref(), Some("service.example"));
    }

    #[test]
    fn server_names_are_taken_as_they_are() {
        let name = |data: &[u8]| parse(&[extension(0, data)]).server_name();
        let entry = |typ: u8, name: &[u8]| [vec![typ], vec16(name)].concat();
        for text in ["host.example.", "192.0.2.1", "[2001:db8::1]", "has space"] {
            assert_eq!(name(&vec16(&entry(0, text.as_bytes()))).as_deref(), Some(text));
        }
        assert_eq!(name(&vec16(&entry(0, b"\xffx"))).as_deref(), Some("\u{fffd}x"));
        let several = [entry(7, b"other"), entry(0, b"a.example"), entry(0, b"b.example")].concat();
        assert_eq!(name(&vec16(&several)).as_deref(), Some("a.example"));
        // The list's length is wrong, but the names fill the extension.
        let mut wrong = vec16(&entry(0, b"a.example"));
        for length in [0, 1, 11, 13, 200] {
            wrong[1] = length;
            assert_eq!(name(&wrong).as_deref(), Some("a.example"), "{length}");
        }
        let trailing = [vec16(&entry(0, b"a.example")), vec![0, 0, 9]].concat();
        assert_eq!(name(&trailing).as_deref(), Some("a.example"));
        for none in [&b""[..], &[0, 0], &vec16(&entry(0, b"")), &[0, 3, 0, 0, 9, b'a']] {
            assert_eq!(name(none), None, "{none:?}");
        }
    }

    #[test]
    fn drafts_of_tls13_had_another_number_for_key_shares() {
        let shares = vec16(&[u16s(&[29]), vec16(&[1; 32])].concat());
        let hello = parse(&[extension(40, &shares)]);
        let share = KeyShare {
            group: NamedGroup::X25519,
            key_length: 32,
        };
        assert_eq!(hello.key_shares(), [share]);
    }

    #[test]
    fn the_cookie_of_dtls_is_passed_over() {
        let mut body = client_hello_body(&[]);
        body[..2].copy_from_slice(&[0xfe, 0xfd]);
        let body = [&body[..67], &vec8(b"cookie"), &body[67..]].concat();
        let hello = ClientHello::parse(&body.into()).unwrap();
        assert_eq!(hello.cipher_suites.len(), 3);
    }
}
