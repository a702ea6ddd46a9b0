//! Hits as BoringSSL was seen to make them.

use bytes::Bytes;
use observer_tls::codepoints::AlertDescription;

use super::*;
use crate::facts::Verification;
use crate::observation::{CertificateFault, Reason, Side};

const LEAF: u64 = 0x1000;
const CONTEXT: u64 = 0x3000;

fn hit(kind: u16, values: [u64; 2], bytes: &[u8]) -> Hit<'_> {
    Hit::sample(
        77,
        kind + boringssl::ABOVE_OPENSSL,
        [values[0], values[1], 0, 0],
        bytes,
    )
}

fn read(hits: &[Hit<'_>]) -> Vec<Fact> {
    let mut reader = BoringSsl::default();
    let mut facts = Vec::new();
    for hit in hits {
        reader.take(hit, &mut facts);
    }
    facts
}

/// A client's chain is verified with `error`, and refused.
fn refused(error: u64) -> Vec<FactBody> {
    let hits = [
        hit(kind::CERTIFICATE, [LEAF, 4], b"leaf"),
        hit(kind::VERIFICATION, [CONTEXT, LEAF], b""),
        hit(kind::PURPOSE, [CONTEXT, kind::PURPOSE_CLIENT], b""),
        hit(kind::RESULT, [0, error], b""),
        hit(kind::FAILURE, [125, 0], b""),
    ];
    let facts = read(&hits);
    for fact in &facts {
        assert_eq!(
            (fact.origin.family, fact.own_side),
            (Family::BoringSsl, Some(Side::Server))
        );
    }
    facts.into_iter().map(|fact| fact.body).collect()
}

fn expected(fault: CertificateFault, term: &str) -> [FactBody; 3] {
    [
        FactBody::Chain(vec![Bytes::from_static(b"leaf")]),
        FactBody::Verified(Verification {
            fault: Some(fault),
            term: term.into(),
        }),
        FactBody::Failed(Failure {
            reason: Some(Reason::Certificate(Side::Client, fault)),
            term: "SSL_R_CERTIFICATE_VERIFY_FAILED (125)".into(),
        }),
    ]
}

#[test]
fn a_server_refuses_a_client() {
    assert_eq!(
        refused(10),
        expected(CertificateFault::Expired, "X509_V_ERR_CERT_HAS_EXPIRED (10)")
    );
    // Numbers that mean something else in OpenSSL.
    assert_eq!(
        refused(24),
        expected(CertificateFault::UnknownCa, "X509_V_ERR_INVALID_CA (24)")
    );
    assert_eq!(
        refused(66),
        expected(CertificateFault::Rejected, "X509_V_ERR_STORE_LOOKUP (66)")
    );
}

#[test]
fn reasons_have_their_own_numbers() {
    let told = |reason| {
        let facts = read(&[hit(kind::FAILURE, [reason, 0], b"")]);
        assert!(facts.iter().all(|fact| fact.origin.family == Family::BoringSsl));
        facts.into_iter().map(|fact| fact.body).collect::<Vec<_>>()
    };
    let failed = |reason, term: &str| {
        FactBody::Failed(Failure {
            reason,
            term: term.into(),
        })
    };
    let missing = Reason::Certificate(Side::Client, CertificateFault::Missing);
    assert_eq!(
        told(192),
        [
            FactBody::NoCertificate,
            failed(Some(missing), "SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE (192)")
        ]
    );
    assert_eq!(
        told(184),
        [failed(
            Some(Reason::NoSharedCipher),
            "SSL_R_NO_SHARED_CIPHER (184)"
        )]
    );
    // In OpenSSL this is a verification that failed.
    assert_eq!(told(134), [failed(None, "SSL_R (134)")]);
    assert_eq!(told(1045), [FactBody::AlertReceived(AlertDescription(45))]);
    assert_eq!(told(194), []);
}
