//! Chains made for the purpose, and what is said of them.

pub(crate) mod authorities;

use std::sync::Arc;

use authorities::{Authority, NOW};
use observer_tls::x509::CertificateFacts;

use super::revocation::RevocationSources;
use super::*;

fn bundle(anchors: &[&[u8]]) -> TrustBundle {
    let (anchors, bad) = Anchors::from_der(anchors.iter().copied());
    assert_eq!(bad, []);
    TrustBundle {
        name: "clients".into(),
        anchors,
        expected_client_names: ExpectedNames::default(),
        revocation: RevocationSources::default(),
    }
}

/// The verdict of a client's chain now.
fn judge(bundle: &TrustBundle, chain: &[&[u8]]) -> CertificateVerdict {
    judge_as(bundle, chain, Side::Client, None, NOW)
}

fn judge_as(
    bundle: &TrustBundle,
    chain: &[&[u8]],
    side: Side,
    server_name: Option<&str>,
    time: i64,
) -> CertificateVerdict {
    let chain: Vec<_> = chain
        .iter()
        .map(|der| Arc::new(CertificateFacts::parse(der)))
        .collect();
    bundle.judge(&Request {
        side,
        chain: &chain,
        time,
        server_name,
        stapled: None,
    })
}

#[test]
fn a_good_chain_is_valid() {
    let root = Authority::root("Root");
    let middle = root.authority("Middle");
    let leaf = middle.leaf();
    let verdict = judge(&bundle(&[&root.der]), &[&leaf, &middle.der]);
    assert_eq!((verdict.status, verdict.detail), (Status::Valid, None));
    assert_eq!(verdict.trust_bundle.as_deref(), Some("clients"));
    // The root may be sent, and in any order.
    let verdict = judge(&bundle(&[&root.der]), &[&leaf, &root.der, &middle.der, &leaf]);
    assert_eq!(verdict.status, Status::Valid);
}
