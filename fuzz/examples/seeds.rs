//! Writes `seeds/`: a handshake or two, made by hand, for each target. Run it in this directory.

use std::fs;
use std::path::Path;

use observer_fuzz::shape;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, CrlDistributionPoint, CrlIssuingDistributionPoint,
    DnType, ExtendedKeyUsagePurpose, Issuer, KeyIdMethod, KeyPair, RevocationReason, RevokedCertParams,
    SanType, date_time_ymd,
};

#[path = "../../observer-tls/tests/support/mod.rs"]
mod support;

#[path = "../../observer/src/libraries/sample.rs"]
mod sample;

#[allow(dead_code, reason = "shared with tests")]
#[path = "../../observer-tls/tests/support/odd_certificate.rs"]
mod odd_certificate;

use odd_certificate::{common_name, sequence, tlv};

use support::*;
// What `sample` calls its neighbour.
use tls_observer::libraries::elf;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let leaf = certificate_der()?;
    write("certificate", "leaf", &leaf)?;
    write("revocation", "crl", &crl_der()?)?;
    write("revocation", "ocsp", &ocsp_der(&leaf))?;
    write("revocation", "ocsp-try-later", &sequence(&[tlv(0x0a, &[3])]))?;

    let client = [record(HANDSHAKE, &client_hello()), client_rest(&leaf)];
    let server = [server_flight(&leaf), finished()];
    let refused = [server_flight(&leaf), record(ALERT, &[2, 40])];
    let messages = [
        client_hello(),
        server_hello(),
        certificate(&[&leaf]),
        certificate_request(),
    ];
    for message in messages {
        // A body begins behind the length.
        let input = [&message[..1], &message[4..]].concat();
        write("handshake_message", &format!("type-{}", message[0]), &input)?;
    }
    elf_files()?;
    write("kernel_record", "piece", &kernel_record(&client[0]))?;
    write("stream_splits", "client", &[vec![100], client.concat()].concat())?;
    write("stream_splits", "server", &[vec![7], server.concat()].concat())?;
    write(
        "segment_stream",
        "client",
        &client.each_ref().map(|part| piece(0, part)).concat(),
    )?;
    write("segment_stream", "reordered", &reordered(&server.concat()))?;

    let records = [
        client_hello(),
        server_hello(),
        certificate(&[&leaf]),
        vec![0xe5; 40],
    ];
    let records = records.map(|payload| piece(0xc0, &[&[2], &payload[..]].concat()));
    write("record", "messages", &records.concat())?;
    let alerts = [[1, 2, 40], [1, 1, 0]].map(|payload| piece(0xc0, &payload));
    write("record", "alerts", &alerts.concat())?;
    extensions()?;

    captures(&client, &server)?;

    let script = |mode: u8, server: &[Vec<u8>; 2]| {
        [
            vec![mode],
            step(CLIENT, &client[0]),
            step(CLIENT | BACK, &server[0]),
            step(CLIENT, &client[1]),
            step(CLIENT | BACK, &server[1]),
        ]
        .concat()
    };
    write("flow_table", "established", &script(0x1c, &server))?;
    write("flow_table", "refused", &script(0x1c, &refused))?;
    write("flow_table", "twice", &script(0x80, &refused))?;
    let tls13 = [
        vec![0x80],
        step(CLIENT | 3, &client[0]),
        step(CLIENT | BACK | 3, &server_flight_tls13()),
        step(CLIENT | 3, &opaque_records(&[77, 74])),
        step(CLIENT | BACK | 3, &opaque_records(&[19])),
        vec![TICK, 1, 0],
    ]
    .concat();
    write("flow_table", "tls13", &tls13)?;
    // The tuple again, of a source that knows connections by their packets only.
    let again = [
        vec![0x5c],
        syn(CLIENT, 1000),
        step(CLIENT, &client[0]),
        step(CLIENT | BACK, &server[0]),
        syn(CLIENT, 90_000),
        step(CLIENT, &client[0]),
        step(CLIENT | BACK, &refused[1]),
    ]
    .concat();
    write("flow_table", "reuse", &again)
}

/// A connection as a capture file, plain and in other forms.
fn captures(client: &[Vec<u8>; 2], server: &[Vec<u8>; 2]) -> Result<(), Error> {
    let mut seqs = [1_u32, 1];
    let mut packets = vec![tcp(0, [0, 0], SYN, &[]), tcp(1, [0, 1], SYN | ACK, &[])];
    for (client, server) in client.iter().zip(server) {
        for (side, bytes) in [(0_usize, client), (1, server)] {
            for part in bytes.chunks(1448) {
                packets.push(tcp(side as u8, [seqs[side], seqs[1 - side]], ACK, part));
                seqs[side] += part.len() as u32;
            }
        }
    }
    // Raw IP, microseconds; then the same in a block format.
    let mut pcap = [
        le32(0xa1b2_c3d4),
        le32(0x0004_0002),
        le32(0),
        le32(0),
        le32(65_535),
        le32(101),
    ]
    .concat();
    let mut pcapng = [block(
        0x0a0d_0d0a,
        &[le32(0x1a2b_3c4d), le32(1), vec![0xff; 8]].concat(),
    )]
    .concat();
    pcapng.extend(block(1, &[le32(101), le32(0)].concat()));
    for (number, packet) in packets.iter().enumerate() {
        let (time, length) = (number as u32 * 1000, le32(packet.len() as u32));
        pcap.extend(
            [
                le32(1_700_000_000),
                le32(time),
                length.clone(),
                length.clone(),
                packet.clone(),
            ]
            .concat(),
        );
        let padding = vec![0; packet.len().wrapping_neg() & 3];
        let enhanced = [
            le32(0),
            le32(0),
            le32(time),
            length.clone(),
            length,
            packet.clone(),
            padding,
        ]
        .concat();
        pcapng.extend(block(6, &enhanced));
    }
    write("capture", "packets", &pcap)?;
    write("capture", "packets-cut", &pcap[..pcap.len() - 9])?;
    write("capture", "blocks", &pcapng)
}

const SYN: u8 = 2;
const ACK: u8 = 0x10;

/// An IPv4 packet from the client (0) or the server (1), checksums left out.
fn tcp(side: u8, [seq, ack]: [u32; 2], flags: u8, data: &[u8]) -> Vec<u8> {
    let length = (40 + data.len()) as u16;
    let [source, destination] = if side == 0 { [1, 2] } else { [2, 1] };
    let ports = if side == 0 {
        u16s(&[40_000, 443])
    } else {
        u16s(&[443, 40_000])
    };
    [
        vec![0x45, 0],
        u16s(&[length, 0, 0x4000]),
        vec![64, 6, 0, 0, 192, 0, 2, source, 192, 0, 2, destination],
        ports,
        seq.to_be_bytes().to_vec(),
        ack.to_be_bytes().to_vec(),
        vec![0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
        data.to_vec(),
    ]
    .concat()
}

/// A block of pcapng: its type, its length on both sides of what it holds.
fn block(typ: u32, content: &[u8]) -> Vec<u8> {
    let length = le32(content.len() as u32 + 12);
    [&le32(typ)[..], &length, content, &length].concat()
}

fn le32(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

/// The extensions of the hellos, and one of each that has a form of its own.
fn extensions() -> Result<(), Error> {
    let named: [(u16, Vec<u8>); 16] = [
        (0, server_name("service.example").split_off(4)),
        (1, vec![2]),
        (5, vec![1, 0, 0, 0, 0]),
        (10, vec16(&u16s(&[0x11ec, 29]))),
        (13, vec16(&u16s(&[0x0403, 0x0804]))),
        (14, [vec16(&u16s(&[1])), vec8(&[])].concat()),
        (16, vec16(&[vec8(b"h2"), vec8(b"http/1.1")].concat())),
        (17, vec16(&[vec![2], vec16(&[0, 0, 0, 0])].concat())),
        (
            18,
            vec16(&vec16(
                &[vec![0; 42], vec16(&[]), vec![4, 3], vec16(&[1; 70])].concat(),
            )),
        ),
        (
            34,
            [
                vec![0, 0, 0, 9, 4, 3],
                vec24(&[1; 44]),
                vec![4, 3],
                vec16(&[1; 70]),
            ]
            .concat(),
        ),
        (
            41,
            [
                vec16(&[vec16(&[7; 32]), vec![0; 4]].concat()),
                vec16(&vec8(&[1; 32])),
            ]
            .concat(),
        ),
        (43, vec8(&u16s(&[0x0304, 0x0303]))),
        (47, vec16(&vec16(&[0x30, 0]))),
        (
            48,
            vec16(&[vec8(&[0x55, 0x1d, 0x25]), vec16(&[0x30, 0])].concat()),
        ),
        (51, vec16(&[u16s(&[29]), vec16(&[9; 32])].concat())),
        (
            0xfe0d,
            [vec![0, 0, 1, 0, 1, 7], vec16(&[8; 32]), vec16(&[9; 144])].concat(),
        ),
    ];
    for (typ, content) in named {
        let input = [u16s(&[typ]), content].concat();
        write("extension", &format!("type-{typ}"), &input)?;
    }
    Ok(())
}

/// A SYN with this sequence number of its first byte.
fn syn(who: u8, seq: u32) -> Vec<u8> {
    let shape = shape::AT | 1 << shape::ACTION_SHIFT;
    [vec![who, 0, shape], seq.to_be_bytes().to_vec(), vec![0]].concat()
}

/// Bits of a step's first byte in `flow_table`: the client is known, the server sends, and time passes.
const CLIENT: u8 = 0x40;
const BACK: u8 = 4;
const TICK: u8 = 0xc0;

fn write(target: &str, name: &str, input: &[u8]) -> Result<(), Error> {
    let directory = Path::new("seeds").join(target);
    fs::create_dir_all(&directory)?;
    fs::write(directory.join(name), input)?;
    Ok(())
}

fn step(who: u8, data: &[u8]) -> Vec<u8> {
    const SYN_SEEN: u8 = 1;
    [vec![who, SYN_SEEN], piece(0, data)].concat()
}

/// A piece behind the one before.
fn piece(shape: u8, data: &[u8]) -> Vec<u8> {
    [vec![shape | shape::LONG], vec16(data)].concat()
}

/// A stream in three pieces, the second one last.
fn reordered(stream: &[u8]) -> Vec<u8> {
    let third = stream.len() / 3;
    let at = |from: usize, to: usize| {
        let start = (from as u32).to_be_bytes();
        [&[shape::AT | shape::LONG], &start[..], &vec16(&stream[from..to])].concat()
    };
    [at(0, third), at(2 * third, stream.len()), at(third, 2 * third)].concat()
}

fn client_rest(leaf: &[u8]) -> Vec<u8> {
    let flight = [
        certificate(&[leaf]),
        message(16, &vec8(&[4; 32])),
        message(15, &[6; 72]),
    ]
    .concat();
    [record(HANDSHAKE, &flight), finished()].concat()
}

fn finished() -> Vec<u8> {
    [record(CHANGE_CIPHER_SPEC, &[1]), record(HANDSHAKE, &[0xe5; 40])].concat()
}

fn server_flight(leaf: &[u8]) -> Vec<u8> {
    let flight = [
        server_hello(),
        certificate(&[leaf]),
        message(12, &[vec![3, 0, 29], vec8(&[9; 32])].concat()),
        certificate_request(),
        message(14, &[]),
    ];
    record(HANDSHAKE, &flight.concat())
}

fn certificate_request() -> Vec<u8> {
    let name = [
        0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 6, 3, 0x55, 4, 3, 0x0c, 2, b'C', b'A',
    ];
    let body = [vec8(&[1, 64]), vec16(&u16s(&[0x0403])), vec16(&vec16(&name))].concat();
    message(13, &body)
}

fn server_flight_tls13() -> Vec<u8> {
    let version = extension(43, &u16s(&[0x0304]));
    let share = extension(51, &[u16s(&[29]), vec16(&[0xab; 32])].concat());
    let hello = message(2, &server_hello_body(SERVER_RANDOM, &[version, share]));
    [
        record(HANDSHAKE, &hello),
        record(CHANGE_CIPHER_SPEC, &[1]),
        opaque_records(&[32, 60, 700, 281, 69]),
    ]
    .concat()
}

fn opaque_records(lengths: &[usize]) -> Vec<u8> {
    lengths
        .iter()
        .flat_map(|length| record(APPLICATION_DATA, &vec![0xe5; *length]))
        .collect()
}

fn kernel_record(data: &[u8]) -> Vec<u8> {
    let mut header = [0; 104];
    header[0] = 1;
    let length = (data.len() as u32).to_ne_bytes();
    header[8..12].copy_from_slice(&length);
    header[12..16].copy_from_slice(&length);
    [&header, data].concat()
}

fn certificate_der() -> Result<Vec<u8>, Error> {
    let mut params = CertificateParams::new(["service.example".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, "service");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Example");
    params
        .subject_alt_names
        .push(SanType::IpAddress([192, 0, 2, 1].into()));
    params
        .subject_alt_names
        .push(SanType::URI("spiffe://example/service".try_into()?));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    Ok(params.self_signed(&key)?.der().to_vec())
}

fn elf_files() -> Result<(), Error> {
    const CODE: &[u8] = &[0x49, 0x3b, 0x66, 0x10, 0x76, 0x02, 0x55, 0xc3];
    let names = [
        "X509_verify_cert",
        "ERR_vset_error",
        "OpenSSL_version_num",
        "d2i_X509",
    ];
    let openssl = sample::library(elf::Machine::X86_64, &names.map(|name| (name, CODE)));
    write("elf_file", "openssl", &openssl)?;
    let names = [
        "_ZN6rustls12common_state11CommonState16send_fatal_alert17h0123456789abcdefE",
        "aws_lc_0_30_0_EVP_AEAD_CTX_open",
    ];
    let rustls = sample::library(elf::Machine::Aarch64, &names.map(|name| (name, CODE)));
    write("elf_file", "rustls", &rustls)?;
    let names = [
        "crypto/tls.(*Conn).handshakeContext",
        "crypto/tls.(*Conn).sendAlertLocked",
        "main.main",
    ];
    write(
        "elf_file",
        "go",
        &sample::go_program(&names.map(|name| (name, CODE))),
    )
}

/// A CRL with two entries and all that rcgen can put into one.
fn crl_der() -> Result<Vec<u8>, Error> {
    let revoked = |serial: u8, reason_code| RevokedCertParams {
        serial_number: vec![serial].into(),
        revocation_time: date_time_ymd(2024, 3, 1),
        reason_code,
        invalidity_date: Some(date_time_ymd(2024, 2, 1)),
    };
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 5, 1),
        next_update: date_time_ymd(2024, 7, 1),
        crl_number: vec![1].into(),
        issuing_distribution_point: Some(CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint {
                uris: vec!["http://crl.example/1".to_owned()],
            },
            scope: None,
        }),
        revoked_certs: vec![
            revoked(5, Some(RevocationReason::KeyCompromise)),
            revoked(3, None),
        ],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let issuer = Issuer::new(CertificateParams::default(), KeyPair::generate()?);
    Ok(list.signed_by(&issuer)?.der().to_vec())
}

/// An OCSP response about one good and one revoked certificate, which brings `certificate`, "signed" by bytes that are no
/// signature.
fn ocsp_der(certificate: &[u8]) -> Vec<u8> {
    let time = || tlv(0x18, b"20240501000000Z");
    let answer = |serial: u8, status: &[u8]| {
        let hash = sequence(&[tlv(6, &[0x2b, 14, 3, 2, 26]), tlv(5, b"")]);
        let hashes = [tlv(4, &[1; 20]), tlv(4, &[2; 20])].concat();
        let id = sequence(&[hash, hashes, tlv(2, &[serial])]);
        sequence(&[id, status.to_vec(), time(), tlv(0xa0, &time())])
    };
    let revoked = tlv(0xa1, &[time(), tlv(0xa0, &tlv(0x0a, &[1]))].concat());
    let answers = sequence(&[answer(5, &[0x80, 0]), answer(3, &revoked)]);
    let data = sequence(&[tlv(0xa1, &common_name(0x0c, b"responder")), time(), answers]);
    let algorithm = sequence(&[tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])]);
    let certificates = tlv(0xa0, &sequence(&[certificate.to_vec()]));
    let basic = sequence(&[data, algorithm, tlv(3, &[0, 0x77]), certificates]);
    let bytes = sequence(&[tlv(6, &[0x2b, 6, 1, 5, 5, 7, 48, 1, 1]), tlv(4, &basic)]);
    sequence(&[tlv(0x0a, &[0]), tlv(0xa0, &bytes)])
}
