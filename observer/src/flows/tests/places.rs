//! The same connection from two places, and different connections with the same tuple.

use super::wire::*;
use crate::observation::{Completeness, Outcome, Reason, Side};
use crate::segment::SegmentFlags;

const CLIENT_END: Place = Place { scope: 1, born: 77 };
const SERVER_END: Place = Place { scope: 2, born: 78 };

fn hello(random: u8) -> Vec<u8> {
    client_hello(random, &[], &[])
}

fn twice() -> Play {
    let mut play = Play::new();
    play.places = vec![CLIENT_END, SERVER_END];
    play
}

#[test]
fn both_ends_give_one_handshake() {
    let mut play = Play::new();
    mutual(&mut play);
    let once = play.only();

    let mut play = twice();
    mutual(&mut play);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.completeness, seen.id),
        (Outcome::Established, Completeness::Complete, once.id)
    );
    assert_eq!(
        (seen.opaque.len(), seen.timings),
        (once.opaque.len(), once.timings)
    );
    assert_eq!(
        (play.table.stats().connections, play.table.stats().joined),
        (1, 1)
    );
    play.client(&[opaque(23, 90)])
        .fin(Side::Client)
        .fin(Side::Server)
        .rst(Side::Client)
        .nothing();
    play.wait(SECOND).nothing();
    assert_eq!(play.table.stats().connections, 0);
    // What the slower place still has to say begins nothing.
    play.places = vec![SERVER_END];
    play.fin(Side::Server)
        .rst(Side::Server)
        .wait(60 * SECOND)
        .nothing();
}

#[test]
fn failures_are_told_once() {
    let mut play = twice();
    play.client(&[hello(1)])
        .server(&[alert(2, 70)])
        .fin(Side::Server)
        .rst(Side::Client);
    assert_eq!(play.only().outcome, Outcome::Rejected);
    let mut play = twice();
    play.client(&[hello(1)])
        .server(&[server_flight(true)])
        .rst(Side::Server);
    assert_eq!(play.only().reason, Some(Reason::Reset));
    let mut play = twice();
    let not_tls = SegmentFlags {
        not_tls: true,
        ..SegmentFlags::default()
    };
    play.flagged(not_tls)
        .piece(Side::Client, &[], 100)
        .server(&[alert(2, 22)])
        .fin(Side::Server)
        .fin(Side::Client);
    assert_eq!(play.only().reason, Some(Reason::NotTls));
    play.wait(60 * SECOND).nothing();
}

#[test]
fn the_other_end_may_cut_differently() {
    let mut play = Play::new();
    play.client(&[hello(1)]);
    play.places = vec![SERVER_END];
    play.next[0] = u32::MAX - 99;
    for part in hello(1).chunks(30) {
        play.send(Side::Client, part);
    }
    play.places = vec![CLIENT_END, SERVER_END];
    play.server(&[alert(2, 70)]);
    assert_eq!(play.only().completeness, Completeness::Complete);
    assert_eq!(play.table.stats().joined, 1);
}

#[test]
fn a_missing_beginning_is_a_gap_and_no_claim() {
    for flags in [
        SegmentFlags {
            pieces_lost: true,
            ..SegmentFlags::default()
        },
        SegmentFlags {
            gap: true,
            ..SegmentFlags::default()
        },
    ] {
        let flight = server_flight(true);
        let (lost, rest) = flight.split_at(20);
        let mut play = twice();
        play.client(&[hello(1)]);
        let begin = play.next[1];
        play.places = vec![CLIENT_END];
        play.lose(Side::Server, lost.len() as u32)
            .flagged(flags)
            .send(Side::Server, rest);
        play.next[1] = begin;
        play.places = vec![SERVER_END];
        play.send(Side::Server, lost)
            .send(Side::Server, rest)
            .rst(Side::Server);
        let seen = play.only();
        assert_eq!(
            (seen.outcome, seen.completeness),
            (Outcome::Incomplete, Completeness::Gap),
            "{flags:?}"
        );
    }
}

#[test]
fn a_hole_that_one_end_fills_is_none() {
    let flight = server_flight(true);
    let (head, tail) = flight.split_at(40);
    let (hole, tail) = tail.split_at(40);
    for flags in [
        SegmentFlags {
            pieces_lost: true,
            ..SegmentFlags::default()
        },
        SegmentFlags {
            gap: true,
            ..SegmentFlags::default()
        },
    ] {
        // With and without the end that saw it all.
        for (filled, completeness) in [(true, Completeness::Complete), (false, Completeness::Gap)] {
            let mut play = twice();
            play.client(&[hello(1)]).send(Side::Server, head);
            let begin = play.next[1];
            for (place, whole) in [(CLIENT_END, false), (SERVER_END, filled)] {
                play.places = vec![place];
                play.next[1] = begin;
                if whole {
                    play.send(Side::Server, hole).send(Side::Server, tail);
                } else {
                    play.lose(Side::Server, hole.len() as u32)
                        .flagged(flags)
                        .send(Side::Server, tail);
                }
            }
            play.places = vec![CLIENT_END, SERVER_END];
            play.client(&[client_key_exchange(), finished()])
                .server(&[finished()]);
            let seen = play.only();
            assert_eq!(
                (seen.outcome, seen.completeness),
                (Outcome::Established, completeness),
                "{flags:?}"
            );
        }
    }
}

#[test]
fn equal_tuples_with_different_bytes_stay_apart() {
    let mut play = Play::new();
    play.client(&[hello(1)]);
    let first = play.next;
    let other = Place { scope: 9, born: 5 };
    play.reconnect(&[other]);
    play.client(&[hello(2)]).server(&[alert(2, 70)]);
    let seen = play.only();
    assert_eq!((seen.outcome, seen.time_ns), (Outcome::Rejected, START + MS));
    // Same numbers, but another random.
    let third = Place { scope: 10, born: 6 };
    play.places = vec![third];
    play.next = [u32::MAX - 99, 5_000];
    play.client(&[hello(3)]).server(&[alert(2, 80)]);
    assert_eq!(play.only().reason, Some(Reason::InternalError));
    assert_eq!(
        (play.table.stats().connections, play.table.stats().conflicts),
        (3, 2)
    );

    play.next = first;
    play.places = vec![CLIENT_END];
    play.server(&[server_flight(false)])
        .client(&[client_key_exchange(), finished()])
        .server(&[finished()]);
    let seen = play.only();
    assert_eq!((seen.outcome, seen.time_ns), (Outcome::Established, START));
    play.wait(2 * 3_600 * SECOND).nothing();
    assert_eq!(play.table.stats().connections, 0);
}

#[test]
fn a_reused_tuple_ends_what_was() {
    let mut play = twice();
    play.client(&[hello(1)]);
    play.reconnect(&[
        Place {
            born: 100,
            ..CLIENT_END
        },
        Place {
            born: 101,
            ..SERVER_END
        },
    ]);
    play.client(&[hello(2)]);
    let old = play.only();
    assert_eq!((old.outcome, old.time_ns), (Outcome::Incomplete, START));
    play.server(&[alert(2, 70)]);
    let new = play.only();
    assert_eq!((new.outcome, new.time_ns), (Outcome::Rejected, START + MS));
    assert_ne!(old.id, new.id);
    assert_eq!(
        (play.table.stats().connections, play.table.stats().conflicts),
        (1, 0)
    );
}

#[test]
fn the_id_is_that_of_the_handshake() {
    let id = |born, random| {
        let mut play = Play::new();
        play.places = vec![Place { scope: 1, born }];
        play.client(&[hello(random)]).server(&[alert(2, 70)]);
        play.only().id
    };
    assert_eq!(id(1, 1), id(2, 1));
    assert_ne!(id(1, 1), id(1, 2));
}
