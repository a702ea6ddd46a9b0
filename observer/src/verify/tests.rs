//! Chains made for the purpose, and what is said of them.

#[allow(
    dead_code,
    reason = "shared with the tests against OpenSSL, which use other parts of it"
)]
pub(crate) mod authorities;
mod bounds;
mod statuses;
mod warnings;

use std::sync::Arc;

use authorities::NOW;
use observer_tls::x509::CertificateFacts;

use super::*;

/// A bundle with the name `clients`.
fn bundle(anchors: &[&[u8]]) -> TrustBundle {
    let (anchors, bad) = Anchors::from_der(anchors.iter().copied());
    assert_eq!(bad, []);
    TrustBundle {
        name: "clients".into(),
        anchors,
        ..TrustBundle::default()
    }
}

fn facts(chain: &[&[u8]]) -> Vec<Arc<CertificateFacts>> {
    chain
        .iter()
        .map(|der| Arc::new(CertificateFacts::parse(der)))
        .collect()
}

/// The verdict of a client's chain at [`NOW`].
fn judge(bundle: &TrustBundle, chain: &[&[u8]]) -> CertificateVerdict {
    judge_at(NOW, bundle, chain)
}

/// The verdict of a client's chain.
fn judge_at(time: i64, bundle: &TrustBundle, chain: &[&[u8]]) -> CertificateVerdict {
    bundle.judge(&Request {
        side: Side::Client,
        chain: &facts(chain),
        time,
        server_name: None,
        stapled: None,
    })
}

/// The verdict of a server's chain at [`NOW`].
fn judge_server(bundle: &TrustBundle, chain: &[&[u8]], server_name: Option<&str>) -> CertificateVerdict {
    bundle.judge(&Request {
        side: Side::Server,
        chain: &facts(chain),
        time: NOW,
        server_name,
        stapled: None,
    })
}
