//! Whether the peers did what the trust bundle says, and the server what its own TLS library says.

use super::verdict_of;
use crate::observation::{CertificateFault, Observation, Outcome, Reason, Side};
use crate::verify::{CertificateVerdict, Disagreement, Revocation, Status};

/// What the peers did against the trust bundle, if they did.
///
/// A resumed session whose certificates are remembered is judged by them: that a certificate expired or was revoked does
/// not end the sessions that it began.
///
/// A server that asks a client for its certificate and goes on with one that its library found wrong (nginx answers such a
/// request with an error, or leaves it to the application) accepted it. A client that goes on so may have been told to (`curl
/// --insecure`), or have no roots and pin the certificate: without a trust bundle nobody says that it should not.
pub fn disagreement(seen: &Observation) -> Option<Disagreement> {
    match (seen.outcome, seen.reason) {
        (Outcome::Established, _) => {
            let verdicts = [&seen.client_verdict, &seen.server_verdict];
            let invalid = verdicts.into_iter().flatten().any(|verdict| is_invalid(verdict));
            (invalid || found_invalid(seen)).then_some(Disagreement::AcceptedButInvalid)
        }
        (Outcome::Rejected, Some(Reason::Certificate(side, fault))) => {
            let verdict = verdict_of(seen, side)?;
            should_be_accepted(verdict, fault).then_some(Disagreement::RejectedButValid)
        }
        _ => None,
    }
}

/// Whether the server's library found the client's certificate wrong.
fn found_invalid(seen: &Observation) -> bool {
    let server = seen.told.as_ref().and_then(|told| told.by(Side::Server));
    let found = server.and_then(|told| told.verification.as_ref());
    found.is_some_and(|found| found.fault.is_some())
}

/// Whether a trust bundle says that the certificate is to be refused. Without one, nobody said whom the service trusts.
fn is_invalid(verdict: &CertificateVerdict) -> bool {
    verdict.trust_bundle.is_some() && !matches!(verdict.status, Status::Valid | Status::NotChecked)
}

/// Whether the certificate has not the `fault` for which it was refused. Who refuses it as revoked may know more.
fn should_be_accepted(verdict: &CertificateVerdict, fault: CertificateFault) -> bool {
    verdict.status == Status::Valid
        && (fault != CertificateFault::Revoked || verdict.revocation == Revocation::Good)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::facts::Verification;
    use crate::observation::Told;
    use crate::output::samples;

    fn established(client: Status, server: Status) -> Observation {
        Observation {
            outcome: Outcome::Established,
            rejected_by: None,
            reason: None,
            client_verdict: Some(samples::verdict(client)),
            server_verdict: Some(samples::verdict(server)),
            ..samples::refused_client()
        }
    }

    fn refused(fault: CertificateFault, status: Status) -> Observation {
        Observation {
            reason: Some(Reason::Certificate(Side::Client, fault)),
            client_verdict: Some(samples::verdict(status)),
            ..samples::refused_client()
        }
    }

    #[test]
    fn an_invalid_certificate_of_either_side_should_not_have_been_accepted() {
        for invalid in [
            Status::Expired,
            Status::NotYetValid,
            Status::Untrusted,
            Status::Revoked,
            Status::WrongPurpose,
            Status::NameMismatch,
            Status::Malformed,
        ] {
            for seen in [
                established(invalid, Status::Valid),
                established(Status::NotChecked, invalid),
            ] {
                assert_eq!(
                    disagreement(&seen),
                    Some(Disagreement::AcceptedButInvalid),
                    "{invalid:?}"
                );
            }
        }
        for fine in [Status::Valid, Status::NotChecked] {
            assert_eq!(disagreement(&established(fine, Status::Valid)), None, "{fine:?}");
        }
    }

    #[test]
    fn without_a_trust_bundle_nobody_disagrees() {
        let mut seen = established(Status::NotChecked, Status::NotChecked);
        seen.client_verdict = Some(Arc::new(CertificateVerdict {
            trust_bundle: None,
            ..(*samples::verdict(Status::Expired)).clone()
        }));
        assert_eq!(disagreement(&seen), None);
    }

    #[test]
    fn a_valid_certificate_should_not_have_been_refused() {
        let unknown_ca = CertificateFault::UnknownCa;
        assert_eq!(
            disagreement(&refused(unknown_ca, Status::Valid)),
            Some(Disagreement::RejectedButValid)
        );
        assert_eq!(disagreement(&refused(unknown_ca, Status::Expired)), None);
        assert_eq!(disagreement(&refused(unknown_ca, Status::NotChecked)), None);
        let mut other = refused(unknown_ca, Status::Valid);
        other.reason = Some(Reason::NoSharedCipher);
        assert_eq!(disagreement(&other), None);
    }

    #[test]
    fn who_refuses_a_certificate_as_revoked_may_know_more() {
        let mut seen = refused(CertificateFault::Revoked, Status::Valid);
        assert_eq!(disagreement(&seen), None);
        seen.client_verdict = Some(Arc::new(CertificateVerdict {
            revocation: Revocation::Good,
            ..(*samples::verdict(Status::Valid)).clone()
        }));
        assert_eq!(disagreement(&seen), Some(Disagreement::RejectedButValid));
    }

    #[test]
    fn a_server_disagrees_with_its_own_library_and_a_client_may() {
        let found = |fault| Verification {
            fault,
            term: "X509_V_ERR_CERT_HAS_EXPIRED (10)".into(),
        };
        let told = |side, fault| {
            let mut end = samples::end_told();
            end.verification = Some(found(fault));
            let mut told = Told::default();
            match side {
                Side::Client => told.client = Some(end),
                Side::Server => told.server = Some(end),
            }
            Observation {
                told: Some(Box::new(told)),
                ..samples::established_13()
            }
        };
        let expired = Some(CertificateFault::Expired);
        assert_eq!(
            disagreement(&told(Side::Server, expired)),
            Some(Disagreement::AcceptedButInvalid)
        );
        assert_eq!(disagreement(&told(Side::Server, None)), None);
        assert_eq!(disagreement(&told(Side::Client, expired)), None);
    }

    #[test]
    fn a_resumed_session_of_which_nothing_is_known_has_no_verdict() {
        assert_eq!(disagreement(&samples::established_13()), None);
    }
}
