//! Several handshakes in one connection.

use super::wire::*;
use crate::observation::{Completeness, Outcome, Reason, Side};
use observer_tls::codepoints::ProtocolVersion;

/// A connection whose first handshake was established and reported.
fn established() -> Play {
    let mut play = Play::new();
    mutual(&mut play);
    assert_eq!(play.only().outcome, Outcome::Established);
    play.client(&[opaque(23, 90)]).server(&[opaque(23, 900)]);
    play
}

/// ChangeCipherSpec and Finished under encryption.
fn encrypted_finished() -> Vec<u8> {
    [opaque(20, 25), opaque(22, 40)].concat()
}

#[test]
fn a_renegotiation_is_a_handshake_of_its_own() {
    let mut play = established();
    // The server asks, the client takes it up.
    play.server(&[opaque(22, 28)]).nothing();
    let begin = play.now + MS;
    play.client(&[opaque(22, 200)])
        .server(&[opaque(22, 100), opaque(22, 900), opaque(22, 28)])
        .client(&[opaque(22, 100), encrypted_finished()])
        .nothing()
        .server(&[opaque(22, 200), encrypted_finished()]);
    let seen = play.only();
    assert!(seen.renegotiation);
    assert_eq!(
        (seen.outcome, seen.completeness),
        (Outcome::Established, Completeness::Complete)
    );
    assert_eq!(seen.version, Some(ProtocolVersion::TLS12));
    assert_eq!((seen.time_ns, seen.duration_ns), (begin, 3 * MS));
    assert!(seen.offer.is_none() && seen.server_chain.is_empty());
    play.client(&[opaque(23, 90)])
        .fin(Side::Client)
        .fin(Side::Server)
        .nothing();
}

#[test]
fn a_renegotiation_may_fail() {
    let mut play = established();
    play.client(&[opaque(22, 200)])
        .server(&[opaque(22, 900)])
        .client(&[opaque(21, 26)]);
    let seen = play.only();
    assert!(seen.renegotiation);
    assert_eq!(
        (seen.outcome, seen.rejected_by),
        (Outcome::Rejected, Some(Side::Client))
    );
    let mut play = established();
    play.client(&[opaque(22, 200)]).rst(Side::Server);
    assert_eq!(play.only().reason, Some(Reason::Reset));
}

#[test]
fn a_request_that_is_passed_over_is_no_handshake() {
    let mut play = established();
    play.server(&[opaque(22, 28)])
        .client(&[opaque(21, 26)])
        .fin(Side::Client)
        .fin(Side::Server)
        .nothing();
}

#[test]
fn a_second_handshake_in_plaintext() {
    let mut play = Play::new();
    play.client(&[client_hello(1, &[], &[])])
        .server(&[alert(1, 100)])
        .client(&[client_hello(2, &[], &[])]);
    assert_eq!(play.only().outcome, Outcome::Incomplete);
    play.server(&[alert(2, 70)]);
    assert_eq!(play.only().reason, Some(Reason::NoSharedVersion));
}
