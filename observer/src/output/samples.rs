//! Observations for the tests of the outputs.

use std::sync::Arc;
use std::time::Duration;

use observer_tls::alert::Alert;
use observer_tls::codepoints::{
    AlertDescription, AlertLevel, CipherSuite, ContentType, ExtensionType, NamedGroup, ProtocolVersion,
    SignatureScheme,
};
use observer_tls::fingerprint::{Ja3, Ja4};
use observer_tls::x509::{CertificateFacts, NameAttributes};

use crate::config::watching::Rate;
use crate::facts::Verification;
use crate::libraries::hooks::Family;
use crate::observation::*;
use crate::outcome::Rule;
use crate::report::{Identity, Network, NewCertificate, RefusalBurst, Refused, Report};
use crate::verify::{CertificateVerdict, Disagreement, Revocation, Status};

/// A leaf whose names contain `who`.
pub fn certificate(who: &str) -> Arc<CertificateFacts> {
    Arc::new(CertificateFacts {
        der: bytes::Bytes::from_static(b"\x30\x03\x02\x01\x07"),
        sha256: [0xab; 32],
        version: 3,
        subject: format!("CN={who},O=Example"),
        issuer: "CN=Example CA".into(),
        subject_attributes: NameAttributes {
            common_name: vec![who.into()],
            organization: vec!["Example".into()],
            ..NameAttributes::default()
        },
        issuer_attributes: NameAttributes {
            common_name: vec!["Example CA".into()],
            ..NameAttributes::default()
        },
        serial_number: "00F1".into(),
        not_before: Some(1_700_000_000),
        not_after: Some(1_731_536_000),
        dns_names: vec![format!("{who}.example.com")],
        ip_addresses: vec!["10.0.0.7".into()],
        uris: vec![format!("spiffe://example.com/{who}")],
        signature_algorithm: "ECDSA-SHA256".into(),
        public_key_algorithm: "ECDSA".into(),
        public_key_size: Some(256),
        public_key_curve: Some("P-256".into()),
        ..CertificateFacts::default()
    })
}

/// A judgement by a trust bundle.
pub fn verdict(status: Status) -> Arc<CertificateVerdict> {
    Arc::new(CertificateVerdict {
        status,
        revocation: Revocation::NotChecked,
        detail: (status != Status::Valid).then(|| "what speaks against it".into()),
        trust_bundle: Some("mesh".into()),
        warnings: vec!["no subjectAltName".into()],
    })
}

fn offer() -> ClientOffer {
    ClientOffer {
        legacy_version: ProtocolVersion::TLS12,
        versions: vec![
            ProtocolVersion(0x3a3a),
            ProtocolVersion::TLS13,
            ProtocolVersion::TLS12,
        ],
        cipher_suites: vec![CipherSuite(0x4a4a), CipherSuite(0x1301), CipherSuite(0xc02f)],
        groups: vec![NamedGroup::X25519MLKEM768, NamedGroup::X25519],
        key_shares: vec![NamedGroup::X25519],
        signature_algorithms: vec![SignatureScheme(0x0403), SignatureScheme(0x0804)],
        alpn: vec!["h2".into(), "http/1.1".into()],
        ech: false,
        grease: true,
        ja4: Ja4::new("t13d0202h2_0123456789ab_cdef01234567"),
    }
}

fn alert(sender: Side, level: AlertLevel, description: AlertDescription) -> AlertSeen {
    AlertSeen {
        sender,
        alert: Some(Alert { level, description }),
        encrypted: false,
        offset_ns: 3_000_000,
    }
}

/// A TLS 1.2 server refuses an expired client certificate.
pub fn refused_client() -> Observation {
    Observation {
        action: Action::Handshake,
        id: [0x11; 16],
        time_ns: 1_700_000_000_123_456_789,
        duration_ns: 3_000_000,
        client: "10.0.0.2:40000".parse().unwrap(),
        server: "10.0.0.1:8443".parse().unwrap(),
        outcome: Outcome::Rejected,
        rejected_by: Some(Side::Server),
        reason: Some(Reason::Certificate(Side::Client, CertificateFault::Expired)),
        evidence: Evidence::Observed,
        rule: None,
        source: Source::Wire,
        told: None,
        sockets: Sockets::default(),
        completeness: Completeness::Complete,
        version: Some(ProtocolVersion::TLS12),
        cipher: Some(CipherSuite(0xc02b)),
        ja3s: Ja3::new("fedcba9876543210fedcba9876543210"),
        group: Some(NamedGroup::X25519),
        resumed: Some(false),
        resumption: None,
        sessions: SessionNames::default(),
        alpn: None,
        offer: Some(Arc::new(offer())),
        server_name: Some("api.example.com".into()),
        extensions: vec![ExtensionType::SERVER_NAME, ExtensionType(0x9999)],
        ja3: Ja3::new("0123456789abcdef0123456789abcdef"),
        renegotiation: false,
        hello_retry: false,
        client_certificate: ClientCertificate::Sent,
        client_chain: vec![certificate("alice"), certificate("intermediate")],
        server_chain: vec![certificate("server")],
        certificate_source: CertificateSource::Wire,
        ocsp_response: None,
        client_verdict: Some(verdict(Status::Expired)),
        server_verdict: Some(verdict(Status::Valid)),
        disagreement: None,
        certificate_authorities: ["CN=Example CA".into()].into(),
        alerts: vec![alert(
            Side::Server,
            AlertLevel::FATAL,
            AlertDescription::CERTIFICATE_EXPIRED,
        )],
        opaque: vec![OpaqueRecord {
            sender: Side::Client,
            content_type: ContentType::HANDSHAKE,
            length: 40,
            offset_ns: 2_000_000,
        }],
        timings: Timings {
            server_hello: Some(1_000_000),
            client_flight: Some(2_000_000),
            finished: None,
        },
    }
}

/// A resumed TLS 1.3 handshake over IPv6.
pub fn established_13() -> Observation {
    Observation {
        id: [0x22; 16],
        client: "[2001:db8::2]:40001".parse().unwrap(),
        server: "[2001:db8::1]:443".parse().unwrap(),
        outcome: Outcome::Established,
        rejected_by: None,
        reason: None,
        version: Some(ProtocolVersion::TLS13),
        cipher: Some(CipherSuite(0x1301)),
        group: Some(NamedGroup::X25519MLKEM768),
        resumed: Some(true),
        resumption: Some(Resumption::Psk),
        client_certificate: ClientCertificate::Unknown,
        client_chain: vec![],
        server_chain: vec![],
        client_verdict: None,
        server_verdict: None,
        certificate_authorities: [].into(),
        alerts: vec![],
        opaque: vec![OpaqueRecord {
            sender: Side::Server,
            content_type: ContentType::APPLICATION_DATA,
            length: 53,
            offset_ns: 1_500_000,
        }],
        timings: Timings {
            server_hello: Some(1_000_000),
            client_flight: Some(2_000_000),
            finished: Some(2_000_000),
        },
        ..refused_client()
    }
}

/// A TLS 1.2 server takes a revoked client certificate.
pub fn wrongly_accepted() -> Observation {
    Observation {
        id: [0x55; 16],
        outcome: Outcome::Established,
        rejected_by: None,
        reason: None,
        client_verdict: Some(Arc::new(CertificateVerdict {
            revocation: Revocation::Revoked,
            ..(*verdict(Status::Revoked)).clone()
        })),
        disagreement: Some(Disagreement::AcceptedButInvalid),
        alerts: vec![],
        timings: Timings {
            finished: Some(3_000_000),
            ..refused_client().timings
        },
        ..refused_client()
    }
}

/// An alert that comes after [`established_13`]: encrypted, so all that is known is that there was one.
pub fn late_alert() -> Observation {
    Observation {
        action: Action::LateAlert,
        alerts: vec![AlertSeen {
            sender: Side::Client,
            alert: None,
            encrypted: true,
            offset_ns: 9_000_000,
        }],
        ..established_13()
    }
}

/// Plain HTTP sent to a TLS port.
pub fn not_tls() -> Observation {
    Observation {
        id: [0x33; 16],
        outcome: Outcome::Aborted,
        rejected_by: None,
        reason: Some(Reason::NotTls),
        version: None,
        resumed: None,
        cipher: None,
        ja3s: None,
        group: None,
        offer: None,
        server_name: None,
        extensions: vec![],
        ja3: None,
        client_certificate: ClientCertificate::Unknown,
        client_chain: vec![],
        server_chain: vec![],
        client_verdict: None,
        server_verdict: None,
        certificate_authorities: [].into(),
        alerts: vec![],
        opaque: vec![],
        timings: Timings::default(),
        ..refused_client()
    }
}

/// A handshake of which the end was not seen, with a client certificate that is none.
pub fn incomplete() -> Observation {
    let garbage = CertificateFacts {
        sha256: [0xcd; 32],
        malformed: Some("not DER".into()),
        ..CertificateFacts::default()
    };
    Observation {
        id: [0x44; 16],
        outcome: Outcome::Incomplete,
        rejected_by: None,
        reason: None,
        completeness: Completeness::Gap,
        client_chain: vec![Arc::new(garbage)],
        alerts: vec![alert(Side::Client, AlertLevel(7), AlertDescription(200))],
        ..refused_client()
    }
}

/// What nginx's library told of a client.
pub fn end_told() -> EndTold {
    EndTold {
        pid: 4711,
        thread: "nginx".into(),
        executable: Some("/usr/sbin/nginx".into()),
        family: Family::OpenSsl,
        verification: None,
        failure: None,
    }
}

/// A TLS 1.3 server goes on with a client whose certificate its library found expired, as it told; the other end's library
/// said what cannot be.
pub fn told_by_library() -> Observation {
    let server = EndTold {
        verification: Some(Verification {
            fault: Some(CertificateFault::Expired),
            term: "X509_V_ERR_CERT_HAS_EXPIRED (10)".into(),
        }),
        failure: Some("SSL_R_CERTIFICATE_VERIFY_FAILED (134)".into()),
        ..end_told()
    };
    Observation {
        id: [0x66; 16],
        source: Source::Both,
        rule: Some(Rule::LibraryFinished),
        told: Some(Box::new(Told {
            client: None,
            server: Some(server),
            contradictions: vec![Contradiction::ChainSize],
        })),
        resumed: Some(false),
        resumption: None,
        client_certificate: ClientCertificate::Sent,
        client_chain: vec![certificate("alice")],
        certificate_source: CertificateSource::Library,
        client_verdict: Some(verdict(Status::Expired)),
        disagreement: Some(Disagreement::AcceptedButInvalid),
        alerts: vec![AlertSeen {
            encrypted: true,
            ..alert(Side::Server, AlertLevel::WARNING, AlertDescription::CLOSE_NOTIFY)
        }],
        ..established_13()
    }
}

/// One of each kind that the wire tells of.
pub fn all() -> [Observation; 6] {
    [
        refused_client(),
        established_13(),
        late_alert(),
        not_tls(),
        incomplete(),
        wrongly_accepted(),
    ]
}

/// Clients of one subnet that are refused for their certificates.
pub fn refused_source() -> RefusalBurst {
    RefusalBurst {
        time_ns: 1_700_000_000_123_456_789,
        handshake: [0x11; 16],
        refused: Refused::Source {
            client: "2001:db8::1:2".parse().unwrap(),
            network: Network {
                address: "2001:db8::".parse().unwrap(),
                prefix: 64,
            },
        },
        rate: Rate {
            count: 20,
            window: Duration::from_secs(10),
        },
        count: 20,
        total: 24,
        first_ns: 1_699_999_991_000_000_000,
        reason: Some(Reason::Certificate(Side::Client, CertificateFault::Expired)),
        servers: vec!["10.0.0.1:8443".parse().unwrap()],
        more_servers: false,
    }
}

/// A client's certificate that is refused everywhere.
pub fn refused_certificate() -> RefusalBurst {
    let servers = (1..=8).map(|host| format!("10.0.0.{host}:8443").parse().unwrap());
    RefusalBurst {
        refused: Refused::Certificate {
            side: Side::Client,
            leaf: certificate("alice"),
        },
        servers: servers.collect(),
        more_servers: true,
        ..refused_source()
    }
}

/// A server whose certificate comes from another issuer than before.
pub fn new_certificate() -> NewCertificate {
    let seen = refused_client();
    NewCertificate {
        time_ns: seen.time_ns,
        handshake: seen.id,
        client: seen.client,
        server: seen.server,
        server_name: seen.server_name,
        side: Side::Server,
        name: "api.example.com".into(),
        leaf: certificate("server"),
        new_issuer: true,
        new_serial: true,
        previous: Some(Identity {
            issuer: "CN=Old CA".into(),
            serial_number: "0A".into(),
        }),
    }
}

/// One of each kind that tells of more than one handshake.
pub fn findings() -> [Report; 3] {
    [
        Report::RefusalBurst(Box::new(refused_source())),
        Report::RefusalBurst(Box::new(refused_certificate())),
        Report::NewCertificate(Box::new(new_certificate())),
    ]
}
