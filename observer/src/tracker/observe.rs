//! From the collected state to the [`Observation`] that outputs see.

use std::net::{IpAddr, SocketAddr};

use sha1::{Digest, Sha1};

use super::handshake::{Decision, Handshake};
use crate::observation::{
    Action, CertificateSource, ClientCertificate, Observation, Outcome, Sockets, Source,
};

/// The addresses and sockets of a handshake's ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub sockets: Sockets,
}

/// The id of a handshake: the same whenever and wherever the same handshake is seen, unless no ClientHello was.
pub(super) fn id(ends: &Ends, handshake: &Handshake, born: u64) -> [u8; 16] {
    let mut hash = Sha1::new();
    for end in [ends.client, ends.server] {
        match end.ip().to_canonical() {
            IpAddr::V4(address) => hash.update(address.octets()),
            IpAddr::V6(address) => hash.update(address.octets()),
        }
        hash.update(end.port().to_be_bytes());
    }
    match handshake.random {
        Some(random) => hash.update(random),
        None => {
            hash.update(born.to_be_bytes());
            hash.update(handshake.start_ns.to_be_bytes());
        }
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    id
}

/// The observation of a handshake that is decided.
pub(super) fn handshake(id: [u8; 16], ends: &Ends, handshake: Handshake, decision: Decision) -> Observation {
    let (conclusion, end_ns) = decision;
    let established = conclusion.outcome == Outcome::Established;
    let mut timings = handshake.timings;
    if !established {
        timings.finished = None;
    }
    let client_certificate = match handshake.client_certificate {
        ClientCertificate::Unknown => handshake.guessed_certificate(&conclusion),
        known => Some(known),
    };
    Observation {
        action: Action::Handshake,
        id,
        time_ns: handshake.start_ns,
        // What settled the outcome may have come later than the handshake's last message.
        duration_ns: timings
            .finished
            .unwrap_or(end_ns.saturating_sub(handshake.start_ns)),
        client: ends.client,
        server: ends.server,
        outcome: conclusion.outcome,
        rejected_by: conclusion.rejected_by,
        reason: conclusion.reason,
        evidence: conclusion.evidence,
        rule: conclusion.rule,
        source: Source::Wire,
        told: None,
        sockets: ends.sockets,
        completeness: handshake.completeness(),
        version: handshake.version,
        cipher: handshake.cipher,
        ja3s: handshake.ja3s,
        group: handshake.group,
        resumption: handshake.resumption(),
        resumed: handshake.resumed(),
        sessions: handshake.session_names(),
        alpn: handshake.alpn,
        offer: handshake.offer,
        server_name: handshake.server_name,
        extensions: handshake.extensions,
        ja3: handshake.ja3,
        hello_retry: handshake.hello_retry,
        renegotiation: handshake.renegotiation,
        client_certificate: client_certificate.unwrap_or(ClientCertificate::Unknown),
        client_chain: handshake.client_chain,
        server_chain: handshake.server_chain,
        certificate_source: CertificateSource::Wire,
        ocsp_response: handshake.ocsp_response,
        client_verdict: None,
        server_verdict: None,
        disagreement: None,
        certificate_authorities: handshake.certificate_authorities,
        alerts: handshake.alerts,
        opaque: handshake.opaque,
        timings,
    }
}
