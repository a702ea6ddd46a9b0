//! Alerts on connections whose handshake was reported.

use super::wire::*;
use crate::flows::FlowLimits;
use crate::observation::{Action, Evidence, Outcome, Side};
use crate::outcome::Rule;
use crate::segment::SegmentFlags;

const SKIPPED: SegmentFlags = SegmentFlags {
    skipped: true,
    syn_seen: false,
    syn: false,
    gap: false,
    pieces_lost: false,
    not_tls: false,
    fin: false,
    rst: false,
    truncated: false,
};

fn established(all: bool) -> (Play, [u8; 16]) {
    let mut play = Play::with(FlowLimits {
        late_alerts_all: all,
        ..limits()
    });
    mutual(&mut play);
    let id = play.only().id;
    (play, id)
}

#[test]
fn an_orderly_close_is_no_news() {
    let (mut play, _) = established(false);
    play.client(&[opaque(23, 90)]).server(&[opaque(23, 900)]);
    play.client(&[opaque(21, 26)])
        .fin(Side::Client)
        .server(&[opaque(21, 26)])
        .fin(Side::Server);
    play.rst(Side::Client).wait(SECOND).nothing();
    assert_eq!(play.table.stats().connections, 0);
}

#[test]
fn an_orderly_close_behind_skipped_data_is_no_news() {
    let (mut play, _) = established(false);
    play.lose(Side::Client, 9000)
        .flagged(SKIPPED)
        .piece(Side::Client, &[21, 3, 3, 0, 26], 31);
    play.fin(Side::Client).fin(Side::Server).nothing();
}

#[test]
fn a_client_that_only_shakes_hands_is_no_news() {
    let (mut play, _) = established(false);
    play.client(&[opaque(21, 26)]).fin(Side::Client);
    play.server(&[opaque(21, 26)]).fin(Side::Server).nothing();
}

#[test]
fn a_servers_alert_before_any_data_is_news() {
    let (mut play, id) = established(false);
    play.server(&[opaque(21, 26)]);
    let seen = play.only();
    assert_eq!(
        (seen.action, seen.id, seen.outcome),
        (Action::LateAlert, id, Outcome::Established)
    );
    assert_eq!((seen.time_ns, seen.duration_ns), (START + 4 * MS, 4 * MS));
    assert_eq!((seen.client, seen.server), (play.client, play.server));
    assert_eq!(seen.alerts.len(), 1);
    assert_eq!(
        (seen.alerts[0].sender, seen.alerts[0].alert),
        (Side::Server, None)
    );
    // The client's answer to it is not.
    play.client(&[opaque(21, 26)])
        .fin(Side::Client)
        .rst(Side::Server)
        .nothing();
}

#[test]
fn an_alert_before_its_senders_reset_is_news() {
    let (mut play, id) = established(false);
    play.client(&[opaque(23, 90)])
        .server(&[opaque(21, 26)])
        .nothing()
        .rst(Side::Client)
        .nothing();

    let (mut other, _) = established(false);
    other
        .client(&[opaque(23, 90)])
        .server(&[opaque(21, 26)])
        .nothing()
        .rst(Side::Server);
    let seen = other.only();
    assert_eq!((seen.id, seen.duration_ns), (id, 5 * MS));
}

#[test]
fn all_alerts_when_asked_for() {
    let (mut play, _) = established(true);
    play.client(&[opaque(23, 90), opaque(21, 26)])
        .fin(Side::Client)
        .server(&[opaque(21, 26)])
        .fin(Side::Server);
    let senders: Vec<Side> = play.observed().iter().map(|seen| seen.alerts[0].sender).collect();
    assert_eq!(senders, [Side::Client, Side::Server]);
}

#[test]
fn alerts_after_a_timeout_are_news_but_not_after_a_failure() {
    let mut play = Play::new();
    play.client(&[client_hello(1, &[], &[])]).wait(10 * SECOND);
    assert_eq!(play.only().outcome, Outcome::TimedOut);
    play.server(&[alert(2, 80)]);
    let seen = play.only();
    assert_eq!(
        (seen.action, seen.outcome),
        (Action::LateAlert, Outcome::TimedOut)
    );
    assert_eq!(seen.alerts[0].alert.unwrap().description.0, 80);

    let mut play = Play::new();
    play.client(&[client_hello(1, &[], &[])]).server(&[alert(2, 70)]);
    assert_eq!(play.only().outcome, Outcome::Rejected);
    play.client(&[alert(2, 10)])
        .server(&[alert(1, 0)])
        .fin(Side::Server)
        .rst(Side::Client)
        .nothing();
}

/// TLS 1.3 with a client certificate, up to the client's Finished.
fn tls13_unanswered() -> Play {
    let session = [4; 32];
    let mut play = Play::new();
    play.client(&[client_hello(1, &session, &[offers_tls13()])])
        .server(&[
            server_hello(AES_256, &session, &[chooses_tls13()]),
            encrypted(&[23, 100, 800, 96, 69]),
        ])
        .client(&[encrypted(&[881, 96, 69])]);
    play
}

#[test]
fn a_refusal_behind_the_flight_is_held_for() {
    let mut play = tls13_unanswered();
    play.wait(2 * SECOND - MS).nothing().server(&[encrypted(&[19])]);
    let seen = play.only();
    // Too late to be sure, too early to have settled.
    assert_eq!(
        (seen.outcome, seen.rule),
        (Outcome::Incomplete, Some(Rule::AlertOrClose))
    );
    let mut play = tls13_unanswered();
    play.server(&[encrypted(&[19])]);
    assert_eq!(play.only().outcome, Outcome::Rejected);
    play.server(&[encrypted(&[19])])
        .fin(Side::Server)
        .rst(Side::Client)
        .wait(60 * SECOND)
        .nothing();
}

#[test]
fn a_refusal_after_the_settle_time_is_news() {
    let settled = || {
        let mut play = tls13_unanswered();
        play.wait(2 * SECOND);
        let seen = play.only();
        assert_eq!(seen.outcome, Outcome::Established);
        (play, seen.id)
    };
    let (mut play, id) = settled();
    play.server(&[encrypted(&[19])]);
    let seen = play.only();
    assert_eq!(
        (seen.action, seen.id, seen.outcome),
        (Action::LateAlert, id, Outcome::Established)
    );
    assert_eq!(
        (seen.evidence, seen.rule),
        (Evidence::Inferred, Some(Rule::LateAlert))
    );
    assert_eq!(
        (seen.alerts[0].sender, seen.alerts[0].alert),
        (Side::Server, None)
    );
    play.client(&[encrypted(&[19])]).fin(Side::Server).nothing();

    // A server that has spoken has accepted, and closes.
    let (mut play, _) = settled();
    play.server(&[encrypted(&[682]), encrypted(&[19])])
        .rst(Side::Server)
        .nothing();
    // The client has left first.
    let (mut play, _) = settled();
    play.client(&[encrypted(&[19])])
        .server(&[encrypted(&[19])])
        .rst(Side::Server)
        .nothing();
    // To a request it may be the answer, or an orderly close.
    let (mut play, _) = settled();
    play.client(&[encrypted(&[90])])
        .server(&[encrypted(&[19])])
        .fin(Side::Server)
        .nothing();
    let (mut play, _) = settled();
    play.client(&[encrypted(&[90])])
        .server(&[encrypted(&[19])])
        .nothing()
        .rst(Side::Server);
    assert_eq!(play.only().action, Action::LateAlert);
}

#[test]
fn what_looks_like_an_alert_behind_an_answer_is_no_news() {
    let mut play = tls13_unanswered();
    play.server(&[encrypted(&[682])]);
    assert_eq!(play.only().outcome, Outcome::Established);
    play.server(&[encrypted(&[19])]).rst(Side::Server).nothing();
}
