//! An observation of which next to nothing is known yet.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{
    Action, CertificateSource, ClientCertificate, Completeness, Evidence, Observation, Outcome, SessionNames,
    Sockets, Source, Timings,
};

impl Observation {
    /// One of which its id, its time and its ends are known, and nothing else: incomplete, and seen from its midst.
    pub fn bare(action: Action, id: [u8; 16], time_ns: u64, client: SocketAddr, server: SocketAddr) -> Self {
        Self {
            action,
            id,
            time_ns,
            duration_ns: 0,
            client,
            server,
            outcome: Outcome::Incomplete,
            rejected_by: None,
            reason: None,
            evidence: Evidence::Observed,
            rule: None,
            source: Source::Wire,
            told: None,
            sockets: Sockets::default(),
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
        }
    }
}
