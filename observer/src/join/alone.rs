//! Handshakes of which nothing was seen on the wire: what the library at one end tells is all there is.

use std::sync::Arc;

use sha1::{Digest as _, Sha1};

use crate::facts::{Fact, FactBody};
use crate::observation::{
    Action, CertificateSource, ClientCertificate, Completeness, Evidence, Observation, Outcome, SessionNames,
    Side, Sockets, Source, Timings,
};

/// A handshake with the addresses and times that `facts` of one socket give, which is all that it says yet; and which end
/// told. `None` where they do not say enough: who is who, or anything of a handshake.
pub(super) fn observation(facts: &[Fact]) -> Option<(Side, Observation)> {
    let (first, last) = (facts.first()?, facts.last()?);
    let (own, peer) = facts.iter().find_map(|fact| fact.socket.addresses)?;
    let side = facts.iter().find_map(|fact| fact.own_side)?;
    let of_handshake = |fact: &Fact| {
        !matches!(
            fact.body,
            FactBody::AlertReceived(_) | FactBody::AlertSent(_) | FactBody::Ticket(_)
        )
    };
    if !facts.iter().any(of_handshake) {
        return None;
    }
    let cookie = first.socket.cookie;
    let (client, server, sockets) = match side {
        Side::Client => (
            own,
            peer,
            Sockets {
                client: cookie,
                server: 0,
            },
        ),
        Side::Server => (
            peer,
            own,
            Sockets {
                client: 0,
                server: cookie,
            },
        ),
    };
    let mut hash = Sha1::new();
    hash.update(cookie.to_be_bytes());
    hash.update(first.time_ns.to_be_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    let seen = Observation {
        action: Action::Handshake,
        id,
        time_ns: first.time_ns,
        duration_ns: last.time_ns.saturating_sub(first.time_ns),
        client,
        server,
        outcome: Outcome::Incomplete,
        rejected_by: None,
        reason: None,
        evidence: Evidence::Observed,
        rule: None,
        source: Source::Library,
        told: None,
        sockets,
        completeness: Completeness::Midstream,
        version: None,
        cipher: None,
        ja3s: None,
        group: None,
        resumed: None,
        resumption: None,
        sessions: SessionNames::default(),
        alpn: None,
        offer: None,
        server_name: None,
        extensions: Vec::new(),
        ja3: None,
        hello_retry: false,
        renegotiation: false,
        client_certificate: ClientCertificate::Unknown,
        client_chain: Vec::new(),
        server_chain: Vec::new(),
        certificate_source: CertificateSource::Wire,
        ocsp_response: None,
        client_verdict: None,
        server_verdict: None,
        disagreement: None,
        certificate_authorities: Arc::default(),
        alerts: Vec::new(),
        opaque: Vec::new(),
        timings: Timings::default(),
    };
    Some((side, seen))
}
