//! Resumed sessions, and whose certificates they stand for.

use super::*;

fn original(number: u32, given: &[&[u8]]) -> Observation {
    Observation {
        client_chain: vec![facts_of(&der(number))],
        server_chain: vec![facts_of(&der(number + 1))],
        sessions: SessionNames {
            resumed: None,
            given: given.iter().map(|name| SessionName::of(name)).collect(),
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
            given: vec![],
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
