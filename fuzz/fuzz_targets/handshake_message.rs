//! Any bytes as the body of a handshake message; the first byte is the type. The message keeps its type, and all that is
//! read from it only on demand can be read.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use observer_tls::certificate_request::CertificateRequest;
use observer_tls::codepoints::{HandshakeType, ProtocolVersion};
use observer_tls::handshake::Message;

fuzz_target!(|input: &[u8]| {
    let Some((typ, body)) = input.split_first() else {
        return;
    };
    let typ = HandshakeType(*typ);
    let message = Message::parse(typ, &Bytes::copy_from_slice(body));
    assert_eq!(message.typ(), typ);
    match &message {
        Message::ClientHello(hello) => {
            let types = hello.extension_types();
            assert!(types.iter().all(|typ| hello.extension(*typ).is_some()));
            hello.server_name();
            hello.supported_versions();
            hello.supported_groups();
            hello.key_share_groups();
            hello.signature_algorithms();
            hello.ec_point_formats();
            hello.alpn();
            hello.has_psk();
            hello.has_early_data();
            hello.session_ticket();
            hello.ech();
            hello.has_grease();
        }
        Message::ServerHello(hello) => {
            let types = hello.extension_types();
            assert!(types.iter().all(|typ| hello.extension(*typ).is_some()));
            hello.is_hello_retry_request();
            hello.selected_version();
            hello.selected_group();
            hello.has_psk();
            hello.alpn();
            hello.has_session_ticket();
        }
        Message::Certificate(list) => {
            let held = list.certificates.iter().map(Bytes::len).sum::<usize>();
            assert!(
                held + 3 * list.certificates.len() < body.len(),
                "more than was sent"
            );
        }
        Message::CertificateRequest(body) => {
            for version in [None, Some(ProtocolVersion::TLS11), Some(ProtocolVersion::TLS12)] {
                if let Ok(request) = CertificateRequest::parse(body, version) {
                    assert_eq!(request.authority_names().len(), request.authorities.len());
                }
            }
        }
        Message::ServerKeyExchange(exchange) => {
            exchange.named_group();
        }
        Message::Other { length, .. } | Message::Malformed { length, .. } => {
            assert_eq!(*length as usize, body.len());
        }
        _ => {}
    }
});
