//! The measured record sequences, and what to conclude of each.

use super::*;
use crate::observation::Outcome;
use observer_tls::codepoints::ContentType;

const SHA256: Option<CipherSuite> = Some(CipherSuite::TLS_AES_128_GCM_SHA256);
const SHA384: Option<CipherSuite> = Some(CipherSuite::TLS_AES_256_GCM_SHA384);
/// EncryptedExtensions, CertificateRequest, Certificate, CertificateVerify, Finished (SHA-384).
const SERVER_FLIGHT: [i32; 5] = [-23, -100, -800, -96, -69];

const MS: u64 = 1_000_000;

/// Positive lengths are the client's, negative ones the server's. They come a millisecond one after the other.
fn records(lengths: &[i32]) -> Vec<OpaqueRecord> {
    let record = |(index, &length): (usize, &i32)| OpaqueRecord {
        sender: if length < 0 { Side::Server } else { Side::Client },
        content_type: ContentType::APPLICATION_DATA,
        length: u16::try_from(length.unsigned_abs()).unwrap(),
        offset_ns: index as u64 * MS,
    };
    lengths.iter().enumerate().map(record).collect()
}

/// A full handshake of these records.
fn sequence(records: &[OpaqueRecord], cipher: Option<CipherSuite>) -> Sequence<'_> {
    Sequence {
        records,
        cipher,
        psk: false,
        early_data: false,
        client_closed_ns: None,
        habits: Habits::default(),
        takes_tickets: true,
    }
}

fn read_all(cipher: Option<CipherSuite>, lengths: &[i32]) -> Reading {
    read(&sequence(&records(lengths), cipher))
}

fn read_after_flight(cipher: Option<CipherSuite>, lengths: &[i32]) -> Reading {
    let finished = -i32::from(Sizes::of(cipher).finished);
    let flight = [&SERVER_FLIGHT[..4], &[finished]].concat();
    read_all(cipher, &[&flight, lengths].concat())
}

/// The same where the server did not ask for a certificate.
fn read_unasked(lengths: &[i32]) -> Reading {
    read_all(SHA384, &[&[-23, -800, -96, -69], lengths].concat())
}

/// A resumed handshake.
fn read_resumed(early_data: bool, lengths: &[i32]) -> Reading {
    let records = records(lengths);
    read(&Sequence {
        psk: true,
        early_data,
        ..sequence(&records, SHA384)
    })
}

fn rule(conclusion: Conclusion) -> (Outcome, Rule) {
    (conclusion.outcome, conclusion.rule.unwrap())
}

fn outcome(reading: Reading) -> Option<(Outcome, Option<Reason>)> {
    reading
        .conclusion
        .map(|conclusion| (conclusion.outcome, conclusion.reason))
}

const MISSING: Reason = Reason::Certificate(Side::Client, CertificateFault::Missing);
const REFUSED: Reason = Reason::Certificate(Side::Client, CertificateFault::Rejected);

/// The table of measured servers: what the client sent, what the server answered, what to conclude.
#[test]
fn measured_flights_and_answers() {
    use ClientCertificate::{RequestedNotSent, Sent};
    let established = Some((Outcome::Established, None));
    let missing = Some((Outcome::Rejected, Some(MISSING)));
    let refused = Some((Outcome::Rejected, Some(REFUSED)));
    let cases: [(&str, Option<CipherSuite>, &[i32], ClientCertificate, _); 13] = [
        (
            "openssl accepts",
            SHA384,
            &[881, 96, 69, -682, -682],
            Sent,
            established,
        ),
        ("nginx accepts", SHA384, &[463, 95, 69, -714], Sent, established),
        (
            "rustls accepts a rustls client",
            SHA384,
            &[599, -179],
            Sent,
            established,
        ),
        ("go accepts", SHA256, &[600, 97, 53, -1404], Sent, established),
        (
            "gnutls accepts",
            SHA384,
            &[881, 96, 69, 120, -1148],
            Sent,
            established,
        ),
        (
            "openssl, no certificate",
            SHA384,
            &[25, 69, -19],
            RequestedNotSent,
            missing,
        ),
        (
            "rustls client, no certificate",
            SHA384,
            &[77, -19],
            RequestedNotSent,
            missing,
        ),
        (
            "the same with SHA-256",
            SHA256,
            &[61, -19],
            RequestedNotSent,
            missing,
        ),
        (
            "openssl, bad certificate",
            SHA384,
            &[881, 96, 69, -19],
            Sent,
            refused,
        ),
        (
            "gnutls sends two",
            SHA384,
            &[881, 96, 69, -19, -19],
            Sent,
            refused,
        ),
        ("rustls, bad certificate", SHA384, &[594, -19], Sent, refused),
        (
            "request data before the refusal",
            SHA384,
            &[25, 69, 77, -19],
            RequestedNotSent,
            missing,
        ),
        (
            "nginx answers 400",
            SHA384,
            &[25, 69, -282, -282],
            RequestedNotSent,
            established,
        ),
    ];
    for (name, cipher, lengths, certificate, expected) in cases {
        let reading = read_after_flight(cipher, lengths);
        assert_eq!(reading.client_certificate, certificate, "{name}");
        assert_eq!(outcome(reading), expected, "{name}");
        assert!(reading.recognised, "{name}");
        assert_eq!(reading.flight_start, Some(5), "{name}");
    }
}

#[test]
fn a_client_that_sends_an_alert_refuses_the_server() {
    let conclusion = read_after_flight(SHA384, &[19]).conclusion.unwrap();
    assert_eq!(conclusion.rejected_by, Some(Side::Client));
    assert_eq!(
        conclusion.reason,
        Some(Reason::Certificate(Side::Server, CertificateFault::Rejected))
    );
    assert_eq!(conclusion.rule, Some(Rule::ClientAlert));
    // Once more, as GnuTLS does.
    assert_eq!(read_after_flight(SHA384, &[19, 19]).conclusion, Some(conclusion));
}

#[test]
fn a_server_that_begins_with_an_alert_refuses() {
    for lengths in [&[-19][..], &[-19, -19]] {
        let conclusion = read_all(SHA384, lengths).conclusion.unwrap();
        assert_eq!(rule(conclusion), (Outcome::Rejected, Rule::ServerAlertAtOnce));
        assert_eq!(conclusion.rejected_by, Some(Side::Server));
    }
    // Behind its flight it is the end of its patience.
    assert_eq!(read_after_flight(SHA384, &[-19]).conclusion, None);
}

#[test]
fn no_conclusion_before_the_flight_is_answered() {
    for lengths in [&[][..], &[25], &[25, 69], &[881], &[881, 96], &[881, 96, 69]] {
        assert_eq!(read_after_flight(SHA384, lengths).conclusion, None, "{lengths:?}");
    }
    assert_eq!(read_after_flight(SHA384, &[25]).flight_end, None);
}

#[test]
fn server_data_before_the_clients_flight_belongs_to_the_servers() {
    let reading = read_after_flight(SHA384, &[-60, 881, 96, 69]);
    assert_eq!((reading.conclusion, reading.flight_start), (None, Some(6)));
    // It crosses the client's Finished.
    let reading = read_after_flight(SHA384, &[25, -60, 69, -19]);
    assert_eq!(outcome(reading), Some((Outcome::Rejected, Some(MISSING))));
}

#[test]
fn whoever_closes_first_decides() {
    let sent = read_after_flight(SHA384, &[881, 96, 69]);
    let empty = read_after_flight(SHA384, &[25, 69]);
    let unasked = read_unasked(&[69]);
    let resumed = read_resumed(false, &[-23, -69, 69]);
    for reason in [Reason::Reset, Reason::Closed] {
        for (reading, refused) in [(sent, REFUSED), (empty, MISSING)] {
            let conclusion = reading.at_close(reason, Side::Server);
            assert_eq!(rule(conclusion), (Outcome::Rejected, Rule::ServerClosed));
            assert_eq!(
                (conclusion.rejected_by, conclusion.reason),
                (Some(Side::Server), Some(refused))
            );
        }
        for reading in [unasked, resumed] {
            let conclusion = reading.at_close(reason, Side::Server);
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
            rule(reading.at_close(Reason::Closed, Side::Client)),
            (outcome, by)
        );
        let reset = reading.at_close(Reason::Reset, Side::Client);
        assert_eq!(rule(reset), (Outcome::Aborted, Rule::NoAnswer));
    }
    let open = read_after_flight(SHA384, &[25]);
    assert_eq!(
        rule(open.at_close(Reason::Closed, Side::Server)),
        (Outcome::Aborted, Rule::NoFlightEnd)
    );
    // What was decided stays so.
    let answered = read_after_flight(SHA384, &[881, 96, 69, -682]);
    assert_eq!(
        answered.at_close(Reason::Reset, Side::Server).outcome,
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
    records[8].offset_ns = flight_ns + REFUSAL_NS;
    records[9].offset_ns = flight_ns + REFUSAL_NS + MS;
    let late = read(&sequence(&records, SHA384));
    assert_eq!(rule(late.conclusion.unwrap()), established);
    // Its FIN tells the same as a close_notify.
    records.remove(8);
    for (closed_ns, expected) in [(MS, incomplete), (REFUSAL_NS, established)] {
        let left = read(&Sequence {
            client_closed_ns: Some(flight_ns + closed_ns),
            ..sequence(&records, SHA384)
        });
        assert_eq!(rule(left.conclusion.unwrap()), expected);
    }
    // It stayed, and the server waited.
    let waited = read(&sequence(&records, SHA384));
    assert_eq!(rule(waited.conclusion.unwrap()), incomplete);
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
    assert_eq!(read_from(&unasked, greets(Kind::Unasked), true), refused);
    assert_eq!(read_from(&asked, greets(Kind::Asked), true), refused);
    // What it does in other handshakes, or for other clients, tells nothing.
    let closed = (Outcome::Established, Rule::BothClosed);
    assert_eq!(read_from(&unasked, greets(Kind::Asked), true), closed);
    assert_eq!(read_from(&unasked, greets(Kind::Resumed), true), closed);
    assert_eq!(read_from(&unasked, greets(Kind::Unasked), false), closed);
}

#[test]
fn resumed_sessions_tell_nothing_of_a_certificate() {
    let reading = read_resumed(false, &[-23, -69, 69, -714]);
    assert_eq!(reading.client_certificate, ClientCertificate::Unknown);
    assert_eq!(outcome(reading), Some((Outcome::Established, None)));
    // A client may refuse there, too, but not a certificate.
    let refused = read_resumed(false, &[-23, -69, 19]).conclusion.unwrap();
    assert_eq!(refused.rejected_by, Some(Side::Client));
    assert_eq!(refused.reason, Some(Reason::Other));
}

#[test]
fn early_data_is_no_flight() {
    let reading = read_resumed(true, &[400, 19, -23, -69, 300, 21, 69, -714]);
    assert_eq!(reading.flight_end, Some(6));
    assert_eq!(outcome(reading), Some((Outcome::Established, None)));
    // What the server answers to early data is no answer to the flight.
    let reading = read_resumed(true, &[400, -23, -69, -300, 21, 69, -19]);
    assert_eq!(
        rule(reading.conclusion.unwrap()),
        (Outcome::Incomplete, Rule::AlertOrClose)
    );
    let reading = read_resumed(true, &[400, 19, -23, -69, 300]);
    assert_eq!((reading.flight_end, reading.conclusion), (None, None));
}

#[test]
fn an_eight_byte_tag_makes_all_records_shorter() {
    let cipher = Some(CipherSuite::TLS_AES_128_CCM_8_SHA256);
    let reading = read_all(cipher, &[-15, -92, -792, -88, -45, 17, 45, -11]);
    assert_eq!(outcome(reading), Some((Outcome::Rejected, Some(MISSING))));
}

#[test]
fn unknown_shapes_are_not_guessed() {
    let reading = read_after_flight(SHA384, &[130, 69, -714]);
    assert_eq!(reading.client_certificate, ClientCertificate::Unknown);
    assert_eq!(outcome(reading), Some((Outcome::Established, None)));
    let reading = read_after_flight(SHA384, &[130]);
    assert_eq!(reading.at_settle_time(), Conclusion::INCOMPLETE);
    // The server asked, and gets no answer to that.
    let reading = read_after_flight(SHA384, &[69]);
    assert_eq!(reading.client_certificate, ClientCertificate::Unknown);
    assert_eq!(reading.at_settle_time(), Conclusion::INCOMPLETE);
    // It did not ask.
    let reading = read_unasked(&[881, 96, 69]);
    assert_eq!(reading.client_certificate, ClientCertificate::Unknown);
}

#[test]
fn certificates_short_and_long() {
    use ClientCertificate::Sent;
    let cases: [(&str, &[i32]); 5] = [
        ("a raw public key", &[74, 96, 69]),
        ("a compressed certificate", &[241, 96, 69]),
        ("a chain of more than a record", &[16_401, 9_000, 96, 69]),
        ("the same in one run with the rest", &[16_401, 16_401, 200]),
        ("small records", &[529, 369, 96, 69]),
    ];
    for (name, lengths) in cases {
        let reading = read_after_flight(SHA384, lengths);
        assert_eq!(reading.client_certificate, Sent, "{name}");
        assert!(reading.recognised, "{name}");
        assert_eq!(reading.flight_end, Some(4 + lengths.len()), "{name}");
    }
    // A flight in one run of bytes, and data right behind it.
    let reading = read_after_flight(SHA384, &[599, 121]);
    assert_eq!((reading.client_certificate, reading.recognised), (Sent, false));
}

/// With all records padded, nothing can be told by size.
#[test]
fn padded_records_tell_nothing() {
    let server = [-528, -528, -1552, -528, -528];
    for client in [&[528, 528][..], &[1040, 528, 528], &[528]] {
        for answer in [&[-528][..], &[-528, -528]] {
            let lengths = [&server, client, answer].concat();
            let reading = read_all(SHA384, &lengths);
            assert_eq!(
                reading.client_certificate,
                ClientCertificate::Unknown,
                "{lengths:?}"
            );
            assert_eq!(reading.conclusion, None, "{lengths:?}");
            let unknown = (Outcome::Incomplete, Rule::ShortestRecordUnclear);
            assert_eq!(rule(reading.at_settle_time()), unknown, "{lengths:?}");
            let left = reading.at_close(Reason::Closed, Side::Client);
            assert_eq!(rule(left), unknown, "{lengths:?}");
            let refused = (Outcome::Rejected, Rule::ShortestRecord);
            let closed = reading.at_close(Reason::Closed, Side::Server);
            assert_eq!(rule(closed), refused, "{lengths:?}");
        }
        // Nobody refuses at such length.
        for answer in [&[-528, -528, -528][..], &[-1040]] {
            let reading = read_all(SHA384, &[&server, client, answer].concat());
            assert_eq!(
                rule(reading.conclusion.unwrap()),
                (Outcome::Established, Rule::ServerRecords)
            );
        }
    }
    // The client does not pad.
    let reading = read_all(SHA384, &[&server, &[25, 69, -528][..]].concat());
    assert_eq!(
        (reading.client_certificate, reading.conclusion),
        (ClientCertificate::RequestedNotSent, None)
    );
}

#[test]
fn the_servers_flight_tells_whether_it_asked() {
    let sizes = Sizes::of(SHA384);
    let requested = |lengths: &[i32]| {
        let records = records(lengths);
        is_requested(records.iter().map(|record| record.length), &sizes)
    };
    assert_eq!(requested(&SERVER_FLIGHT), Some(true));
    assert_eq!(requested(&[-23, -800, -96, -69]), Some(false));
    // With a ticket behind it, as Go sends it.
    assert_eq!(requested(&[-23, -800, -96, -69, -1404]), Some(false));
    // A request that is as long as a Finished.
    assert_eq!(requested(&[-23, -69, -800, -96, -69]), Some(true));
    // A Certificate in two records, or a long list of authorities.
    assert_eq!(requested(&[-23, -16_401, -900, -96, -69]), None);
    for coalesced in [&[-1100][..], &[-23, -1100], &[]] {
        assert_eq!(requested(coalesced), None, "{coalesced:?}");
    }
}
