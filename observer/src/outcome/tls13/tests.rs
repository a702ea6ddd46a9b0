//! The measured record sequences, and what to conclude of each.

mod endings;
mod shapes;

use super::*;
use crate::observation::Outcome;
use observer_tls::codepoints::ContentType;

const SHA256: Option<CipherSuite> = Some(CipherSuite::TLS_AES_128_GCM_SHA256);
const SHA384: Option<CipherSuite> = Some(CipherSuite::TLS_AES_256_GCM_SHA384);
/// EncryptedExtensions, CertificateRequest, Certificate, CertificateVerify, Finished (SHA-384).
const SERVER_FLIGHT: [i32; 5] = [-23, -100, -800, -96, -69];

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// Positive lengths are the client's, negative ones the server's. They come a millisecond one after the other.
fn records(lengths: &[i32]) -> Vec<OpaqueRecord> {
    let record = |(index, &length): (usize, &i32)| OpaqueRecord {
        sender: if length < 0 { Side::Server } else { Side::Client },
        content_type: ContentType::APPLICATION_DATA,
        length: u16::try_from(length.unsigned_abs()).unwrap(),
        offset_ns: index as u64 * MS,
    };
    lengths.iter().enumerate().map(record).collect()
}

/// A full handshake of these records.
fn sequence(records: &[OpaqueRecord], cipher: Option<CipherSuite>) -> Sequence<'_> {
    Sequence {
        records,
        cipher,
        psk: false,
        early_data: false,
        server_hello_ns: MS,
        client_closed_ns: None,
        habits: Habits::default(),
        takes_tickets: true,
    }
}

fn read_all(cipher: Option<CipherSuite>, lengths: &[i32]) -> Reading {
    read(&sequence(&records(lengths), cipher))
}

fn read_after_flight(cipher: Option<CipherSuite>, lengths: &[i32]) -> Reading {
    let finished = -i32::from(Sizes::of(cipher).finished);
    let flight = [&SERVER_FLIGHT[..4], &[finished]].concat();
    read_all(cipher, &[&flight, lengths].concat())
}

/// The same where the server did not ask for a certificate.
fn read_unasked(lengths: &[i32]) -> Reading {
    read_all(SHA384, &[&[-23, -800, -96, -69], lengths].concat())
}

/// A resumed handshake.
fn read_resumed(early_data: bool, lengths: &[i32]) -> Reading {
    let records = records(lengths);
    read(&Sequence {
        psk: true,
        early_data,
        ..sequence(&records, SHA384)
    })
}

fn rule(conclusion: Conclusion) -> (Outcome, Rule) {
    (conclusion.outcome, conclusion.rule.unwrap())
}

fn outcome(reading: Reading) -> Option<(Outcome, Option<Reason>)> {
    reading
        .conclusion
        .map(|conclusion| (conclusion.outcome, conclusion.reason))
}

const MISSING: Reason = Reason::Certificate(Side::Client, CertificateFault::Missing);
const REFUSED: Reason = Reason::Certificate(Side::Client, CertificateFault::Rejected);

/// The table of measured servers: what the client sent, what the server answered, what to conclude.
#[test]
fn measured_flights_and_answers() {
    use ClientCertificate::{RequestedNotSent, Sent};
    let established = Some((Outcome::Established, None));
    let missing = Some((Outcome::Rejected, Some(MISSING)));
    let refused = Some((Outcome::Rejected, Some(REFUSED)));
    let cases: [(&str, Option<CipherSuite>, &[i32], ClientCertificate, _); 13] = [
        (
            "openssl accepts",
            SHA384,
            &[881, 96, 69, -682, -682],
            Sent,
            established,
        ),
        ("nginx accepts", SHA384, &[463, 95, 69, -714], Sent, established),
        (
            "rustls accepts a rustls client",
            SHA384,
            &[599, -179],
            Sent,
            established,
        ),
        ("go accepts", SHA256, &[600, 97, 53, -1404], Sent, established),
        (
            "gnutls accepts",
            SHA384,
            &[881, 96, 69, 120, -1148],
            Sent,
            established,
        ),
        (
            "openssl, no certificate",
            SHA384,
            &[25, 69, -19],
            RequestedNotSent,
            missing,
        ),
        (
            "rustls client, no certificate",
            SHA384,
            &[77, -19],
            RequestedNotSent,
            missing,
        ),
        (
            "the same with SHA-256",
            SHA256,
            &[61, -19],
            RequestedNotSent,
            missing,
        ),
        (
            "openssl, bad certificate",
            SHA384,
            &[881, 96, 69, -19],
            Sent,
            refused,
        ),
        (
            "gnutls sends two",
            SHA384,
            &[881, 96, 69, -19, -19],
            Sent,
            refused,
        ),
        ("rustls, bad certificate", SHA384, &[594, -19], Sent, refused),
        (
            "request data before the refusal",
            SHA384,
            &[25, 69, 77, -19],
            RequestedNotSent,
            missing,
        ),
        (
            "nginx answers 400",
            SHA384,
            &[25, 69, -282, -282],
            RequestedNotSent,
            established,
        ),
    ];
    for (name, cipher, lengths, certificate, expected) in cases {
        let reading = read_after_flight(cipher, lengths);
        assert_eq!(reading.client_certificate, certificate, "{name}");
        assert_eq!(outcome(reading), expected, "{name}");
        assert!(reading.recognised, "{name}");
        assert_eq!(reading.flight_start, Some(5), "{name}");
    }
}

#[test]
fn a_client_that_sends_an_alert_refuses_the_server() {
    let conclusion = read_after_flight(SHA384, &[19]).conclusion.unwrap();
    assert_eq!(conclusion.rejected_by, Some(Side::Client));
    assert_eq!(
        conclusion.reason,
        Some(Reason::Certificate(Side::Server, CertificateFault::Rejected))
    );
    assert_eq!(conclusion.rule, Some(Rule::ClientAlert));
    // Once more, as GnuTLS does.
    assert_eq!(read_after_flight(SHA384, &[19, 19]).conclusion, Some(conclusion));
}

#[test]
fn a_server_that_begins_with_an_alert_refuses() {
    for lengths in [&[-19][..], &[-19, -19]] {
        let conclusion = read_all(SHA384, lengths).conclusion.unwrap();
        assert_eq!(rule(conclusion), (Outcome::Rejected, Rule::ServerAlertAtOnce));
        assert_eq!(conclusion.rejected_by, Some(Side::Server));
    }
    // Behind its flight it is the end of its patience.
    assert_eq!(read_after_flight(SHA384, &[-19]).conclusion, None);
}

#[test]
fn no_conclusion_before_the_flight_is_answered() {
    for lengths in [&[][..], &[25], &[25, 69], &[881], &[881, 96], &[881, 96, 69]] {
        assert_eq!(read_after_flight(SHA384, lengths).conclusion, None, "{lengths:?}");
    }
    assert_eq!(read_after_flight(SHA384, &[25]).flight_end, None);
}

#[test]
fn server_data_before_the_clients_flight_belongs_to_the_servers() {
    let reading = read_after_flight(SHA384, &[-60, 881, 96, 69]);
    assert_eq!((reading.conclusion, reading.flight_start), (None, Some(6)));
    // It crosses the client's Finished.
    let reading = read_after_flight(SHA384, &[25, -60, 69, -19]);
    assert_eq!(outcome(reading), Some((Outcome::Rejected, Some(MISSING))));
}
