//! What a verdict adds to the reason of a refusal, and what it makes of a close.
//!
//! Many alerts say no more than that a certificate was refused, or not even that. Where the verdict finds a fault in the
//! very certificate that the refusing side had to judge, the fault is the reason. What an alert says exactly stands; that
//! something could not be decoded is not exact where the certificate cannot be.
//! A server that closes where its Finished was due has refused a certificate that has a fault.

use observer_tls::codepoints::AlertDescription;

use super::verdict_of;
use crate::observation::{AlertSeen, CertificateFault, Evidence, Observation, Outcome, Reason, Side};
use crate::outcome::{Cause, Conclusion, Rule};
use crate::verify::{Status, is_readable};

/// The exact reason of a refusal that was told vaguely; `None` where there is nothing to add.
///
/// The cause is derived, for it takes the refusing side to trust what the agent was told to trust; it is inferred where the
/// refusal itself was, or where its alert could not be read and may have been about something else.
pub fn exact_cause(seen: &Observation) -> Option<Cause> {
    let refuser = seen.rejected_by.filter(|_| seen.outcome == Outcome::Rejected)?;
    let judged = refuser.other();
    let told = seen.reason?;
    let status = verdict_of(seen, judged)?.status;
    if !is_vague(told, judged, seen) && !is_of_unreadable(told, judged, status, seen) {
        return None;
    }
    let (fault, rule) = fault(status, judged)?;
    let reason = Reason::Certificate(judged, fault);
    if reason == told {
        return None;
    }
    let could_be_read = alerts_of(seen, refuser).all(|seen| seen.alert.is_some());
    Some(Cause {
        evidence: match seen.evidence {
            Evidence::Observed | Evidence::Derived if could_be_read => rule.evidence(),
            _ => Evidence::Inferred,
        },
        ..Cause::by(reason, rule)
    })
}

/// The refusal that the close of a server is which had an invalid certificate before it; `None` where the close is all there
/// is to say.
pub fn refusal(seen: &Observation) -> Option<Conclusion> {
    let owed = seen.outcome == Outcome::Aborted && seen.rule == Some(Rule::ServerClosedAfterCertificate);
    let verdict = verdict_of(seen, Side::Client).filter(|_| owed)?;
    let (fault, _) = fault(verdict.status, Side::Client)?;
    let reason = Reason::Certificate(Side::Client, fault);
    let cause = Cause::by(reason, Rule::ServerClosedAfterInvalid);
    Some(Conclusion::rejected(Side::Server, cause))
}

/// Whether a refusal for the reason `told` may well have been for the certificate of `judged`, and does not say what is wrong
/// with it.
pub(crate) fn is_vague(told: Reason, judged: Side, seen: &Observation) -> bool {
    use AlertDescription as A;
    let alerts = alerts_of(seen, judged.other()).filter_map(|seen| seen.alert);
    let mut descriptions = alerts.map(|alert| alert.description);
    match told {
        Reason::Certificate(side, CertificateFault::Bad | CertificateFault::Rejected) if side == judged => {
            // These are about what came with the certificate.
            let exact = [A::BAD_CERTIFICATE_STATUS_RESPONSE, A::BAD_CERTIFICATE_HASH_VALUE];
            !descriptions.any(|description| exact.contains(&description))
        }
        // What cannot be read is vague, too.
        Reason::Other => descriptions.all(|description| description == A::HANDSHAKE_FAILURE),
        _ => false,
    }
}

/// Whether it is the certificate of `judged`, which has this status, that could not be decoded. Who cannot read it comes to
/// nothing that is behind it.
fn is_of_unreadable(told: Reason, judged: Side, status: Status, seen: &Observation) -> bool {
    // A certificate with a wrong signature can be read.
    let is_unreadable = || seen.chain(judged).first().is_some_and(|leaf| !is_readable(leaf));
    told == Reason::DecodeError && status == Status::Malformed && is_unreadable()
}

fn alerts_of(seen: &Observation, sender: Side) -> impl Iterator<Item = &AlertSeen> {
    seen.alerts.iter().filter(move |alert| alert.sender == sender)
}

/// What is wrong with a certificate of this status, and the rule that makes it the reason of a refusal.
fn fault(status: Status, judged: Side) -> Option<(CertificateFault, Rule)> {
    use CertificateFault as F;
    Some(match (status, judged) {
        (Status::Expired, _) => (F::Expired, Rule::VerdictExpired),
        (Status::NotYetValid, _) => (F::NotYetValid, Rule::VerdictNotYetValid),
        (Status::Untrusted, _) => (F::UnknownCa, Rule::VerdictUntrusted),
        (Status::Revoked, _) => (F::Revoked, Rule::VerdictRevoked),
        (Status::WrongPurpose, _) => (F::WrongPurpose, Rule::VerdictWrongPurpose),
        // Clients are not asked for by name: there is no word for a client's that is none of those expected.
        (Status::NameMismatch, Side::Client) => return None,
        (Status::NameMismatch, Side::Server) => (F::NameMismatch, Rule::VerdictNameMismatch),
        (Status::Malformed, _) => (F::Bad, Rule::VerdictMalformed),
        (Status::Valid | Status::NotChecked, _) => return None,
    })
}

#[cfg(test)]
mod tests {
    use observer_tls::alert::Alert;
    use observer_tls::codepoints::AlertLevel;

    use super::*;
    use crate::output::samples;

    /// The server refuses the client's certificate with this reason; the verdict on it is this.
    fn refused(reason: Reason, status: Status) -> Observation {
        Observation {
            reason: Some(reason),
            client_verdict: Some(samples::verdict(status)),
            ..samples::refused_client()
        }
    }

    fn client(fault: CertificateFault) -> Reason {
        Reason::Certificate(Side::Client, fault)
    }

    #[test]
    fn a_vague_reason_becomes_the_fault_that_the_verdict_finds() {
        use CertificateFault as F;
        for (status, fault, rule) in [
            (Status::Expired, F::Expired, Rule::VerdictExpired),
            (Status::NotYetValid, F::NotYetValid, Rule::VerdictNotYetValid),
            (Status::Untrusted, F::UnknownCa, Rule::VerdictUntrusted),
            (Status::Revoked, F::Revoked, Rule::VerdictRevoked),
            (Status::WrongPurpose, F::WrongPurpose, Rule::VerdictWrongPurpose),
        ] {
            for vague in [F::Bad, F::Rejected] {
                let cause = exact_cause(&refused(client(vague), status)).unwrap();
                assert_eq!(cause, Cause::by(client(fault), rule));
            }
        }
        let cause = exact_cause(&refused(client(F::Rejected), Status::Malformed)).unwrap();
        assert_eq!(cause.reason, client(F::Bad));
    }

    #[test]
    fn what_an_alert_says_exactly_stands() {
        use CertificateFault as F;
        for fault in [
            F::UnknownCa,
            F::Expired,
            F::Revoked,
            F::WrongPurpose,
            F::NotYetValid,
            F::Missing,
        ] {
            assert_eq!(
                exact_cause(&refused(client(fault), Status::Untrusted)),
                None,
                "{fault:?}"
            );
        }
        for reason in [Reason::DecodeError, Reason::NoSharedCipher, Reason::InternalError] {
            assert_eq!(exact_cause(&refused(reason, Status::Expired)), None, "{reason:?}");
        }
    }

    #[test]
    fn a_verdict_that_finds_no_fault_adds_nothing() {
        let bad = client(CertificateFault::Bad);
        for status in [
            Status::Valid,
            Status::NotChecked,
            Status::Malformed,
            Status::NameMismatch,
        ] {
            assert_eq!(exact_cause(&refused(bad, status)), None, "{status:?}");
        }
        let unseen = Observation {
            client_verdict: None,
            ..refused(bad, Status::Expired)
        };
        assert_eq!(exact_cause(&unseen), None);
    }

    #[test]
    fn it_is_the_certificate_that_the_refusing_side_judges() {
        let mut seen = refused(client(CertificateFault::Bad), Status::Valid);
        seen.server_verdict = Some(samples::verdict(Status::Expired));
        assert_eq!(exact_cause(&seen), None, "the server does not judge its own");
        seen.rejected_by = Some(Side::Client);
        assert_eq!(exact_cause(&seen), None, "the reason is about the other one");
        seen.reason = Some(Reason::Certificate(Side::Server, CertificateFault::Rejected));
        seen.server_verdict = Some(samples::verdict(Status::NameMismatch));
        assert_eq!(
            exact_cause(&seen),
            Some(Cause::by(
                Reason::Certificate(Side::Server, CertificateFault::NameMismatch),
                Rule::VerdictNameMismatch
            ))
        );
    }

    #[test]
    fn what_was_inferred_stays_so() {
        let mut seen = refused(client(CertificateFault::Rejected), Status::Revoked);
        seen.evidence = Evidence::Inferred;
        assert_eq!(exact_cause(&seen).unwrap().evidence, Evidence::Inferred);
    }

    #[test]
    fn an_alert_that_cannot_be_read_may_have_said_something_else() {
        let mut seen = refused(Reason::Other, Status::Revoked);
        seen.evidence = Evidence::Derived;
        seen.alerts[0].alert = None;
        let cause = exact_cause(&seen).unwrap();
        assert_eq!(
            (cause.reason, cause.evidence),
            (client(CertificateFault::Revoked), Evidence::Inferred)
        );
    }

    #[test]
    fn handshake_failure_after_a_certificate_with_a_fault_is_about_it() {
        let with = |description| {
            let mut seen = refused(Reason::Other, Status::Expired);
            seen.alerts[0].alert = Some(Alert {
                level: AlertLevel::FATAL,
                description,
            });
            exact_cause(&seen).map(|cause| cause.reason)
        };
        assert_eq!(
            with(AlertDescription::HANDSHAKE_FAILURE),
            Some(client(CertificateFault::Expired))
        );
        assert_eq!(with(AlertDescription(200)), None, "it says something else");
    }

    #[test]
    fn an_alert_about_the_stapled_response_is_not_about_the_certificate() {
        let mut seen = refused(client(CertificateFault::Bad), Status::Expired);
        seen.alerts[0].alert = Some(Alert {
            level: AlertLevel::FATAL,
            description: AlertDescription::BAD_CERTIFICATE_STATUS_RESPONSE,
        });
        assert_eq!(exact_cause(&seen), None);
    }

    #[test]
    fn a_close_in_place_of_the_servers_finished_refuses_a_certificate_with_a_fault() {
        use CertificateFault as F;
        let closed = |status, rule| Observation {
            outcome: Outcome::Aborted,
            rejected_by: None,
            reason: Some(Reason::Closed),
            rule: Some(rule),
            alerts: Vec::new(),
            client_verdict: Some(samples::verdict(status)),
            ..samples::refused_client()
        };
        let by_server = Rule::ServerClosedAfterCertificate;
        for (status, fault) in [
            (Status::Expired, F::Expired),
            (Status::NotYetValid, F::NotYetValid),
            (Status::Untrusted, F::UnknownCa),
            (Status::Revoked, F::Revoked),
            (Status::WrongPurpose, F::WrongPurpose),
            (Status::Malformed, F::Bad),
        ] {
            let cause = Cause::by(client(fault), Rule::ServerClosedAfterInvalid);
            assert_eq!(cause.evidence, Evidence::Derived);
            let refused = Some(Conclusion::rejected(Side::Server, cause));
            assert_eq!(refusal(&closed(status, by_server)), refused);
            // A client that leaves, and a server that waits first, say nothing of the certificate.
            assert_eq!(refusal(&closed(status, Rule::ClosedAfterCertificate)), None);
            assert_eq!(refusal(&closed(status, Rule::ClosedInClientFlight)), None);
        }
        for status in [Status::Valid, Status::NotChecked, Status::NameMismatch] {
            assert_eq!(refusal(&closed(status, by_server)), None, "{status:?}");
        }
        let unseen = Observation {
            client_verdict: None,
            ..closed(Status::Expired, by_server)
        };
        assert_eq!(refusal(&unseen), None);
    }

    #[test]
    fn who_did_not_refuse_has_no_reason_to() {
        let mut seen = refused(client(CertificateFault::Bad), Status::Expired);
        seen.outcome = Outcome::Established;
        seen.rejected_by = None;
        assert_eq!(exact_cause(&seen), None);
    }
}
