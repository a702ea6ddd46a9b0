//! Each alert with its reason, and what sharpens it.

use std::sync::LazyLock;

use super::*;
use CertificateFault as F;

const NOW: u64 = 1_000_000 * 1_000_000_000;

/// An offer of TLS 1.2 at most.
static OLD: LazyLock<ClientOffer> = LazyLock::new(|| ClientOffer {
    legacy_version: ProtocolVersion::TLS12,
    ..ClientOffer::default()
});

fn context(sender: Side) -> AlertContext<'static> {
    AlertContext {
        sender,
        judged_leaf: None,
        time_ns: NOW,
        server_answered: true,
        retry_requested: false,
        offer: Some(&OLD),
        client_certificate: ClientCertificate::Sent,
        not_tls: false,
        lossy: false,
    }
}

fn cause(code: u8, context: &AlertContext<'_>) -> Cause {
    cause_of_alert(AlertDescription(code), context)
}

#[test]
fn the_sender_tells_whose_certificate_it_was() {
    for (code, fault) in [
        (42, F::Bad),
        (44, F::Revoked),
        (45, F::Expired),
        (46, F::Rejected),
        (48, F::UnknownCa),
    ] {
        let by_server = cause(code, &context(Side::Server));
        assert_eq!(
            by_server,
            Cause::observed(Reason::Certificate(Side::Client, fault)),
            "alert {code}"
        );
        let by_client = cause(code, &context(Side::Client));
        assert_eq!(
            by_client,
            Cause::observed(Reason::Certificate(Side::Server, fault)),
            "alert {code}"
        );
    }
}

#[test]
fn each_alert_has_its_reason() {
    let server = context(Side::Server);
    for (code, reason) in [
        (0, Reason::Closed),
        (10, Reason::ProtocolError),
        (20, Reason::DecryptError),
        (22, Reason::ProtocolError),
        (40, Reason::Other),
        (41, Reason::Certificate(Side::Client, F::Missing)),
        (47, Reason::ProtocolError),
        (50, Reason::DecodeError),
        (51, Reason::DecryptError),
        (70, Reason::NoSharedVersion),
        (71, Reason::NoSharedCipher),
        (80, Reason::InternalError),
        (86, Reason::NoSharedVersion),
        (90, Reason::Closed),
        (109, Reason::ProtocolError),
        (112, Reason::UnrecognizedName),
        (113, Reason::Certificate(Side::Client, F::Bad)),
        (115, Reason::Other),
        (116, Reason::Certificate(Side::Client, F::Missing)),
        (120, Reason::NoApplicationProtocol),
        (255, Reason::Other),
    ] {
        assert_eq!(cause(code, &server), Cause::observed(reason), "alert {code}");
    }
    assert_eq!(
        cause(43, &server).reason,
        Reason::Certificate(Side::Client, F::WrongPurpose)
    );
    assert_eq!(cause(43, &server).evidence, Evidence::Derived);
}

#[test]
fn a_leafs_dates_sharpen_general_alerts() {
    let leaf = |not_before, not_after| CertificateFacts {
        not_before: Some(not_before),
        not_after: Some(not_after),
        ..CertificateFacts::default()
    };
    let expired = leaf(0, 999_999);
    let early = leaf(1_000_001, 2_000_000);
    let valid = leaf(0, 1_000_000);
    let about = |code, leaf| {
        cause(
            code,
            &AlertContext {
                judged_leaf: Some(leaf),
                ..context(Side::Server)
            },
        )
    };

    for code in [42, 46] {
        assert_eq!(
            about(code, &expired).reason,
            Reason::Certificate(Side::Client, F::Expired)
        );
        assert_eq!(about(code, &expired).evidence, Evidence::Derived);
        assert_eq!(
            about(code, &early).reason,
            Reason::Certificate(Side::Client, F::NotYetValid)
        );
        assert_eq!(about(code, &valid).evidence, Evidence::Observed);
    }
    assert_eq!(
        about(45, &early).reason,
        Reason::Certificate(Side::Client, F::NotYetValid)
    );
    assert_eq!(about(45, &early).evidence, Evidence::Derived);
    assert_eq!(
        about(45, &expired),
        Cause::observed(Reason::Certificate(Side::Client, F::Expired))
    );
    assert_eq!(
        about(48, &expired).reason,
        Reason::Certificate(Side::Client, F::UnknownCa)
    );
}

#[test]
fn handshake_failure_is_explained_by_what_came_before() {
    let empty = AlertContext {
        client_certificate: ClientCertificate::RequestedNotSent,
        ..context(Side::Server)
    };
    assert_eq!(
        cause(40, &empty).reason,
        Reason::Certificate(Side::Client, F::Missing)
    );
    assert_eq!(cause(40, &empty).rule, Some(Rule::FailureAfterEmptyCertificate));
    let by_client = AlertContext {
        sender: Side::Client,
        ..empty
    };
    assert_eq!(cause(40, &by_client), Cause::observed(Reason::Other));

    let unanswered = AlertContext {
        server_answered: false,
        client_certificate: ClientCertificate::Unknown,
        ..context(Side::Server)
    };
    assert_eq!(cause(40, &unanswered).evidence, Evidence::Derived);
    assert_eq!(cause(40, &unanswered).reason, Reason::NoSharedCipher);
    let midstream = AlertContext {
        offer: None,
        ..unanswered
    };
    assert_eq!(cause(40, &midstream), Cause::observed(Reason::Other));
    let lossy = AlertContext {
        lossy: true,
        ..unanswered
    };
    assert_eq!(cause(40, &lossy), Cause::observed(Reason::Other));
}

#[test]
fn what_was_not_shared_is_told_as_far_as_the_offer_tells() {
    use ProtocolVersion as V;
    const P256: NamedGroup = NamedGroup::SECP256R1;
    const X25519: NamedGroup = NamedGroup(29);
    const GREASE: u16 = 0x0a0a;
    let common_12 = [0xc02b, 0xc02f];
    let all = [0x1301, 0xc02b, 0xc02f];
    let other = [0x1302, 0xc02c];
    let many = [X25519, P256];
    let cause = |versions: &[V], suites: &[u16], groups: &[NamedGroup]| {
        let offer = ClientOffer {
            legacy_version: V::TLS12,
            versions: versions.to_vec(),
            cipher_suites: suites.iter().copied().map(CipherSuite).collect(),
            groups: groups.to_vec(),
            ..ClientOffer::default()
        };
        let context = AlertContext {
            server_answered: false,
            client_certificate: ClientCertificate::Unknown,
            offer: Some(&offer),
            ..context(Side::Server)
        };
        let cause = cause(40, &context);
        (cause.reason, cause.rule)
    };
    let only_13 = [V(GREASE), V::TLS13];
    let both = [V::TLS13, V::TLS12];
    let suite = (Reason::NoSharedCipher, Some(Rule::FailureAtOnceTls13));
    let group = (Reason::NoSharedGroup, Some(Rule::FewGroups));
    let either = (Reason::Other, None);
    assert_eq!(cause(&only_13, &other, &many), suite);
    assert_eq!(cause(&only_13, &[0x1301], &[P256]), group);
    assert_eq!(cause(&only_13, &[0x1301], &[NamedGroup(GREASE), P256]), group);
    assert_eq!(cause(&only_13, &[0x1301], &[X25519, NamedGroup(24)]), group);
    assert_eq!(cause(&only_13, &[0x1301], &many), either);
    assert_eq!(cause(&only_13, &other, &[P256]), either);
    // A server of TLS 1.2 does not know that suite.
    assert_eq!(cause(&both, &[0x1301], &many), suite);
    assert_eq!(cause(&both, &all, &[X25519]), group);
    let old = (Reason::NoSharedCipher, Some(Rule::FailureAtOnce));
    for versions in [&[][..], &[V::TLS12]] {
        assert_eq!(cause(versions, &other, &many), old);
        assert_eq!(cause(versions, &other, &[]), old);
        assert_eq!(cause(versions, &common_12, &[P256]), group);
        assert_eq!(cause(versions, &common_12, &many), either);
    }
}

#[test]
fn an_offer_of_forbidden_versions_alone_lacks_a_version() {
    use ProtocolVersion as V;
    const GREASE: V = V(0x0a0a);
    let told = |legacy_version, versions: &[V], change: fn(&mut AlertContext<'_>)| {
        let offer = ClientOffer {
            legacy_version,
            versions: versions.to_vec(),
            ..ClientOffer::default()
        };
        let mut context = AlertContext {
            server_answered: false,
            client_certificate: ClientCertificate::Unknown,
            offer: Some(&offer),
            ..context(Side::Server)
        };
        change(&mut context);
        cause(40, &context)
    };
    let version = Cause::by(Reason::NoSharedVersion, Rule::FailureToOldVersions);
    assert_eq!(version.evidence, Evidence::Derived);
    for old in [V::SSL2, V::SSL3, V::TLS10, V::TLS11] {
        assert_eq!(told(old, &[], |_| {}), version, "{old:?}");
        // TLS 1.2 in the extension's place says nothing of what the extension names.
        assert_eq!(told(V::TLS12, &[old], |_| {}), version, "{old:?}");
    }
    assert_eq!(told(V::TLS12, &[V::TLS11, V::TLS10], |_| {}), version);
    for (legacy_version, versions) in [
        (V::TLS12, &[][..]),
        (V::TLS11, &[V::TLS12, V::TLS11]),
        (V::TLS10, &[V::TLS13]),
        // Who knows what it offers.
        (V::TLS12, &[GREASE]),
    ] {
        let other = told(legacy_version, versions, |_| {});
        assert_ne!(
            other.reason,
            Reason::NoSharedVersion,
            "{legacy_version:?} {versions:?}"
        );
    }
    // The server had answered in such a version; something may have been missed; it is the client that refuses.
    let elsewhere: [fn(&mut AlertContext<'_>); 3] = [
        |context| context.server_answered = true,
        |context| context.lossy = true,
        |context| context.sender = Side::Client,
    ];
    for change in elsewhere {
        assert_eq!(told(V::TLS10, &[], change), Cause::observed(Reason::Other));
    }
}

#[test]
fn a_client_that_refuses_a_hello_retry_request_has_not_that_group() {
    let asked = AlertContext {
        retry_requested: true,
        ..context(Side::Client)
    };
    for code in [40, 47] {
        assert_eq!(cause(code, &asked).reason, Reason::NoSharedGroup);
        assert_eq!(cause(code, &asked).rule, Some(Rule::RetryRefused));
        let by_server = AlertContext {
            sender: Side::Server,
            ..asked
        };
        assert_ne!(cause(code, &by_server).reason, Reason::NoSharedGroup);
    }
}

#[test]
fn access_denied_is_about_the_certificate_only_when_one_was_sent() {
    let sent = cause(49, &context(Side::Server));
    assert_eq!(sent.reason, Reason::Certificate(Side::Client, F::Rejected));
    assert_eq!(sent.evidence, Evidence::Derived);
    let unknown = AlertContext {
        client_certificate: ClientCertificate::Unknown,
        ..context(Side::Server)
    };
    assert_eq!(cause(49, &unknown), Cause::observed(Reason::Other));
    assert_eq!(cause(49, &context(Side::Client)), Cause::observed(Reason::Other));
}

#[test]
fn an_alert_after_foreign_bytes_means_not_tls() {
    let foreign = AlertContext {
        not_tls: true,
        ..context(Side::Server)
    };
    assert_eq!(cause(22, &foreign).reason, Reason::NotTls);
    assert_eq!(cause(22, &foreign).evidence, Evidence::Derived);
}
