//! Any bytes as the body of a handshake message; the first byte is the type. In every version that has a form of its own
//! the message keeps its type, and all that is read from it only on demand can be read.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use observer_tls::certificate_request::CertificateRequest;
use observer_tls::client_hello::ClientHello;
use observer_tls::codepoints::{CipherSuite, HandshakeType, ProtocolVersion};
use observer_tls::extension::{Extension, ExtensionContext};
use observer_tls::fingerprint::{ja3, ja3s, ja4};
use observer_tls::handshake::Message;
use observer_tls::key_exchange::KeyExchange;
use observer_tls::server_hello::ServerHello;

/// Those between which forms differ.
const VERSIONS: [Option<ProtocolVersion>; 5] = [
    None,
    Some(ProtocolVersion::SSL3),
    Some(ProtocolVersion::TLS11),
    Some(ProtocolVersion::TLS12),
    Some(ProtocolVersion::TLS13),
];
/// A suite of each kind of key exchange: RSA, its export form, DH, DHE, anonymous DH, PSK, RSA_PSK, DHE_PSK, ECDH,
/// ECDHE, anonymous ECDH, SRP, signed SRP, ECDHE_PSK.
const SUITES: [u16; 14] = [
    0x002f, 0x0003, 0x0031, 0x0033, 0x0034, 0x008c, 0x0094, 0x0090, 0xc004, 0xc02f, 0xc018, 0xc01d, 0xc01e,
    0xc035,
];

fuzz_target!(|input: &[u8]| {
    let Some((typ, body)) = input.split_first() else {
        return;
    };
    let typ = HandshakeType(*typ);
    let body = Bytes::copy_from_slice(body);
    for version in VERSIONS {
        let message = Message::parse_of(typ, &body, version);
        assert_eq!(message.typ(), typ);
        read_further(&message, &body, version);
    }
    assert_eq!(Message::parse(typ, &body), Message::parse_of(typ, &body, None));
});

/// Reads what is not read with the message.
fn read_further(message: &Message, body: &Bytes, version: Option<ProtocolVersion>) {
    match message {
        Message::ClientHello(hello) => client_hello(hello),
        Message::ServerHello(hello) => server_hello(hello),
        Message::DraftHelloRetryRequest(retry) => {
            contents(&retry.extensions, ExtensionContext::HelloRetryRequest)
        }
        Message::EncryptedExtensions(encrypted) => {
            contents(&encrypted.extensions, ExtensionContext::EncryptedExtensions);
        }
        Message::Certificate(list) => {
            let held: usize = list.certificates.iter().map(Bytes::len).sum();
            assert!(
                held + 3 * list.certificates.len() < body.len(),
                "more than was sent"
            );
            assert!(list.extensions.len() <= list.certificates.len());
            let extensions = list.extensions.iter();
            extensions.for_each(|extensions| contents(extensions, ExtensionContext::Certificate));
        }
        Message::CertificateRequest(body) => {
            if let Ok(request) = CertificateRequest::parse(body, version) {
                assert_eq!(request.authority_names().len(), request.authorities.len());
            }
        }
        Message::NewSessionTicket(ticket) => {
            if let Some(tls13) = &ticket.tls13 {
                contents(&tls13.extensions, ExtensionContext::NewSessionTicket);
            }
        }
        Message::ServerKeyExchange(exchange) => {
            exchange.named_group();
            for kind in key_exchanges() {
                if let Ok(parameters) = exchange.parameters(kind, version)
                    && let Some(signature) = parameters.signature
                {
                    assert!(signature.length < body.len());
                }
            }
        }
        Message::ClientKeyExchange(exchange) => {
            for kind in key_exchanges() {
                let version = version.unwrap_or(ProtocolVersion::TLS12);
                if let Ok(parameters) = exchange.parameters(kind, version) {
                    assert!(parameters.share_length <= body.len());
                }
            }
        }
        Message::CertificateVerify(verify) => {
            if let Ok(signature) = verify.signature(version) {
                assert!(signature.length < body.len());
            }
        }
        Message::Other { length, .. } | Message::Malformed { length, .. } => {
            assert_eq!(*length as usize, body.len());
        }
        _ => {}
    }
}

fn client_hello(hello: &ClientHello) {
    let types = hello.extension_types();
    assert!(types.iter().all(|typ| hello.extension(*typ).is_some()));
    hello.server_name();
    hello.supported_versions();
    hello.supported_groups();
    assert_eq!(hello.key_share_groups().len(), hello.key_shares().len());
    hello.signature_algorithms();
    hello.ec_point_formats();
    hello.alpn();
    hello.has_psk();
    hello.has_early_data();
    hello.session_ticket();
    hello.ech();
    hello.has_grease();
    contents(&hello.extensions, ExtensionContext::ClientHello);
    assert!(ja3(hello).as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(ja4(hello).as_str().matches('_').count(), 2);
}

fn server_hello(hello: &ServerHello) {
    let types = hello.extension_types();
    assert!(types.iter().all(|typ| hello.extension(*typ).is_some()));
    hello.selected_version();
    hello.selected_group();
    hello.has_psk();
    hello.alpn();
    hello.has_session_ticket();
    contents(&hello.extensions, hello.extension_context());
    assert!(ja3s(hello).as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
}

fn contents(extensions: &[Extension], context: ExtensionContext) {
    for extension in extensions {
        // Either answer will do; there must be one.
        let _ = extension.content(context);
    }
}

fn key_exchanges() -> impl Iterator<Item = KeyExchange> {
    SUITES
        .into_iter()
        .filter_map(|suite| CipherSuite(suite).key_exchange())
}
