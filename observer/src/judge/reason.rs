//! What a verdict adds to the reason of a refusal.
//!
//! Many alerts say no more than that a certificate was refused, or not even that. Where the verdict finds a fault in the
//! very certificate that the refusing side had to judge, the fault is the reason. What an alert says exactly stands.

use observer_tls::codepoints::AlertDescription;

use super::verdict_of;
use crate::observation::{CertificateFault, Evidence, Observation, Outcome, Reason, Side};
use crate::outcome::Cause;
use crate::verify::Status;

/// The exact reason of a refusal that was told vaguely; `None` where there is nothing to add.
///
/// The cause is derived, for it takes the refusing side to trust what the agent was told to trust; it stays inferred where
/// the refusal itself was.
pub fn exact_cause(seen: &Observation) -> Option<Cause> {
    let refuser = seen.rejected_by.filter(|_| seen.outcome == Outcome::Rejected)?;
    let judged = match refuser {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    };
    let told = seen.reason?;
    let is_vague = match told {
        Reason::Certificate(side, CertificateFault::Bad | CertificateFault::Rejected) => side == judged,
        Reason::Other => is_silent(seen, refuser),
        _ => false,
    };
    if !is_vague {
        return None;
    }
    let (fault, rule) = fault(verdict_of(seen, judged)?.status, judged)?;
    let reason = Reason::Certificate(judged, fault);
    if reason == told || (told, fault) == (bad(judged), CertificateFault::Rejected) {
        return None;
    }
    Some(match seen.evidence {
        Evidence::Inferred => Cause::inferred(reason, rule),
        Evidence::Observed | Evidence::Derived => Cause::derived(reason, rule),
    })
}

const fn bad(side: Side) -> Reason {
    Reason::Certificate(side, CertificateFault::Bad)
}

/// Whether the alerts of `refuser` name no cause at all: they could not be read, or are handshake_failure.
fn is_silent(seen: &Observation, refuser: Side) -> bool {
    let mut alerts = seen.alerts.iter().filter(|alert| alert.sender == refuser);
    alerts.all(|seen| {
        seen.alert
            .is_none_or(|alert| alert.description == AlertDescription::HANDSHAKE_FAILURE)
    })
}

/// What is wrong with a certificate of this status, and the rule that makes it the reason of a refusal.
fn fault(status: Status, judged: Side) -> Option<(CertificateFault, &'static str)> {
    use CertificateFault as F;
    Some(match (status, judged) {
        (Status::Expired, _) => (F::Expired, "refused_certificate_is_expired"),
        (Status::NotYetValid, _) => (F::NotYetValid, "refused_certificate_is_not_yet_valid"),
        (Status::Untrusted, _) => (F::UnknownCa, "refused_certificate_is_untrusted"),
        (Status::Revoked, _) => (F::Revoked, "refused_certificate_is_revoked"),
        (Status::WrongPurpose, _) => (F::WrongPurpose, "refused_certificate_has_wrong_purpose"),
        (Status::NameMismatch, Side::Server) => (F::NameMismatch, "refused_certificate_has_another_name"),
        // Clients are not asked for by name; that theirs is none of those expected is no more than a refusal.
        (Status::NameMismatch, Side::Client) => (F::Rejected, "refused_certificate_has_another_name"),
        (Status::Malformed, _) => (F::Bad, "refused_certificate_is_malformed"),
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
            (Status::Expired, F::Expired, "refused_certificate_is_expired"),
            (
                Status::NotYetValid,
                F::NotYetValid,
                "refused_certificate_is_not_yet_valid",
            ),
            (
                Status::Untrusted,
                F::UnknownCa,
                "refused_certificate_is_untrusted",
            ),
            (Status::Revoked, F::Revoked, "refused_certificate_is_revoked"),
            (
                Status::WrongPurpose,
                F::WrongPurpose,
                "refused_certificate_has_wrong_purpose",
            ),
        ] {
            for vague in [F::Bad, F::Rejected] {
                let cause = exact_cause(&refused(client(vague), status)).unwrap();
                assert_eq!(cause, Cause::derived(client(fault), rule));
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
            Some(Cause::derived(
                Reason::Certificate(Side::Server, CertificateFault::NameMismatch),
                "refused_certificate_has_another_name"
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
    fn who_did_not_refuse_has_no_reason_to() {
        let mut seen = refused(client(CertificateFault::Bad), Status::Expired);
        seen.outcome = Outcome::Established;
        seen.rejected_by = None;
        assert_eq!(exact_cause(&seen), None);
    }
}
