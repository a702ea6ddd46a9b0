//! Limits, timeouts and shutdown.

use super::wire::*;
use crate::flows::{CLOSED_LINGER_NS, FlowLimits, REPORTED_IDLE_NS};
use crate::observation::{Completeness, Observation, Outcome, Side};
use crate::segment::SegmentFlags;

/// Begins a handshake from the client's port `port`.
fn begin(play: &mut Play, port: u16) {
    play.client.set_port(port);
    play.next = [u32::from(port), 5_000];
    play.client(&[client_hello(1, &[], &[])]);
}

fn ports(observed: &[Observation]) -> Vec<u16> {
    observed.iter().map(|seen| seen.client.port()).collect()
}

#[test]
fn too_many_connections_cost_the_one_idle_the_longest() {
    let mut play = Play::with(FlowLimits {
        max_connections: 3,
        ..limits()
    });
    for port in [1, 2, 3] {
        begin(&mut play, port);
    }
    // A piece of the first one makes the second the oldest.
    play.client.set_port(1);
    play.server(&[server_hello(ECDHE, &[], &[])]);
    begin(&mut play, 4);
    let seen = play.only();
    assert_eq!((seen.client.port(), seen.outcome), (2, Outcome::Incomplete));
    assert_eq!(seen.completeness, Completeness::Truncated);
    assert_eq!(
        (
            play.table.stats().connections,
            play.table.stats().evicted_by_connections
        ),
        (3, 1)
    );
    assert_eq!(
        play.table.stats().losses()[0],
        ("flows", "too_many_connections", 1)
    );
}

#[test]
fn closed_connections_make_room_first() {
    let mut play = Play::with(FlowLimits {
        max_connections: 2,
        ..limits()
    });
    begin(&mut play, 1);
    begin(&mut play, 2);
    play.rst(Side::Server);
    assert_eq!(ports(&play.observed()), [2]);
    begin(&mut play, 3);
    play.nothing();
    assert_eq!(play.table.stats().evicted_by_connections, 0);
    // A reported one is no lost handshake either, but it is counted.
    play.client.set_port(1);
    play.next[1] = 5_000;
    play.server(&[alert(2, 70)]);
    play.client.set_port(3);
    play.server(&[server_hello(ECDHE, &[], &[])]);
    assert_eq!(ports(&play.observed()), [1]);
    begin(&mut play, 4);
    play.nothing();
    assert_eq!(
        (
            play.table.stats().forgotten,
            play.table.stats().evicted_by_connections
        ),
        (1, 0)
    );
}

#[test]
fn too_many_bytes_cost_the_one_that_holds_them_the_longest() {
    let mut play = Play::with(FlowLimits {
        max_buffered_bytes: 2_000,
        ..limits()
    });
    let long = certificate(&[&[7; 1_500]]);
    for port in [1, 2] {
        begin(&mut play, port);
        play.server(&[server_hello(ECDHE, &[], &[])])
            .server(&[long[..1_200].to_vec()]);
    }
    let seen = play.only();
    assert_eq!((seen.client.port(), seen.outcome), (1, Outcome::Incomplete));
    assert_eq!(seen.completeness, Completeness::Truncated);
    assert_eq!(play.table.stats().evicted_by_bytes, 1);
    assert!(play.table.stats().buffered_bytes <= 2_000);
    // It stays known, so that what follows does not look like a handshake begun before the agent.
    play.client.set_port(1);
    play.server(&[server_flight(false)])
        .client(&[client_key_exchange()])
        .fin(Side::Client)
        .fin(Side::Server);
    play.nothing();
    play.wait(CLOSED_LINGER_NS);
    assert_eq!(play.table.stats().connections, 1);
}

#[test]
fn what_peers_make_us_keep_counts_as_held() {
    let mut play = Play::new();
    begin(&mut play, 1);
    let hello = play.table.stats().buffered_bytes;
    assert!(hello > 0);
    play.server(&[server_flight(true)]);
    assert!(play.table.stats().buffered_bytes > hello);
    play.rst(Side::Server);
    assert_eq!(play.table.stats().buffered_bytes, 0);
}

#[test]
fn time_takes_all() {
    let mut play = Play::new();
    begin(&mut play, 1);
    begin(&mut play, 2);
    play.server(&[alert(2, 70)]);
    begin(&mut play, 3);
    play.rst(Side::Client);
    play.observed();
    let connections = |play: &Play| play.table.stats().connections;
    play.wait(CLOSED_LINGER_NS);
    assert_eq!(connections(&play), 2);
    play.wait(10 * SECOND);
    assert_eq!(ports(&play.observed()), [1]);
    assert_eq!(connections(&play), 2);
    play.wait(REPORTED_IDLE_NS).nothing();
    assert_eq!(connections(&play), 0);
}

#[test]
fn connections_without_a_handshake_leave_quietly() {
    let mut play = Play::new();
    play.client(&[opaque(23, 100)])
        .server(&[opaque(23, 100)])
        .wait(10 * SECOND)
        .nothing();
    assert_eq!(play.table.stats().connections, 0);
}

#[test]
fn shutdown_reports_what_is_pending() {
    let mut play = Play::new();
    for port in [1, 2, 3] {
        begin(&mut play, port);
    }
    play.server(&[alert(2, 70)]);
    play.observed();
    play.table.flush(&mut play.sink);
    let observed = play.observed();
    assert_eq!(ports(&observed), [1, 2]);
    assert!(observed.iter().all(|seen| seen.outcome == Outcome::Incomplete));
    assert!(
        observed
            .iter()
            .all(|seen| seen.completeness == Completeness::Complete)
    );
    assert_eq!(play.table.stats().connections, 0);
    assert_eq!(play.table.stats().buffered_bytes, 0);
    play.table.flush(&mut play.sink);
    play.nothing();
}

#[test]
fn the_sources_limit_is_told() {
    let mut play = Play::new();
    begin(&mut play, 1);
    let truncated = SegmentFlags {
        truncated: true,
        ..SegmentFlags::default()
    };
    play.flagged(truncated)
        .server(&[server_hello(ECDHE, &[], &[])])
        .rst(Side::Server);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.completeness),
        (Outcome::Incomplete, Completeness::Truncated)
    );
}
