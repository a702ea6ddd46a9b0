//! Resumed sessions, and whose certificates they stand for.

use observer_tls::codepoints::ExtensionType;

use super::*;

fn original(number: u32, given: &[&[u8]]) -> Observation {
    Observation {
        client_chain: vec![facts_of(&der(number))],
        server_chain: vec![facts_of(&der(number + 1))],
        sessions: SessionNames {
            resumed: None,
            given: given.iter().map(|name| SessionName::of(name)).collect(),
            ..SessionNames::default()
        },
        sockets: Sockets::default(),
        ..tls12()
    }
}

fn resumed(name: &[u8], given: &[&[u8]]) -> Observation {
    Observation {
        resumed: Some(true),
        resumption: Some(Resumption::Ticket),
        client_certificate: ClientCertificate::Unknown,
        client_chain: vec![],
        server_chain: vec![],
        sessions: SessionNames {
            resumed: Some(SessionName::of(name)),
            ..original(0, given).sessions
        },
        ..original(0, given)
    }
}

/// What comes of these, one after the other.
fn given(all: impl IntoIterator<Item = Observation>) -> Vec<Observation> {
    let mut join = Join::new(false, LateAlerts::Unexpected);
    let mut out = Vec::new();
    all.into_iter().for_each(|seen| join.observation(seen, &mut out));
    out
}

#[test]
fn a_resumed_session_has_the_certificates_of_its_first_handshake() {
    let out = given([
        original(1, &[b"a"]),
        original(5, &[b"b"]),
        resumed(b"a", &[b"a2"]),
        resumed(b"a2", &[]),
        resumed(b"unknown", &[]),
    ]);
    for seen in &out[2..4] {
        assert_eq!(seen.client_chain, [facts_of(&der(1))]);
        assert_eq!(seen.server_chain, [facts_of(&der(2))]);
        assert_eq!(seen.certificate_source, CertificateSource::Resumption);
        assert_eq!(
            seen.client_certificate,
            ClientCertificate::Unknown,
            "it was not sent"
        );
        assert_eq!((seen.evidence, seen.source), (Evidence::Observed, Source::Wire));
    }
    assert!(out[4].client_chain.is_empty());
    assert_eq!(out[0].certificate_source, CertificateSource::Wire);
}

#[test]
fn what_was_not_established_cannot_be_resumed() {
    let mut refused = original(1, &[b"a"]);
    refused.outcome = Outcome::Rejected;
    let out = given([refused, resumed(b"a", &[])]);
    assert!(out[1].client_chain.is_empty());
}

#[test]
fn a_name_for_two_sessions_names_none() {
    let out = given([
        original(1, &[b"a"]),
        original(1, &[b"a"]),
        resumed(b"a", &[]),
        original(3, &[b"a"]),
        resumed(b"a", &[]),
        original(1, &[b"a"]),
        resumed(b"a", &[]),
    ]);
    assert_eq!(out[2].client_chain.len(), 1);
    assert!(out[4].client_chain.is_empty() && out[6].client_chain.is_empty());
}

#[test]
fn a_ticket_of_tls13_is_known_from_a_library() {
    let name = SessionName::of(b"ticket");
    let again = Observation {
        sessions: SessionNames {
            resumed: Some(name),
            ..SessionNames::default()
        },
        resumed: Some(true),
        resumption: Some(Resumption::Psk),
        time_ns: START + 5_000 * MS,
        ..tls13()
    };
    let facts = [
        fact(Side::Server, 10, chain(1)),
        fact(Side::Server, 11, FactBody::Ticket(name)),
    ];
    let (_, mut join) = joined(tls13(), facts);
    let mut out = Vec::new();
    join.observation(again, &mut out);
    join.flush(&mut out);
    assert_eq!(out[0].client_chain, [facts_of(&der(1))]);
    assert_eq!(out[0].certificate_source, CertificateSource::Resumption);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut join = Join::new(false, LateAlerts::Unexpected);
    let mut out = Vec::new();
    for number in 0..20_000_u32 {
        join.observation(original(number, &[&number.to_be_bytes()]), &mut out);
        out.clear();
    }
    let mut of = |number: u32| {
        join.observation(resumed(&number.to_be_bytes(), &[]), &mut out);
        !out.pop().unwrap().client_chain.is_empty()
    };
    assert!(of(19_999) && !of(1));
}

/// A handshake of TLS 1.3 that resumes a session, its ServerHello 2 ms after the ClientHello.
fn resumed13() -> Observation {
    Observation {
        resumed: Some(true),
        resumption: Some(Resumption::Psk),
        timings: Timings {
            server_hello: Some(2 * MS),
            ..Timings::default()
        },
        ..tls13()
    }
}

/// The library at the end of `side` reads a session with this certificate.
fn session(side: Side, at_ms: u64, certificate: Option<u32>) -> Fact {
    Fact {
        own_side: None,
        ..fact(side, at_ms, FactBody::Session(certificate.map(der)))
    }
}

#[test]
fn a_resumed_session_has_the_certificate_that_the_library_finds_in_it() {
    let (seen, after) = joined(resumed13(), [session(Side::Server, 1, Some(1))]);
    assert_eq!(seen.client_chain, [facts_of(&der(1))]);
    assert_eq!(seen.certificate_source, CertificateSource::Resumption);
    assert_eq!(
        seen.client_certificate,
        ClientCertificate::Unknown,
        "it was not sent"
    );
    assert_eq!((seen.source, seen.sessions.leaf_alone), (Source::Both, true));
    assert_eq!(end(&seen), end(&tls13()), "it tells nothing of the end");
    assert_eq!((after.stats().joined, after.stats().contradicted), (1, 0));
    // Once for each ClientHello, of which a HelloRetryRequest makes two.
    let again = [1, 2].map(|at_ms| session(Side::Server, at_ms, Some(1)));
    assert_eq!(contradictions(&join(resumed13(), again)), vec![]);
    // Nobody had shown one.
    let seen = join(resumed13(), [session(Side::Server, 1, None)]);
    assert_eq!((seen.client_chain.len(), contradictions(&seen)), (0, vec![]));
    assert_eq!(
        (seen.certificate_source, seen.sessions.leaf_alone),
        (CertificateSource::Wire, false)
    );
}

#[test]
fn a_session_that_is_not_resumed_names_nobody() {
    let full = Observation {
        resumed: Some(false),
        ..resumed13()
    };
    let unanswered = Observation {
        timings: Timings::default(),
        ..resumed13()
    };
    for (seen, told) in [
        (full, session(Side::Server, 1, Some(1))),
        (unanswered, session(Side::Server, 1, Some(1))),
        // Behind the ServerHello, or before the ClientHello, it is of something else.
        (resumed13(), session(Side::Server, 3, Some(1))),
        (
            resumed13(),
            Fact {
                time_ns: START - 1,
                ..session(Side::Server, 0, Some(1))
            },
        ),
        // A client's library reads sessions before it has received anything of the connection.
        (resumed13(), session(Side::Client, 1, Some(1))),
    ] {
        let (seen, join) = joined(seen, [told]);
        assert!(seen.client_chain.is_empty() && seen.server_chain.is_empty());
        assert_eq!((seen.told, seen.source), (None, Source::Wire));
        let stats = join.stats();
        assert_eq!((stats.joined, stats.contradicted), (0, 0));
        assert!(stats.losses().iter().all(|(_, _, lost)| *lost == 0));
    }
    // It is no handshake by itself either.
    let mut join = Join::new(true, LateAlerts::Unexpected);
    let mut out = Vec::new();
    let body = FactBody::Session(Some(der(1)));
    join.fact(fact(Side::Server, 1, body));
    join.flush(&mut out);
    assert!(out.is_empty() && join.stats().without_handshake == 0);
}

#[test]
fn sessions_of_two_clients_in_one_handshake_name_nobody() {
    for other in [Some(2), None] {
        let told = [session(Side::Server, 1, Some(1)), session(Side::Server, 2, other)];
        let (seen, join) = joined(resumed13(), told);
        assert_eq!(
            (seen.client_chain.len(), contradictions(&seen)),
            (0, vec![Contradiction::Chain])
        );
        assert_eq!(join.stats().contradicted, 2);
    }
}

#[test]
fn the_library_and_the_first_handshake_must_name_the_same_client() {
    let with_sockets = |seen| Observation {
        sockets: tls12().sockets,
        timings: resumed13().timings,
        ..seen
    };
    let again = |kept: Option<u32>| {
        let mut join = Join::new(true, LateAlerts::Unexpected);
        let mut out = Vec::new();
        join.observation(original(1, &[b"a"]), &mut out);
        join.fact(session(Side::Server, 1, kept));
        join.observation(with_sockets(resumed(b"a", &[])), &mut out);
        join.flush(&mut out);
        (out.remove(1), join.stats().contradicted)
    };
    let (seen, contradicted) = again(Some(1));
    assert_eq!(
        (seen.client_chain.len(), seen.server_chain.len(), contradicted),
        (1, 1, 0)
    );
    assert_eq!((seen.sessions.leaf_alone, seen.source), (false, Source::Both));
    for other in [Some(7), None] {
        let (seen, contradicted) = again(other);
        assert!(seen.client_chain.is_empty() && seen.server_chain.is_empty());
        assert_eq!(
            (contradictions(&seen), contradicted),
            (vec![Contradiction::Chain], 1)
        );
    }
}

#[test]
fn a_leaf_alone_is_not_remembered_as_a_whole_chain() {
    let mut first = resumed13();
    first.sessions.given = vec![SessionName::of(b"next")];
    let (_, mut join) = joined(first, [session(Side::Server, 1, Some(1))]);
    let mut out = Vec::new();
    join.observation(resumed(b"next", &[]), &mut out);
    assert!(out[0].client_chain.is_empty());
}

#[test]
fn a_session_keeps_the_leaf_and_the_agent_what_was_sent_behind_it() {
    let first = |chain: &[u32]| {
        let ders = chain.iter().map(|number| der(*number)).collect();
        [fact(Side::Server, 10, FactBody::Chain(ders))]
    };
    let again = |mut join: Join| {
        let mut out = Vec::new();
        join.fact(session(Side::Server, 1, Some(1)));
        join.observation(resumed13(), &mut out);
        join.flush(&mut out);
        let seen = out.remove(0);
        (seen.client_chain.len(), seen.sessions.leaf_alone)
    };
    let big_enough = || Observation {
        opaque: vec![],
        extensions: vec![ExtensionType::COMPRESS_CERTIFICATE],
        ..tls13()
    };
    assert_eq!(again(joined(big_enough(), first(&[1, 3])).1), (2, false));
    // Another's, and one that was sent alone.
    assert_eq!(again(joined(big_enough(), first(&[2, 3])).1), (1, true));
    assert_eq!(again(joined(big_enough(), first(&[1])).1), (1, true));
    // What was sent last counts.
    let (_, mut join) = joined(big_enough(), first(&[1, 3]));
    let mut out = Vec::new();
    first(&[1, 4, 5]).into_iter().for_each(|fact| join.fact(fact));
    join.observation(big_enough(), &mut out);
    join.flush(&mut out);
    assert_eq!(again(join), (3, false));
}
