//! Flights of all shapes.

use super::*;

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
    // Who has answered early data closes behind the flight, and does not refuse it.
    let reading = read_resumed(true, &[400, -23, -69, -300, 21, 69, -19]);
    assert_eq!(
        rule(reading.conclusion.unwrap()),
        (Outcome::Established, Rule::EarlyDataAnswered)
    );
    let reading = read_resumed(true, &[400, -23, -69, 21, 69, -19]);
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
    for data in [121, 55] {
        let reading = read_after_flight(SHA384, &[599, data]);
        assert_eq!((reading.client_certificate, reading.recognised), (Sent, false));
    }
    // And a close_notify.
    let reading = read_after_flight(SHA384, &[599, 19]);
    assert_eq!((reading.client_certificate, reading.recognised), (Sent, true));
    assert_eq!(reading.client_left_ns, Some(6 * MS));
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
            let left = reading.at_close(Reason::Closed, Side::Client, SECOND);
            assert_eq!(rule(left), unknown, "{lengths:?}");
            let refused = (Outcome::Rejected, Rule::ShortestRecord);
            let closed = reading.at_close(Reason::Closed, Side::Server, SECOND);
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
    // Only the client pads, and the server's flight does not tell whether it asked.
    for client in [&[528][..], &[528, 528], &[1040, 528, 528]] {
        let reading = read_all(SHA384, &[&[-820], client, &[-383]].concat());
        assert_eq!(
            reading.client_certificate,
            ClientCertificate::Unknown,
            "{client:?}"
        );
        assert_eq!(outcome(reading), Some((Outcome::Established, None)), "{client:?}");
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
