//! What is measured: the inputs, the same in each run, and what is done with them.

use std::hint::black_box;

use bytes::Bytes;
use observer_tls::certificate_request::CertificateRequest;
use observer_tls::client_hello::ClientHello;
use observer_tls::codepoints::ProtocolVersion;
use observer_tls::fingerprint::{ja3, ja4};
use observer_tls::handshake::Message;
use observer_tls::stream::{Item, ItemBody, Stream};
use observer_tls::x509::CertificateFacts;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};

#[path = "../../tests/support/mod.rs"]
mod support;

use support::*;

/// TCP payload of a full Ethernet frame with time stamps.
const SEGMENT: usize = 1448;
/// Payload of a full record.
const RECORD: usize = 1 << 14;
/// Bytes of a bulk input.
const BULK: usize = 1 << 20;

/// One thing to measure.
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// Bytes on the wire that one run reads.
    pub bytes: usize,
    /// One run.
    pub run: Box<dyn Fn()>,
}

impl Case {
    fn new(name: &'static str, bytes: usize, run: impl Fn() + 'static) -> Self {
        let run = Box::new(run);
        Self { name, bytes, run }
    }
}

/// All cases.
pub fn all() -> Vec<Case> {
    let chains = [chain("server"), chain("client")];
    let leaf = chains[0][0].clone();
    let mutual = [client_tls12(&chains[1]), server_tls12(&chains[0])];
    let hellos = [
        record(HANDSHAKE, &client_hello()),
        record(HANDSHAKE, &server_hello_tls13()),
    ];
    let hello_body = Bytes::from(client_hello().split_off(4));
    let hello = ClientHello::parse(&hello_body).expect("the hello is well-formed");
    let records = records(APPLICATION_DATA, &vec![0xe5; BULK], RECORD);
    let tls_bulk = [record(HANDSHAKE, &client_hello()), records].concat();
    let other_bulk = [b"220 files.example ready\r\n".to_vec(), vec![b'x'; BULK]].concat();
    vec![
        Case::new("tls12_mutual", mutual.concat().len(), {
            let mutual = mutual.clone();
            move || mutual.iter().for_each(|side| drop(black_box(read(side))))
        }),
        Case::new("tls12_mutual_certificates", mutual.concat().len(), move || {
            for side in &mutual {
                read(side).iter().for_each(read_further);
            }
        }),
        Case::new("tls13_hellos", hellos.concat().len(), move || {
            for side in &hellos {
                read(side).iter().for_each(read_further);
            }
        }),
        Case::new("tls_bulk", tls_bulk.len(), move || {
            drop(black_box(read(&tls_bulk)))
        }),
        Case::new("other_bulk", other_bulk.len(), move || {
            drop(black_box(read(&other_bulk)))
        }),
        Case::new("ja3", hello_body.len(), {
            let hello = hello.clone();
            move || {
                black_box(ja3(black_box(&hello)));
            }
        }),
        Case::new("ja4", hello_body.len(), move || {
            black_box(ja4(black_box(&hello)));
        }),
        Case::new("certificate", leaf.len(), move || {
            black_box(CertificateFacts::parse(black_box(&leaf)));
        }),
    ]
}

/// One direction of a connection, in segments.
fn read(bytes: &[u8]) -> Vec<Item> {
    let mut stream = Stream::new();
    let mut items = Vec::new();
    let mut seq = 0_u32;
    for segment in black_box(bytes).chunks(SEGMENT) {
        let length = segment.len() as u32;
        stream.push(seq, segment, length, 1, &mut items);
        seq = seq.wrapping_add(length);
    }
    stream.finish(&mut items);
    items
}

/// What is left to be read of an item when it becomes a part of an event.
fn read_further(item: &Item) {
    let ItemBody::Handshake { message, .. } = &item.body else {
        return;
    };
    match message {
        Message::ClientHello(hello) => {
            black_box(hello.server_name());
            black_box(hello.supported_versions());
            black_box(hello.supported_groups());
            black_box(hello.key_share_groups());
            black_box(hello.signature_algorithms());
            black_box(hello.alpn());
        }
        Message::ServerHello(hello) => {
            black_box(hello.selected_version());
            black_box(hello.selected_group());
        }
        Message::Certificate(list) => list.certificates.iter().for_each(|der| {
            black_box(CertificateFacts::parse(der));
        }),
        Message::CertificateRequest(body) => {
            black_box(CertificateRequest::parse(body, Some(ProtocolVersion::TLS12)).is_ok());
        }
        _ => {}
    }
}

/// What a client sends in a full TLS 1.2 handshake with its certificate.
fn client_tls12(chain: &[Vec<u8>]) -> Vec<u8> {
    let flight = [
        certificate(&[&chain[0], &chain[1]]),
        message(16, &vec8(&[4; 32])),
        message(15, &[u16s(&[0x0403]), vec16(&[6; 71])].concat()),
    ]
    .concat();
    [
        record(HANDSHAKE, &client_hello()),
        record(HANDSHAKE, &flight),
        finished(),
        record(APPLICATION_DATA, &[0xe5; 60]),
    ]
    .concat()
}

/// What a server sends in a full TLS 1.2 handshake in which it asks for a certificate.
fn server_tls12(chain: &[Vec<u8>]) -> Vec<u8> {
    let name = [
        0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 6, 3, 0x55, 4, 3, 0x0c, 2, b'C', b'A',
    ];
    let key_exchange = [vec![3, 0, 29], vec8(&[9; 32]), u16s(&[0x0403]), vec16(&[8; 71])].concat();
    let request = [
        vec8(&[1, 64]),
        vec16(&u16s(&[0x0403, 0x0804])),
        vec16(&vec16(&name)),
    ]
    .concat();
    let flight = [
        server_hello(),
        certificate(&[&chain[0], &chain[1]]),
        message(12, &key_exchange),
        message(13, &request),
        message(14, &[]),
    ]
    .concat();
    [
        record(HANDSHAKE, &flight),
        record(
            HANDSHAKE,
            &message(4, &[vec![0, 0, 0x1c, 0x20], vec16(&[0x44; 160])].concat()),
        ),
        finished(),
        record(APPLICATION_DATA, &[0xe5; 200]),
    ]
    .concat()
}

fn finished() -> Vec<u8> {
    [record(CHANGE_CIPHER_SPEC, &[1]), record(HANDSHAKE, &[0xe5; 40])].concat()
}

fn server_hello_tls13() -> Vec<u8> {
    let version = extension(43, &u16s(&[0x0304]));
    let share = extension(51, &[u16s(&[4588]), vec16(&[0xab; 1120])].concat());
    message(2, &server_hello_body(SERVER_RANDOM, &[version, share]))
}

/// A leaf and its issuer, DER. Keys are Ed25519 from a fixed seed, so that every run makes the same bytes.
fn chain(name: &str) -> [Vec<u8>; 2] {
    let authority_name = format!("{name} issuing CA");
    let mut authority = params(&authority_name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let key = key(1);
    let authority_der = authority.self_signed(&key).expect("a certificate can be made");
    let issuer = Issuer::new(authority, key);

    let mut leaf = params(name);
    leaf.use_authority_key_identifier_extension = true;
    leaf.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];
    leaf.subject_alt_names = vec![
        SanType::DnsName(format!("{name}.example").try_into().expect("a DNS name is ASCII")),
        SanType::IpAddress([192, 0, 2, 1].into()),
        SanType::URI(
            format!("spiffe://example/{name}")
                .try_into()
                .expect("a URI is ASCII"),
        ),
    ];
    let leaf_der = leaf
        .signed_by(&self::key(2), &issuer)
        .expect("a certificate can be made");
    [leaf_der.der().to_vec(), authority_der.der().to_vec()]
}

fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CountryName, "SE");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Example");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

/// The key pair of the seed that consists of this byte only (PKCS#8, RFC 8410, section 7).
fn key(seed: u8) -> KeyPair {
    const HEADER: [u8; 16] = [
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    let der = [&HEADER[..], &[seed; 32]].concat();
    KeyPair::try_from(der).expect("the key is well-formed")
}
