//! The measured record sequences, and what to conclude of each.

use super::*;
use crate::observation::Outcome;

const SHA256: Option<CipherSuite> = Some(CipherSuite::TLS_AES_128_GCM_SHA256);
const SHA384: Option<CipherSuite> = Some(CipherSuite::TLS_AES_256_GCM_SHA384);
/// EncryptedExtensions, CertificateRequest, Certificate, CertificateVerify, Finished (SHA-384).
const SERVER_FLIGHT: [i32; 5] = [-23, -100, -800, -96, -69];

/// Positive lengths are the client's, negative ones the server's.
fn records(lengths: &[i32]) -> Vec<OpaqueRecord> {
    let record = |&length: &i32| OpaqueRecord {
        sender: if length < 0 { Side::Server } else { Side::Client },
        content_type: ContentType::APPLICATION_DATA,
        length: u16::try_from(length.unsigned_abs()).unwrap(),
        offset_ns: 0,
    };
    lengths.iter().map(record).collect()
}

fn read_after_flight(cipher: Option<CipherSuite>, lengths: &[i32]) -> Reading {
    let records = records(&[&SERVER_FLIGHT, lengths].concat());
    read(&Sequence {
        records: &records,
        cipher,
        psk: false,
        early_data: false,
    })
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
    use ClientCertificate::{NotRequested, RequestedNotSent, Sent};
    let established = Some((Outcome::Established, None));
    let missing = Some((Outcome::Rejected, Some(MISSING)));
    let refused = Some((Outcome::Rejected, Some(REFUSED)));
    let cases: [(&str, Option<CipherSuite>, &[i32], ClientCertificate, _); 14] = [
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
        (
            "no client certificate asked",
            SHA256,
            &[53, 90, -255],
            NotRequested,
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
    assert_eq!(conclusion.rule, Some(RULE_CLIENT_ALERT));
}

#[test]
fn no_verdict_before_the_flight_is_answered() {
    for lengths in [
        &[][..],
        &[25],
        &[25, 69],
        &[881],
        &[881, 96],
        &[881, 96, 69],
        &[69, 200],
    ] {
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

#[test]
fn closes_and_silence_after_the_flight() {
    let complete = read_after_flight(SHA384, &[881, 96, 69]);
    let aborted = complete.at_close(Reason::Reset);
    assert_eq!(
        (aborted.outcome, aborted.reason),
        (Outcome::Aborted, Some(Reason::Reset))
    );
    assert_eq!(aborted.rule, Some(RULE_NO_ANSWER));
    assert_eq!(complete.at_settle_time().outcome, Outcome::Established);
    assert_eq!(complete.at_settle_time().rule, Some(RULE_SETTLED));

    let cut = read_after_flight(SHA384, &[881, 96]);
    assert_eq!(cut.at_settle_time(), Conclusion::INCOMPLETE);
    let before = read_after_flight(SHA384, &[]);
    assert_eq!(
        before.at_close(Reason::Closed),
        Conclusion::aborted(Reason::Closed)
    );
}

#[test]
fn a_client_that_closes_first_gets_a_close_notify_and_no_refusal() {
    let reading = read_after_flight(SHA384, &[69, 100, 19, -19]);
    assert_eq!(reading.conclusion.unwrap().rule, Some(RULE_BOTH_CLOSED));
    let refused = read_after_flight(SHA384, &[25, 69, 100, 19, -19]);
    assert_eq!(outcome(refused), Some((Outcome::Rejected, Some(MISSING))));
}

#[test]
fn resumed_sessions_tell_nothing_of_a_certificate() {
    let records = records(&[-23, -69, 69, -714]);
    let reading = read(&Sequence {
        records: &records,
        cipher: SHA384,
        psk: true,
        early_data: false,
    });
    assert_eq!(reading.client_certificate, ClientCertificate::Unknown);
    assert_eq!(outcome(reading), Some((Outcome::Established, None)));
}

#[test]
fn early_data_is_no_flight() {
    let early = records(&[400, 19, -23, -69, 300, 21, 69, -714]);
    let reading = read(&Sequence {
        records: &early,
        cipher: SHA384,
        psk: true,
        early_data: true,
    });
    assert_eq!(reading.flight_end, Some(6));
    assert_eq!(outcome(reading), Some((Outcome::Established, None)));
    let open = records(&[400, 19, -23, -69, 300]);
    let reading = read(&Sequence {
        records: &open,
        cipher: SHA384,
        psk: true,
        early_data: true,
    });
    assert_eq!((reading.flight_end, reading.conclusion), (None, None));
}

#[test]
fn an_eight_byte_tag_makes_all_records_shorter() {
    let cipher = Some(CipherSuite::TLS_AES_128_CCM_8_SHA256);
    let reading = read_after_flight(cipher, &[17, 45, -11]);
    assert_eq!(outcome(reading), Some((Outcome::Rejected, Some(MISSING))));
}

#[test]
fn unknown_shapes_are_not_guessed() {
    let reading = read_after_flight(SHA384, &[130, 96, 69, -714]);
    assert_eq!(reading.client_certificate, ClientCertificate::Unknown);
    assert_eq!(outcome(reading), Some((Outcome::Established, None)));
    let reading = read_after_flight(SHA384, &[130]);
    assert_eq!(reading.at_settle_time(), Conclusion::INCOMPLETE);
}
