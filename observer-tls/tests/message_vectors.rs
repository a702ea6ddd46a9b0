//! Messages and corpora of other projects, which are not part of this one: `TLS_OBSERVER_CAPTURES` names the folder that
//! has them in `message-vectors` and `fuzz-seeds`. Without it these tests say so and pass.

mod reading;
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use observer_tls::certificate_request::CertificateRequest;
use observer_tls::codepoints::*;
use observer_tls::extension::{Extension, ExtensionContent, ExtensionContext};
use observer_tls::handshake::Message;
use observer_tls::key_exchange::{ServerKeyExchange, ServerShare};
use reading::read_everything;

/// A folder within the one that was given.
fn given(folder: &str) -> Option<PathBuf> {
    let Some(captures) = std::env::var_os("TLS_OBSERVER_CAPTURES") else {
        println!("TLS_OBSERVER_CAPTURES is not set: nothing to read");
        return None;
    };
    Some(Path::new(&captures).join(folder))
}

/// The bytes of `static NAME: &[u8] = &[…];` in a Rust file.
fn constant(source: &str, name: &str) -> Bytes {
    let (_, rest) = source.split_once(&format!("static {name}")).unwrap();
    let (_, rest) = rest.split_once("&[\n").unwrap();
    let (numbers, _) = rest.split_once(']').unwrap();
    numbers
        .split(',')
        .map(str::trim)
        .filter(|number| !number.is_empty())
        .map(|number| u8::from_str_radix(number.trim_start_matches("0x"), 16).unwrap())
        .collect()
}

/// The first message in a plaintext record.
fn message(record: &Bytes) -> Message {
    let length = usize::from(record[7]) << 8 | usize::from(record[8]);
    read_everything(HandshakeType(record[5]), &record.slice(9..9 + length))
}

fn types(extensions: &[Extension]) -> Vec<u16> {
    extensions.iter().map(|extension| extension.typ.0).collect()
}

#[test]
fn vectors_of_tls_parser_read_as_their_project_says() {
    let Some(folder) = given("message-vectors/tls-parser") else {
        return;
    };
    let source = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    hellos(&source("tls_handshake.rs"), &source("tls_tls13.rs"));
    requests(&source("tls_handshake.rs"));
    key_exchanges(&source("tls_dh.rs"));
    extensions(
        &source("tls_extensions.rs"),
        &source("certificate_transparency.rs"),
    );

    let esni = Bytes::from(std::fs::read(folder.join("esni.bin")).unwrap());
    let esni = Extension {
        typ: ExtensionType::ENCRYPTED_SERVER_NAME,
        data: esni.slice(4..),
    };
    let content = esni.content(ExtensionContext::ClientHello);
    let Ok(ExtensionContent::EncryptedServerName(name)) = content else {
        panic!("{content:?}")
    };
    assert_eq!(
        (name.suite, name.group),
        (CipherSuite(0x1301), NamedGroup::X25519)
    );

    let Message::ClientHello(dhe) =
        message(&std::fs::read(folder.join("client_hello_dhe.bin")).unwrap().into())
    else {
        panic!("not a ClientHello")
    };
    assert_eq!((dhe.cipher_suites.len(), dhe.error), (28, None));
}

fn hellos(tls12: &str, tls13: &str) {
    let Message::ClientHello(hello) = message(&constant(tls12, "CH")) else {
        panic!("not a ClientHello")
    };
    assert_eq!(hello.cipher_suites.len(), 85);
    assert_eq!(hello.cipher_suites[0], CipherSuite(0xc030));
    assert_eq!(types(&hello.extensions), [11, 10, 35, 13, 15]);
    assert_eq!((hello.session_id.len(), hello.error), (0, None));

    let record = constant(tls12, "SERVER_REPLY1");
    let Message::ServerHello(hello) = message(&record) else {
        panic!("not a ServerHello")
    };
    assert_eq!(hello.random, record[11..43]);
    assert_eq!((hello.cipher_suite, hello.error), (CipherSuite(0xc02f), None));

    let Message::ClientHello(hello) = message(&constant(tls13, "TV_CLIENT_HELLO_1")) else {
        panic!("not a ClientHello")
    };
    assert_eq!(hello.cipher_suites.len(), 31);
    assert_eq!(hello.key_share_groups(), [NamedGroup::X25519]);
    assert!(
        hello
            .supported_versions()
            .iter()
            .all(|version| version.name().is_some())
    );

    let Message::ServerHello(hello) = message(&constant(tls13, "TV_SERVER_HELLO_1")) else {
        panic!("not a ServerHello")
    };
    assert_eq!(hello.selected_version().to_string(), "TLS 1.3 draft 18");
    assert_eq!((hello.cipher_suite, hello.error), (CipherSuite(0x1301), None));
    assert_eq!(hello.selected_group(), Some(NamedGroup::X25519));
}

fn requests(source: &str) {
    for (name, authorities) in [
        ("SERVER_CERTIFICATE_REQUEST_NOCA", &[][..]),
        (
            "SERVER_CERTIFICATE_REQUEST_CA",
            &["O=Internet Widgits Pty Ltd,ST=Some-State,C=FR"],
        ),
    ] {
        let Message::CertificateRequest(body) = message(&constant(source, name)) else {
            panic!("{name}")
        };
        for version in [None, Some(ProtocolVersion::TLS12)] {
            let request = CertificateRequest::parse(&body, version).unwrap();
            assert_eq!(request.certificate_types.as_ref(), [1, 2, 0x40]);
            assert_eq!(request.signature_algorithms.len(), 15);
            assert_eq!(request.authority_names(), authorities);
        }
    }
    let status = constant(source, "SERVER_STATUS_RESPONSE");
    let Message::CertificateStatus(read) = Message::parse(HandshakeType(status[0]), &status.slice(4..))
    else {
        panic!("not a CertificateStatus")
    };
    assert_eq!(read.responses, [status.slice(8..)]);
}

fn key_exchanges(source: &str) {
    let parameters = |name: &str, suite: CipherSuite| {
        let message = ServerKeyExchange {
            body: constant(source, name),
        };
        let exchange = suite.key_exchange().unwrap();
        message
            .parameters(exchange, Some(ProtocolVersion::TLS12))
            .unwrap()
    };
    let ecdhe = parameters("ECDHE_PARAMS", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
    let share = ServerShare::EllipticCurve {
        group: NamedGroup::SECP521R1,
        public_length: 133,
    };
    assert_eq!(ecdhe.share, Some(share));
    let scheme = ecdhe.signature.and_then(|signature| signature.scheme);
    assert_eq!(scheme, Some(SignatureScheme::RSA_PKCS1_SHA1));

    let dhe = parameters("DHE_PARAMS", CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256);
    assert!(
        matches!(dhe.share, Some(ServerShare::FiniteField { prime_bits: 2048, .. })),
        "{dhe:?}"
    );
    let signature = dhe.signature.unwrap();
    assert_eq!(
        (signature.scheme, signature.length),
        (Some(SignatureScheme::RSA_PKCS1_SHA512), 256)
    );
}

fn extensions(source: &str, transparency: &str) {
    let list = constant(source, "CLIENT_EXTENSIONS1");
    let length = u16::try_from(list.len()).unwrap().to_be_bytes();
    let body = Bytes::from([&length, &list[..]].concat());
    let Message::EncryptedExtensions(message) = read_everything(HandshakeType::ENCRYPTED_EXTENSIONS, &body)
    else {
        panic!("not a list")
    };
    assert_eq!(types(&message.extensions), [0, 11, 10, 35, 13, 5, 15]);
    for extension in &message.extensions {
        let content = extension.content(ExtensionContext::ClientHello).unwrap();
        assert!(!matches!(content, ExtensionContent::Raw(_)), "{content:?}");
    }

    let timestamps = Extension {
        typ: ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP,
        data: constant(transparency, "SCT_LIST"),
    };
    let content = timestamps.content(ExtensionContext::Certificate);
    let Ok(ExtensionContent::SignedCertificateTimestamps(timestamps)) = content else {
        panic!("{content:?}")
    };
    let told: Vec<_> = timestamps
        .iter()
        .map(|timestamp| {
            (
                timestamp.log_id[0],
                timestamp.timestamp_ms,
                timestamp.signature_scheme,
            )
        })
        .collect();
    let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
    assert_eq!(
        told,
        [
            (0xf6, 1_590_535_362_469, scheme),
            (0x5c, 1_590_535_362_464, scheme)
        ]
    );
}

/// The handshake messages in the plaintext records of a fuzzing corpus' file, which has settings before them.
fn messages_of(file: &[u8]) -> Vec<(HandshakeType, Bytes)> {
    let is_record = |at: &usize| matches!(file[*at..], [22, 3, 0..=4, _, _, 1 | 2, 0, ..]);
    let mut rest = (0..file.len()).find(is_record).map_or(&[][..], |at| &file[at..]);
    let mut stream = Vec::new();
    while let [22, 3, 0..=4, high, low, after @ ..] = rest {
        let length = usize::from(*high) << 8 | usize::from(*low);
        stream.extend(&after[..length.min(after.len())]);
        rest = after.get(length..).unwrap_or_default();
    }
    let mut rest = &stream[..];
    let mut messages = Vec::new();
    while let [typ, 0, high, low, after @ ..] = rest {
        let length = usize::from(*high) << 8 | usize::from(*low);
        let Some(body) = after.get(..length) else { break };
        messages.push((HandshakeType(*typ), Bytes::copy_from_slice(body)));
        rest = &after[length..];
    }
    messages
}

/// The files of an archive, unpacked into a folder of its own.
fn files_of(archive: &Path) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(archive.file_name().unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-xzf")
        .arg(archive)
        .arg("-C")
        .arg(&folder)
        .arg("--strip-components=1");
    let status = tar.status().unwrap();
    assert!(status.success(), "{}: {status}", archive.display());
    let files = std::fs::read_dir(&folder).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file())
        .collect()
}

#[test]
fn fuzzing_corpora_can_be_read() {
    let Some(folder) = given("fuzz-seeds") else {
        return;
    };
    for archive in ["boringssl-client_corpus.tar.gz", "boringssl-server_corpus.tar.gz"] {
        let (mut read, mut malformed) = (0, 0);
        for file in files_of(&folder.join(archive)) {
            for (typ, body) in messages_of(&std::fs::read(file).unwrap()) {
                match read_everything(typ, &body) {
                    Message::Malformed { .. } => malformed += 1,
                    _ => read += 1,
                }
            }
        }
        println!("{archive}: {read} messages read, {malformed} malformed");
        assert!(
            read > 300 && malformed < read / 10,
            "{archive}: {read} read, {malformed} malformed"
        );
    }
}
