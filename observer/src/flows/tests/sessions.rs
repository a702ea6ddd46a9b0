//! The names of sessions that are resumed later.

use super::wire::*;
use crate::observation::{Resumption, SessionName, SessionNames};

fn ticket() -> Vec<u8> {
    let body = [&7200_u32.to_be_bytes()[..], &vector(2, &[6; 100])].concat();
    message(4, &body)
}

/// A full handshake of TLS 1.2 in which the server names the session so.
fn full(id: &[u8], tickets: &[Vec<u8>]) -> SessionNames {
    let mut play = Play::new();
    play.client(&[client_hello(1, &[9; 32], &[extension(35, &[])])])
        .server(&[
            server_hello(ECDHE, id, &[]),
            certificate(&[b"server"]),
            server_key_exchange(),
            server_hello_done(),
        ])
        .client(&[client_key_exchange(), finished()])
        .server(&[tickets.concat(), finished()]);
    play.only().sessions
}

fn resumed(id: &[u8], extensions: &[Vec<u8>]) -> SessionNames {
    let mut play = Play::new();
    play.client(&[client_hello(1, id, extensions)])
        .server(&[server_hello(ECDHE, id, &[]), finished()])
        .client(&[finished()]);
    play.only().sessions
}

#[test]
fn a_session_of_tls12_is_resumed_by_its_id_or_ticket() {
    let names = |name: &[u8]| vec![SessionName::of(name)];
    let by_id = full(&[4; 32], &[]);
    assert_eq!((by_id.resumed, by_id.given), (None, names(&[4; 32])));
    let by_ticket = full(&[], &[ticket()]);
    assert_eq!(by_ticket.given, names(&[6; 100]));

    let again = resumed(&[4; 32], &[]);
    assert_eq!(again.resumed, Some(SessionName::of(&[4; 32])));
    assert_eq!(again.given, [], "the server only repeats the client's word");
    let again = resumed(&[5; 32], &[extension(35, &[6; 100])]);
    assert_eq!(again.resumed, Some(SessionName::of(&[6; 100])));
}

#[test]
fn a_session_of_tls13_is_resumed_by_the_key_that_the_server_takes() {
    let identity = |name: &[u8]| [vector(2, name), vec![0; 4]].concat();
    let identities = [identity(b"first"), identity(b"second")].concat();
    let binders = [vector(1, &[1; 32]), vector(1, &[2; 32])].concat();
    let keys = extension(41, &[vector(2, &identities), vector(2, &binders)].concat());
    let modes = extension(45, &[1, 1]);
    let mut play = Play::new();
    play.client(&[client_hello(1, &[4; 32], &[offers_tls13(), modes, keys])])
        .server(&[
            server_hello(AES_256, &[4; 32], &[chooses_tls13(), extension(41, &[0, 1])]),
            encrypted(&[23, 69]),
        ])
        .client(&[encrypted(&[69])])
        .server(&[encrypted(&[300])]);
    let seen = play.only();
    assert_eq!(seen.resumption, Some(Resumption::Psk));
    assert_eq!(seen.sessions.resumed, Some(SessionName::of(b"second")));
    assert_eq!(seen.sessions.given, []);
}
