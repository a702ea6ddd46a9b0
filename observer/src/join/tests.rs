//! Made-up observations and facts.

mod alone;
mod believed;
mod crowd;
mod late;
mod outcomes;
mod resumed;

use bytes::Bytes;
use observer_tls::codepoints::{AlertDescription, CipherSuite, ContentType, ProtocolVersion};

use super::*;
use crate::config::values::LateAlerts;
use crate::facts::{Failure, Origin, Socket, Verification};
use crate::flows::FlowLimits;
use crate::libraries::hooks::Family;
use crate::observation::*;
use crate::output::samples;

pub const MS: u64 = 1_000_000;
pub const START: u64 = 1_700_000_000_000 * MS;
pub const CLIENT_SOCKET: u64 = 11;
pub const SERVER_SOCKET: u64 = 22;

/// A full TLS 1.3 handshake of 10 ms between two ends on this host, of which the wire guesses that it was established.
pub fn tls13() -> Observation {
    let record = |sender, length, offset_ns| OpaqueRecord {
        sender,
        content_type: ContentType::APPLICATION_DATA,
        length,
        offset_ns,
    };
    Observation {
        time_ns: START,
        duration_ns: 10 * MS,
        client: "10.0.0.9:40000".parse().unwrap(),
        server: "10.0.0.2:443".parse().unwrap(),
        sockets: Sockets {
            client: CLIENT_SOCKET,
            server: SERVER_SOCKET,
        },
        version: Some(ProtocolVersion::TLS13),
        cipher: Some(CipherSuite(0x1301)),
        evidence: Evidence::Inferred,
        rule: Some(Rule::ServerRecord),
        resumed: Some(false),
        resumption: None,
        extensions: vec![],
        opaque: vec![
            record(Side::Server, 900, 2 * MS),
            record(Side::Client, 700, 9 * MS),
            record(Side::Client, 53, 10 * MS),
        ],
        ..samples::established_13()
    }
}

/// The same where the wire guesses that the server refused.
pub fn refused13() -> Observation {
    let mut seen = tls13();
    seen.outcome = Outcome::Rejected;
    seen.rejected_by = Some(Side::Server);
    seen.reason = Some(Reason::Certificate(Side::Client, CertificateFault::Rejected));
    seen.rule = Some(Rule::ServerAlert);
    seen.opaque.push(OpaqueRecord {
        sender: Side::Server,
        content_type: ContentType::APPLICATION_DATA,
        length: 19,
        offset_ns: 11 * MS,
    });
    seen
}

/// TLS 1.2 between the same ends, both certificates read on the wire, both Finished seen.
pub fn tls12() -> Observation {
    Observation {
        version: Some(ProtocolVersion::TLS12),
        evidence: Evidence::Observed,
        rule: None,
        client_certificate: ClientCertificate::Sent,
        client_chain: vec![facts_of(&der(1))],
        server_chain: vec![facts_of(&der(2))],
        opaque: vec![],
        ..tls13()
    }
}

/// A certificate that is none, of 300 bytes.
pub fn der(number: u32) -> Bytes {
    let mut der = vec![0x30; 300];
    der[200..204].copy_from_slice(&number.to_be_bytes());
    der.into()
}

pub fn facts_of(der: &[u8]) -> std::sync::Arc<observer_tls::x509::CertificateFacts> {
    CertificateCache::new().facts(der)
}

/// A fact of the end of `side`, `at_ms` after the ClientHello.
pub fn fact(side: Side, at_ms: u64, body: FactBody) -> Fact {
    let (client, server) = ("10.0.0.9:40000".parse().unwrap(), "10.0.0.2:443".parse().unwrap());
    let (cookie, addresses) = match side {
        Side::Client => (CLIENT_SOCKET, (client, server)),
        Side::Server => (SERVER_SOCKET, (server, client)),
    };
    Fact {
        time_ns: START + at_ms * MS,
        origin: Origin {
            pid: 4711,
            name: "nginx".into(),
            executable: None,
            cgroup_id: 1,
            family: Family::OpenSsl,
        },
        socket: Socket {
            cookie,
            addresses: Some(addresses),
        },
        own_side: Some(side),
        body,
    }
}

pub fn chain(number: u32) -> FactBody {
    FactBody::Chain(vec![der(number)])
}

pub fn verified(fault: Option<CertificateFault>) -> FactBody {
    FactBody::Verified(Verification {
        fault,
        term: "X509_V_ERR_CERT_HAS_EXPIRED (10)".into(),
    })
}

pub fn failed(reason: Option<Reason>) -> FactBody {
    FactBody::Failed(Failure {
        reason,
        term: "SSL_R_CERTIFICATE_VERIFY_FAILED (134)".into(),
    })
}

pub fn flows() -> FlowTable {
    FlowTable::new(FlowLimits {
        max_connections: 100,
        max_buffered_bytes: 1 << 20,
        handshake_timeout_ns: 10_000 * MS,
        settle_timeout_ns: 2_000 * MS,
        late_alerts_all: false,
    })
}

/// What becomes of `seen` with these facts, and the join after that.
pub fn joined(seen: Observation, facts: impl IntoIterator<Item = Fact>) -> (Observation, Join) {
    let mut join = Join::new(true, LateAlerts::Unexpected);
    let mut out = Vec::new();
    facts.into_iter().for_each(|fact| join.fact(fact));
    join.observation(seen, &mut out);
    assert!(out.is_empty(), "it waits");
    join.release(u64::MAX / 2, &flows(), &mut out);
    assert_eq!(out.len(), 1, "{out:#?}");
    (out.remove(0), join)
}

pub fn join(seen: Observation, facts: impl IntoIterator<Item = Fact>) -> Observation {
    joined(seen, facts).0
}

/// Outcome, who refused, reason, evidence and rule.
pub type End = (Outcome, Option<Side>, Option<Reason>, Evidence, Option<Rule>);

pub fn end(seen: &Observation) -> End {
    (
        seen.outcome,
        seen.rejected_by,
        seen.reason,
        seen.evidence,
        seen.rule,
    )
}

pub fn contradictions(seen: &Observation) -> Vec<Contradiction> {
    seen.told
        .as_ref()
        .map_or(Vec::new(), |told| told.contradictions.clone())
}

pub fn client(fault: CertificateFault) -> Reason {
    Reason::Certificate(Side::Client, fault)
}

#[test]
fn certificates_that_the_wire_hides_come_from_the_libraries() {
    let facts = [
        fact(Side::Client, 3, chain(2)),
        fact(Side::Client, 3, verified(None)),
        fact(Side::Server, 10, chain(1)),
        fact(Side::Server, 10, verified(None)),
        fact(Side::Server, 11, FactBody::Established),
    ];
    let (seen, join) = joined(tls13(), facts);
    assert_eq!(seen.client_chain, [facts_of(&der(1))]);
    assert_eq!(seen.server_chain, [facts_of(&der(2))]);
    assert_eq!(seen.certificate_source, CertificateSource::Library);
    assert_eq!(seen.client_certificate, ClientCertificate::Sent);
    assert_eq!(seen.source, Source::Both);
    assert_eq!(
        end(&seen),
        (
            Outcome::Established,
            None,
            None,
            Evidence::Observed,
            Some(Rule::LibraryFinished)
        )
    );
    let told = seen.told.unwrap();
    let server = told.by(Side::Server).unwrap();
    assert_eq!(
        (server.pid, server.process(), server.family),
        (4711, "nginx", Family::OpenSsl)
    );
    assert_eq!(told.contradictions, []);
    assert_eq!((join.stats().joined, join.stats().facts), (5, 0));
    assert!(join.stats().losses().iter().all(|(_, _, lost)| *lost == 0));
}

#[test]
fn an_observation_waits_until_facts_up_to_its_end_were_read() {
    let mut join = Join::new(true, LateAlerts::Unexpected);
    let mut out = Vec::new();
    join.observation(tls13(), &mut out);
    join.release(START + 10 * MS + HOLD_NS - 1, &flows(), &mut out);
    assert_eq!((out.len(), join.stats().held), (0, 1));
    // A word that comes after the observation counts just as well.
    join.fact(fact(Side::Server, 9, chain(1)));
    join.release(START + 10 * MS + HOLD_NS, &flows(), &mut out);
    assert_eq!(out[0].client_chain.len(), 1);
    assert_eq!(join.stats().held, 0);
}

#[test]
fn without_facts_nothing_changes() {
    let seen = join(tls13(), []);
    assert_eq!(seen.source, Source::Wire);
    assert_eq!(seen.told, None);
    assert_eq!(end(&seen), end(&tls13()));
}

#[test]
fn nothing_is_held_that_no_library_can_add_to() {
    let mut out = Vec::new();
    Join::new(false, LateAlerts::Unexpected).observation(tls13(), &mut out);
    let mut join = Join::new(true, LateAlerts::Unexpected);
    let remote = Observation {
        sockets: Sockets::default(),
        ..tls13()
    };
    join.observation(remote, &mut out);
    assert_eq!((out.len(), join.stats().held), (2, 0));
}

#[test]
fn what_is_held_is_bounded() {
    let mut join = Join::new(true, LateAlerts::Unexpected);
    let mut out = Vec::new();
    for _ in 0..MAX_HELD + 3 {
        join.observation(tls13(), &mut out);
    }
    let stats = join.stats();
    assert_eq!(
        (out.len(), stats.held, stats.too_many_observations),
        (3, MAX_HELD, 3)
    );
    join.flush(&mut out);
    assert_eq!((out.len(), join.stats().held), (MAX_HELD + 3, 0));
}

#[test]
fn a_fact_without_a_socket_is_counted() {
    let mut join = Join::new(true, LateAlerts::Unexpected);
    let mut fact = fact(Side::Server, 9, chain(1));
    fact.socket.cookie = 0;
    join.fact(fact);
    assert_eq!((join.stats().without_socket, join.stats().facts), (1, 0));
}

#[test]
fn alerts_that_the_wire_hides_are_told() {
    let received = FactBody::AlertReceived(AlertDescription::CERTIFICATE_EXPIRED);
    let seen = join(refused13(), [fact(Side::Client, 11, received)]);
    let [told] = seen.alerts.as_slice() else {
        panic!("{:?}", seen.alerts)
    };
    assert_eq!((told.sender, told.encrypted), (Side::Server, true));
    assert_eq!(
        told.alert.unwrap().description,
        AlertDescription::CERTIFICATE_EXPIRED
    );
    assert_eq!(told.offset_ns, 11 * MS, "that of the record");

    // One that was made is told only if there is a record that may be it.
    let made = FactBody::AlertSent(AlertDescription::CERTIFICATE_EXPIRED);
    assert_eq!(
        join(refused13(), [fact(Side::Server, 11, made.clone())])
            .alerts
            .len(),
        1
    );
    assert_eq!(join(tls13(), [fact(Side::Server, 11, made)]).alerts.len(), 0);
}

#[test]
fn encrypted_alerts_of_tls12_are_named() {
    let mut seen = tls12();
    seen.outcome = Outcome::Rejected;
    seen.rejected_by = Some(Side::Client);
    seen.reason = Some(Reason::Other);
    seen.evidence = Evidence::Derived;
    seen.rule = Some(Rule::EncryptedAlert);
    seen.alerts = vec![AlertSeen {
        sender: Side::Client,
        alert: None,
        encrypted: true,
        offset_ns: 9 * MS,
    }];
    let received = FactBody::AlertReceived(AlertDescription::UNKNOWN_CA);
    let seen = join(seen, [fact(Side::Server, 9, received)]);
    assert_eq!(
        seen.alerts[0].alert.unwrap().description,
        AlertDescription::UNKNOWN_CA
    );
    assert!(seen.alerts[0].encrypted);
    assert_eq!(
        end(&seen),
        (
            Outcome::Rejected,
            Some(Side::Client),
            Some(Reason::Certificate(Side::Server, CertificateFault::UnknownCa)),
            Evidence::Observed,
            Some(Rule::LibraryAlert)
        )
    );
}
