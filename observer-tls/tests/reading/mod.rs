//! Reads all that a message tells, and checks what holds of any message: it keeps its type, and what was parsed without
//! complaint is all that the message says, for it can be written again byte for byte.

use bytes::Bytes;
use observer_tls::certificate::CertificateList;
use observer_tls::certificate_request::CertificateRequest;
use observer_tls::codepoints::{CipherSuite, HandshakeType, ProtocolVersion};
use observer_tls::extension::{Extension, ExtensionContext};
use observer_tls::handshake::Message;

use crate::support::{u16s, vec8, vec16, vec24};

const CONTEXTS: [ExtensionContext; 7] = [
    ExtensionContext::ClientHello,
    ExtensionContext::ServerHello,
    ExtensionContext::HelloRetryRequest,
    ExtensionContext::EncryptedExtensions,
    ExtensionContext::CertificateRequest,
    ExtensionContext::Certificate,
    ExtensionContext::NewSessionTicket,
];

const VERSIONS: [Option<ProtocolVersion>; 5] = [
    None,
    Some(ProtocolVersion::SSL3),
    Some(ProtocolVersion::TLS11),
    Some(ProtocolVersion::TLS12),
    Some(ProtocolVersion::TLS13),
];

/// Suites with key exchanges of every kind.
const SUITES: [CipherSuite; 8] = [
    CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_RSA_EXPORT_WITH_RC4_40_MD5,
    CipherSuite::TLS_DHE_RSA_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_DH_anon_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_DHE_PSK_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_PSK_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA,
];

/// Parses a message in every way there is and reads all of it. Gives it as it is when the version is not known.
pub fn read_everything(typ: HandshakeType, body: &Bytes) -> Message {
    for version in VERSIONS {
        let message = Message::parse_of(typ, body, version);
        assert_eq!(message.typ(), typ);
        read(&message, body);
        if let Some(written) = write(&message) {
            assert_eq!(written, body[..], "{message:?}");
        }
    }
    Message::parse(typ, body)
}

fn read(message: &Message, body: &Bytes) {
    match message {
        Message::ClientHello(hello) => {
            read_extensions(&hello.extensions);
            hello.server_name();
            hello.supported_versions();
            hello.supported_groups();
            assert_eq!(hello.key_shares().len(), hello.key_share_groups().len());
            hello.signature_algorithms();
            hello.ec_point_formats();
            hello.alpn();
            hello.has_grease();
        }
        Message::ServerHello(hello) => {
            read_extensions(&hello.extensions);
            hello.selected_version();
            hello.selected_group();
            hello.alpn();
        }
        Message::DraftHelloRetryRequest(request) => read_extensions(&request.extensions),
        Message::EncryptedExtensions(message) => read_extensions(&message.extensions),
        Message::Certificate(list) => {
            list.extensions.iter().for_each(|entry| read_extensions(entry));
            let held = list.certificates.iter().map(|der| 3 + der.len()).sum::<usize>();
            assert!(held <= body.len(), "more than was sent");
        }
        Message::CertificateRequest(body) => {
            let forms = VERSIONS.map(|version| CertificateRequest::parse(body, version));
            for request in forms.into_iter().flatten() {
                read_extensions(&request.extensions);
                assert_eq!(request.authority_names().len(), request.authorities.len());
            }
        }
        Message::ServerKeyExchange(message) => {
            message.named_group();
            for exchange in SUITES.iter().filter_map(|suite| suite.key_exchange()) {
                for version in VERSIONS {
                    let _ = message.parameters(exchange, version);
                }
            }
        }
        Message::ClientKeyExchange(message) => {
            for exchange in SUITES.iter().filter_map(|suite| suite.key_exchange()) {
                for version in VERSIONS.into_iter().flatten() {
                    let _ = message.parameters(exchange, version);
                }
            }
        }
        Message::CertificateVerify(message) => {
            for version in VERSIONS {
                let _ = message.signature(version);
            }
        }
        Message::Other { length, .. } | Message::Malformed { length, .. } => {
            assert_eq!(*length as usize, body.len());
        }
        _ => {}
    }
}

fn read_extensions(extensions: &[Extension]) {
    for extension in extensions {
        for context in CONTEXTS {
            let _ = extension.content(context);
        }
    }
}

/// The body of a message that was parsed without complaint, if it is one of those that keep all of it.
fn write(message: &Message) -> Option<Vec<u8>> {
    match message {
        Message::ClientHello(hello) if hello.error.is_none() && !hello.legacy_version.is_dtls() => {
            let suites: Vec<u16> = hello.cipher_suites.iter().map(|suite| suite.0).collect();
            let fields = [
                u16s(&[hello.legacy_version.0]),
                hello.random.to_vec(),
                vec8(&hello.session_id),
                vec16(&u16s(&suites)),
                vec8(&hello.compression_methods),
            ];
            with_extensions(fields.concat(), &hello.extensions)
        }
        Message::ServerHello(hello) if hello.error.is_none() && hello.legacy_version.0 >> 8 == 3 => {
            let fields = [
                u16s(&[hello.legacy_version.0]),
                hello.random.to_vec(),
                vec8(&hello.session_id),
                u16s(&[hello.cipher_suite.0]),
                vec![hello.compression],
            ];
            with_extensions(fields.concat(), &hello.extensions)
        }
        Message::EncryptedExtensions(message) if message.error.is_none() => {
            with_extensions(Vec::new(), &message.extensions)
        }
        Message::Certificate(list) if list.error.is_none() && list.raw_public_key.is_none() => {
            Some(write_certificates(list)).filter(|_| !list.certificates.is_empty())
        }
        _ => None,
    }
}

fn write_certificates(list: &CertificateList) -> Vec<u8> {
    if list.extensions.is_empty() {
        return vec24(
            &list
                .certificates
                .iter()
                .flat_map(|der| vec24(der))
                .collect::<Vec<_>>(),
        );
    }
    let entries = list.certificates.iter().zip(&list.extensions);
    let entries: Vec<u8> = entries
        .flat_map(|(der, extensions)| [vec24(der), vec16(&write_extensions(extensions))].concat())
        .collect();
    [vec8(&list.request_context), vec24(&entries)].concat()
}

/// `None` when there are no extensions: whether their length is there is not kept.
fn with_extensions(fields: Vec<u8>, extensions: &[Extension]) -> Option<Vec<u8>> {
    (!extensions.is_empty()).then(|| [fields, vec16(&write_extensions(extensions))].concat())
}

fn write_extensions(extensions: &[Extension]) -> Vec<u8> {
    let write = |extension: &Extension| [u16s(&[extension.typ.0]), vec16(&extension.data)].concat();
    extensions.iter().flat_map(write).collect()
}
