//! What clients do to a stack: the cases of the tables.

use crate::peers::Version;
use crate::pki::{Files, Leaf};

use super::certificates::Certificates;
use super::service::Deployment;

/// One case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// A good certificate.
    Accepted,
    /// No certificate.
    Missing,
    /// It expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// The service does not know its authority.
    UnknownCa,
    /// Nobody but itself signed it.
    SelfSigned,
    /// It is on the list that the service looks at.
    Revoked,
    /// It is on a list that the service does not look at.
    RevokedUnnoticed,
    /// It is a server's.
    WrongPurpose,
    /// Its bytes are no certificate.
    Broken,
    /// The client goes away after the server's answer.
    ClientAborts,
    /// The client does not know the server's authority.
    ServerUnknownCa,
    /// The client asks for another name than the server's.
    ServerOtherName,
    /// The client speaks older versions only.
    NoSharedVersion,
    /// The client does not speak TLS.
    PlainHttp,
    /// A good certificate, and a second connection that resumes the session of the first.
    Resumed,
}

impl Case {
    /// All of them, in the order of the tables. The first makes the service's port known for one that speaks TLS.
    pub const ALL: [Self; 16] = [
        Self::Accepted,
        Self::Missing,
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownCa,
        Self::SelfSigned,
        Self::Revoked,
        Self::RevokedUnnoticed,
        Self::WrongPurpose,
        Self::Broken,
        Self::ClientAborts,
        Self::ServerUnknownCa,
        Self::ServerOtherName,
        Self::NoSharedVersion,
        Self::PlainHttp,
        Self::Resumed,
    ];

    /// As the tables name it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Missing => "no certificate",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
            Self::UnknownCa => "unknown CA",
            Self::SelfSigned => "self-signed",
            Self::Revoked => "revoked, with a CRL",
            Self::RevokedUnnoticed => "revoked, no CRL",
            Self::WrongPurpose => "a server's certificate",
            Self::Broken => "broken bytes",
            Self::ClientAborts => "client aborts",
            Self::ServerUnknownCa => "client does not know the server's CA",
            Self::ServerOtherName => "client wants another name",
            Self::NoSharedVersion => "no shared version",
            Self::PlainHttp => "plain HTTP",
            Self::Resumed => "resumed",
        }
    }

    /// The deployment that it is about. In the case of no shared version the client of `version` 1.2 speaks less than that,
    /// and the service of `version` 1.3 nothing less.
    pub const fn deployment(self, version: Version) -> Deployment {
        match (self, version) {
            (Self::RevokedUnnoticed, _) => Deployment::WithoutCrl,
            (Self::NoSharedVersion, Version::Tls13) => Deployment::Tls13Only,
            _ => Deployment::Usual,
        }
    }

    /// What the client shows: nothing, or files that may hold no certificate.
    pub fn shows(self, with: &Certificates) -> Option<&Files> {
        match self {
            Self::Broken => Some(&with.faults.broken),
            Self::ServerUnknownCa | Self::ServerOtherName | Self::ClientAborts => Some(&with.pki.good.files),
            _ => self.leaf(with).map(|leaf| &leaf.files),
        }
    }

    /// The certificate that the service gets to see.
    pub fn leaf(self, with: &Certificates) -> Option<&Leaf> {
        let pki = &with.pki;
        match self {
            Self::Accepted | Self::Resumed => Some(&pki.good),
            Self::Expired => Some(&pki.expired),
            Self::NotYetValid => Some(&pki.not_yet_valid),
            Self::UnknownCa => Some(&pki.unknown_ca),
            Self::SelfSigned => Some(&with.faults.self_signed),
            Self::Revoked | Self::RevokedUnnoticed => Some(&with.faults.revoked),
            Self::WrongPurpose => Some(&pki.wrong_purpose),
            Self::Missing
            | Self::Broken
            | Self::ClientAborts
            | Self::ServerUnknownCa
            | Self::ServerOtherName
            | Self::NoSharedVersion
            | Self::PlainHttp => None,
        }
    }

    /// Why the service should refuse the client's certificate, as `handshake.reason` says it.
    pub const fn fault(self) -> Option<&'static str> {
        match self {
            Self::Missing => Some("client_certificate_missing"),
            Self::Expired => Some("client_certificate_expired"),
            Self::NotYetValid => Some("client_certificate_not_yet_valid"),
            Self::UnknownCa | Self::SelfSigned => Some("client_certificate_unknown_ca"),
            Self::Revoked => Some("client_certificate_revoked"),
            Self::WrongPurpose => Some("client_certificate_wrong_purpose"),
            Self::Broken => Some("client_certificate_bad"),
            _ => None,
        }
    }
}
