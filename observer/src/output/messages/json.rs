//! Messages as JSON.

use std::net::IpAddr;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use observer_tls::alert::Alert;
use observer_tls::client_hello::ClientHello;
use observer_tls::codepoints::{
    AlertDescription, CipherSuite, ExtensionType, HandshakeType, NamedGroup, ProtocolVersion,
};
use observer_tls::fingerprint;
use observer_tls::handshake::Message;
use observer_tls::reader::Reader;
use observer_tls::server_hello::ServerHello;
use observer_tls::ssl2;
use observer_tls::stream::ItemBody;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::super::event::Endpoint;
use super::super::event::text::{FingerprintText, Named, Time};
use crate::observation::MessageSeen;

/// Appends the line of `seen`.
pub(super) fn line(seen: &MessageSeen<'_>, out: &mut Vec<u8>) {
    let Some(line) = Line::new(seen) else {
        return;
    };
    let start = out.len();
    // Writing to memory cannot fail; should it ever, a broken line must not go out.
    match serde_json::to_writer(&mut *out, &line) {
        Ok(()) => out.push(b'\n'),
        Err(_) => out.truncate(start),
    }
}

/// One message. Absent means not there.
#[derive(Serialize)]
struct Line {
    #[serde(rename = "@timestamp")]
    timestamp: Time,
    kind: &'static str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    typ: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    type_name: Option<Named<HandshakeType>>,
    /// The type of a message of SSL 2, whose numbers are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    ssl2_type: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u32>,
    src_ip: IpAddr,
    src_port: u16,
    dst_ip: IpAddr,
    dst_port: u16,
    #[serde(flatten)]
    content: Content,
}

/// What the message says, as far as it is known by these names.
#[derive(Default, Serialize)]
struct Content {
    /// Of a ServerHello the version chosen, of a ClientHello its legacy version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Named<ProtocolVersion>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    random: Option<Hex<[u8; 32]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<Hex<Bytes>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    supported_versions: Vec<Number<ProtocolVersion>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ciphers: Vec<Number<CipherSuite>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extensions: Vec<Number<ExtensionType>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Number<NamedGroup>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_shares: Vec<Number<NamedGroup>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alpn: Vec<Lossy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert_level: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert_description: Option<Named<AlertDescription>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificates_sha256: Vec<Hex<[u8; 32]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja3: Option<FingerprintText<32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja3s: Option<FingerprintText<32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja4: Option<FingerprintText<36>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Line {
    /// The line of `seen`, if it has one.
    fn new(seen: &MessageSeen<'_>) -> Option<Self> {
        let (source, destination) = (Endpoint::from(seen.source), Endpoint::from(seen.destination));
        let (kind, typ, length, content) = match seen.body {
            ItemBody::Handshake { length, message } => (
                "handshake",
                Some(message.typ()),
                Some(*length),
                Content::from(message),
            ),
            ItemBody::Alert(alert) => ("alert", None, None, Content::from(alert)),
            ItemBody::Ssl2 { length, message } => ("sslv2", None, Some(*length), Content::from(message)),
            _ => return None,
        };
        let ssl2_type = match seen.body {
            ItemBody::Ssl2 { message, .. } => Some(message.typ()),
            _ => None,
        };
        Some(Self {
            timestamp: Time::from_nanos(seen.time_ns),
            kind,
            typ: typ.map(|typ| typ.0),
            type_name: typ.map(Named),
            ssl2_type,
            length,
            src_ip: source.ip,
            src_port: source.port,
            dst_ip: destination.ip,
            dst_port: destination.port,
            content,
        })
    }
}

impl From<&Message> for Content {
    fn from(message: &Message) -> Self {
        match message {
            Message::ClientHello(hello) => hello.into(),
            Message::ServerHello(hello) => hello.into(),
            Message::Certificate(list) => Self {
                certificates_sha256: list
                    .certificates
                    .iter()
                    .map(|der| Hex(Sha256::digest(der).into()))
                    .collect(),
                ..Self::default()
            },
            Message::Malformed { error, .. } => Self {
                error: Some(error.to_string()),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }
}

impl From<&ClientHello> for Content {
    fn from(hello: &ClientHello) -> Self {
        Self {
            version: Some(Named(hello.legacy_version)),
            random: Some(Hex(hello.random)),
            session_id: session_id(&hello.session_id),
            supported_versions: numbers(hello.supported_versions()),
            ciphers: numbers(hello.cipher_suites.iter().copied()),
            extensions: numbers(hello.extension_types()),
            groups: numbers(hello.supported_groups()),
            key_shares: numbers(hello.key_share_groups()),
            server_name: hello.server_name(),
            alpn: hello.alpn().into_iter().map(Lossy).collect(),
            ja3: Some(FingerprintText(fingerprint::ja3(hello))),
            ja4: Some(FingerprintText(fingerprint::ja4(hello))),
            ..Self::default()
        }
    }
}

impl From<&ServerHello> for Content {
    fn from(hello: &ServerHello) -> Self {
        let chosen = hello
            .extension(ExtensionType::SUPPORTED_VERSIONS)
            .map(|_| hello.selected_version());
        // No server has to tell its groups, but some do (RFC 8422, section 5.1.1).
        let groups = hello.extension(ExtensionType::SUPPORTED_GROUPS).and_then(|data| {
            let list = Reader::new(data).vec16("named_group_list").ok()?;
            list.u16_list("named_group_list", NamedGroup).ok()
        });
        Self {
            version: Some(Named(hello.selected_version())),
            random: Some(Hex(hello.random)),
            session_id: session_id(&hello.session_id),
            supported_versions: numbers(chosen),
            ciphers: numbers([hello.cipher_suite]),
            extensions: numbers(hello.extension_types()),
            groups: numbers(groups.unwrap_or_default()),
            key_shares: numbers(hello.selected_group()),
            alpn: hello.alpn().into_iter().map(Lossy).collect(),
            ja3s: Some(FingerprintText(fingerprint::ja3s(hello))),
            ..Self::default()
        }
    }
}

impl From<&ssl2::Message> for Content {
    fn from(message: &ssl2::Message) -> Self {
        match message {
            ssl2::Message::ClientHello(hello) => Self {
                version: Some(Named(hello.version)),
                session_id: session_id(&hello.session_id),
                ..Self::default()
            },
            ssl2::Message::ServerHello(hello) => Self {
                version: Some(Named(hello.version)),
                certificates_sha256: (!hello.certificate.is_empty())
                    .then(|| Hex(Sha256::digest(&hello.certificate).into()))
                    .into_iter()
                    .collect(),
                ..Self::default()
            },
            ssl2::Message::ClientMasterKey { .. } => Self::default(),
            ssl2::Message::Malformed { error, .. } => Self {
                error: Some(error.to_string()),
                ..Self::default()
            },
        }
    }
}

impl From<&Alert> for Content {
    fn from(alert: &Alert) -> Self {
        Self {
            alert_level: Some(alert.level.0),
            alert_code: Some(alert.description.0),
            alert_description: Some(Named(alert.description)),
            ..Self::default()
        }
    }
}

fn session_id(id: &Bytes) -> Option<Hex<Bytes>> {
    (!id.is_empty()).then(|| Hex(id.clone()))
}

/// Bytes as lowercase hex.
struct Hex<T>(T);

impl<T: AsRef<[u8]>> Serialize for Hex<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Randoms, session ids and digests have 32 bytes at most.
        let mut digits = [0; 64];
        let bytes = self.0.as_ref();
        match digits.get_mut(..2 * bytes.len()) {
            Some(digits) => {
                HEXLOWER.encode_mut(bytes, digits);
                serializer.serialize_str(std::str::from_utf8(digits).unwrap_or_default())
            }
            None => serializer.serialize_str(&HEXLOWER.encode(bytes)),
        }
    }
}

/// A protocol's name, bytes outside of UTF-8 replaced.
struct Lossy(Bytes);

impl Serialize for Lossy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&self.0))
    }
}

/// A registered number as such.
struct Number<T>(T);

fn numbers<T>(values: impl IntoIterator<Item = T>) -> Vec<Number<T>> {
    values.into_iter().map(Number).collect()
}

macro_rules! serialize_numbers {
    ($($type:ident),*) => {
        $(impl Serialize for Number<$type> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u16(self.0.0)
            }
        })*
    };
}
serialize_numbers!(CipherSuite, ExtensionType, NamedGroup, ProtocolVersion);
