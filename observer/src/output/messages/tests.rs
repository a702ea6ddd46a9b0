//! Lines of whole messages.

use bytes::Bytes;
use observer_tls::alert::Alert;
use observer_tls::codepoints::{AlertDescription, AlertLevel, HandshakeType};
use observer_tls::handshake::Message;
use observer_tls::ssl2;
use observer_tls::stream::ItemBody;
use serde_json::{Value, json};

use super::*;

fn hello_fields(suites: &[u16], compression: &[u8], extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([0xab; 32]);
    body.extend([2, 0x0a, 0xff]);
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend(compression);
    let extensions: Vec<u8> = extensions
        .iter()
        .flat_map(|(typ, data)| {
            let length = (data.len() as u16).to_be_bytes();
            [&typ.to_be_bytes()[..], &length, data].concat()
        })
        .collect();
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    body
}

fn client_hello() -> Vec<u8> {
    hello_fields(
        // Their length comes first.
        &[4, 0x1a1a, 0x1301],
        &[1, 0],
        &[
            (0, b"\0\x0a\0\0\x07a.local"),
            (10, &[0, 4, 0x2a, 0x2a, 0, 29]),
            (16, b"\0\x03\x02h2"),
            (43, &[4, 3, 4, 3, 3]),
            (51, &[0, 5, 0, 29, 0, 1, 9]),
        ],
    )
}

fn server_hello() -> Vec<u8> {
    hello_fields(
        &[0x1301],
        &[0],
        &[
            (43, &[3, 4]),
            (51, &[0, 29, 0, 1, 9]),
            (10, &[0, 4, 0, 29, 0, 23]),
        ],
    )
}

fn handshake(typ: HandshakeType, body: Vec<u8>) -> ItemBody {
    let body = Bytes::from(body);
    ItemBody::Handshake {
        length: body.len() as u32,
        message: Message::parse(typ, &body),
    }
}

fn lines(mut lines: MessageLines, body: &ItemBody) -> String {
    let mut out = Vec::new();
    let seen = MessageSeen {
        time_ns: 1_700_000_000_123_456_789,
        source: "10.0.0.2:40000".parse().unwrap(),
        destination: "[2001:db8::1]:443".parse().unwrap(),
        body,
    };
    lines.line(&seen, &mut out);
    String::from_utf8(out).unwrap()
}

/// The object of the only line, without the fields that all have.
fn object(body: &ItemBody) -> Value {
    let text = lines(MessageLines::json(), body);
    assert_eq!(text.matches('\n').count(), 1);
    let mut value: Value = serde_json::from_str(&text).unwrap();
    for (key, wanted) in [
        ("@timestamp", json!("2023-11-14T22:13:20.123456Z")),
        ("src_ip", json!("10.0.0.2")),
        ("src_port", json!(40000)),
        ("dst_ip", json!("2001:db8::1")),
        ("dst_port", json!(443)),
    ] {
        assert_eq!(value.as_object_mut().unwrap().remove(key), Some(wanted));
    }
    value
}

#[test]
fn a_client_hello_in_numbers() {
    let body = client_hello();
    let wanted = json!({
        "kind": "handshake",
        "type": 1,
        "type_name": "client_hello",
        "length": body.len(),
        "version": "1.2",
        "random": "ab".repeat(32),
        "session_id": "0aff",
        "supported_versions": [0x0304, 0x0303],
        "ciphers": [0x1a1a, 0x1301],
        "extensions": [0, 10, 16, 43, 51],
        "groups": [0x2a2a, 29],
        "key_shares": [29],
        "server_name": "a.local",
        "alpn": ["h2"],
        // What md5sum says of 771,4865,0-10-16-43-51,29, (with the last comma) and sha256sum of 1301 and 000a,002b,0033.
        "ja3": "6b534f742d3f2c5ab5047eb4c836cec5",
        "ja4": "t13d0105h2_0f2cb44170f4_3a62dcb2b4a6",
    });
    assert_eq!(object(&handshake(HandshakeType::CLIENT_HELLO, body)), wanted);
}

#[test]
fn what_a_server_chose_are_lists_of_one() {
    let body = server_hello();
    let wanted = json!({
        "kind": "handshake",
        "type": 2,
        "type_name": "server_hello",
        "length": body.len(),
        "version": "1.3",
        "random": "ab".repeat(32),
        "session_id": "0aff",
        "supported_versions": [0x0304],
        "ciphers": [0x1301],
        "extensions": [43, 51, 10],
        "groups": [29, 23],
        "key_shares": [29],
        // What md5sum says of 771,4865,43-51-10.
        "ja3s": "21f618573b6ed8a1fc25515aed4d341c",
    });
    assert_eq!(object(&handshake(HandshakeType::SERVER_HELLO, body)), wanted);
}

#[test]
fn certificates_are_named_by_their_hashes() {
    let list = b"\0\0\x0a\0\0\x03abc\0\0\x01x".to_vec();
    assert_eq!(
        object(&handshake(HandshakeType::CERTIFICATE, list)),
        json!({
            "kind": "handshake",
            "type": 11,
            "type_name": "certificate",
            "length": 13,
            "certificates_sha256": [
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
            ],
        })
    );
}

#[test]
fn broken_and_unknown_messages_have_lines_too() {
    let broken = object(&handshake(HandshakeType::SERVER_HELLO_DONE, vec![1]));
    assert_eq!(
        (&broken["type"], &broken["length"]),
        (&json!(14), &json!(1)),
        "{broken}"
    );
    assert!(
        broken["error"].as_str().unwrap().contains("ServerHelloDone"),
        "{broken}"
    );
    assert_eq!(
        object(&handshake(HandshakeType(99), vec![0; 5])),
        json!({ "kind": "handshake", "type": 99, "type_name": "0x63", "length": 5 })
    );
}

#[test]
fn alerts_and_nothing_else() {
    let alert = ItemBody::Alert(Alert {
        level: AlertLevel::FATAL,
        description: AlertDescription::UNKNOWN_CA,
    });
    assert_eq!(
        object(&alert),
        json!({ "kind": "alert", "alert_level": 2, "alert_code": 48, "alert_description": "unknown_ca" })
    );
    for other in [
        ItemBody::ChangeCipherSpec,
        ItemBody::Gap { bytes: 3 },
        ItemBody::NotTls,
    ] {
        assert_eq!(lines(MessageLines::json(), &other), "");
        assert_eq!(lines(MessageLines::text(true), &other), "");
    }
}

#[test]
fn messages_of_ssl2_have_their_own_numbers() {
    let hello = b"\x01\x03\x01\0\x06\0\0\0\x10\x01\0\x80\0\0\x05CCCCCCCCCCCCCCCC";
    let body = ItemBody::Ssl2 {
        length: hello.len() as u32,
        message: ssl2::Message::parse(&Bytes::from_static(hello)),
    };
    let found = object(&body);
    assert_eq!(
        (
            &found["kind"],
            &found["ssl2_type"],
            &found["length"],
            &found["version"]
        ),
        (&json!("sslv2"), &json!(1), &json!(hello.len()), &json!("1.0"))
    );
    assert!(found.get("ja3").is_none() && found.get("ja4").is_none());
    let master_key = ItemBody::Ssl2 {
        length: 4,
        message: ssl2::Message::parse(&Bytes::from_static(b"\x02\x01\0\x80")),
    };
    assert_eq!(object(&master_key)["ssl2_type"], 2);
    assert_eq!(lines(MessageLines::text(false), &master_key).lines().count(), 1);
}

#[test]
fn lines_for_people() {
    let text = |body| lines(MessageLines::text(false), &body);
    assert_eq!(
        text(handshake(HandshakeType::CLIENT_HELLO, client_hello())),
        "22:13:20.123456 10.0.0.2:40000        → [2001:db8::1]:443     client_hello            102 \
         TLS 1.3  a.local  h2  t13d0105h2_0f2cb44170f4_3a62dcb2b4a6\n"
    );
    assert!(
        text(handshake(HandshakeType::SERVER_HELLO, server_hello()))
            .ends_with("TLS 1.3  TLS_AES_128_GCM_SHA256  x25519\n")
    );
    let broken = text(handshake(HandshakeType::SERVER_HELLO_DONE, vec![1]));
    assert!(broken.contains("server_hello_done") && broken.contains("malformed: "));
    let alert = ItemBody::Alert(Alert {
        level: AlertLevel::FATAL,
        description: AlertDescription::UNKNOWN_CA,
    });
    let colored = lines(MessageLines::text(true), &alert);
    assert!(colored.contains("\x1b[31malert") && colored.ends_with("fatal unknown_ca\n"));
    assert!(!text(alert).contains('\x1b'));
}

#[test]
fn peers_cannot_steer_the_terminal() {
    let mut hello = client_hello();
    let at = hello.windows(7).position(|name| name == b"a.local").unwrap();
    hello[at] = 0x1b;
    let text = lines(
        MessageLines::text(false),
        &handshake(HandshakeType::CLIENT_HELLO, hello),
    );
    assert!(text.contains(".local") && !text.contains('\x1b'));
}
