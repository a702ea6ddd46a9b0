//! Handshakes that begin in SSL 2.

use super::wire::*;
use crate::observation::{Completeness, Outcome, Side};
use observer_tls::codepoints::{CipherSuite, ProtocolVersion};

/// A hello in the form of SSL 2 that offers `version`, a suite of TLS and a cipher of SSL 2.
fn hello(version: [u8; 2]) -> Vec<u8> {
    let mut message = vec![1];
    message.extend(version);
    message.extend([0, 6, 0, 0, 0, 16]);
    message.extend([0, 0, 0x2f, 1, 0, 0x80]);
    message.extend([0x5a; 16]);
    record_of_ssl2(&message)
}

fn record_of_ssl2(message: &[u8]) -> Vec<u8> {
    let mut bytes = (0x8000 | message.len() as u16).to_be_bytes().to_vec();
    bytes.extend(message);
    bytes
}

#[test]
fn a_hello_of_ssl2_may_be_answered_in_tls() {
    let mut play = Play::packets();
    play.connect()
        .client(&[hello([3, 1])])
        .server(&[server_flight(false)])
        .client(&[client_key_exchange(), finished()])
        .server(&[finished()]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.completeness),
        (Outcome::Established, Completeness::Complete)
    );
    assert_eq!(seen.version, Some(ProtocolVersion::TLS12));
    let offer = seen.offer.unwrap();
    assert_eq!(offer.legacy_version, ProtocolVersion::TLS10);
    assert_eq!(offer.cipher_suites, [CipherSuite(0x2f)]);
    assert!(seen.ja3.is_none() && offer.ja4.is_none());
}

#[test]
fn what_goes_on_in_ssl2_cannot_be_followed() {
    let mut play = Play::packets();
    let mut message = vec![4, 0, 1, 0, 2, 0, 5, 0, 3, 0, 16];
    message.extend(b"leaf!");
    message.extend([1, 0, 0x80]);
    message.extend([7; 16]);
    play.connect()
        .client(&[hello([0, 2])])
        .server(&[record_of_ssl2(&message)])
        .send(Side::Client, &record_of_ssl2(&[2, 1, 0, 0x80, 0, 0, 0, 0, 0, 0]))
        .send(Side::Server, &record_of_ssl2(&[0xee; 40]))
        .fin(Side::Client)
        .fin(Side::Server);
    let seen = play.only();
    assert_eq!(seen.outcome, Outcome::Incomplete);
    assert_eq!(seen.version, Some(ProtocolVersion::SSL2));
    assert_eq!(seen.server_chain[0].der, &b"leaf!"[..]);
}
