//! `verdict.*`: what should have happened by what the operator trusts.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::words::Worded;
use super::is_empty;
use crate::observation::Observation;
use crate::verify::{CertificateVerdict, Disagreement, Revocation, Status};

/// The agent's own judgement of the certificates that are known, beside what the peers did.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Verdict<'a> {
    /// Of the client's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Judgement<'a>>,
    /// Of the server's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Judgement<'a>>,
    /// The peers did not do what the trust bundle says: they accepted what it refuses, or refused what it accepts; or the
    /// server accepted a client whose certificate its own TLS library had found wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disagreement: Option<Worded<Disagreement>>,
}

/// The judgement of one side's certificate.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Judgement<'a> {
    /// Whether it should have been accepted.
    pub status: Worded<Status>,
    /// Whether it was revoked.
    pub revocation: Worded<Revocation>,
    /// What exactly speaks against it, and what is known of its revocation; for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
    /// Name of the trust bundle that it was judged by; absent when none is for this handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_bundle: Option<&'a str>,
    /// Weak points that are no reason to refuse it.
    #[serde(skip_serializing_if = "is_empty")]
    pub warnings: &'a [String],
}

impl<'a> From<&'a CertificateVerdict> for Judgement<'a> {
    fn from(verdict: &'a CertificateVerdict) -> Self {
        Self {
            status: Worded(verdict.status),
            revocation: Worded(verdict.revocation),
            detail: verdict.detail.as_deref(),
            trust_bundle: verdict.trust_bundle.as_deref(),
            warnings: &verdict.warnings,
        }
    }
}

impl<'a> Verdict<'a> {
    /// The fields of `seen`; `None` where no certificate was judged.
    pub fn new(seen: &'a Observation) -> Option<Self> {
        let judgement = |verdict: &'a Option<_>| verdict.as_deref().map(Judgement::from);
        let (client, server) = (judgement(&seen.client_verdict), judgement(&seen.server_verdict));
        (client.is_some() || server.is_some() || seen.disagreement.is_some()).then(|| Self {
            client,
            server,
            disagreement: seen.disagreement.map(Worded),
        })
    }
}
