//! The places in an event that the tables show.

use serde_json::Value;

use crate::events::at;

/// A column of what the agent told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// What became of the handshake.
    Outcome,
    /// Why it failed.
    Reason,
    /// Who refused.
    RejectedBy,
    /// How that is known.
    Evidence,
    /// Which probes told.
    Source,
    /// What became of the client's certificate.
    ClientCertificate,
    /// What the service's library found of it.
    LibraryVerify,
    /// Whose it is.
    Subject,
    /// Who issued it.
    Issuer,
    /// Its serial number.
    Serial,
    /// Its alternative names.
    Names,
    /// Its SHA-256.
    Fingerprint,
    /// What the agent makes of it.
    Verdict,
    /// Whether it is revoked.
    Revocation,
    /// Whether the service did what its trust says.
    Disagreement,
    /// The service's process.
    Process,
}

impl Cell {
    /// Those that tell what happened.
    pub const HAPPENED: [Self; 7] = [
        Self::Outcome,
        Self::Reason,
        Self::RejectedBy,
        Self::Evidence,
        Self::Source,
        Self::LibraryVerify,
        Self::Process,
    ];
    /// Those that tell who it was.
    pub const WHO: [Self; 9] = [
        Self::ClientCertificate,
        Self::Subject,
        Self::Issuer,
        Self::Serial,
        Self::Names,
        Self::Fingerprint,
        Self::Verdict,
        Self::Revocation,
        Self::Disagreement,
    ];

    /// The column's heading.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Reason => "reason",
            Self::RejectedBy => "by",
            Self::Evidence => "evidence",
            Self::Source => "source",
            Self::ClientCertificate => "client certificate",
            Self::LibraryVerify => "library's finding",
            Self::Subject => "subject",
            Self::Issuer => "issuer",
            Self::Serial => "serial",
            Self::Names => "SANs",
            Self::Fingerprint => "fingerprint",
            Self::Verdict => "verdict",
            Self::Revocation => "revocation",
            Self::Disagreement => "disagreement",
            Self::Process => "process",
        }
    }

    /// Its place in an event.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Outcome => "handshake.outcome",
            Self::Reason => "handshake.reason",
            Self::RejectedBy => "handshake.rejected_by",
            Self::Evidence => "handshake.evidence",
            Self::Source => "handshake.source",
            Self::ClientCertificate => "handshake.client_certificate",
            Self::LibraryVerify => "handshake.library_verify",
            Self::Subject => "tls.client.subject",
            Self::Issuer => "tls.client.issuer",
            Self::Serial => "tls.client.x509.serial_number",
            Self::Names => "tls.client.x509.alternative_names",
            Self::Fingerprint => "tls.client.hash.sha256",
            Self::Verdict => "verdict.client.status",
            Self::Revocation => "verdict.client.revocation",
            Self::Disagreement => "verdict.disagreement",
            Self::Process => "server.process.name",
        }
    }

    /// What an event says there; `null` for nothing.
    pub fn of(self, event: &Value) -> &Value {
        at(event, self.path())
    }
}
