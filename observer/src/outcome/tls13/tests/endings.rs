//! Closes, silence, and what may be a refusal or a close_notify.

use super::*;
use crate::outcome::REFUSAL_NS;

#[test]
fn whoever_closes_first_decides() {
    let sent = read_after_flight(SHA384, &[881, 96, 69]);
    let empty = read_after_flight(SHA384, &[25, 69]);
    let unasked = read_unasked(&[69]);
    let resumed = read_resumed(false, &[-23, -69, 69]);
    for reason in [Reason::Reset, Reason::Closed] {
        for (reading, refused) in [(sent, REFUSED), (empty, MISSING)] {
            let conclusion = reading.at_close(reason, Side::Server, SECOND);
            assert_eq!(rule(conclusion), (Outcome::Rejected, Rule::ServerClosed));
            assert_eq!(
                (conclusion.rejected_by, conclusion.reason),
                (Some(Side::Server), Some(refused))
            );
        }
        for reading in [unasked, resumed] {
            let conclusion = reading.at_close(reason, Side::Server, SECOND);
            assert_eq!(rule(conclusion), (Outcome::Aborted, Rule::NoAnswer));
            assert_eq!(conclusion.reason, Some(reason));
        }
    }
    for (reading, outcome, by) in [
        (sent, Outcome::Incomplete, Rule::ClientLeftUnanswered),
        (empty, Outcome::Incomplete, Rule::ClientLeftUnanswered),
        (unasked, Outcome::Established, Rule::ClientLeft),
        (resumed, Outcome::Established, Rule::ClientLeft),
    ] {
        assert_eq!(
            rule(reading.at_close(Reason::Closed, Side::Client, SECOND)),
            (outcome, by)
        );
        let reset = reading.at_close(Reason::Reset, Side::Client, SECOND);
        assert_eq!(rule(reset), (Outcome::Aborted, Rule::NoAnswer));
    }
    // Tickets that were not read make a reset of the client's close.
    let left = read_unasked(&[69, 19]).at_close(Reason::Reset, Side::Client, SECOND);
    assert_eq!(rule(left), (Outcome::Established, Rule::ClientLeft));
    // Data that crosses the close looks like a part of a flight in one record.
    let crossed = read_after_flight(SHA384, &[730, 35]).at_close(Reason::Closed, Side::Server, 5 * MS);
    assert_eq!(rule(crossed), (Outcome::Rejected, Rule::ServerClosed));
    let early = sent.at_close(Reason::Closed, Side::Server, 4 * MS);
    assert_eq!(rule(early), (Outcome::Aborted, Rule::NoAnswer));
    let open = read_after_flight(SHA384, &[25]);
    assert_eq!(
        rule(open.at_close(Reason::Closed, Side::Server, SECOND)),
        (Outcome::Aborted, Rule::NoFlightEnd)
    );
    // What was decided stays so.
    let answered = read_after_flight(SHA384, &[881, 96, 69, -682]);
    assert_eq!(
        answered.at_close(Reason::Reset, Side::Server, SECOND).outcome,
        Outcome::Established
    );
}

#[test]
fn silence_settles_it_only_when_the_flight_was_complete() {
    let complete = read_after_flight(SHA384, &[881, 96, 69]);
    assert_eq!(
        rule(complete.at_settle_time()),
        (Outcome::Established, Rule::Settled)
    );
    let open = read_after_flight(SHA384, &[25]);
    assert_eq!(open.at_settle_time(), Conclusion::INCOMPLETE);
}

/// close_notify has the size of a refusal.
#[test]
fn an_alert_sized_record_may_be_a_close_notify() {
    let incomplete = (Outcome::Incomplete, Rule::AlertOrClose);
    let established = (Outcome::Established, Rule::BothClosed);
    // Nothing was there to refuse; whether the client closed first tells.
    for reading in [
        read_unasked(&[69, -19]),
        read_resumed(false, &[-23, -69, 69, 200, -19]),
    ] {
        assert_eq!(rule(reading.conclusion.unwrap()), incomplete);
    }
    for reading in [
        read_unasked(&[69, 100, 19, -19]),
        read_resumed(false, &[-23, -69, 69, 19, -19]),
    ] {
        assert_eq!(rule(reading.conclusion.unwrap()), established);
    }
    // Where something was, it may be the answer to either.
    let soon = read_after_flight(SHA384, &[881, 96, 69, 19, -19]);
    assert_eq!(rule(soon.conclusion.unwrap()), incomplete);

    let mut records = records(&[&SERVER_FLIGHT[..], &[881, 96, 69, 19, -19]].concat());
    let flight_ns = records[7].offset_ns;
    // The client stayed for longer than a refusal takes.
    records[8].offset_ns = flight_ns + QUIET_NS;
    records[9].offset_ns = flight_ns + REFUSAL_NS;
    let late = read(&sequence(&records, SHA384));
    assert_eq!(rule(late.conclusion.unwrap()), established);
    // What the server closes without a word, it has refused, unless the client left before.
    let answered =
        read_after_flight(SHA384, &[881, 96, 69, 19]).at_close(Reason::Closed, Side::Server, 8 * MS);
    assert_eq!(rule(answered), (Outcome::Rejected, Rule::ServerClosed));
    let left = read_after_flight(SHA384, &[881, 96, 69, 19]).at_close(Reason::Closed, Side::Server, SECOND);
    assert_eq!(rule(left), (Outcome::Incomplete, Rule::ClientLeftUnanswered));
    // Its FIN tells the same as a close_notify.
    records.remove(8);
    for (closed_ns, expected) in [(MS, incomplete), (QUIET_NS, established)] {
        let left = read(&Sequence {
            client_closed_ns: Some(flight_ns + closed_ns),
            ..sequence(&records, SHA384)
        });
        assert_eq!(rule(left.conclusion.unwrap()), expected);
    }
    // It stayed, and the server waited.
    let waited = read(&sequence(&records, SHA384));
    assert_eq!(rule(waited.conclusion.unwrap()), incomplete);
    // Or the way is long.
    let far = read(&Sequence {
        server_hello_ns: SECOND,
        ..sequence(&records, SHA384)
    });
    assert_eq!(
        rule(far.conclusion.unwrap()),
        (Outcome::Rejected, Rule::ServerAlert)
    );
}

#[test]
fn where_the_server_always_greets_an_alert_is_a_refusal() {
    let read_from = |lengths: &[i32], habits, takes_tickets| {
        let records = records(lengths);
        let reading = read(&Sequence {
            habits,
            takes_tickets,
            ..sequence(&records, SHA384)
        });
        rule(reading.conclusion.unwrap())
    };
    let greets = |kind| (0..9).fold(Habits::default(), |habits, _| habits.with(kind, true));
    let unasked = [-23, -800, -96, -69, 69, 19, -19];
    let asked = [&SERVER_FLIGHT[..], &[881, 96, 69, 19, -19]].concat();
    let refused = (Outcome::Rejected, Rule::ServerAlertForTicket);
    let unspoken = [-23, -800, -96, -69, 69, -19];
    assert_eq!(read_from(&unspoken, greets(Kind::Unasked), true), refused);
    assert_eq!(read_from(&asked, greets(Kind::Asked), true), refused);
    // A flight that was cut off may be answered so, too.
    for (lengths, expected) in [
        (&[881, -19][..], (Outcome::Incomplete, Rule::AlertOrClose)),
        (&[881, 96, -19], (Outcome::Incomplete, Rule::AlertOrClose)),
        (&[881, 96, 69, -19], refused),
    ] {
        let records = records(&[&SERVER_FLIGHT[..], lengths].concat());
        let reading = read(&Sequence {
            habits: greets(Kind::Asked),
            client_closed_ns: Some(7 * MS),
            ..sequence(&records, SHA384)
        });
        assert_eq!(rule(reading.conclusion.unwrap()), expected, "{lengths:?}");
    }
    // A client that leaves at once may have been greeted before its Finished, as GnuTLS does it.
    let closed = (Outcome::Established, Rule::BothClosed);
    assert_eq!(read_from(&unasked, greets(Kind::Unasked), true), closed);
    // What it does in other handshakes, or for other clients, tells nothing.
    assert_eq!(read_from(&unasked, greets(Kind::Asked), true), closed);
    assert_eq!(read_from(&unasked, greets(Kind::Resumed), true), closed);
    assert_eq!(read_from(&unasked, greets(Kind::Unasked), false), closed);
}
