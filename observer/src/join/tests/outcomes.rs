//! Whose word counts for how a handshake ended.

use CertificateFault as F;
use Outcome::{Aborted, Established, Incomplete, Rejected};
use observer_tls::codepoints::AlertDescription as A;

use super::*;

fn expired() -> [Fact; 3] {
    [
        fact(Side::Server, 10, chain(1)),
        fact(Side::Server, 10, verified(Some(F::Expired))),
        fact(Side::Server, 10, failed(Some(client(F::Expired)))),
    ]
}

fn by_server(fault: F, evidence: Evidence, rule: Rule) -> End {
    (
        Rejected,
        Some(Side::Server),
        Some(client(fault)),
        evidence,
        Some(rule),
    )
}

fn with(seen: Observation, outcome: Outcome, reason: Option<Reason>, evidence: Evidence) -> Observation {
    Observation {
        outcome,
        rejected_by: (outcome == Rejected).then_some(Side::Server),
        reason,
        evidence,
        rule: (evidence != Evidence::Observed).then_some(Rule::EncryptedAlert),
        ..seen
    }
}

#[test]
fn a_guessed_refusal_becomes_exact() {
    let seen = join(refused13(), expired());
    assert_eq!(
        end(&seen),
        by_server(F::Expired, Evidence::Observed, Rule::LibraryGaveUp)
    );
    let told = seen.told.unwrap();
    assert_eq!(
        told.by(Side::Server).unwrap().failure.as_deref(),
        Some("SSL_R_CERTIFICATE_VERIFY_FAILED (134)")
    );
    assert_eq!(
        &*told.verification().unwrap().1.term,
        "X509_V_ERR_CERT_HAS_EXPIRED (10)"
    );
}

#[test]
fn who_gave_up_refused_whatever_the_wire_guessed_or_left_open() {
    for version in [tls13(), tls12()] {
        for seen in [
            with(version.clone(), Established, None, Evidence::Inferred),
            with(version.clone(), Incomplete, None, Evidence::Observed),
            // asyncio closes without a word.
            with(version.clone(), Aborted, Some(Reason::Closed), Evidence::Observed),
            with(version.clone(), Aborted, Some(Reason::Reset), Evidence::Observed),
            with(
                version.clone(),
                Outcome::TimedOut,
                Some(Reason::TimedOut),
                Evidence::Observed,
            ),
        ] {
            let seen = join(seen, expired());
            assert_eq!(
                end(&seen),
                by_server(F::Expired, Evidence::Observed, Rule::LibraryGaveUp)
            );
        }
    }
}

#[test]
fn who_could_not_read_the_certificate_refused_it() {
    let facts = |teller| {
        [chain(1), FactBody::Unreadable("ERR_R_ASN1_LIB (13)".into())].map(|body| Fact {
            own_side: None,
            ..fact(teller, 10, body)
        })
    };
    let seen = join(refused13(), facts(Side::Server));
    assert_eq!(
        end(&seen),
        by_server(F::Bad, Evidence::Observed, Rule::LibraryGaveUp)
    );
    assert_eq!(seen.client_chain[0].der, der(1));
    let told = seen.told.unwrap();
    assert_eq!(
        told.by(Side::Server).unwrap().failure.as_deref(),
        Some("ERR_R_ASN1_LIB (13)")
    );
    // The library's end tells whose it is.
    let seen = join(refused13(), facts(Side::Client));
    assert_eq!(seen.rejected_by, Some(Side::Client));
    assert_eq!(seen.reason, Some(Reason::Certificate(Side::Server, F::Bad)));
    // An alert in plaintext stands: the verdict says the rest.
    let read = with(tls12(), Rejected, Some(Reason::DecodeError), Evidence::Observed);
    let seen = join(read.clone(), facts(Side::Server));
    assert_eq!((end(&seen), contradictions(&seen)), (end(&read), vec![]));
}

#[test]
fn what_a_library_says_is_lacking_wins_over_what_the_offer_lacks() {
    for rule in [Rule::FailureToOldVersions, Rule::FailureAtOnce] {
        let mut seen = with(
            tls12(),
            Rejected,
            Some(Reason::NoSharedVersion),
            Evidence::Derived,
        );
        seen.rule = Some(rule);
        let told = fact(Side::Server, 1, failed(Some(Reason::NoSharedGroup)));
        let seen = join(seen, [told]);
        assert_eq!(
            (seen.reason, seen.evidence, contradictions(&seen)),
            (Some(Reason::NoSharedGroup), Evidence::Observed, vec![])
        );
    }
}

#[test]
fn what_was_read_stands() {
    let facts = || {
        expired().map(|fact| Fact {
            own_side: None,
            ..fact
        })
    };
    let both_finished = join(tls12(), facts());
    assert_eq!(end(&both_finished), end(&tls12()));
    assert_eq!(contradictions(&both_finished), [Contradiction::Outcome]);
    let revoked = with(tls12(), Rejected, Some(client(F::Revoked)), Evidence::Observed);
    let seen = join(revoked.clone(), facts());
    assert_eq!(end(&seen), end(&revoked));
    assert_eq!(contradictions(&seen), [Contradiction::Reason]);
    let not_tls = with(tls13(), Aborted, Some(Reason::NotTls), Evidence::Observed);
    assert_eq!(end(&join(not_tls.clone(), facts())), end(&not_tls));
}

#[test]
fn a_vague_alert_gets_the_librarys_fault() {
    for (vague, evidence) in [
        (client(F::Bad), Evidence::Observed),
        (client(F::Rejected), Evidence::Observed),
        (Reason::Other, Evidence::Derived),
    ] {
        let wire = || with(tls12(), Rejected, Some(vague), evidence);
        let seen = join(wire(), expired());
        assert_eq!(
            end(&seen),
            by_server(F::Expired, Evidence::Observed, Rule::LibraryGaveUp)
        );
        // That it was verified is enough.
        let found = [fact(Side::Server, 10, verified(Some(F::Revoked)))];
        let seen = join(wire(), found);
        assert_eq!(
            end(&seen),
            by_server(F::Revoked, Evidence::Observed, Rule::LibraryVerification)
        );
    }
    let found = [fact(Side::Server, 10, verified(Some(F::Revoked)))];
    assert_eq!(
        end(&join(refused13(), found)),
        by_server(F::Revoked, Evidence::Inferred, Rule::LibraryVerification),
        "that it was refused is a guess still"
    );
}

/// The server closed first, 10 ms after the ClientHello, where it owed an answer to the client's flight.
fn closed_by_server() -> [Observation; 2] {
    let read = Observation {
        rule: Some(Rule::ServerClosedAfterCertificate),
        ..with(tls12(), Aborted, Some(Reason::Closed), Evidence::Observed)
    };
    let guessed = Observation {
        rule: Some(Rule::ServerClosed),
        ..refused13()
    };
    [read, guessed]
}

#[test]
fn a_server_that_closes_upon_what_its_library_found_has_refused_for_it() {
    for seen in closed_by_server() {
        for fault in [
            F::Expired,
            F::NotYetValid,
            F::UnknownCa,
            F::Revoked,
            F::WrongPurpose,
        ] {
            let facts = [
                fact(Side::Server, 9, chain(1)),
                fact(Side::Server, 9, verified(Some(fault))),
            ];
            assert_eq!(
                end(&join(seen.clone(), facts)),
                by_server(fault, Evidence::Derived, Rule::ServerClosedAfterVerification)
            );
        }
    }
    let [_, mut seen] = closed_by_server();
    seen.client_certificate = ClientCertificate::RequestedNotSent;
    for none in [FactBody::NoCertificate, FactBody::NoPeerCertificate] {
        assert_eq!(
            end(&join(seen.clone(), [fact(Side::Server, 9, none)])),
            by_server(F::Missing, Evidence::Derived, Rule::ServerClosedAfterVerification)
        );
    }
}

#[test]
fn a_close_refuses_nothing_that_the_servers_library_has_not_just_found() {
    let expired = verified(Some(F::Expired));
    let closes = |seen: &Observation| seen.rule == Some(Rule::ServerClosedAfterVerification);
    for seen in closed_by_server() {
        let fine = [fact(Side::Server, 9, verified(None))];
        let of_another = [fact(Side::Client, 9, expired.clone())];
        let afterwards = [fact(Side::Server, 11, expired.clone())];
        for facts in [fine, of_another, afterwards] {
            assert!(!closes(&join(seen.clone(), facts)));
        }
    }
    // In TLS 1.3 a server that has waited may have accepted, and waited for the client to speak.
    let [_, mut late] = closed_by_server();
    late.duration_ns = 300 * MS;
    assert_eq!(
        end(&join(late, [fact(Side::Server, 9, expired.clone())])),
        by_server(F::Expired, Evidence::Inferred, Rule::LibraryVerification)
    );
    for rule in [
        // The client closed first, or before its flight was complete.
        Rule::ClosedAfterCertificate,
        Rule::ClosedInClientFlight,
        Rule::ClientLeftUnanswered,
        Rule::NoFlightEnd,
    ] {
        for seen in [tls12(), tls13()] {
            let closed = Observation {
                rule: Some(rule),
                ..with(seen, Aborted, Some(Reason::Closed), Evidence::Observed)
            };
            assert_eq!(
                end(&join(closed.clone(), [fact(Side::Server, 9, expired.clone())])),
                end(&closed)
            );
        }
    }
}

/// The server answers the client's flight with a ticket.
fn answered13() -> Observation {
    let mut seen = tls13();
    seen.timings.finished = Some(10 * MS);
    seen.opaque.push(OpaqueRecord {
        sender: Side::Server,
        content_type: ContentType::APPLICATION_DATA,
        length: 250,
        offset_ns: 11 * MS,
    });
    seen
}

const WENT_ON: End = (
    Established,
    None,
    None,
    Evidence::Derived,
    Some(Rule::ServerWentOn),
);

#[test]
fn what_a_server_sends_after_its_library_has_looked_is_no_refusal() {
    for (at_ms, body, expected) in [
        (10, verified(None), WENT_ON),
        (10, verified(Some(F::Expired)), WENT_ON),
        // As nginx asks when it has read the request.
        (12, FactBody::NoPeerCertificate, WENT_ON),
        // It may have been sent before, whatever the library then found.
        (12, verified(None), end(&answered13())),
        // There could be none yet.
        (3, FactBody::NoPeerCertificate, end(&answered13())),
    ] {
        let told = [fact(Side::Server, at_ms, body.clone())];
        assert_eq!(end(&join(answered13(), told)), expected, "{at_ms} {body:?}");
        let of_client = [fact(Side::Client, at_ms, body.clone())];
        assert_eq!(end(&join(answered13(), of_client)), end(&answered13()));
        // What is open stays so.
        let open = Observation {
            rule: Some(Rule::AlertOrClose),
            ..with(answered13(), Incomplete, None, Evidence::Inferred)
        };
        let told = [fact(Side::Server, at_ms, body)];
        assert_eq!(end(&join(open.clone(), told)), end(&open));
    }
}

#[test]
fn a_server_that_goes_on_with_a_bad_certificate_has_accepted_it() {
    // As nginx does, which answers 400.
    let facts = [
        fact(Side::Server, 10, chain(1)),
        fact(Side::Server, 10, verified(Some(F::Expired))),
    ];
    let seen = join(answered13(), facts.clone());
    assert_eq!(end(&seen), WENT_ON);
    let told = seen.told.unwrap();
    let (judged, found) = told.verification().unwrap();
    assert_eq!((judged, found.fault), (Side::Client, Some(F::Expired)));
    // With its own word for it, too.
    let accepted = facts
        .into_iter()
        .chain([fact(Side::Server, 11, FactBody::Established)]);
    assert_eq!(
        end(&join(refused13(), accepted)),
        (
            Established,
            None,
            None,
            Evidence::Observed,
            Some(Rule::LibraryFinished)
        )
    );
}

#[test]
fn the_peer_of_a_server_elsewhere_tells_why_it_refused() {
    for (alert, fault, evidence, rule) in [
        (
            A::CERTIFICATE_REQUIRED,
            F::Missing,
            Evidence::Observed,
            Rule::LibraryAlert,
        ),
        (
            A::UNKNOWN_CA,
            F::UnknownCa,
            Evidence::Observed,
            Rule::LibraryAlert,
        ),
        (
            A::UNSUPPORTED_CERTIFICATE,
            F::WrongPurpose,
            Evidence::Derived,
            Rule::WrongPurpose,
        ),
    ] {
        let mut seen = refused13();
        seen.sockets.server = 0;
        let facts = [
            fact(Side::Client, 9, FactBody::Established),
            fact(Side::Client, 12, FactBody::AlertReceived(alert)),
            fact(Side::Client, 12, failed(None)),
        ];
        assert_eq!(
            end(&join(seen.clone(), facts.clone())),
            by_server(fault, evidence, rule)
        );
        // Some servers send tickets before they look at the certificate.
        seen.outcome = Established;
        seen.rejected_by = None;
        seen.reason = None;
        assert_eq!(end(&join(seen, facts)), by_server(fault, evidence, rule));
    }
}

#[test]
fn a_failure_that_is_not_of_the_handshake_does_not_undo_it() {
    for told in [
        Some(Reason::ProtocolError),
        Some(Reason::InternalError),
        Some(Reason::Other),
    ] {
        let seen = join(tls13(), [fact(Side::Server, 12, failed(told))]);
        assert_eq!(end(&seen), end(&tls13()), "{told:?}");
        // In TLS 1.2 it is seen when the handshake is over.
        let seen = join(tls12(), [fact(Side::Server, 12, failed(told))]);
        assert_eq!((end(&seen), seen.told), (end(&tls12()), None));
    }
}

#[test]
fn an_alert_about_what_comes_after_a_handshake_refuses_none() {
    let facts = [fact(Side::Client, 12, FactBody::AlertReceived(A::INTERNAL_ERROR))];
    assert_eq!(join(tls13(), facts).outcome, Established);
}

#[test]
fn who_fails_because_the_peer_refused_did_not_refuse() {
    let facts = [
        fact(Side::Server, 10, FactBody::AlertReceived(A::UNKNOWN_CA)),
        fact(Side::Server, 10, failed(Some(Reason::ProtocolError))),
    ];
    let seen = with(tls13(), Aborted, Some(Reason::Closed), Evidence::Observed);
    assert_eq!(
        end(&join(seen, facts)),
        (
            Rejected,
            Some(Side::Client),
            Some(Reason::Certificate(Side::Server, F::UnknownCa)),
            Evidence::Observed,
            Some(Rule::LibraryAlert)
        )
    );
    // Nor did who saw the connection close.
    let closed = with(tls13(), Aborted, Some(Reason::Closed), Evidence::Observed);
    for reason in [None, Some(Reason::Closed), Some(Reason::Reset)] {
        let seen = join(closed.clone(), [fact(Side::Server, 10, failed(reason))]);
        assert_eq!(end(&seen), end(&closed));
    }
}

#[test]
fn the_first_to_give_up_refused() {
    let facts = [
        fact(
            Side::Client,
            5,
            failed(Some(Reason::Certificate(Side::Server, F::NameMismatch))),
        ),
        fact(Side::Server, 7, failed(Some(Reason::ProtocolError))),
    ];
    let seen = with(tls13(), Aborted, Some(Reason::Closed), Evidence::Observed);
    let seen = join(seen, facts);
    assert_eq!(
        (seen.rejected_by, seen.reason),
        (
            Some(Side::Client),
            Some(Reason::Certificate(Side::Server, F::NameMismatch))
        )
    );
}

#[test]
fn a_failure_after_the_handshake_is_none_of_it() {
    let facts = [
        fact(Side::Server, 10, FactBody::Established),
        fact(Side::Server, 12, failed(Some(Reason::ProtocolError))),
        fact(Side::Server, 12, FactBody::AlertSent(A::UNEXPECTED_MESSAGE)),
    ];
    let seen = join(tls13(), facts);
    assert_eq!((seen.outcome, seen.evidence), (Established, Evidence::Observed));
    assert_eq!(seen.told.unwrap().by(Side::Server).unwrap().failure, None);
}

#[test]
fn a_client_that_has_finished_says_little_of_the_server() {
    let finished = || fact(Side::Client, 9, FactBody::Established);
    // An alert or a close_notify, as far as the wire shows: only the latter accepts.
    let open = || with(tls13(), Incomplete, None, Evidence::Inferred);
    assert_eq!(join(open(), [finished()]).outcome, Incomplete);
    let closed = fact(Side::Client, 12, FactBody::AlertReceived(A::CLOSE_NOTIFY));
    let seen = join(open(), [finished(), closed]);
    assert_eq!(
        (seen.outcome, seen.evidence, seen.rule),
        (Established, Evidence::Inferred, Some(Rule::LibraryClientFinished))
    );
    // Up to TLS 1.2 it is the last to finish.
    let gap = with(tls12(), Incomplete, None, Evidence::Observed);
    let seen = join(gap, [finished()]);
    assert_eq!((seen.outcome, seen.evidence), (Established, Evidence::Observed));
    assert_eq!(seen.duration_ns, 9 * MS);
}

#[test]
fn what_became_of_the_clients_certificate_is_the_servers_word() {
    let missing = [
        fact(Side::Server, 10, FactBody::NoCertificate),
        fact(Side::Server, 10, failed(Some(client(F::Missing)))),
    ];
    let seen = join(refused13(), missing);
    assert_eq!(seen.client_certificate, ClientCertificate::RequestedNotSent);
    assert_eq!(seen.reason, Some(client(F::Missing)));
    // A chain that was too long to copy was there all the same.
    let seen = join(tls13(), [fact(Side::Server, 10, verified(None))]);
    assert_eq!(seen.client_certificate, ClientCertificate::Sent);
}
