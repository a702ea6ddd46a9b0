//! Connections of a source that tells of every packet and knows nothing else: SYNs and sequence numbers tell them apart.

use super::wire::*;
use crate::observation::{Completeness, Outcome, Reason, Side};

fn hello(random: u8) -> Vec<u8> {
    client_hello(random, &[], &[])
}

const PLACE: [Place; 1] = [Place { scope: 0, born: 0 }];

#[test]
fn a_whole_connection() {
    let mut play = Play::packets();
    mutual(play.connect());
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.completeness),
        (Outcome::Established, Completeness::Complete)
    );
    assert_eq!((seen.client, seen.server), (play.client, play.server));
}

#[test]
fn a_syn_begins_another_connection_of_the_same_tuple() {
    let mut play = Play::packets();
    play.connect().client(&[hello(1)]);
    play.reconnect(&PLACE);
    play.syn(Side::Client);
    assert_eq!(play.only().outcome, Outcome::Incomplete);
    play.syn(Side::Server).client(&[hello(2)]).server(&[alert(2, 70)]);
    assert_eq!(play.only().reason, Some(Reason::NoSharedVersion));
    play.fin(Side::Server).fin(Side::Client);
    play.reconnect(&PLACE);
    play.connect().client(&[hello(3)]).server(&[alert(2, 70)]);
    assert_eq!(play.only().outcome, Outcome::Rejected);
    assert_eq!(play.table.stats().connections, 1);
}

#[test]
fn without_its_syn_another_connection_is_told_by_its_sequence_numbers() {
    let mut play = Play::packets();
    play.connect().client(&[hello(1)]).server(&[alert(2, 70)]);
    play.only();
    play.next = [1 << 30, 3 << 30];
    play.client(&[hello(2)]).server(&[alert(2, 70)]);
    assert_eq!(play.only().outcome, Outcome::Rejected);
}

#[test]
fn repeated_and_overtaken_syns_change_nothing() {
    let mut play = Play::packets();
    play.connect().connect().client(&[hello(1)]);
    let begin = play.next[0];
    play.next[0] = begin.wrapping_sub(hello(1).len() as u32);
    play.syn(Side::Client);
    play.next[0] = begin;
    play.server(&[alert(2, 70)]);
    assert_eq!(play.only().outcome, Outcome::Rejected);

    // The SYN+ACK comes after the server's first bytes.
    let mut play = Play::packets();
    let begin = play.next[1];
    play.syn(Side::Client)
        .client(&[hello(1)])
        .server(&[server_flight(true)]);
    let next = std::mem::replace(&mut play.next[1], begin);
    play.syn(Side::Server);
    play.next[1] = next;
    play.nothing().server(&[alert(2, 80)]);
    assert_eq!(play.only().reason, Some(Reason::InternalError));
}

#[test]
fn a_syn_says_where_the_first_bytes_belong() {
    let mut play = Play::packets();
    play.connect();
    let (first, second) = (hello(1)[..50].to_vec(), hello(1)[50..].to_vec());
    play.lose(Side::Client, 50).send(Side::Client, &second);
    play.next[0] = play.next[0].wrapping_sub(second.len() as u32 + 50);
    play.send(Side::Client, &first).server(&[alert(2, 70)]);
    let seen = play.only();
    assert_eq!(
        (seen.completeness, seen.outcome),
        (Completeness::Complete, Outcome::Rejected)
    );
}

#[test]
fn a_client_that_aborts_within_its_hello_is_told() {
    let mut play = Play::packets();
    play.connect()
        .send(Side::Client, &hello(1)[..30])
        .rst(Side::Client);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason),
        (Outcome::Aborted, Some(Reason::Reset))
    );
}

#[test]
fn foreign_clients_matter_where_tls_is_spoken() {
    let not_tls = |play: &mut Play| {
        play.connect().send(Side::Client, b"GET / HTTP/1.1\r\n\r\n");
        play.send(Side::Server, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        play.fin(Side::Server).fin(Side::Client);
    };
    let mut play = Play::packets();
    not_tls(&mut play);
    play.nothing().reconnect(&PLACE);
    mutual(play.connect());
    play.only();
    play.reconnect(&PLACE);
    not_tls(&mut play);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason),
        (Outcome::Aborted, Some(Reason::NotTls))
    );

    // A server that speaks first leads over to TLS, perhaps.
    play.reconnect(&PLACE);
    play.connect().send(Side::Server, b"220 ready\r\n");
    play.send(Side::Client, b"QUIT\r\n")
        .fin(Side::Client)
        .fin(Side::Server)
        .nothing();
}

#[test]
fn a_server_that_answers_foreign_bytes_with_an_alert_speaks_tls() {
    let mut play = Play::packets();
    play.connect().send(Side::Client, b"GET / HTTP/1.1\r\n\r\n");
    play.server(&[alert(2, 22)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason, seen.rejected_by),
        (Outcome::Rejected, Some(Reason::NotTls), Some(Side::Server))
    );
    assert_eq!(seen.duration_ns, MS);
}

#[test]
fn a_stray_reset_ends_nothing() {
    let mut play = Play::packets();
    play.connect().client(&[hello(1)]);
    let next = play.next[1];
    play.next[1] = next.wrapping_add(1 << 30);
    play.rst(Side::Server).nothing();
    play.next[1] = next;
    play.server(&[alert(2, 70)]);
    assert_eq!(play.only().outcome, Outcome::Rejected);
}

#[test]
fn an_alert_may_come_before_the_hello_that_it_answers() {
    let mut play = Play::packets();
    play.connect()
        .server(&[alert(2, 70)])
        .nothing()
        .client(&[hello(1)]);
    let seen = play.only();
    assert_eq!(
        (seen.reason, seen.rejected_by),
        (Some(Reason::NoSharedVersion), Some(Side::Server))
    );
}

#[test]
fn a_flight_may_come_before_the_end_of_the_hello_that_it_answers() {
    let mut play = Play::packets();
    let (first, second) = (hello(1)[..50].to_vec(), hello(1)[50..].to_vec());
    play.connect()
        .send(Side::Client, &first)
        .server(&[server_flight(true)])
        .send(Side::Client, &second)
        .nothing();
    play.server(&[alert(2, 80)]);
    let seen = play.only();
    assert_eq!(
        (seen.completeness, seen.reason),
        (Completeness::Complete, Some(Reason::InternalError))
    );
    assert!(seen.offer.is_some());
}

#[test]
fn what_the_other_side_has_had_tells_what_is_missing() {
    let mut play = Play::packets();
    play.connect().client(&[hello(1)]).lose(Side::Server, 7);
    play.ack = true;
    play.fin(Side::Client);
    let begin = play.next[1];
    play.fin(Side::Server);
    assert_eq!(begin, 5_007);
    play.rst(Side::Client);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.completeness),
        (Outcome::Incomplete, Completeness::Gap)
    );
}

#[test]
fn the_first_copy_wins_and_contradictions_are_counted() {
    let mut play = Play::packets();
    let hello = hello(1);
    let (head, tail) = hello.split_at(40);
    play.connect().lose(Side::Client, 40).send(Side::Client, tail);
    let forged = vec![0xff; tail.len()];
    play.next[0] = play.next[0].wrapping_sub(tail.len() as u32);
    play.send(Side::Client, &forged);
    play.next[0] = play.next[0].wrapping_sub(hello.len() as u32);
    play.send(Side::Client, head);
    play.next[0] = play.next[0].wrapping_add(tail.len() as u32);
    play.server(&[alert(2, 70)]).fin(Side::Server).fin(Side::Client);
    let seen = play.only();
    assert_eq!(seen.reason, Some(Reason::NoSharedVersion));
    assert!(seen.offer.is_some());
    play.wait(60 * SECOND);
    assert_eq!(play.table.stats().contradictions, 1);
}

#[test]
fn an_rst_behind_a_fin_misses_nothing() {
    let mut play = Play::packets();
    play.connect()
        .client(&[client_hello(1, &[], &[])])
        .fin(Side::Server)
        .rst(Side::Server);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason),
        (Outcome::Aborted, Some(Reason::Closed))
    );
    // Its number tells of bytes that were not captured.
    let mut play = Play::packets();
    play.connect()
        .client(&[client_hello(1, &[], &[])])
        .lose(Side::Server, 7)
        .rst(Side::Server);
    assert_eq!(play.only().outcome, Outcome::Incomplete);
}
