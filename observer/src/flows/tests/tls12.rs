//! TLS 1.2: established, resumed, refused, aborted, timed out.

use super::wire::*;
use crate::observation::{
    CertificateFault, ClientCertificate, Completeness, Evidence, Outcome, Reason, Resumption, Side,
};
use crate::outcome::Rule;
use crate::segment::SegmentFlags;
use observer_tls::codepoints::{CipherSuite, NamedGroup, ProtocolVersion};

fn hello() -> Vec<u8> {
    client_hello(1, &[], &[])
}

fn client_missing() -> Reason {
    Reason::Certificate(Side::Client, CertificateFault::Missing)
}

#[test]
fn mutual_handshake() {
    let mut play = Play::new();
    let name = extension(0, b"\0\x0e\0\0\x0bexample.org");
    play.client(&[client_hello(1, &[], &[name])])
        .server(&[server_flight(true)])
        .client(&[
            certificate(&[b"client"]),
            client_key_exchange(),
            certificate_verify(),
            finished(),
        ])
        .nothing()
        .server(&[finished()]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rejected_by, seen.reason),
        (Outcome::Established, None, None)
    );
    assert_eq!((seen.evidence, seen.rule), (Evidence::Observed, None));
    assert_eq!(seen.completeness, Completeness::Complete);
    assert_eq!((seen.client, seen.server), (play.client, play.server));
    assert_eq!((seen.time_ns, seen.duration_ns), (START, 3 * MS));
    assert_eq!(seen.version, Some(ProtocolVersion::TLS12));
    assert_eq!(seen.cipher, Some(CipherSuite(ECDHE)));
    assert_eq!(seen.group, Some(NamedGroup(29)));
    assert_eq!((seen.resumption, seen.hello_retry), (None, false));
    assert_eq!(seen.client_certificate, ClientCertificate::Sent);
    let ders = |chain: &[std::sync::Arc<observer_tls::x509::CertificateFacts>]| {
        chain.iter().map(|facts| facts.der.to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(ders(&seen.client_chain), [b"client"]);
    assert_eq!(ders(&seen.server_chain), [&b"server"[..], b"authority"]);
    assert_eq!(*seen.certificate_authorities, ["CN=Test CA"]);
    assert_eq!(seen.server_name.as_deref(), Some("example.org"));
    assert_eq!(seen.timings.server_hello, Some(MS));
    assert_eq!(seen.timings.client_flight, Some(2 * MS));
    assert_eq!(seen.timings.finished, Some(3 * MS));
    assert_eq!(seen.alerts, []);
    assert_eq!(seen.opaque.len(), 2);
}

#[test]
fn without_a_request_no_certificate_is_expected() {
    let mut play = Play::new();
    play.client(&[hello()])
        .server(&[server_flight(false)])
        .client(&[client_key_exchange(), finished()]);
    play.server(&[finished()]);
    assert_eq!(play.only().client_certificate, ClientCertificate::NotRequested);
}

#[test]
fn every_byte_may_come_alone() {
    let mut play = Play::new();
    let sent = [
        (Side::Client, hello()),
        (Side::Server, server_flight(true)),
        (
            Side::Client,
            [
                certificate(&[b"client"]),
                client_key_exchange(),
                certificate_verify(),
                finished(),
            ]
            .concat(),
        ),
        (Side::Server, finished()),
    ];
    for (side, bytes) in sent {
        for byte in bytes {
            play.send(side, &[byte]);
        }
    }
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.client_certificate),
        (Outcome::Established, ClientCertificate::Sent)
    );
    assert_eq!(play.table.stats().buffered_bytes, 0);
}

#[test]
fn resumption_by_session_id_and_by_ticket() {
    let id = [4; 32];
    let ticket = extension(35, &[6; 100]);
    for (extensions, resumption) in [
        (vec![], Resumption::SessionId),
        (vec![ticket], Resumption::Ticket),
    ] {
        let mut play = Play::new();
        play.client(&[client_hello(1, &id, &extensions)])
            .server(&[server_hello(ECDHE, &id, &[]), finished()])
            .nothing()
            .client(&[finished()]);
        let seen = play.only();
        assert_eq!(
            (seen.outcome, seen.resumption),
            (Outcome::Established, Some(resumption))
        );
        assert_eq!(seen.client_certificate, ClientCertificate::Unknown);
    }
}

#[test]
fn a_refused_ticket_is_no_resumption() {
    let mut play = Play::new();
    play.client(&[client_hello(1, &[], &[extension(35, &[6; 100])])])
        .server(&[server_flight(false)])
        .client(&[client_key_exchange(), finished()])
        .server(&[message(4, &[0, 0, 0, 9, 0, 2, 1, 2]), finished()]);
    let seen = play.only();
    assert_eq!((seen.outcome, seen.resumption), (Outcome::Established, None));
}

#[test]
fn missing_client_certificate_is_derived_from_handshake_failure() {
    let mut play = Play::new();
    play.client(&[hello()])
        .server(&[server_flight(true)])
        .client(&[certificate(&[]), client_key_exchange(), finished()])
        .server(&[alert(2, 40)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rejected_by),
        (Outcome::Rejected, Some(Side::Server))
    );
    assert_eq!(
        (seen.reason, seen.evidence),
        (Some(client_missing()), Evidence::Derived)
    );
    assert_eq!(seen.rule, Some(Rule::FailureAfterEmptyCertificate));
    assert_eq!(seen.client_certificate, ClientCertificate::RequestedNotSent);
    assert_eq!(seen.alerts.len(), 1);
    assert_eq!(
        (seen.alerts[0].sender, seen.alerts[0].offset_ns),
        (Side::Server, 3 * MS)
    );
    play.fin(Side::Server)
        .rst(Side::Client)
        .wait(60 * SECOND)
        .nothing();
}

#[test]
fn each_side_refuses_the_others_certificate() {
    let mut play = Play::new();
    play.client(&[hello()])
        .server(&[server_flight(true)])
        .client(&[
            certificate(&[b"client"]),
            client_key_exchange(),
            certificate_verify(),
            finished(),
        ])
        .server(&[alert(2, 48)]);
    let seen = play.only();
    assert_eq!(seen.rejected_by, Some(Side::Server));
    assert_eq!(
        seen.reason,
        Some(Reason::Certificate(Side::Client, CertificateFault::UnknownCa))
    );
    assert_eq!(seen.evidence, Evidence::Observed);

    let mut play = Play::new();
    play.client(&[hello()])
        .server(&[server_flight(true)])
        .client(&[alert(2, 45)]);
    let seen = play.only();
    assert_eq!(seen.rejected_by, Some(Side::Client));
    assert_eq!(
        seen.reason,
        Some(Reason::Certificate(Side::Server, CertificateFault::Expired))
    );
    assert_eq!(seen.client_certificate, ClientCertificate::Unknown);
}

#[test]
fn a_certificate_message_that_cannot_be_decoded_has_no_certificate() {
    let mut broken = certificate(&[b"client"]);
    // The certificate's own length goes beyond the message.
    broken[14] += 1;
    let mut play = Play::new();
    play.client(&[hello()])
        .server(&[server_flight(true)])
        .client(&[broken])
        .server(&[alert(2, 50)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rejected_by, seen.reason, seen.evidence),
        (
            Outcome::Rejected,
            Some(Side::Server),
            Some(Reason::DecodeError),
            Evidence::Observed
        )
    );
    assert!(seen.client_chain.is_empty());
    assert_eq!(seen.client_certificate, ClientCertificate::Unknown);
}

#[test]
fn refused_at_once() {
    for (code, reason, evidence) in [
        (40, Reason::NoSharedCipher, Evidence::Derived),
        (70, Reason::NoSharedVersion, Evidence::Observed),
        (112, Reason::UnrecognizedName, Evidence::Observed),
    ] {
        let mut play = Play::new();
        play.client(&[hello()]).server(&[alert(2, code)]);
        let seen = play.only();
        assert_eq!(
            (seen.outcome, seen.rejected_by),
            (Outcome::Rejected, Some(Side::Server))
        );
        assert_eq!(
            (seen.reason, seen.evidence, seen.version),
            (Some(reason), evidence, None)
        );
    }
}

#[test]
fn a_warning_refuses_only_if_it_is_the_last_word() {
    let mut play = Play::new();
    play.client(&[hello()])
        .server(&[alert(1, 112), server_flight(false)]);
    play.client(&[client_key_exchange(), finished()])
        .server(&[finished()]);
    let seen = play.only();
    assert_eq!((seen.outcome, seen.alerts.len()), (Outcome::Established, 1));

    let mut play = Play::new();
    play.client(&[hello()])
        .server(&[alert(1, 112)])
        .nothing()
        .fin(Side::Server)
        .fin(Side::Client);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rejected_by),
        (Outcome::Rejected, Some(Side::Server))
    );
    assert_eq!(seen.reason, Some(Reason::UnrecognizedName));
}

#[test]
fn encrypted_alert_before_the_end() {
    let id = [4; 32];
    let mut play = Play::new();
    play.client(&[client_hello(1, &id, &[])])
        .server(&[server_hello(ECDHE, &id, &[]), finished()])
        .client(&[record(20, &[1]), opaque(21, 26)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rejected_by),
        (Outcome::Rejected, Some(Side::Client))
    );
    assert_eq!(
        (seen.reason, seen.evidence),
        (Some(Reason::Other), Evidence::Derived)
    );
    assert_eq!(seen.rule, Some(Rule::EncryptedAlert));
    assert_eq!(seen.alerts[0].alert, None);
}

#[test]
fn encrypted_alert_of_the_side_that_has_finished() {
    let id = [4; 32];
    let resumed = || {
        let mut play = Play::new();
        play.client(&[client_hello(1, &id, &[])])
            .server(&[server_hello(ECDHE, &id, &[]), finished()]);
        play
    };
    // It has nothing to object to.
    let mut play = resumed();
    play.server(&[opaque(21, 26)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.reason),
        (Outcome::Aborted, Some(Reason::Closed))
    );
    assert_eq!(
        (seen.evidence, seen.rule),
        (Evidence::Derived, Some(Rule::EncryptedClose))
    );
    // It may object to this.
    let mut play = resumed();
    play.client(&[record(20, &[1])]).server(&[opaque(21, 26)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rejected_by),
        (Outcome::Rejected, Some(Side::Server))
    );
    assert_eq!(
        (seen.evidence, seen.rule),
        (Evidence::Derived, Some(Rule::EncryptedRefusal))
    );
    // Or to the end of the bytes.
    let mut play = resumed();
    play.fin(Side::Server).client(&[record(20, &[1]), opaque(21, 26)]);
    let seen = play.only();
    assert_eq!(
        (seen.outcome, seen.rule),
        (Outcome::Aborted, Some(Rule::ClosedAfterServerFinished))
    );
    // Or to a Finished that was not seen, if it does not close a connection that was established.
    let mut play = resumed();
    play.flagged(SegmentFlags {
        pieces_lost: true,
        ..SegmentFlags::default()
    })
    .server(&[opaque(21, 26)])
    .nothing()
    .rst(Side::Server);
    assert_eq!(play.only().outcome, Outcome::Incomplete);
}

#[test]
fn data_before_the_other_sides_finished_leave_the_end_open() {
    let mut play = Play::new();
    play.client(&[hello()])
        .server(&[server_flight(false)])
        .client(&[client_key_exchange(), finished(), opaque(23, 90)])
        .rst(Side::Client);
    assert_eq!(play.only().outcome, Outcome::Incomplete);
    // A false start.
    let mut play = Play::new();
    play.client(&[hello()])
        .server(&[server_flight(false)])
        .client(&[client_key_exchange(), finished(), opaque(23, 90)])
        .server(&[finished()]);
    assert_eq!(play.only().outcome, Outcome::Established);
}
