//! The sockets at both ends.

use std::net::SocketAddr;

use super::wire::*;
use crate::observation::{Side, Sockets};
use crate::tracker::Phase;

const CLIENT: u64 = 11;
const SERVER: u64 = 22;
const LISTENER: u64 = 33;

#[test]
fn an_observation_has_the_sockets_of_those_that_sent() {
    let mut play = Play::new();
    play.sockets = [CLIENT, SERVER];
    // A ClientHello may come before the connection is accepted: its receiver is the listener.
    play.listener = LISTENER;
    play.client(&[client_hello(1, &[], &[])]);
    assert_eq!(play.table.phase_of(LISTENER, None), Some(Phase::Pending));
    play.listener = 0;
    play.server(&[server_flight(false)]);
    play.listener = LISTENER;
    play.client(&[client_key_exchange(), finished()])
        .server(&[finished()]);
    let seen = play.only();
    assert_eq!(
        seen.sockets,
        Sockets {
            client: CLIENT,
            server: SERVER
        }
    );
    assert_eq!(seen.sockets.side(SERVER), Some(Side::Server));
    assert_eq!(seen.sockets.side(0), None);
    for cookie in [CLIENT, SERVER] {
        assert_eq!(play.table.phase_of(cookie, None), Some(Phase::Reported));
    }
    assert_eq!(play.table.phase_of(LISTENER, None), None);
}

#[test]
fn where_only_the_receiver_is_known_it_counts() {
    let mut play = Play::new();
    play.listener = SERVER;
    play.client(&[client_hello(1, &[], &[])]);
    play.listener = 0;
    play.server(&[alert(2, 40)]);
    assert_eq!(
        play.only().sockets,
        Sockets {
            client: 0,
            server: SERVER
        }
    );
}

#[test]
fn a_connection_is_found_by_its_addresses_where_its_socket_is_not_known() {
    let mut play = Play::new();
    play.sockets = [CLIENT, 0];
    play.client(&[client_hello(1, &[], &[])]);
    let server_end = Some((play.server, play.client));
    let client_end = Some((play.client, play.server));
    assert_eq!(play.table.phase_of(99, server_end), Some(Phase::Pending));
    assert_eq!(
        play.table.phase_of(99, client_end),
        None,
        "that end has another socket"
    );
    let other: SocketAddr = "10.0.0.9:40001".parse().unwrap();
    assert_eq!(play.table.phase_of(99, Some((play.server, other))), None);
}

#[test]
fn what_is_no_longer_followed_is_not_found() {
    let mut play = Play::new();
    play.sockets = [CLIENT, SERVER];
    mutual(&mut play);
    play.table.flush(&mut play.sink);
    assert_eq!(play.table.phase_of(CLIENT, None), None);
    assert_eq!(
        play.table.phase_of(SERVER, Some((play.server, play.client))),
        None
    );
}
