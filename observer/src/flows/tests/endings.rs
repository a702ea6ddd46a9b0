//! TLS 1.2 without a proper end or beginning: closes, silence, losses, foreign bytes.

use super::wire::*;
use crate::observation::{Completeness, Evidence, Outcome, Reason, Side};
use crate::segment::SegmentFlags;

fn hello() -> Vec<u8> {
    client_hello(1, &[], &[])
}

#[test]
fn closed_and_reset() {
    let mut play = Play::new();
    play.client(&[hello()])
        .server(&[server_flight(true)])
        .rst(Side::Client);
    let seen = play.only();
    assert_eq!((seen.outcome, seen.rejected_by), (Outcome::Aborted, None));
    assert_eq!((seen.reason, seen.duration_ns), (Some(Reason::Reset), 2 * MS));

    // A FIN waits for the other side's, whichever comes, and keeps its own time.
    for ending in [Play::fin as fn(&mut Play, Side) -> &mut Play, Play::rst] {
        let mut play = Play::new();
        play.client(&[hello()]).fin(Side::Client).nothing();
        ending(&mut play, Side::Server);
        let seen = play.only();
        assert_eq!(
            (seen.outcome, seen.reason),
            (Outcome::Aborted, Some(Reason::Closed))
        );
        assert_eq!(seen.duration_ns, MS);
    }
    let mut play = Play::new();
    play.client(&[hello()])
        .fin(Side::Client)
        .wait(SECOND)
        .nothing()
        .wait(SECOND);
    assert_eq!(play.only().outcome, Outcome::Aborted);

    let mut play = Play::new();
    play.client(&[hello()])
        .server(&[server_flight(true)])
        .client(&[alert(1, 0)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason),
        (Outcome::Aborted, Some(Reason::Closed))
    );
}

#[test]
fn an_alert_after_the_clients_fin_still_counts() {
    let mut play = Play::new();
    play.client(&[hello()]).fin(Side::Client).server(&[alert(2, 70)]);
    assert_eq!(play.only().outcome, Outcome::Rejected);
    // It does not if the FIN is what it speaks of.
    let mut play = Play::new();
    play.client(&[hello()]).fin(Side::Client).server(&[alert(2, 50)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason),
        (Outcome::Aborted, Some(Reason::Closed))
    );
    assert_eq!((seen.duration_ns, seen.alerts.len()), (MS, 1));
}

#[test]
fn a_fin_that_overtakes_data_waits_for_it() {
    let mut play = Play::packets();
    play.connect().client(&[hello()]);
    let (begin, refusal) = (alert(2, 70)[..3].to_vec(), alert(2, 70)[3..].to_vec());
    play.server(&[begin])
        .lose(Side::Server, refusal.len() as u32)
        .fin(Side::Server)
        .fin(Side::Client)
        .nothing();
    play.next[1] -= 1 + refusal.len() as u32;
    play.server(&[refusal]);
    assert_eq!(play.only().outcome, Outcome::Rejected);
}

#[test]
fn silence_times_out() {
    let mut play = Play::new();
    play.client(&[hello()]).wait(10 * SECOND - 1).nothing().wait(1);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason),
        (Outcome::TimedOut, Some(Reason::TimedOut))
    );
    assert_eq!(seen.evidence, Evidence::Observed);
    assert_eq!(seen.duration_ns, 10 * SECOND);
    // Whatever comes now belongs to a handshake that was reported.
    play.server(&[server_flight(true)]).wait(100 * SECOND).nothing();
}

#[test]
fn nothing_is_claimed_where_pieces_may_be_missing() {
    let mut play = Play::new();
    play.client(&[hello()]);
    play.dropped = 1;
    play.wait(10 * SECOND);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.completeness),
        (Outcome::Incomplete, Completeness::Gap)
    );
    // Those of a time before the connection's last piece do not matter.
    let mut play = Play::new();
    play.dropped = 9;
    play.wait(0).client(&[hello()]).wait(10 * SECOND);
    assert_eq!(play.only().outcome, Outcome::TimedOut);

    let lost = SegmentFlags {
        pieces_lost: true,
        ..SegmentFlags::default()
    };
    let mut play = Play::new();
    play.client(&[hello()])
        .flagged(lost)
        .fin(Side::Server)
        .fin(Side::Client);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.completeness, seen.reason),
        (Outcome::Incomplete, Completeness::Gap, None)
    );
}

#[test]
fn a_gap_is_told_and_the_rest_is_read() {
    for flags in [
        SegmentFlags {
            gap: true,
            ..SegmentFlags::default()
        },
        SegmentFlags {
            pieces_lost: true,
            ..SegmentFlags::default()
        },
    ] {
        let mut play = Play::new();
        play.client(&[hello()]).server(&[server_hello(ECDHE, &[], &[])]);
        play.lose(Side::Server, 1000)
            .flagged(flags)
            .server(&[server_hello_done()]);
        play.client(&[client_key_exchange(), finished()])
            .server(&[finished()]);
        let seen = play.only();
        assert_eq!(
            (seen.outcome, seen.completeness),
            (Outcome::Established, Completeness::Gap)
        );
    }
}

#[test]
fn seen_from_the_server_hello_on() {
    let mut play = Play::new();
    play.server(&[server_flight(false)])
        .client(&[client_key_exchange(), finished()])
        .server(&[finished()]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.completeness),
        (Outcome::Established, Completeness::Midstream)
    );
    assert_eq!((seen.client, seen.server), (play.client, play.server));
    assert!(seen.offer.is_none());
}

#[test]
fn bytes_that_are_not_tls() {
    let not_tls = SegmentFlags {
        not_tls: true,
        ..SegmentFlags::default()
    };
    let mut play = Play::new();
    play.flagged(not_tls)
        .piece(Side::Client, &[], 100)
        .nothing()
        .server(&[alert(2, 22)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rejected_by),
        (Outcome::Rejected, Some(Side::Server))
    );
    assert_eq!(
        (seen.reason, seen.evidence),
        (Some(Reason::NotTls), Evidence::Derived)
    );
    assert_eq!(
        (seen.client, seen.completeness),
        (play.client, Completeness::Complete)
    );
    play.fin(Side::Server)
        .fin(Side::Client)
        .wait(60 * SECOND)
        .nothing();

    let mut play = Play::new();
    play.flagged(not_tls)
        .piece(Side::Client, &[], 100)
        .rst(Side::Server);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason),
        (Outcome::Aborted, Some(Reason::NotTls))
    );
}

#[test]
fn starttls_and_a_second_handshake() {
    let mut play = Play::new();
    // An alert or a lone close of an unknown connection begins nothing.
    play.server(&[alert(2, 40)])
        .fin(Side::Server)
        .wait(60 * SECOND)
        .nothing();

    let mut play = Play::new();
    mutual(&mut play);
    let first = play.only();
    play.client(&[opaque(23, 100)])
        .server(&[opaque(23, 3000)])
        .nothing();
    play.client(&[client_hello(2, &[], &[])]).server(&[alert(2, 70)]);
    let second = play.only();
    assert_eq!(
        (second.outcome, second.reason),
        (Outcome::Rejected, Some(Reason::NoSharedVersion))
    );
    assert_ne!(first.id, second.id);
}

#[test]
fn a_hello_that_cannot_be_parsed_is_still_a_handshake() {
    let mut play = Play::new();
    let malformed = message(1, &[[3, 3].as_slice(), &[1; 32], &[0, 0, 9, 9]].concat());
    play.client(&[malformed]).server(&[alert(2, 50)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason),
        (Outcome::Rejected, Some(Reason::DecodeError))
    );
    assert_eq!(
        (seen.client, seen.completeness),
        (play.client, Completeness::Complete)
    );
}

#[test]
fn a_connection_that_ends_within_the_client_hello_is_told_of() {
    let hello = client_hello(7, &[], &[]);
    for cut in [1, 5, 6, 40, hello.len() - 1] {
        let mut play = Play::new();
        play.send(Side::Client, &hello[..cut]).nothing().rst(Side::Client);
        let seen = play.only();
        assert_eq!(
            (seen.outcome, seen.reason),
            (Outcome::Aborted, Some(Reason::Reset)),
            "{cut}"
        );
        assert_eq!((seen.client, seen.server), (play.client, play.server));
        assert_eq!((seen.time_ns, seen.completeness), (START, Completeness::Complete));
        assert!(seen.offer.is_none());

        let mut silent = Play::new();
        silent.send(Side::Client, &hello[..cut]).wait(20 * SECOND);
        assert_eq!(silent.only().outcome, Outcome::TimedOut, "{cut}");
    }
}

#[test]
fn a_client_hello_with_a_part_left_out_is_not_complete() {
    let mut play = Play::new();
    play.flagged(SegmentFlags {
        truncated: true,
        ..SegmentFlags::default()
    })
    .send(Side::Client, &client_hello(7, &[], &[])[..40])
    .flagged(SegmentFlags::default())
    .fin(Side::Client)
    .fin(Side::Server);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.completeness),
        (Outcome::Incomplete, Completeness::Truncated)
    );
}

#[test]
fn what_a_client_says_late_begins_nothing() {
    let mut play = Play::new();
    play.client(&[opaque(21, 26)])
        .fin(Side::Client)
        .fin(Side::Server)
        .nothing();
    let mut other = Play::new();
    other.client(&[certificate(&[])]).rst(Side::Client).nothing();
}

#[test]
fn a_server_that_answers_in_another_protocol_is_told_of() {
    let mut play = Play::new();
    play.client(&[client_hello(1, &[], &[])]);
    play.flagged(SegmentFlags {
        not_tls: true,
        ..SegmentFlags::default()
    })
    .piece(Side::Server, &[], 0);
    play.flagged(SegmentFlags::default())
        .fin(Side::Server)
        .fin(Side::Client);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason),
        (Outcome::Aborted, Some(Reason::NotTls))
    );
    assert_eq!((seen.client, seen.server), (play.client, play.server));
}
