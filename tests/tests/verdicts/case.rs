//! A chain to be judged, by this project and by OpenSSL.

use std::sync::Arc;

use observer_tls::x509::CertificateFacts;
use tls_observer::observation::Side;
use tls_observer::verify::revocation::RevocationSources;
use tls_observer::verify::{Anchors, CertificateVerdict, ExpectedNames, Request, TrustBundle};

/// When handshakes are: 2025-06-01T00:00:00Z.
pub const NOW: i64 = 1_748_736_000;

/// Certificates in DER and what is asked of them.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is about; the list of exceptions names it.
    pub name: String,
    /// The chain as sent, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// What is trusted.
    pub anchors: Vec<Vec<u8>>,
    /// Whose chain it is.
    pub side: Side,
    /// The name asked for.
    pub server_name: Option<String>,
    /// When, seconds since the Unix epoch.
    pub time: i64,
    /// OpenSSL is told to trust what is no root as it is, as this project always does.
    pub partial_chain: bool,
}

impl Case {
    /// A client's chain at [`NOW`].
    pub fn new(name: impl Into<String>, chain: &[&[u8]], anchors: &[&[u8]]) -> Self {
        Self {
            name: name.into(),
            chain: chain.iter().map(|der| der.to_vec()).collect(),
            anchors: anchors.iter().map(|der| der.to_vec()).collect(),
            side: Side::Client,
            server_name: None,
            time: NOW,
            partial_chain: false,
        }
    }

    /// The same chain as that of a server, `server: ` before its name.
    pub fn as_server(&self) -> Self {
        Self {
            name: format!("server: {}", self.name),
            side: Side::Server,
            ..self.clone()
        }
    }

    /// The same chain as that of a server that was asked for a name.
    pub fn asked_for(&self, server_name: &str) -> Self {
        Self {
            name: format!("{}, asked for {server_name}", self.name),
            side: Side::Server,
            server_name: Some(server_name.to_owned()),
            ..self.clone()
        }
    }

    /// What this project says.
    pub fn judge(&self) -> CertificateVerdict {
        let (anchors, _) = Anchors::from_der(&self.anchors);
        let bundle = TrustBundle {
            name: "test".into(),
            anchors,
            expected_client_names: ExpectedNames::default(),
            revocation: RevocationSources::default(),
        };
        let chain: Vec<_> = self
            .chain
            .iter()
            .map(|der| Arc::new(CertificateFacts::parse(der)))
            .collect();
        bundle.judge(&Request {
            side: self.side,
            chain: &chain,
            time: self.time,
            server_name: self.server_name.as_deref(),
            stapled: None,
        })
    }
}
