//! Hits as GnuTLS was seen to make them, and such as it should never make.

use super::*;

const SERVER: u64 = kind::SESSION_SERVER;
const CLIENT: u64 = kind::SESSION_CLIENT;
const IN_HANDSHAKE: u64 = kind::SESSION_RECEIVED;
const SOCKET: u64 = 77;
const OTHER_SOCKET: u64 = 78;
const EXPIRED: u64 = 0x402;
/// What a function returns, as it stands above a status.
const NO_CERTIFICATE_FOUND: u64 = ((-49_i32) as u32 as u64) << 32;

/// A session as hits tell of it, of a thread that received from a socket last.
#[derive(Clone, Copy)]
struct At {
    address: u64,
    made_ns: u64,
    bits: u64,
    cookie: u64,
    time_ns: u64,
}

/// A server that is in the handshake.
const HANDSHAKE: At = At {
    address: 0x1000,
    made_ns: 5,
    bits: SERVER | IN_HANDSHAKE,
    cookie: SOCKET,
    time_ns: 10,
};

impl At {
    /// The same session after its handshake.
    fn later(self) -> Self {
        Self {
            bits: self.bits & !IN_HANDSHAKE,
            time_ns: self.time_ns + 1,
            ..self
        }
    }

    fn hit(self, kind: u16, number: u64, value: u64, bytes: &[u8]) -> Hit<'_> {
        let values = [
            self.address,
            self.made_ns,
            self.bits | number << kind::COUNT_SHIFT,
            value,
        ];
        Hit {
            time_ns: self.time_ns,
            ..Hit::sample(self.cookie, kind, values, bytes)
        }
    }

    fn certificate(self, number: u64, der: &[u8]) -> Hit<'_> {
        self.hit(kind::CERTIFICATE, number, der.len() as u64, der)
    }

    /// The chain is verified with `status`.
    fn verified(self, status: u64) -> [Hit<'static>; 3] {
        [
            self.certificate(0, b"leaf"),
            self.certificate(1, b"issuer"),
            self.hit(kind::VERIFIED, 2, status, b""),
        ]
    }

    fn ended(self, result: i32) -> Hit<'static> {
        self.hit(kind::HANDSHAKE, 0, u64::from(result as u32), b"")
    }

    /// As [`ended`](Self::ended), where the alert received last is known, or that there was none.
    fn ended_after(self, result: i32, alert: u8) -> Hit<'static> {
        let alert = kind::ALERT_KNOWN | u64::from(alert);
        self.hit(kind::HANDSHAKE, 0, u64::from(result as u32) | alert << 32, b"")
    }
}

fn read(hits: &[Hit<'_>]) -> (Vec<Fact>, u64) {
    let mut reader = GnuTls::default();
    let mut facts = Vec::new();
    for hit in hits {
        reader.take(hit, &mut facts);
    }
    (facts, reader.losses().does_not_fit)
}

fn bodies(hits: &[Hit<'_>]) -> Vec<FactBody> {
    read(hits).0.into_iter().map(|fact| fact.body).collect()
}

fn chain() -> FactBody {
    FactBody::Chain(vec![Bytes::from_static(b"leaf"), Bytes::from_static(b"issuer")])
}

fn found(fault: Option<CertificateFault>, term: &str) -> FactBody {
    FactBody::Verified(Verification {
        fault,
        term: term.into(),
    })
}

fn failed(reason: Option<Reason>, term: &str) -> FactBody {
    FactBody::Failed(Failure {
        reason,
        term: term.into(),
    })
}

fn expired() -> FactBody {
    found(Some(CertificateFault::Expired), "GNUTLS_CERT_EXPIRED (0x402)")
}

#[test]
fn a_server_refuses_an_expired_client() {
    let mut hits = HANDSHAKE.verified(EXPIRED).to_vec();
    hits.push(HANDSHAKE.ended(-348));
    hits.push(HANDSHAKE.later().hit(kind::ALERT_SENT, 0, 42, b""));
    let (facts, does_not_fit) = read(&hits);
    assert_eq!(does_not_fit, 0);
    for fact in &facts {
        assert_eq!((fact.socket.cookie, fact.own_side), (SOCKET, Some(Side::Server)));
    }
    let reason = Reason::Certificate(Side::Client, CertificateFault::Expired);
    assert_eq!(
        bodies(&hits),
        [
            chain(),
            expired(),
            failed(Some(reason), "GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR (-348)"),
            FactBody::AlertSent(AlertDescription(42)),
        ]
    );
}

#[test]
fn a_client_that_verifies_by_itself_refuses_a_server() {
    let client = At {
        bits: CLIENT | IN_HANDSHAKE,
        ..HANDSHAKE
    };
    let name = "GNUTLS_E_CERTIFICATE_ERROR (-43)";
    // With the library's help, and without.
    let mut hits = client.verified(0x4002).to_vec();
    hits.push(client.ended(-43));
    let reason = |fault| Some(Reason::Certificate(Side::Server, fault));
    assert_eq!(
        bodies(&hits).last(),
        Some(&failed(reason(CertificateFault::NameMismatch), name))
    );
    assert_eq!(
        bodies(&[client.ended(-43)]),
        [failed(reason(CertificateFault::Rejected), name)]
    );
}

#[test]
fn what_is_told_after_the_handshake_is_about_its_connection() {
    // The thread has served another connection in between.
    let later = At {
        cookie: OTHER_SOCKET,
        ..HANDSHAKE.later()
    };
    let mut hits = vec![HANDSHAKE.ended(0)];
    hits.extend(later.verified(EXPIRED));
    let (facts, _) = read(&hits);
    assert!(facts.iter().all(|fact| fact.socket.cookie == SOCKET));
    assert_eq!(bodies(&hits), [FactBody::Established, chain(), expired()]);
}

#[test]
fn a_session_whose_connection_was_never_seen_is_not_believed() {
    let mut hits = HANDSHAKE.later().verified(EXPIRED).to_vec();
    hits.push(HANDSHAKE.later().ended(-53));
    assert_eq!(read(&hits), (vec![], 4));
    // Another session at the same address is not the same session.
    let again = At {
        made_ns: HANDSHAKE.made_ns + 1,
        ..HANDSHAKE.later()
    };
    let hits = [HANDSHAKE.ended(0), again.ended(0)];
    let (facts, does_not_fit) = read(&hits);
    assert_eq!((facts.len(), does_not_fit), (1, 1));
}

#[test]
fn sessions_of_one_thread_do_not_mix() {
    let other = At {
        address: 0x2000,
        cookie: OTHER_SOCKET,
        ..HANDSHAKE
    };
    let hits = [
        HANDSHAKE.certificate(0, b"leaf"),
        other.certificate(0, b"other leaf"),
        HANDSHAKE.certificate(1, b"issuer"),
        other.hit(kind::VERIFIED, 1, 0, b""),
        HANDSHAKE.hit(kind::VERIFIED, 2, 0, b""),
    ];
    let (facts, _) = read(&hits);
    let chains = facts.iter().filter_map(|fact| match &fact.body {
        FactBody::Chain(chain) => Some((fact.socket.cookie, chain.len(), chain[0].as_ref())),
        _ => None,
    });
    let chains: Vec<_> = chains.collect();
    assert_eq!(
        chains,
        [(OTHER_SOCKET, 1, &b"other leaf"[..]), (SOCKET, 2, &b"leaf"[..])]
    );
}

#[test]
fn a_session_on_another_connection_begins_anew() {
    let mut hits = vec![HANDSHAKE.certificate(0, b"leaf")];
    let moved = At {
        cookie: OTHER_SOCKET,
        ..HANDSHAKE
    };
    hits.push(moved.certificate(1, b"issuer"));
    hits.push(moved.hit(kind::PEERS, 2, 0, b""));
    assert_eq!(read(&hits), (vec![], 1));
}

#[test]
fn a_chain_that_lacks_a_member_is_none() {
    let complete = HANDSHAKE.hit(kind::VERIFIED, 2, 0, b"");
    let valid = found(None, "GNUTLS_CERT_VALID (0x0)");
    let leaf = HANDSHAKE.certificate(0, b"leaf");
    for hits in [
        vec![leaf, complete],
        vec![HANDSHAKE.certificate(1, b"issuer"), complete],
        vec![leaf, HANDSHAKE.certificate(1, b""), complete],
    ] {
        assert_eq!(bodies(&hits), std::slice::from_ref(&valid));
        assert_eq!(read(&hits).1, 1);
    }
    // A verification that was not seen to its end leaves nothing behind.
    let mut again = vec![leaf];
    again.extend(HANDSHAKE.verified(0));
    assert_eq!(bodies(&again), [chain(), valid]);
}

#[test]
fn the_service_may_ask_for_the_chain_or_learn_that_there_is_none() {
    let got = [
        HANDSHAKE.certificate(0, b"leaf"),
        HANDSHAKE.certificate(1, b"issuer"),
        HANDSHAKE.hit(kind::PEERS, 2, 0, b""),
    ];
    assert_eq!(bodies(&got), [chain()]);
    for none in [
        HANDSHAKE.hit(kind::PEERS, 0, 0, b""),
        HANDSHAKE.hit(kind::VERIFIED, 0, NO_CERTIFICATE_FOUND, b""),
    ] {
        assert_eq!(bodies(&[none]), [FactBody::NoPeerCertificate]);
    }
}

#[test]
fn a_required_certificate_was_missing() {
    let reason = Reason::Certificate(Side::Client, CertificateFault::Missing);
    assert_eq!(
        bodies(&[HANDSHAKE.ended(-112)]),
        [
            FactBody::NoCertificate,
            failed(Some(reason), "GNUTLS_E_CERTIFICATE_REQUIRED (-112)")
        ]
    );
}

#[test]
fn the_alert_that_ended_the_handshake_came_before_its_end() {
    let hits = [
        HANDSHAKE.ended(-12),
        // Services that answer every error with an alert.
        HANDSHAKE.later().hit(kind::ALERT_SENT, 0, 80, b""),
        HANDSHAKE.later().hit(kind::ALERT_RECEIVED, 0, 48, b""),
        HANDSHAKE.later().hit(kind::ALERT_RECEIVED, 0, 48, b""),
    ];
    assert_eq!(
        bodies(&hits),
        [
            failed(None, "GNUTLS_E_FATAL_ALERT_RECEIVED (-12)"),
            FactBody::AlertReceived(AlertDescription(48)),
        ]
    );
    let (facts, _) = read(&hits);
    assert_eq!(facts[0].time_ns, facts[1].time_ns);
}

#[test]
fn a_session_may_know_the_alert_that_ended_the_handshake() {
    let alert = FactBody::AlertReceived(AlertDescription(45));
    let name = "GNUTLS_E_FATAL_ALERT_RECEIVED (-12)";
    let answered = HANDSHAKE.later().hit(kind::ALERT_SENT, 0, 80, b"");
    assert_eq!(
        bodies(&[
            HANDSHAKE.ended_after(-12, 45),
            answered,
            HANDSHAKE.later().hit(kind::ALERT_RECEIVED, 0, 45, b""),
        ]),
        [alert.clone(), failed(None, name)]
    );
    // In the place of a certificate an alert is told as if there had been none.
    let name = "GNUTLS_E_NO_CERTIFICATE_FOUND (-49)";
    assert_eq!(
        bodies(&[HANDSHAKE.ended_after(-49, 45), answered]),
        [alert, failed(None, name)]
    );
    assert_eq!(bodies(&[HANDSHAKE.ended(-49)]), [failed(None, name)]);
    let missing = Reason::Certificate(Side::Client, CertificateFault::Missing);
    assert_eq!(
        bodies(&[HANDSHAKE.ended_after(-49, 0)]),
        [FactBody::NoCertificate, failed(Some(missing), name)]
    );
    let client = At {
        bits: CLIENT | IN_HANDSHAKE,
        ..HANDSHAKE
    };
    assert_eq!(bodies(&[client.ended_after(-49, 0)]), [failed(None, name)]);
}

#[test]
fn an_alert_that_comes_later_has_its_own_time() {
    let hits = [
        HANDSHAKE.ended(0),
        HANDSHAKE.later().hit(kind::ALERT_RECEIVED, 0, 42, b""),
    ];
    let (facts, _) = read(&hits);
    assert_eq!(facts[1].time_ns, HANDSHAKE.later().time_ns);
}

#[test]
fn a_connection_that_went_away_is_no_refusal() {
    for error in [-10, -16, -37, -38, -53, -54, -110, -328] {
        assert_eq!(bodies(&[HANDSHAKE.ended(error)]), []);
    }
}

#[test]
fn a_status_that_could_not_be_read_is_none() {
    let mut unreadable = HANDSHAKE.hit(kind::VERIFIED, 0, 0, b"");
    unreadable.is_unreadable = true;
    assert_eq!(bodies(&[unreadable]), []);
}
