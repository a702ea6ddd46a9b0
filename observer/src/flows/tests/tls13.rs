//! TLS 1.3: what is readable, and what the encrypted records' sizes give away.

use super::wire::*;
use crate::observation::{
    CertificateFault, ClientCertificate, Completeness, Evidence, Outcome, Reason, Resumption, Side,
};
use crate::outcome::Rule;
use observer_tls::codepoints::{NamedGroup, ProtocolVersion};
use observer_tls::server_hello::HELLO_RETRY_REQUEST_RANDOM;

const SESSION: [u8; 32] = [4; 32];

fn hello() -> Vec<u8> {
    client_hello(1, &SESSION, &[offers_tls13()])
}

/// Plays up to the end of the server's flight, with a request for the client's certificate.
fn begin() -> Play {
    begin_with(&[23, 100, 800, 96, 69])
}

fn begin_with(server_flight: &[usize]) -> Play {
    let mut play = Play::new();
    let share = extension(51, &[&[0, 29][..], &vector(2, &[7; 32])].concat());
    let answer = server_hello(AES_256, &SESSION, &[chooses_tls13(), share]);
    play.client(&[hello()])
        .server(&[answer, record(20, &[1]), encrypted(server_flight)]);
    play
}

/// The same without a request, up to the client's Finished.
fn unasked() -> Play {
    let mut play = begin_with(&[23, 800, 96, 69]);
    play.client(&[record(20, &[1]), encrypted(&[69])]);
    play
}

fn after_flight(lengths: &[usize]) -> Play {
    let mut play = begin();
    play.client(&[record(20, &[1]), encrypted(lengths)]);
    play
}

#[test]
fn accepted() {
    let mut play = after_flight(&[881, 96, 69]);
    play.nothing().server(&[encrypted(&[682])]);
    let seen = play.only();
    assert_eq!((seen.outcome, seen.reason), (Outcome::Established, None));
    assert_eq!(
        (seen.evidence, seen.rule),
        (Evidence::Inferred, Some(Rule::ServerRecord))
    );
    assert_eq!(seen.completeness, Completeness::Complete);
    assert_eq!(seen.version, Some(ProtocolVersion::TLS13));
    assert_eq!(seen.group, Some(NamedGroup(29)));
    assert_eq!(seen.resumption, None);
    assert_eq!(seen.client_certificate, ClientCertificate::Sent);
    assert_eq!(seen.timings.client_flight, Some(2 * MS));
    assert_eq!(seen.timings.finished, Some(2 * MS));
    assert_eq!(seen.duration_ns, 2 * MS);
    let lengths: Vec<u16> = seen.opaque.iter().map(|record| record.length).collect();
    assert_eq!(lengths, [23, 100, 800, 96, 69, 881, 96, 69, 682]);
    // The rest of its life is no news, however it ends.
    play.server(&[encrypted(&[682, 4000])])
        .client(&[encrypted(&[90, 19])])
        .fin(Side::Client)
        .fin(Side::Server);
    play.wait(60 * SECOND).nothing();
}

#[test]
fn refused_by_the_server() {
    for (flight, certificate, fault) in [
        (
            &[25, 69][..],
            ClientCertificate::RequestedNotSent,
            CertificateFault::Missing,
        ),
        (
            &[77],
            ClientCertificate::RequestedNotSent,
            CertificateFault::Missing,
        ),
        (
            &[881, 96, 69],
            ClientCertificate::Sent,
            CertificateFault::Rejected,
        ),
        (&[599], ClientCertificate::Sent, CertificateFault::Rejected),
    ] {
        let mut play = after_flight(flight);
        play.server(&[encrypted(&[19])]);
        let seen = play.only();
        assert_eq!(
            (seen.outcome, seen.rejected_by),
            (Outcome::Rejected, Some(Side::Server))
        );
        assert_eq!(seen.reason, Some(Reason::Certificate(Side::Client, fault)));
        assert_eq!(
            (seen.evidence, seen.rule),
            (Evidence::Inferred, Some(Rule::ServerAlert))
        );
        assert_eq!(
            (seen.client_certificate, seen.timings.finished),
            (certificate, None)
        );
        play.server(&[encrypted(&[19])])
            .fin(Side::Server)
            .rst(Side::Client)
            .nothing();
    }
}

#[test]
fn refused_by_the_client() {
    // In plaintext, with its code.
    let mut play = begin();
    play.client(&[alert(2, 48)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rejected_by),
        (Outcome::Rejected, Some(Side::Client))
    );
    assert_eq!(
        seen.reason,
        Some(Reason::Certificate(Side::Server, CertificateFault::UnknownCa))
    );
    assert_eq!((seen.evidence, seen.rule), (Evidence::Observed, None));
    assert_eq!(seen.client_certificate, ClientCertificate::Unknown);

    let mut play = after_flight(&[19]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rejected_by),
        (Outcome::Rejected, Some(Side::Client))
    );
    assert_eq!(
        seen.reason,
        Some(Reason::Certificate(Side::Server, CertificateFault::Rejected))
    );
    assert_eq!(
        (seen.evidence, seen.rule),
        (Evidence::Inferred, Some(Rule::ClientAlert))
    );
}

#[test]
fn closed_without_an_answer() {
    let mut play = after_flight(&[25, 69]);
    play.rst(Side::Server);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rejected_by),
        (Outcome::Rejected, Some(Side::Server))
    );
    assert_eq!(
        seen.reason,
        Some(Reason::Certificate(Side::Client, CertificateFault::Missing))
    );
    assert_eq!(
        (seen.evidence, seen.rule),
        (Evidence::Inferred, Some(Rule::ServerClosed))
    );
    assert_eq!(seen.client_certificate, ClientCertificate::RequestedNotSent);

    let mut play = begin();
    play.fin(Side::Client).fin(Side::Server);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason),
        (Outcome::Aborted, Some(Reason::Closed))
    );
    assert_eq!(
        (seen.evidence, seen.client_certificate),
        (Evidence::Observed, ClientCertificate::Unknown)
    );
}

#[test]
fn silence_settles_it_only_when_the_flight_was_complete() {
    let mut play = after_flight(&[881, 96, 69]);
    play.wait(2 * SECOND - 1).nothing().wait(1);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rule),
        (Outcome::Established, Some(Rule::Settled))
    );
    assert_eq!(seen.duration_ns, 2 * MS);

    let mut play = after_flight(&[881, 96]);
    play.wait(5 * SECOND).nothing().wait(5 * SECOND);
    assert_eq!(play.only().outcome, Outcome::Incomplete);

    let mut play = begin();
    play.wait(10 * SECOND);
    assert_eq!(play.only().outcome, Outcome::TimedOut);

    let mut play = unasked();
    play.dropped = 3;
    play.wait(2 * SECOND);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.completeness),
        (Outcome::Incomplete, Completeness::Gap)
    );
}

#[test]
fn payloads_need_not_be_captured() {
    let mut play = begin();
    // Header by header, as the kernel sends them.
    for length in [881, 96, 69_u16] {
        let [high, low] = length.to_be_bytes();
        play.piece(Side::Client, &[23, 3, 3, high, low], 5 + u32::from(length));
    }
    play.piece(Side::Server, &[23, 3, 3, 0, 19], 24);
    let seen = play.only();
    assert_eq!(
        seen.reason,
        Some(Reason::Certificate(Side::Client, CertificateFault::Rejected))
    );
    assert_eq!(seen.completeness, Completeness::Complete);
}

#[test]
fn hello_retry_is_one_handshake() {
    let mut play = Play::new();
    let retry = extension(51, &[0, 24]);
    let request = server_hello_with(
        HELLO_RETRY_REQUEST_RANDOM,
        AES_256,
        &SESSION,
        &[chooses_tls13(), retry],
    );
    let share = extension(51, &[&[0, 24][..], &vector(2, &[7; 97])].concat());
    let answer = server_hello(AES_256, &SESSION, &[chooses_tls13(), share]);
    play.client(&[hello()])
        .server(&[request, record(20, &[1])])
        .client(&[
            record(20, &[1]),
            client_hello(1, &SESSION, &[offers_tls13(), extension(44, &[0, 1, 9])]),
        ])
        .server(&[answer, encrypted(&[23, 800, 96, 69])])
        .client(&[encrypted(&[69])])
        .server(&[encrypted(&[255])]);
    let seen = play.only();
    assert!(seen.hello_retry);
    assert_eq!(
        (seen.outcome, seen.group),
        (Outcome::Established, Some(NamedGroup(24)))
    );
    assert_eq!(seen.client_certificate, ClientCertificate::NotRequested);
    assert_eq!((seen.time_ns, seen.timings.server_hello), (START, Some(3 * MS)));
    assert_eq!(seen.timings.client_flight, Some(4 * MS));
}

#[test]
fn resumed_with_early_data() {
    let mut play = Play::new();
    let hello = client_hello(
        1,
        &SESSION,
        &[offers_tls13(), extension(42, &[]), extension(41, &[0; 40])],
    );
    let answer = server_hello(AES_256, &SESSION, &[chooses_tls13(), extension(41, &[0, 0])]);
    play.client(&[hello, record(20, &[1]), encrypted(&[300, 19])])
        .server(&[answer, encrypted(&[30, 69])])
        .nothing()
        .client(&[encrypted(&[21, 69])])
        .server(&[encrypted(&[255])]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.resumption),
        (Outcome::Established, Some(Resumption::Psk))
    );
    assert_eq!(seen.client_certificate, ClientCertificate::Unknown);
}

#[test]
fn refused_before_the_server_hello() {
    let mut play = Play::new();
    play.client(&[hello()]).server(&[alert(2, 40)]);
    let seen = play.only();
    assert_eq!(
        (seen.reason, seen.evidence),
        (Some(Reason::NoSharedCipher), Evidence::Inferred)
    );
}

#[test]
fn a_record_that_is_cut_off_hides_no_close() {
    let mut play = begin();
    play.client(&[record(20, &[1]), vec![23]])
        .fin(Side::Client)
        .server(&[encrypted(&[19])])
        .fin(Side::Server);
    assert_eq!(play.only().outcome, Outcome::Aborted);
    // The kernel tells of a header when there is all of it.
    let mut play = begin();
    play.client(&[record(20, &[1])])
        .lose(Side::Client, 4)
        .fin(Side::Client)
        .wait(2 * SECOND);
    assert_eq!(play.only().outcome, Outcome::Aborted);
}
