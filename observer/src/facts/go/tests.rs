//! Hits as Go was seen to make them, and such as it should never make.

use observer_tls::codepoints::AlertDescription as Alert;

use super::*;
use crate::observation::Reason;

const CONNECTION: u64 = 0x2253_b336_0008;
/// Types of errors as Go 1.25 and later number them.
const INVALID: u64 = 0x0b3a_fab0;
const HOSTNAME: u64 = 0xea29_bb30;

/// A goroutine that received from a socket.
#[derive(Clone, Copy)]
struct Goroutine {
    address: u64,
    cookie: u64,
}

const GOROUTINE: Goroutine = Goroutine {
    address: 0x2253_b335_e000,
    cookie: 77,
};
const LEAF: &[u8] = &[0x30, 2, 1, 1];
const ISSUER: &[u8] = &[0x30, 0x82, 0, 1, 2];

impl Goroutine {
    fn hit(self, kind: u16, values: [u64; 4], bytes: &[u8]) -> Hit<'_> {
        Hit {
            coroutine: self.address,
            ..Hit::sample(self.cookie, kind, values, bytes)
        }
    }

    fn member(self, index: u64, length: u64, der: &[u8]) -> Hit<'_> {
        self.hit(kind::CLIENT_CHAIN, [CONNECTION, index, length, 0], der)
    }

    fn fine(self) -> Hit<'static> {
        self.hit(kind::VERIFIED, [kind::FINE, 0, 0, 0], b"")
    }

    fn alert(self, alert: Alert) -> Hit<'static> {
        self.hit(kind::ALERT, [CONNECTION, u64::from(alert.0), 0, 0], b"")
    }

    fn end(self, result: u64, text: &[u8]) -> Hit<'_> {
        self.hit(kind::SERVER_HANDSHAKE, [result, 0, 0, 0], text)
    }
}

fn read(hits: &[Hit<'_>]) -> (Vec<Fact>, u64) {
    let mut reader = Go::default();
    let mut facts = Vec::new();
    for hit in hits {
        reader.take(hit, &mut facts);
    }
    (facts, reader.losses().does_not_fit)
}

fn bodies(hits: &[Hit<'_>]) -> Vec<FactBody> {
    let (facts, does_not_fit) = read(hits);
    assert_eq!(does_not_fit, 0);
    facts.into_iter().map(|fact| fact.body).collect()
}

fn verified(fault: Option<CertificateFault>, term: &str) -> FactBody {
    let term = term.into();
    FactBody::Verified(Verification { fault, term })
}

fn failed(reason: Option<Reason>, term: &str) -> FactBody {
    let term = term.into();
    FactBody::Failed(Failure { reason, term })
}

fn chain(members: &[&'static [u8]]) -> FactBody {
    FactBody::Chain(members.iter().map(|der| Bytes::from_static(der)).collect())
}

#[test]
fn a_server_accepts_a_chain() {
    let hits = [
        GOROUTINE.member(0, 2, LEAF),
        GOROUTINE.member(1, 2, ISSUER),
        GOROUTINE.fine(),
        GOROUTINE.end(kind::FINE, b""),
    ];
    let (facts, _) = read(&hits);
    assert!(facts.iter().all(|fact| fact.own_side == Some(Side::Server)));
    let told = [
        chain(&[LEAF, ISSUER]),
        verified(None, "x509.Verify: no error"),
        FactBody::Established,
    ];
    assert_eq!(bodies(&hits), told);
}

#[test]
fn a_server_misses_a_certificate() {
    for alert in [
        Alert::CERTIFICATE_REQUIRED,
        Alert::BAD_CERTIFICATE,
        Alert::HANDSHAKE_FAILURE,
    ] {
        let text = b"tls: client didn't provide a certificate";
        let hits = [
            GOROUTINE.member(0, 0, b""),
            GOROUTINE.alert(alert),
            GOROUTINE.end(kind::FAILED, text),
        ];
        let told = [
            FactBody::NoPeerCertificate,
            FactBody::AlertSent(alert),
            FactBody::NoCertificate,
            failed(
                Some(Reason::Certificate(Side::Client, CertificateFault::Missing)),
                "tls: client didn't provide a certificate",
            ),
        ];
        assert_eq!(bodies(&hits), told);
    }
    let accepted = [GOROUTINE.member(0, 0, b""), GOROUTINE.end(kind::FINE, b"")];
    assert_eq!(
        bodies(&accepted),
        [FactBody::NoPeerCertificate, FactBody::Established]
    );
}

#[test]
fn a_refusal_tells_what_the_verification_found() {
    let detail = b"current time 2026-11-21T13:54:00Z is before 2034-01-01T00:00:00Z";
    let hits = [
        GOROUTINE.member(0, 1, LEAF),
        GOROUTINE.hit(kind::VERIFIED, [kind::FAILED, INVALID, 0x2000, 1], detail),
        GOROUTINE.alert(Alert::CERTIFICATE_EXPIRED),
        GOROUTINE.end(kind::FAILED, b""),
    ];
    let told = [
        chain(&[LEAF]),
        verified(
            Some(CertificateFault::NotYetValid),
            "x509.CertificateInvalidError: Expired (1)",
        ),
        FactBody::AlertSent(Alert::CERTIFICATE_EXPIRED),
        failed(None, "local error: certificate_expired (45)"),
    ];
    assert_eq!(bodies(&hits), told);
}

#[test]
fn an_error_of_a_type_that_is_not_known_is_left_to_the_alert() {
    let hits = [
        GOROUTINE.member(0, 1, LEAF),
        GOROUTINE.hit(kind::VERIFIED, [kind::FAILED, 1, 0x2000, 1], b""),
        GOROUTINE.alert(Alert::BAD_CERTIFICATE),
        GOROUTINE.end(kind::FAILED, b""),
    ];
    let told = [
        chain(&[LEAF]),
        FactBody::AlertSent(Alert::BAD_CERTIFICATE),
        failed(None, "local error: bad_certificate (42)"),
    ];
    assert_eq!(bodies(&hits), told);
}

#[test]
fn what_a_callback_refuses_is_no_fault_of_the_chain() {
    let hits = [
        GOROUTINE.member(0, 1, LEAF),
        GOROUTINE.fine(),
        GOROUTINE.alert(Alert::BAD_CERTIFICATE),
        GOROUTINE.end(kind::FAILED, b""),
    ];
    let refused = verified(
        Some(CertificateFault::Rejected),
        "an error of the program's own verification",
    );
    assert!(bodies(&hits).contains(&refused));
}

#[test]
fn a_client_refuses_a_server_which_is_told() {
    let client = [
        GOROUTINE.hit(kind::SERVER_CHAIN, [CONNECTION, 0, 1, 0], LEAF),
        GOROUTINE.hit(kind::VERIFIED, [kind::FAILED, HOSTNAME, 0x2000, 0x7ffc_8b12], b""),
        GOROUTINE.alert(Alert::BAD_CERTIFICATE),
        GOROUTINE.hit(kind::CLIENT_HANDSHAKE, [kind::FAILED, 0, 0, 0], b""),
    ];
    let (facts, _) = read(&client);
    assert!(facts.iter().all(|fact| fact.own_side == Some(Side::Client)));
    let mismatch = verified(Some(CertificateFault::NameMismatch), "x509.HostnameError");
    assert_eq!(facts[1].body, mismatch);
    let server = [GOROUTINE.hit(kind::SERVER_HANDSHAKE, [kind::ALERTED, 42, 0, 0], b"")];
    let told = [
        FactBody::AlertReceived(Alert::BAD_CERTIFICATE),
        failed(None, "remote error: bad_certificate (42)"),
    ];
    assert_eq!(bodies(&server), told);
}

#[test]
fn goroutines_do_not_mix() {
    let other = Goroutine {
        address: 0x2253_b335_f000,
        cookie: 78,
    };
    let hits = [
        GOROUTINE.member(0, 2, LEAF),
        other.member(0, 1, ISSUER),
        GOROUTINE.member(1, 2, ISSUER),
    ];
    let (facts, _) = read(&hits);
    let told: Vec<_> = facts
        .iter()
        .map(|fact| (fact.socket.cookie, &fact.body))
        .collect();
    assert_eq!(told, [(78, &chain(&[ISSUER])), (77, &chain(&[LEAF, ISSUER]))]);
}

#[test]
fn what_tells_of_another_connection_does_not_fit() {
    let elsewhere = Goroutine {
        cookie: 78,
        ..GOROUTINE
    };
    let first = GOROUTINE.member(0, 2, LEAF);
    let other_connection = GOROUTINE.hit(kind::CLIENT_CHAIN, [1, 1, 2, 0], ISSUER);
    let other_length = GOROUTINE.member(1, 3, ISSUER);
    let no_certificate = GOROUTINE.member(1, 2, b"not DER");
    for next in [
        elsewhere.member(1, 2, ISSUER),
        other_connection,
        other_length,
        no_certificate,
    ] {
        // What comes after it does not make the chain whole.
        assert_eq!(
            read(&[first, next, GOROUTINE.member(1, 2, ISSUER)]),
            (Vec::new(), 2)
        );
    }
    let whole = GOROUTINE.member(0, 1, LEAF);
    for next in [
        elsewhere.fine(),
        elsewhere.alert(Alert::BAD_CERTIFICATE),
        elsewhere.end(kind::FINE, b""),
    ] {
        let (facts, does_not_fit) = read(&[whole, next]);
        assert_eq!((facts.len(), does_not_fit), (1, 1));
    }
    let client = GOROUTINE.hit(kind::CLIENT_HANDSHAKE, [kind::FINE, 0, 0, 0], b"");
    assert_eq!(
        read(&[whole, client]).1,
        1,
        "a server's chain, and a client's end"
    );
}

#[test]
fn a_goroutine_may_serve_one_connection_after_another() {
    let next = Goroutine {
        cookie: 78,
        ..GOROUTINE
    };
    let hits = [
        GOROUTINE.member(0, 1, LEAF),
        GOROUTINE.end(kind::FINE, b""),
        // A record that could not be read, after the handshake.
        GOROUTINE.alert(Alert::BAD_RECORD_MAC),
        next.member(0, 1, ISSUER),
        next.end(kind::FINE, b""),
    ];
    let told = [
        chain(&[LEAF]),
        FactBody::Established,
        FactBody::AlertSent(Alert::BAD_RECORD_MAC),
        chain(&[ISSUER]),
        FactBody::Established,
    ];
    assert_eq!(bodies(&hits), told);
}

#[test]
fn of_a_long_chain_the_end_is_missing() {
    let hits: Vec<_> = (0..kind::MAX_CERTIFICATES)
        .map(|index| GOROUTINE.member(index, 200, LEAF))
        .collect();
    assert_eq!(bodies(&hits), [chain(&[LEAF; kind::MAX_CERTIFICATES as usize])]);
}

#[test]
fn a_certificate_is_one_sequence() {
    assert!(is_sequence(LEAF) && is_sequence(ISSUER) && is_sequence(&[0x30, 0x81, 1, 0]));
    assert!(!is_sequence(&[]) && !is_sequence(&[0x30]) && !is_sequence(&[0x30, 0x82, 1]));
    assert!(!is_sequence(&[0x31, 2, 1, 1]), "another type");
    assert!(!is_sequence(&[0x30, 2, 1, 1, 0]), "more behind it");
}
