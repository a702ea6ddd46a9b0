//! What an ending means: from an alert, a close or a silence to outcome, reason and evidence.
//!
//! Everything here is a pure function of what the tracker collected. [`Conclusion`]s are the only way by which an outcome,
//! its reason and the evidence for them come into being, so the three never drift apart.

pub mod rule;
pub mod tls13;

#[cfg(test)]
mod tests;

use observer_tls::codepoints::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion};
use observer_tls::x509::CertificateFacts;

pub use rule::Rule;

use crate::observation::{
    CertificateFault, ClientCertificate, ClientOffer, Evidence, Observation, Outcome, Reason, Side,
};

/// How soon a refusal comes behind what it refuses. Servers check a certificate in a few milliseconds; whoever closes
/// an accepted connection without a word from either side has waited for one.
const REFUSAL_NS: u64 = 1_000_000_000;

/// How many times longer than the ServerHello an answer takes, at most, where the ServerHello itself took long.
const ROUND_TRIPS: u64 = 4;

/// Whether what comes `after_ns` nanoseconds behind the client's words may be the refusal of them, of a server whose
/// ServerHello took `server_hello_ns`.
pub fn is_soon(after_ns: u64, server_hello_ns: u64) -> bool {
    after_ns < patience(REFUSAL_NS, server_hello_ns)
}

/// `ns` nanoseconds, or as many as some round trips take: seen at the client's end, an answer takes one at least.
fn patience(ns: u64, server_hello_ns: u64) -> u64 {
    ns.max(server_hello_ns.saturating_mul(ROUND_TRIPS))
}

/// How a handshake ended, why, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// How it ended.
    pub outcome: Outcome,
    /// Who refused; set exactly for [`Outcome::Rejected`].
    pub rejected_by: Option<Side>,
    /// Why; `None` for established and incomplete ones.
    pub reason: Option<Reason>,
    /// How sure outcome and reason are.
    pub evidence: Evidence,
    /// The rule behind a derived or inferred answer.
    pub rule: Option<Rule>,
}

impl Conclusion {
    /// Both sides' Finished were seen.
    pub const ESTABLISHED: Self = Self::plain(Outcome::Established, None);
    /// Too little was seen to claim anything.
    pub const INCOMPLETE: Self = Self::plain(Outcome::Incomplete, None);
    /// Nothing more came.
    pub const TIMED_OUT: Self = Self::plain(Outcome::TimedOut, Some(Reason::TimedOut));

    const fn plain(outcome: Outcome, reason: Option<Reason>) -> Self {
        Self {
            outcome,
            rejected_by: None,
            reason,
            evidence: Evidence::Observed,
            rule: None,
        }
    }

    /// The connection was closed, for a `reason` that was read on the wire.
    pub const fn aborted(reason: Reason) -> Self {
        Self::plain(Outcome::Aborted, Some(reason))
    }

    /// `side` refused.
    pub const fn rejected(side: Side, cause: Cause) -> Self {
        Self {
            outcome: Outcome::Rejected,
            rejected_by: Some(side),
            reason: Some(cause.reason),
            evidence: cause.evidence,
            rule: cause.rule,
        }
    }

    /// The same, known by `rule`.
    pub const fn by(self, rule: Rule) -> Self {
        Self {
            evidence: rule.evidence(),
            rule: Some(rule),
            ..self
        }
    }

    /// Makes it that of `seen`, in place of another.
    pub fn put_into(self, seen: &mut Observation) {
        seen.outcome = self.outcome;
        seen.rejected_by = self.rejected_by;
        seen.reason = self.reason;
        seen.evidence = self.evidence;
        seen.rule = self.rule;
        if seen.outcome != Outcome::Established {
            seen.timings.finished = None;
        }
    }
}

/// A reason with its evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Why.
    pub reason: Reason,
    /// How sure.
    pub evidence: Evidence,
    /// The rule behind a derived or inferred reason.
    pub rule: Option<Rule>,
}

impl Cause {
    /// The wire says exactly this.
    pub const fn observed(reason: Reason) -> Self {
        Self {
            reason,
            evidence: Evidence::Observed,
            rule: None,
        }
    }

    /// It follows by `rule`.
    pub const fn by(reason: Reason, rule: Rule) -> Self {
        Self {
            reason,
            evidence: rule.evidence(),
            rule: Some(rule),
        }
    }
}

/// What an alert's meaning depends on besides its number.
#[derive(Clone, Copy, Debug)]
pub struct AlertContext<'a> {
    /// Who sent the alert.
    pub sender: Side,
    /// Leaf of the chain that the sender had to judge, where it was readable.
    pub judged_leaf: Option<&'a CertificateFacts>,
    /// When, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// A ServerHello or HelloRetryRequest came before.
    pub server_answered: bool,
    /// A HelloRetryRequest, and no ServerHello, came before.
    pub retry_requested: bool,
    /// What the client offered; `None` when no ClientHello was seen.
    pub offer: Option<&'a ClientOffer>,
    /// What became of the client's certificate so far.
    pub client_certificate: ClientCertificate,
    /// The client's first bytes were not TLS.
    pub not_tls: bool,
    /// Bytes are missing, so that what was not seen may have been there.
    pub lossy: bool,
}

/// Why the sender of a plaintext alert refused (RFC 8446, section 6.2; RFC 5246, section 7.2.2).
pub fn cause_of_alert(description: AlertDescription, context: &AlertContext<'_>) -> Cause {
    use AlertDescription as A;
    use CertificateFault as F;

    if context.not_tls {
        return Cause::by(Reason::NotTls, Rule::NotTls);
    }
    // An alert about a certificate is about the peer's: only the client judges the server's, and the other way round.
    let judged = context.sender.other();
    let certificate = |fault| Cause::observed(Reason::Certificate(judged, fault));
    match description {
        // There is no certificate that these could be about.
        A::BAD_CERTIFICATE
        | A::UNSUPPORTED_CERTIFICATE
        | A::CERTIFICATE_EXPIRED
        | A::CERTIFICATE_UNKNOWN
        | A::UNKNOWN_CA
        | A::ACCESS_DENIED
        | A::DECODE_ERROR
        | A::UNEXPECTED_MESSAGE
            if context.sender == Side::Server
                && context.client_certificate == ClientCertificate::RequestedNotSent =>
        {
            Cause::by(
                Reason::Certificate(Side::Client, F::Missing),
                Rule::AlertAfterEmptyCertificate,
            )
        }
        // In SSL 3.0 the client says that it has none (RFC 6101, section 5.4.2); either way it is the client's.
        A::NO_CERTIFICATE => Cause::observed(Reason::Certificate(Side::Client, F::Missing)),
        A::CERTIFICATE_REQUIRED if context.sender == Side::Server => certificate(F::Missing),
        A::BAD_CERTIFICATE => outside_validity(judged, context).unwrap_or(certificate(F::Bad)),
        A::CERTIFICATE_UNKNOWN => outside_validity(judged, context).unwrap_or(certificate(F::Rejected)),
        A::UNSUPPORTED_CERTIFICATE => {
            Cause::by(Reason::Certificate(judged, F::WrongPurpose), Rule::WrongPurpose)
        }
        A::CERTIFICATE_REVOKED => certificate(F::Revoked),
        // There is no alert for "not valid yet": peers send this one.
        A::CERTIFICATE_EXPIRED if is_early(context) => Cause::by(
            Reason::Certificate(judged, F::NotYetValid),
            Rule::ExpiredBeforeStart,
        ),
        A::CERTIFICATE_EXPIRED => certificate(F::Expired),
        A::UNKNOWN_CA => certificate(F::UnknownCa),
        A::ACCESS_DENIED
            if context.sender == Side::Server && context.client_certificate == ClientCertificate::Sent =>
        {
            Cause::by(Reason::Certificate(judged, F::Rejected), Rule::AccessDenied)
        }
        A::BAD_CERTIFICATE_STATUS_RESPONSE | A::BAD_CERTIFICATE_HASH_VALUE => certificate(F::Bad),
        A::HANDSHAKE_FAILURE => cause_of_handshake_failure(context),
        A::ILLEGAL_PARAMETER if context.retry_requested && context.sender == Side::Client => retry_refused(),
        A::PROTOCOL_VERSION | A::INAPPROPRIATE_FALLBACK => Cause::observed(Reason::NoSharedVersion),
        A::INSUFFICIENT_SECURITY => Cause::observed(Reason::NoSharedCipher),
        A::NO_APPLICATION_PROTOCOL => Cause::observed(Reason::NoApplicationProtocol),
        A::UNRECOGNIZED_NAME => Cause::observed(Reason::UnrecognizedName),
        A::DECODE_ERROR => Cause::observed(Reason::DecodeError),
        A::DECRYPT_ERROR | A::BAD_RECORD_MAC | A::DECRYPTION_FAILED => Cause::observed(Reason::DecryptError),
        A::UNEXPECTED_MESSAGE
        | A::RECORD_OVERFLOW
        | A::DECOMPRESSION_FAILURE
        | A::ILLEGAL_PARAMETER
        | A::EXPORT_RESTRICTION
        | A::NO_RENEGOTIATION
        | A::MISSING_EXTENSION
        | A::UNSUPPORTED_EXTENSION => Cause::observed(Reason::ProtocolError),
        A::INTERNAL_ERROR => Cause::observed(Reason::InternalError),
        A::CLOSE_NOTIFY | A::USER_CANCELED => Cause::observed(Reason::Closed),
        _ => Cause::observed(Reason::Other),
    }
}

/// handshake_failure names no cause; what came before it sometimes does.
fn cause_of_handshake_failure(context: &AlertContext<'_>) -> Cause {
    let missing = Reason::Certificate(Side::Client, CertificateFault::Missing);
    match context.sender {
        Side::Client if context.retry_requested => retry_refused(),
        Side::Server if context.client_certificate == ClientCertificate::RequestedNotSent => {
            Cause::by(missing, Rule::FailureAfterEmptyCertificate)
        }
        Side::Server if !context.server_answered && !context.lossy => context
            .offer
            .map_or(Cause::observed(Reason::Other), nothing_shared),
        _ => Cause::observed(Reason::Other),
    }
}

/// The client does not take what the server wants of a second ClientHello: a share of a group that it named (RFC 8446,
/// section 4.1.4).
fn retry_refused() -> Cause {
    Cause::by(Reason::NoSharedGroup, Rule::RetryRefused)
}

/// Why a server could not choose from this offer: what it has less of than nearly every server takes.
fn nothing_shared(offer: &ClientOffer) -> Cause {
    if is_old(offer) {
        return Cause::by(Reason::NoSharedVersion, Rule::FailureToOldVersions);
    }
    let has = |suite| offer.cipher_suites.contains(&suite);
    let versions = || offer.versions.iter().filter(|version| !version.is_grease());
    let is_tls13 = |version: &ProtocolVersion| *version == ProtocolVersion::TLS13 || version.is_tls13_draft();
    let tls13 = versions().any(is_tls13);
    let older = !tls13 || !versions().all(is_tls13);
    // RFC 8446, section 9.1; RFC 9325, section 4.2.
    let suites = (!tls13 || has(CipherSuite::TLS_AES_128_GCM_SHA256))
        && (!older
            || has(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)
                && has(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256));
    let groups = offer.groups.iter().filter(|group| !group.is_grease()).count();
    // Without the list, any will do (RFC 8422, section 4).
    let groups = groups == 0 || groups > 1 && offer.groups.contains(&NamedGroup::SECP256R1);
    match (suites, groups) {
        (true, false) => Cause::by(Reason::NoSharedGroup, Rule::FewGroups),
        (false, true) if tls13 => Cause::by(Reason::NoSharedCipher, Rule::FailureAtOnceTls13),
        (false, true) => Cause::by(Reason::NoSharedCipher, Rule::FailureAtOnce),
        (true, true) | (false, false) => Cause::observed(Reason::Other),
    }
}

/// Whether nothing above TLS 1.1 is offered, so that no server may take it (RFC 8996, sections 4 and 5). Some look at other
/// things first and miss those: rustls wants signature_algorithms, which TLS 1.2 brought.
fn is_old(offer: &ClientOffer) -> bool {
    let is_old = |version: &ProtocolVersion| *version <= ProtocolVersion::TLS11;
    match offer.versions.as_slice() {
        [] => is_old(&offer.legacy_version),
        versions => versions.iter().all(is_old),
    }
}

/// Some peers answer an expired certificate with a general alert; its dates tell.
fn outside_validity(judged: Side, context: &AlertContext<'_>) -> Option<Cause> {
    if is_early(context) {
        let reason = Reason::Certificate(judged, CertificateFault::NotYetValid);
        return Some(Cause::by(reason, Rule::RefusedBeforeStart));
    }
    let not_after = context.judged_leaf?.not_after?;
    (seconds(context.time_ns) > not_after).then_some(Cause::by(
        Reason::Certificate(judged, CertificateFault::Expired),
        Rule::RefusedAfterEnd,
    ))
}

fn is_early(context: &AlertContext<'_>) -> bool {
    let not_before = context.judged_leaf.and_then(|leaf| leaf.not_before);
    not_before.is_some_and(|not_before| seconds(context.time_ns) < not_before)
}

fn seconds(time_ns: u64) -> i64 {
    i64::try_from(time_ns / 1_000_000_000).unwrap_or(i64::MAX)
}
