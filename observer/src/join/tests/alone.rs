//! Handshakes that only a library knows of, and facts that find no handshake.

use std::net::SocketAddr;

use super::*;
use crate::segment::{Segment, SegmentFlags};

/// What comes of facts alone, after the time that they wait.
fn alone(facts: impl IntoIterator<Item = Fact>) -> (Vec<Observation>, Join) {
    let mut join = Join::new(true, LateAlerts::Unexpected);
    let mut out = Vec::new();
    facts.into_iter().for_each(|fact| join.fact(fact));
    join.release(START + 20 * MS + waiting::WAIT_NS - 11 * MS, &flows(), &mut out);
    assert!(out.is_empty(), "the wire may tell yet");
    join.release(START + 20 * MS + waiting::WAIT_NS, &flows(), &mut out);
    (out, join)
}

#[test]
fn a_refusal_that_no_wire_showed() {
    let expired = client(CertificateFault::Expired);
    let (out, join) = alone([
        fact(Side::Server, 10, chain(1)),
        fact(Side::Server, 10, verified(Some(CertificateFault::Expired))),
        fact(Side::Server, 12, failed(Some(expired))),
    ]);
    let [seen] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!(
        (seen.source, seen.completeness),
        (Source::Library, Completeness::Midstream)
    );
    assert_eq!(
        end(seen),
        (
            Outcome::Rejected,
            Some(Side::Server),
            Some(expired),
            Evidence::Observed,
            Some(Rule::LibraryGaveUp)
        )
    );
    assert_eq!((seen.time_ns, seen.duration_ns), (START + 10 * MS, 2 * MS));
    assert_eq!(seen.client, "10.0.0.9:40000".parse().unwrap());
    assert_eq!(seen.server, "10.0.0.2:443".parse().unwrap());
    assert_eq!(seen.client_chain, [facts_of(&der(1))]);
    assert_eq!(seen.client_certificate, ClientCertificate::Sent);
    assert_eq!((seen.version, seen.resumed), (None, None));
    assert_eq!((join.stats().joined, join.stats().facts), (3, 0));
}

#[test]
fn what_is_known_of_the_end_depends_on_who_tells() {
    let finished = |side| alone([fact(side, 10, FactBody::Established)]).0.remove(0);
    assert_eq!(
        end(&finished(Side::Server)),
        (
            Outcome::Established,
            None,
            None,
            Evidence::Observed,
            Some(Rule::LibraryFinished)
        )
    );
    let client = finished(Side::Client);
    assert_eq!(
        (client.outcome, client.evidence, client.rule),
        (
            Outcome::Established,
            Evidence::Inferred,
            Some(Rule::LibraryClientFinished)
        )
    );
    let (out, _) = alone([fact(Side::Server, 10, chain(1))]);
    assert_eq!((out[0].outcome, out[0].reason), (Outcome::Incomplete, None));
}

#[test]
fn both_ends_on_this_host_make_one_event() {
    let (out, join) = alone([
        fact(Side::Client, 9, chain(2)),
        fact(Side::Server, 10, chain(1)),
        fact(Side::Server, 11, FactBody::Established),
        fact(Side::Client, 10, FactBody::Established),
    ]);
    let [seen] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!(seen.sockets, tls13().sockets);
    assert_eq!((seen.client_chain.len(), seen.server_chain.len()), (1, 1));
    assert_eq!((seen.time_ns, seen.duration_ns), (START + 9 * MS, 2 * MS));
    assert_eq!(
        (seen.outcome, seen.rule),
        (Outcome::Established, Some(Rule::LibraryFinished))
    );
    assert_eq!((join.stats().joined, join.stats().facts), (4, 0));

    // Where two sockets have the same addresses, as in two namespaces, nobody knows which is the peer.
    let mut twin = fact(Side::Server, 10, chain(3));
    twin.socket.cookie = 99;
    let (out, _) = alone([
        fact(Side::Client, 10, chain(2)),
        fact(Side::Server, 10, chain(1)),
        twin,
    ]);
    assert_eq!(out.len(), 3);
    for seen in &out {
        assert_eq!(seen.client_chain.len() + seen.server_chain.len(), 1);
    }
}

#[test]
fn what_does_not_say_enough_is_counted() {
    let mut nameless = fact(Side::Server, 10, chain(1));
    nameless.socket.addresses = None;
    let mut sideless = fact(Side::Server, 10, chain(1));
    sideless.own_side = None;
    let alert = fact(
        Side::Server,
        10,
        FactBody::AlertReceived(AlertDescription::BAD_RECORD_MAC),
    );
    for told in [nameless, sideless, alert] {
        let (out, join) = alone([told]);
        assert_eq!((out.len(), join.stats().without_handshake), (0, 1));
    }
    // That a connection is closed is no loss.
    let closed = FactBody::AlertSent(AlertDescription::CLOSE_NOTIFY);
    let (out, join) = alone([fact(Side::Server, 10, closed)]);
    assert_eq!((out.len(), join.stats().without_handshake), (0, 0));
}

#[test]
fn a_handshake_that_was_given_out_does_not_come_again() {
    let mut join = Join::new(true, LateAlerts::Unexpected);
    let mut out = Vec::new();
    join.observation(tls13(), &mut out);
    join.release(START + 1_000 * MS, &flows(), &mut out);
    join.fact(fact(Side::Server, 1_500, failed(Some(Reason::ProtocolError))));
    join.release(START + 9_000 * MS, &flows(), &mut out);
    assert_eq!((out.len(), join.stats().too_late), (1, 1));
    // Neither where the wire did not know the socket.
    let mut join = Join::new(true, LateAlerts::Unexpected);
    let mut seen = tls13();
    seen.sockets.server = 0;
    join.observation(seen, &mut out);
    join.fact(fact(Side::Server, 10, chain(1)));
    join.release(START + 9_000 * MS, &flows(), &mut out);
    assert_eq!((out.len(), join.stats().too_late), (2, 1));
    assert!(out[1].client_chain.is_empty());
}

#[test]
fn as_long_as_the_wire_is_followed_facts_wait() {
    let mut flows = flows();
    let mut out = Vec::new();
    let (client, server): (SocketAddr, SocketAddr) =
        ("10.0.0.9:40000".parse().unwrap(), "10.0.0.2:443".parse().unwrap());
    let hello = [&[22, 3, 1, 0, 4, 1, 0, 0, 50][..], &[0; 10]].concat();
    let segment = Segment {
        scope: 1,
        source: client,
        destination: server,
        from_client: Some(true),
        seq: 1,
        ack: None,
        data: &hello,
        wire_len: hello.len() as u32,
        time_ns: START,
        born: 7,
        flags: SegmentFlags::default(),
        source_socket: CLIENT_SOCKET,
        destination_socket: 0,
        cgroup_id: 0,
    };
    flows.push(&segment, &mut out);
    let mut join = Join::new(true, LateAlerts::Unexpected);
    // One end's socket is known; the other's addresses are.
    join.fact(fact(Side::Client, 10, chain(2)));
    join.fact(fact(Side::Server, 10, chain(1)));
    for waited in 1..4 {
        join.release(START + waited * 3_000 * MS, &flows, &mut out);
        assert_eq!((out.len(), join.stats().facts), (0, 2));
    }
    // Nothing more came on the wire.
    flows.tick(START + 20_000 * MS, 0, &mut out);
    let seen = out.remove(0);
    assert_eq!(seen.sockets.client, CLIENT_SOCKET);
    let end_ns = end_ns(&seen);
    join.observation(seen, &mut out);
    // What it waits for is not given up meanwhile; of the other end it does not know the socket.
    join.release(end_ns + HOLD_NS - MS, &flows, &mut out);
    assert_eq!((out.len(), join.stats().facts), (0, 1));
    join.release(START + 30_000 * MS, &flows, &mut out);
    let [seen] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!(seen.server_chain, [facts_of(&der(2))]);
    assert_eq!(join.stats().facts, 0);
}
