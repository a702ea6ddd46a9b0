//! What is not believed.

use observer_tls::codepoints::ExtensionType;

use super::*;

/// What a server's library tells of this chain, and nothing of it is believed for this reason.
#[track_caller]
fn refused(seen: Observation, body: FactBody, kind: Contradiction) {
    let before = seen.clone();
    let (seen, join) = joined(
        seen,
        [
            fact(Side::Server, 10, body),
            fact(Side::Server, 10, verified(None)),
        ],
    );
    assert_eq!(contradictions(&seen), [kind]);
    assert_eq!(seen.client_chain, before.client_chain);
    assert_eq!(seen.client_certificate, before.client_certificate);
    assert_eq!(seen.source, Source::Wire);
    assert_eq!(seen.told.as_ref().and_then(|told| told.by(Side::Server)), None);
    assert_eq!((join.stats().joined, join.stats().contradicted), (0, 2));
}

#[test]
fn a_library_that_takes_its_end_for_the_other_is_not_believed() {
    let mut told = fact(Side::Server, 10, chain(1));
    told.own_side = Some(Side::Client);
    let seen = join(tls13(), [told]);
    assert_eq!(contradictions(&seen), [Contradiction::Role]);
    assert!(seen.client_chain.is_empty() && seen.server_chain.is_empty());
}

#[test]
fn a_socket_with_other_addresses_is_another_connection() {
    let other = ("10.0.0.3:443".parse().unwrap(), "10.0.0.9:40001".parse().unwrap());
    let mut told = fact(Side::Server, 10, chain(1));
    told.socket.addresses = Some(other);
    let seen = join(tls13(), [told.clone()]);
    assert_eq!(contradictions(&seen), [Contradiction::Address]);
    assert!(seen.client_chain.is_empty());
    // One of the two may be translated on the way.
    told.socket.addresses = Some((other.0, "[::ffff:10.0.0.9]:40000".parse().unwrap()));
    assert_eq!(join(tls13(), [told]).client_chain.len(), 1);
}

#[test]
fn a_chain_that_is_longer_than_what_was_sent_was_not_sent() {
    let two = FactBody::Chain(vec![der(1), Bytes::from(vec![7; 500])]);
    refused(tls13(), two.clone(), Contradiction::ChainSize);
    // Compressed it may be shorter; and where records are missing nobody knows.
    let fine = |change: &dyn Fn(&mut Observation)| {
        let mut seen = tls13();
        change(&mut seen);
        assert_eq!(
            join(seen, [fact(Side::Server, 10, two.clone())])
                .client_chain
                .len(),
            2
        );
    };
    fine(&|seen| seen.extensions = vec![ExtensionType::COMPRESS_CERTIFICATE]);
    fine(&|seen| seen.completeness = Completeness::Gap);
    fine(&|seen| seen.opaque[1].length = 900);
}

#[test]
fn a_chain_in_a_record_of_its_own_has_its_length() {
    // 300 bytes of the certificate, 13 around it in its message, 17 around that in its record.
    let client = |length: u16| {
        let mut seen = tls13();
        seen.opaque[1].length = length;
        seen.opaque.insert(
            2,
            OpaqueRecord {
                length: 96,
                ..seen.opaque[1]
            },
        );
        let seen = join(seen, [fact(Side::Server, 10, chain(1))]);
        assert_eq!(contradictions(&seen).is_empty(), !seen.client_chain.is_empty());
        !seen.client_chain.is_empty()
    };
    assert!(client(330));
    for other in [328, 329, 331, 400] {
        assert!(!client(other), "{other}");
    }
    assert!(client(330 + 101), "with extensions");
    let server = |lengths: &[u16]| {
        let mut seen = tls13();
        let records = lengths.iter().map(|length| OpaqueRecord {
            length: *length,
            ..seen.opaque[0]
        });
        seen.opaque = records.collect();
        !join(seen, [fact(Side::Client, 5, chain(1))])
            .server_chain
            .is_empty()
    };
    assert!(server(&[23, 330, 96, 53]) && server(&[23, 85, 330, 96, 53]));
    assert!(!server(&[23, 331, 96, 53]) && !server(&[23, 85, 340, 96, 53]));
    // No flight of this form: what was sent is enough.
    assert!(server(&[600]) && server(&[23, 85, 200, 300, 96, 53]) && server(&[23, 400, 53]));
}

#[test]
fn a_resumed_session_shows_no_certificate() {
    let mut seen = tls13();
    seen.resumed = Some(true);
    seen.resumption = Some(Resumption::Psk);
    refused(seen.clone(), chain(1), Contradiction::Chain);
    // But GnuTLS keeps it with the session, and shows it to the service again.
    let mut kept = fact(Side::Server, 10, chain(1));
    kept.origin.family = Family::GnuTls;
    let seen = join(seen, [kept]);
    assert_eq!(contradictions(&seen), []);
    assert_eq!(
        (seen.client_chain.len(), seen.certificate_source),
        (1, CertificateSource::Resumption)
    );
    assert_ne!(seen.client_certificate, ClientCertificate::Sent);
}

#[test]
fn the_wire_knows_the_chain_of_tls12() {
    refused(tls12(), chain(3), Contradiction::Chain);
    let (seen, join) = joined(tls12(), [fact(Side::Server, 9, chain(1))]);
    assert_eq!(contradictions(&seen), []);
    assert_eq!((seen.source, join.stats().joined), (Source::Both, 1));
    assert_eq!(seen.certificate_source, CertificateSource::Wire);
    let unasked = || Observation {
        client_certificate: ClientCertificate::NotRequested,
        client_chain: vec![],
        ..tls12()
    };
    refused(unasked(), chain(1), Contradiction::ClientCertificate);
    let seen = join_one(tls12(), FactBody::NoCertificate);
    assert_eq!(contradictions(&seen), [Contradiction::ClientCertificate]);
    assert_eq!(seen.client_certificate, ClientCertificate::Sent);
}

fn join_one(seen: Observation, body: FactBody) -> Observation {
    super::join(seen, [fact(Side::Server, 9, body)])
}

#[test]
fn two_chains_in_one_handshake_are_one_too_many() {
    let facts = [1, 2].map(|number| fact(Side::Server, 10, chain(number)));
    let seen = join(tls13(), facts);
    assert_eq!(contradictions(&seen), [Contradiction::Chain]);
    assert!(seen.client_chain.is_empty());
    let again = [fact(Side::Server, 9, chain(1)), fact(Side::Server, 10, chain(1))];
    assert_eq!(join(tls13(), again).client_chain.len(), 1);
}

#[test]
fn facts_from_before_and_long_after_are_not_of_this_handshake() {
    let mut before = fact(Side::Server, 0, chain(1));
    before.time_ns -= 1;
    let after = fact(Side::Server, 111, chain(2));
    let (seen, join) = joined(tls13(), [before, after]);
    assert_eq!((seen.source, seen.told), (Source::Wire, None));
    assert_eq!((join.stats().joined, join.stats().too_late), (0, 2));
}

#[test]
fn certificates_of_a_renegotiation_wait_for_it() {
    let first = Observation {
        client_certificate: ClientCertificate::NotRequested,
        client_chain: vec![],
        ..tls12()
    };
    let second = Observation {
        renegotiation: true,
        time_ns: START + 12 * MS,
        evidence: Evidence::Derived,
        client_certificate: ClientCertificate::Unknown,
        client_chain: vec![],
        server_chain: vec![],
        ..tls12()
    };
    let mut join = Join::new(true, LateAlerts::Unexpected);
    let mut out = Vec::new();
    join.observation(first, &mut out);
    join.fact(fact(Side::Server, 15, chain(1)));
    join.observation(second, &mut out);
    join.flush(&mut out);
    assert_eq!(contradictions(&out[0]), []);
    assert!(out[0].client_chain.is_empty());
    assert_eq!(out[1].client_chain, [facts_of(&der(1))]);
    assert_eq!(out[1].client_certificate, ClientCertificate::Sent);
}

#[test]
fn an_alert_that_was_read_stands() {
    let mut seen = refused13();
    seen.evidence = Evidence::Observed;
    seen.rule = None;
    seen.rejected_by = Some(Side::Client);
    seen.reason = Some(Reason::Certificate(Side::Server, CertificateFault::UnknownCa));
    seen.alerts = vec![AlertSeen {
        sender: Side::Client,
        alert: Some(alerts::alert(AlertDescription::UNKNOWN_CA)),
        encrypted: false,
        offset_ns: 5 * MS,
    }];
    let before = (end(&seen), seen.alerts.clone());
    let other = FactBody::AlertReceived(AlertDescription::CERTIFICATE_EXPIRED);
    let told = join(seen.clone(), [fact(Side::Server, 6, other)]);
    assert_eq!(
        contradictions(&told),
        [Contradiction::Alert, Contradiction::Reason]
    );
    assert_eq!((end(&told), told.alerts), before);
    let same = FactBody::AlertReceived(AlertDescription::UNKNOWN_CA);
    let told = join(seen, [fact(Side::Server, 6, same)]);
    assert_eq!((end(&told), contradictions(&told)), (before.0, vec![]));
}

#[test]
fn facts_of_one_socket_are_bounded() {
    let mut join = Join::new(true, LateAlerts::Unexpected);
    for _ in 0..100 {
        join.fact(fact(Side::Server, 9, verified(None)));
    }
    let stats = join.stats();
    assert_eq!(
        (stats.facts as u64 + stats.too_many_facts, stats.facts),
        (100, 32)
    );
    // Many sockets, with long chains: the oldest go.
    for cookie in 1..2_000 {
        let mut told = fact(Side::Server, 9, FactBody::Chain(vec![vec![1; 16 * 1024].into()]));
        told.socket.cookie = 1_000 + cookie;
        join.fact(told);
    }
    let stats = join.stats();
    assert!(stats.facts < 1_100, "{stats:?}");
    assert_eq!(stats.facts as u64 + stats.too_many_facts, 100 + 1_999);
}
