//! Hits as OpenSSL was seen to make them, and such as it should never make.

use super::*;
use crate::verify::tests::authorities::Authority;

const SOCKET: u64 = 77;
const LEAF: u64 = 0x1000;
const ISSUER: u64 = 0x2000;
const CONTEXT: u64 = 0x3000;

/// A thread that received from a socket.
#[derive(Clone, Copy)]
struct Thread {
    tid: u32,
    cookie: u64,
}

const THREAD: Thread = Thread {
    tid: 1,
    cookie: SOCKET,
};

impl Thread {
    fn hit(self, kind: u16, values: [u64; 2], bytes: &[u8]) -> Hit<'_> {
        Hit {
            tid: self.tid,
            ..Hit::sample(self.cookie, kind, [values[0], values[1], 0, 0], bytes)
        }
    }

    fn certificate(self, address: u64, der: &[u8]) -> Hit<'_> {
        self.hit(kind::CERTIFICATE, [address, der.len() as u64], der)
    }
}

fn read(hits: &[Hit<'_>]) -> (Vec<Fact>, u64) {
    let mut reader = OpenSsl::default();
    let mut facts = Vec::new();
    for hit in hits {
        reader.take(hit, &mut facts);
    }
    (facts, reader.losses().does_not_fit)
}

fn bodies(hits: &[Hit<'_>]) -> Vec<FactBody> {
    read(hits).0.into_iter().map(|fact| fact.body).collect()
}

/// A client's chain is verified with `error` by OpenSSL 3.
fn verified(error: u64) -> Vec<Hit<'static>> {
    vec![
        // The server's own chain, of its own business.
        THREAD.hit(kind::VERIFICATION, [CONTEXT, 0x9000], b""),
        THREAD.hit(kind::RESULT, [1, kind::ERROR_NOT_READ], b""),
        THREAD.certificate(LEAF, b"leaf"),
        THREAD.certificate(ISSUER, b"issuer"),
        THREAD.hit(kind::VERIFICATION, [CONTEXT, LEAF], b""),
        THREAD.hit(kind::PURPOSE, [CONTEXT, kind::PURPOSE_CLIENT], b""),
        // Asked by the service's callback, in the midst of it.
        THREAD.hit(kind::ERROR, [0, 0], b""),
        THREAD.hit(kind::RESULT, [u64::from(error == 0), kind::ERROR_NOT_READ], b""),
        THREAD.hit(kind::ERROR, [error, 0], b""),
        THREAD.hit(kind::ERROR, [99, 0], b""),
    ]
}

fn found(fault: Option<CertificateFault>, term: &str) -> FactBody {
    FactBody::Verified(Verification {
        fault,
        term: term.into(),
    })
}

fn chain() -> FactBody {
    FactBody::Chain(vec![Bytes::from_static(b"leaf"), Bytes::from_static(b"issuer")])
}

#[test]
fn a_chain_comes_with_its_side_and_what_was_found() {
    let (facts, misfits) = read(&verified(0));
    assert_eq!(misfits, 0);
    assert!(facts.iter().all(|fact| fact.own_side == Some(Side::Server)));
    assert!(facts.iter().all(|fact| fact.socket.cookie == SOCKET));
    assert_eq!((facts[0].origin.pid, &*facts[0].origin.name), (1, "server"));
    let bodies: Vec<_> = facts.into_iter().map(|fact| fact.body).collect();
    assert_eq!(bodies, [chain(), found(None, "X509_V_OK (0)")]);
}

#[test]
fn a_failure_has_the_reason_that_was_found() {
    let mut hits = verified(10);
    hits.push(THREAD.hit(kind::FAILURE, [134, 0], b""));
    hits.push(THREAD.hit(kind::FAILURE, [407, 0], b""));
    let expired = Some(CertificateFault::Expired);
    let failed = FactBody::Failed(Failure {
        reason: Some(Reason::Certificate(Side::Client, CertificateFault::Expired)),
        term: "SSL_R_CERTIFICATE_VERIFY_FAILED (134)".into(),
    });
    assert_eq!(
        bodies(&hits),
        [
            chain(),
            found(expired, "X509_V_ERR_CERT_HAS_EXPIRED (10)"),
            failed
        ]
    );
}

#[test]
fn the_error_may_come_with_the_result() {
    let hits = [
        THREAD.certificate(LEAF, b"leaf"),
        THREAD.hit(kind::VERIFICATION, [CONTEXT, LEAF], b""),
        THREAD.hit(kind::PURPOSE, [CONTEXT, kind::PURPOSE_CLIENT], b""),
        // nginx lets it pass.
        THREAD.hit(kind::RESULT, [1, 23], b""),
    ];
    let revoked = found(Some(CertificateFault::Revoked), "X509_V_ERR_CERT_REVOKED (23)");
    assert_eq!(bodies(&hits)[1..], [revoked]);
}

#[test]
fn the_older_generation_tells_a_certificates_address_when_it_is_parsed() {
    let hits = [
        THREAD.certificate(0, b"leaf"),
        THREAD.hit(kind::CERTIFICATE_PARSED, [LEAF, 0], b""),
        THREAD.certificate(0, b"issuer"),
        THREAD.hit(kind::CERTIFICATE_PARSED, [ISSUER, 0], b""),
        THREAD.hit(kind::VERIFICATION, [CONTEXT, LEAF], b""),
        THREAD.hit(kind::PURPOSE, [CONTEXT, kind::PURPOSE_SERVER], b""),
    ];
    let (facts, _) = read(&hits);
    assert_eq!(facts.len(), 1);
    assert_eq!(
        (facts[0].own_side, &facts[0].body),
        (Some(Side::Client), &chain())
    );
}

#[test]
fn a_missing_certificate_and_alerts_of_the_peer() {
    let missing = FactBody::Failed(Failure {
        reason: Some(Reason::Certificate(Side::Client, CertificateFault::Missing)),
        term: "SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE (199)".into(),
    });
    assert_eq!(
        bodies(&[THREAD.hit(kind::FAILURE, [199, 0], b"")]),
        [FactBody::NoCertificate, missing]
    );
    assert_eq!(
        bodies(&[THREAD.hit(kind::FAILURE, [1048, 0], b"")]),
        [FactBody::AlertReceived(AlertDescription::UNKNOWN_CA)]
    );
}

#[test]
fn a_session_has_the_peers_certificate_or_none() {
    let hits = [
        THREAD.hit(kind::SESSION, [0, 0], b"leaf"),
        THREAD.hit(kind::SESSION, [0, 0], b""),
    ];
    let (facts, misfits) = read(&hits);
    assert_eq!(misfits, 0);
    assert!(
        facts
            .iter()
            .all(|fact| fact.own_side.is_none() && fact.socket.cookie == SOCKET)
    );
    let bodies: Vec<_> = facts.into_iter().map(|fact| fact.body).collect();
    let leaf = Bytes::from_static(b"leaf");
    assert_eq!(bodies, [FactBody::Session(Some(leaf)), FactBody::Session(None)]);
}

#[test]
fn a_session_that_was_not_read_tells_nothing() {
    let session = || THREAD.hit(kind::SESSION, [0, 0], b"");
    let hits = [
        Hit {
            is_unreadable: true,
            ..session()
        },
        Hit {
            is_too_long: true,
            ..session()
        },
    ];
    assert_eq!(read(&hits), (Vec::new(), 2));
}

/// Libcrypto could not read something: OpenSSL 1.1.1 and 3.0, then 3.2 and later.
const ASN1_LIB: [u64; 2] = [13, 524_301];

#[test]
fn a_certificate_that_cannot_be_read_is_told_with_the_failure() {
    for reason in ASN1_LIB {
        let hits = [
            THREAD.certificate(LEAF, b"no certificate"),
            THREAD.hit(kind::CERTIFICATE_PARSED, [0, 0], b""),
            THREAD.hit(kind::FAILURE, [reason, 0], b""),
            // It fails again when it is asked again.
            THREAD.hit(kind::FAILURE, [reason, 0], b""),
        ];
        let (facts, misfits) = read(&hits);
        assert_eq!(misfits, 0);
        assert!(facts.iter().all(|fact| fact.own_side.is_none()));
        let term = || format!("ERR_R_ASN1_LIB ({reason})").into();
        let bodies: Vec<_> = facts.into_iter().map(|fact| fact.body).collect();
        assert_eq!(
            bodies,
            [
                FactBody::Chain(vec![Bytes::from_static(b"no certificate")]),
                FactBody::Unreadable(term()),
                FactBody::Failed(Failure {
                    reason: None,
                    term: term()
                }),
            ]
        );
    }
    // There is something behind the certificate.
    let readable = Authority::root("Root").leaf();
    let trailing = [&readable[..], &[0]].concat();
    let hits = [
        THREAD.certificate(LEAF, &trailing),
        THREAD.hit(kind::FAILURE, [135, 0], b""),
    ];
    let term = "SSL_R_CERT_LENGTH_MISMATCH (135)".into();
    assert_eq!(bodies(&hits)[1..], [FactBody::Unreadable(term)]);
}

#[test]
fn behind_other_certificates_one_that_cannot_be_read_is_not_known_to_be_the_leaf() {
    let broken = |before: Thread| {
        [
            before.certificate(LEAF, b"before"),
            THREAD.certificate(ISSUER, b"broken"),
            THREAD.hit(kind::FAILURE, [ASN1_LIB[1], 0], b""),
        ]
    };
    let unreadable = || FactBody::Unreadable("ERR_R_ASN1_LIB (524301)".into());
    let chain = FactBody::Chain(vec![Bytes::from_static(b"broken")]);
    // That of another connection does not count.
    let other = Thread { cookie: 78, ..THREAD };
    assert_eq!(bodies(&broken(other)), [chain, unreadable()]);
    assert_eq!(bodies(&broken(THREAD)), [unreadable()]);
}

#[test]
fn errors_of_other_things_blame_no_certificate() {
    let readable = Authority::root("Root").leaf();
    let other = Thread { cookie: 78, ..THREAD };
    let elsewhere = Thread { tid: 2, ..THREAD };
    for (before, failure) in [
        // A name of an authority could not be read, or the message's lengths do not fit.
        (THREAD.certificate(LEAF, &readable), ASN1_LIB[0]),
        (THREAD.certificate(LEAF, &readable), 135),
        (THREAD.hit(kind::ERROR, [0, 0], b""), ASN1_LIB[1]),
        (other.certificate(LEAF, b"broken"), ASN1_LIB[1]),
        (elsewhere.certificate(LEAF, b"broken"), ASN1_LIB[1]),
        (THREAD.certificate(LEAF, b"broken"), 193),
    ] {
        let bodies = bodies(&[before, THREAD.hit(kind::FAILURE, [failure, 0], b"")]);
        assert!(matches!(bodies[..], [FactBody::Failed(_)]), "{bodies:?}");
    }
}

#[test]
fn certificates_of_another_connection_or_thread_make_no_chain() {
    let other = Thread { cookie: 78, ..THREAD };
    // The thread received from another connection before it came to verify.
    let begin = other.hit(kind::VERIFICATION, [CONTEXT, LEAF], b"");
    let purpose = other.hit(kind::PURPOSE, [CONTEXT, kind::PURPOSE_CLIENT], b"");
    assert_eq!(
        read(&[THREAD.certificate(LEAF, b"leaf"), begin, purpose]),
        (Vec::new(), 1)
    );
    // Only part of the chain is of this connection.
    let mixed = [
        THREAD.certificate(LEAF, b"leaf"),
        other.certificate(ISSUER, b"issuer"),
        THREAD.hit(kind::VERIFICATION, [CONTEXT, LEAF], b""),
        THREAD.hit(kind::PURPOSE, [CONTEXT, kind::PURPOSE_CLIENT], b""),
    ];
    assert_eq!(read(&mixed), (Vec::new(), 1));
    // Another thread parsed it.
    let elsewhere = Thread { tid: 2, ..THREAD };
    let threads = [
        elsewhere.certificate(LEAF, b"leaf"),
        THREAD.hit(kind::VERIFICATION, [CONTEXT, LEAF], b""),
        THREAD.hit(kind::PURPOSE, [CONTEXT, kind::PURPOSE_CLIENT], b""),
    ];
    assert_eq!(read(&threads), (Vec::new(), 1));
}

#[test]
fn a_chain_that_lacks_a_member_is_none() {
    let hits = [
        THREAD.certificate(LEAF, b"leaf"),
        THREAD.certificate(ISSUER, b""),
        THREAD.hit(kind::VERIFICATION, [CONTEXT, LEAF], b""),
        THREAD.hit(kind::PURPOSE, [CONTEXT, kind::PURPOSE_CLIENT], b""),
    ];
    assert_eq!(read(&hits), (Vec::new(), 2));
}

#[test]
fn an_address_that_is_used_again_is_the_latest_certificate() {
    let hits = [
        THREAD.certificate(LEAF, b"of another client"),
        THREAD.certificate(LEAF, b"leaf"),
        THREAD.hit(kind::VERIFICATION, [CONTEXT, LEAF], b""),
        THREAD.hit(kind::PURPOSE, [CONTEXT, kind::PURPOSE_CLIENT], b""),
    ];
    assert_eq!(
        bodies(&hits),
        [FactBody::Chain(vec![Bytes::from_static(b"leaf")])]
    );
}

#[test]
fn hits_in_any_order_are_survived() {
    let kinds = [
        kind::CERTIFICATE,
        kind::CERTIFICATE_PARSED,
        kind::VERIFICATION,
        kind::PURPOSE,
        kind::RESULT,
        kind::ERROR,
        kind::FAILURE,
        kind::NO_PEER_CERTIFICATE,
        0x1ff,
    ];
    let mut reader = OpenSsl::default();
    let mut facts = Vec::new();
    let mut state = 1_u64;
    for _ in 0..20_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let pick = |shift: u64, of: u64| (state >> shift) % of;
        let kind = kinds[pick(33, kinds.len() as u64) as usize];
        let thread = Thread {
            tid: pick(40, 3) as u32,
            cookie: pick(45, 3),
        };
        // Each certificate carries its connection: no chain may tell of another.
        let der = [thread.cookie as u8];
        reader.take(&thread.hit(kind, [pick(50, 3), pick(55, 3)], &der), &mut facts);
    }
    assert!(facts.iter().any(|fact| matches!(fact.body, FactBody::Chain(_))));
    for fact in facts {
        if let FactBody::Chain(chain) = fact.body {
            assert!(chain.iter().all(|der| der[..] == [fact.socket.cookie as u8]));
        }
    }
}
