//! How a handshake ended by what the libraries told, beside what the wire showed of it.
//!
//! A library's word wins over what was guessed, and over what was left open: a close or silence says that nothing came of a
//! handshake, and not who would have none of it. It never wins over what was read.

use observer_tls::codepoints::AlertDescription;

use super::merge::Tales;
use super::tale::{Heard, Tale};
use crate::judge::reason::is_vague;
use crate::observation::{
    CertificateFault, ClientCertificate, Completeness, Contradiction, Evidence, Observation, Outcome, Reason,
    Side,
};
use crate::outcome::{AlertContext, Cause, Conclusion, Rule, cause_of_alert};

/// How soon a server closes upon what its library has found, nanoseconds. In TLS 1.3 it may have accepted the client without a
/// word, and be tired of waiting later.
const AT_ONCE_NS: u64 = 250_000_000;

/// What the libraries say of the end.
enum Answer {
    Rejected { by: Side, cause: Cause },
    Established { time_ns: u64, rule: Rule },
}

/// Draws the conclusion; gives what does not fit.
pub(super) fn conclude(seen: &mut Observation, tales: &Tales) -> Option<Contradiction> {
    if seen.reason == Some(Reason::NotTls) {
        return None;
    }
    let was_read = seen.evidence != Evidence::Inferred;
    match answer(seen, tales) {
        Some(Answer::Rejected { by, cause }) => match seen.outcome {
            Outcome::Established if was_read => Some(Contradiction::Outcome),
            Outcome::Rejected if was_read && seen.rejected_by == Some(by) => refine(seen, by, cause),
            Outcome::Rejected if was_read => Some(Contradiction::Outcome),
            _ => {
                Conclusion::rejected(by, cause).put_into(seen);
                None
            }
        },
        Some(Answer::Established { time_ns, rule }) => match seen.outcome {
            Outcome::Rejected if was_read => Some(Contradiction::Outcome),
            // A Finished that is not there was not sent.
            Outcome::Aborted if was_read && !seen.is_tls13() => Some(Contradiction::Outcome),
            Outcome::Established if was_read || rule.evidence() == Evidence::Inferred => None,
            before => {
                if before != Outcome::Established {
                    seen.duration_ns = time_ns.saturating_sub(seen.time_ns);
                }
                Conclusion::ESTABLISHED.by(rule).put_into(seen);
                None
            }
        },
        None if went_on(seen, tales) => {
            Conclusion::ESTABLISHED.by(Rule::ServerWentOn).put_into(seen);
            None
        }
        None if let Some(cause) = closed_upon(seen, tales) => {
            Conclusion::rejected(Side::Server, cause).put_into(seen);
            None
        }
        None => {
            let by = seen.rejected_by.filter(|_| seen.outcome == Outcome::Rejected)?;
            let reason = fault_found(tales.of(by)?, by)?;
            let rule = Rule::LibraryVerification;
            let evidence = if was_read {
                rule.evidence()
            } else {
                Evidence::Inferred
            };
            let cause = Cause::by(reason, rule);
            refine(seen, by, Cause { evidence, ..cause })
        }
    }
}

/// Makes the reason of a refusal by `by` exact that was told vaguely.
fn refine(seen: &mut Observation, by: Side, cause: Cause) -> Option<Contradiction> {
    let told = seen.reason?;
    if !is_exact(cause.reason) || cause.reason == told {
        return None;
    }
    if !is_vague(told, by.other(), seen) && !seen.rule.is_some_and(is_of_offer) {
        return Some(Contradiction::Reason);
    }
    seen.reason = Some(cause.reason);
    seen.evidence = cause.evidence;
    seen.rule = cause.rule;
    None
}

fn answer(seen: &Observation, tales: &Tales) -> Option<Answer> {
    let refusals = [Side::Client, Side::Server].map(|by| {
        let (time_ns, cause) = refusal(seen, tales, by)?;
        Some((time_ns, Answer::Rejected { by, cause }))
    });
    // Who gives up first makes the other one do so.
    let first = refusals.into_iter().flatten().min_by_key(|(time_ns, _)| *time_ns);
    first
        .map(|(_, answer)| answer)
        .or_else(|| established(seen, tales))
}

/// When and why `by` refused.
fn refusal(seen: &Observation, tales: &Tales, by: Side) -> Option<(u64, Cause)> {
    let own = tales.of(by);
    let gave_up = own.and_then(|tale| gave_up(seen, tale, by));
    // What looked like a server's acceptance was none only if this is about the handshake.
    let after = seen.outcome == Outcome::Established;
    if let Some(gave_up) = gave_up.filter(|(_, cause)| !after || is_reason_of_handshake(cause.reason)) {
        return Some(gave_up);
    }
    if own.is_some_and(Tale::has_finished) {
        return None;
    }
    let peer = tales.of(by.other())?;
    let heard = peer.received.iter().find(|heard| heard.is_refusal())?;
    if after && !is_about_handshake(heard.description) {
        return None;
    }
    Some((heard.time_ns, cause_of(seen, by, heard, Rule::LibraryAlert)))
}

/// When and why the library of `by` gave up on its own, not because the peer had refused or left.
fn gave_up(seen: &Observation, tale: &Tale, by: Side) -> Option<(u64, Cause)> {
    let made = tale.sent.iter().find(|heard| heard.is_refusal());
    let made = made.filter(|made| {
        tale.established_ns
            .is_none_or(|finished_ns| made.time_ns < finished_ns)
    });
    let (time_ns, reason) = match &tale.failure {
        Some((time_ns, failure)) => (*time_ns, failure.reason),
        None => (made?.time_ns, None),
    };
    let mut received = tale.received.iter();
    if received.any(|heard| heard.is_refusal() && heard.time_ns <= time_ns) {
        return None;
    }
    let told = |reason| Cause::by(reason, Rule::LibraryGaveUp);
    let cause = match reason {
        Some(Reason::Closed | Reason::Reset | Reason::TimedOut) => return None,
        Some(reason) if is_exact(reason) => told(reason),
        _ => match (fault_found(tale, by), made) {
            (Some(reason), _) => told(reason),
            (None, Some(made)) => cause_of(seen, by, made, Rule::LibraryGaveUp),
            (None, None) => told(reason?),
        },
    };
    Some((time_ns, cause))
}

/// What the library of `by` found wrong with the peer's certificate.
fn fault_found(tale: &Tale, by: Side) -> Option<Reason> {
    let fault = tale.end.verification.as_ref()?.fault?;
    Some(Reason::Certificate(by.other(), fault))
}

/// Why the server closed the connection where its answer to the client's flight was due: for what its library had found a moment
/// before. Node's lets the handshake go on and leaves the decision to its service, which closes without an alert.
fn closed_upon(seen: &Observation, tales: &Tales) -> Option<Cause> {
    let tale = tales.of(Side::Server)?;
    let missing = Reason::Certificate(Side::Client, CertificateFault::Missing);
    let is_empty = seen.client_certificate == ClientCertificate::RequestedNotSent;
    let (reason, found_ns) = match fault_found(tale, Side::Server) {
        Some(fault) => (fault, tale.judged_ns?),
        None if tale.no_certificate => (missing, tale.judged_ns?),
        None => (missing, tale.asked_in_vain_ns.filter(|_| is_empty)?),
    };
    let closed_ns = seen.time_ns.saturating_add(seen.duration_ns);
    let after_ns = closed_ns.checked_sub(found_ns)?;
    let is_answer = match seen.rule? {
        // No handshake is complete without the server's Finished.
        Rule::ServerClosedAfterCertificate => true,
        Rule::ServerClosed => after_ns < AT_ONCE_NS,
        _ => false,
    };
    is_answer.then_some(Cause::by(reason, Rule::ServerClosedAfterVerification))
}

/// Whether what the server sent behind the client's flight came after its library had looked at the client's certificate, or the
/// service then asked for one in vain: an answer that is no alert accepts.
fn went_on(seen: &Observation, tales: &Tales) -> bool {
    let (Some(Rule::ServerRecord), Some(tale)) = (seen.rule, tales.of(Side::Server)) else {
        return false;
    };
    let (Some(answer), Some(flight_ns)) = (seen.opaque.last(), seen.timings.finished) else {
        return false;
    };
    let offset_ns = |time_ns: u64| time_ns.saturating_sub(seen.time_ns);
    let judged_ns = tale.judged_ns.map(offset_ns);
    let asked_ns = tale.asked_in_vain_ns.map(offset_ns);
    judged_ns.is_some_and(|judged_ns| judged_ns <= answer.offset_ns)
        || asked_ns.is_some_and(|asked_ns| flight_ns <= asked_ns)
}

/// Why the sender of an alert refused; `rule` where nothing but the alert says so.
fn cause_of(seen: &Observation, sender: Side, heard: &Heard, rule: Rule) -> Cause {
    let judged = seen.chain(sender.other());
    let cause = cause_of_alert(
        heard.description,
        &AlertContext {
            sender,
            judged_leaf: judged.first().map(AsRef::as_ref),
            time_ns: heard.time_ns,
            server_answered: seen.version.is_some() || seen.hello_retry,
            retry_requested: seen.hello_retry && seen.version.is_none(),
            offer: seen.offer.as_deref(),
            client_certificate: seen.client_certificate,
            not_tls: false,
            lossy: seen.completeness != Completeness::Complete,
        },
    );
    match cause.rule {
        Some(_) => cause,
        None => Cause::by(cause.reason, rule),
    }
}

/// When the handshake was complete, if a library says so.
fn established(seen: &Observation, tales: &Tales) -> Option<Answer> {
    let finished = |side| {
        let tale: &Tale = tales.of(side).filter(|tale| tale.has_finished())?;
        tale.established_ns
    };
    if let Some(time_ns) = finished(Side::Server) {
        return Some(Answer::Established {
            time_ns,
            rule: Rule::LibraryFinished,
        });
    }
    let time_ns = finished(Side::Client)?;
    let is_last = seen.version.is_some() && !seen.is_tls13();
    let received = &tales.of(Side::Client)?.received;
    // An alert that might have been a refusal is none, or nothing else is known at all.
    let closed = received.iter().any(|heard| !heard.is_refusal());
    let rule = match is_last {
        true => Rule::LibraryFinished,
        false if closed || seen.version.is_none() => Rule::LibraryClientFinished,
        false => return None,
    };
    Some(Answer::Established { time_ns, rule })
}

/// Whether a reason is what the offer lacks, where the server did not say what it missed.
const fn is_of_offer(rule: Rule) -> bool {
    matches!(rule, Rule::FailureToOldVersions | Rule::FailureAtOnce)
}

/// Whether a reason says what was wrong.
fn is_exact(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::Other | Reason::Certificate(_, CertificateFault::Bad | CertificateFault::Rejected)
    )
}

/// Whether nobody gives up a connection for this after the handshake.
fn is_reason_of_handshake(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Certificate(..)
            | Reason::NoSharedVersion
            | Reason::NoSharedCipher
            | Reason::NoSharedGroup
            | Reason::NoApplicationProtocol
            | Reason::UnrecognizedName
            | Reason::DecryptError
    )
}

/// Whether nobody sends this for what comes after a handshake.
fn is_about_handshake(description: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        description,
        A::BAD_CERTIFICATE
            | A::UNSUPPORTED_CERTIFICATE
            | A::CERTIFICATE_REVOKED
            | A::CERTIFICATE_EXPIRED
            | A::CERTIFICATE_UNKNOWN
            | A::UNKNOWN_CA
            | A::ACCESS_DENIED
            | A::CERTIFICATE_REQUIRED
            | A::HANDSHAKE_FAILURE
            | A::DECRYPT_ERROR
    )
}

/// What the server's library says became of the client's certificate; `None` where it says nothing.
pub(super) fn client_certificate(tale: &Tale) -> Option<ClientCertificate> {
    if tale.chain.is_some() || tale.end.verification.is_some() {
        return Some(ClientCertificate::Sent);
    }
    tale.no_certificate.then_some(ClientCertificate::RequestedNotSent)
}
