//! What should have happened: a certificate chain judged as a peer would that trusts what the operator named.
//!
//! The judgement of one chain is a pure function of the chain, the time of the handshake, the name asked for and a
//! trust bundle. It stands in the event beside what the service did, and never changes what was observed.
//!
//! webpki builds the path and checks its signatures; `path` and `purpose` look at what it leaves out: the trusted
//! certificate's own limits, and what each one is for. Where webpki finds no path, `explain` looks for one that peers on
//! OpenSSL would take, and tells all that is wrong with the best there is. `faults` has the order of the statuses.

pub mod algorithms;
mod anchors;
mod certificate;
mod constraints;
mod der;
mod distinguished_name;
mod expected_names;
mod explain;
mod extensions;
mod faults;
mod host_name;
mod judge;
mod library;
mod path;
mod purpose;
pub mod revocation;
mod search;
mod signature;
pub mod system_roots;
pub mod warnings;
pub mod without_trust;

pub use anchors::{Anchors, BadAnchor};
pub use expected_names::{ExpectedName, ExpectedNames};

use std::sync::Arc;

use observer_tls::x509::CertificateFacts;

use crate::observation::Side;
use certificate::Certificate;
use revocation::RevocationSources;

/// Whether a certificate should have been accepted: the vocabulary of `verdict.*.status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Nothing speaks against it.
    Valid,
    /// It, or one above it in its chain, has expired.
    Expired,
    /// It, or one above it in its chain, is not valid yet.
    NotYetValid,
    /// No chain leads to a trusted certificate.
    Untrusted,
    /// It, or one above it in its chain, was revoked.
    Revoked,
    /// It is not meant for this side of TLS.
    WrongPurpose,
    /// It does not have the name asked for, or none of the names expected.
    NameMismatch,
    /// It cannot be read, or its signature is not that of its issuer.
    Malformed,
    /// There was nothing to judge it by.
    NotChecked,
}

/// What is known of a certificate's revocation: the vocabulary of `verdict.*.revocation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// A fresh and signed answer says that it is not revoked.
    Good,
    /// One says that it is.
    Revoked,
    /// There was an answer, and it does not tell: stale, badly signed, or about others.
    Unknown,
    /// Nobody was asked.
    NotChecked,
}

/// A service did not do what its trust says: the vocabulary of `verdict.disagreement`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disagreement {
    /// The handshake was established with a certificate that should have been refused.
    AcceptedButInvalid,
    /// A certificate was refused that should have been accepted.
    RejectedButValid,
}

/// The judgement of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateVerdict {
    /// Whether it should have been accepted.
    pub status: Status,
    /// What is known of its revocation.
    pub revocation: Revocation,
    /// What exactly speaks against it, all of it, and what is known of its revocation; for people.
    pub detail: Option<String>,
    /// Name of the trust bundle that it was judged by.
    pub trust_bundle: Option<Arc<str>>,
    /// Weak points that are no reason to refuse it.
    pub warnings: Vec<String>,
}

/// Whom the operator trusts, and what is known of revocation.
#[derive(Debug, Default)]
pub struct TrustBundle {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// The certificates that are trusted.
    pub anchors: Anchors,
    /// The names of which a client's certificate must have one.
    pub expected_client_names: ExpectedNames,
    /// Where is looked for revoked certificates.
    pub revocation: RevocationSources,
}

/// A chain to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Whose chain it is.
    pub side: Side,
    /// The chain as sent, leaf first; never empty.
    pub chain: &'a [Arc<CertificateFacts>],
    /// When the handshake was, seconds since the Unix epoch.
    pub time: i64,
    /// The name that the client asked for; of use for a server's chain only.
    pub server_name: Option<&'a str>,
    /// The OCSP response that the server stapled to its leaf (RFC 6066, section 8), DER.
    pub stapled: Option<&'a [u8]>,
}

/// A certificate of a built path, with what issued it.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// The certificate, DER.
    pub certificate: &'a [u8],
    /// The issuer's name: the DER of its `Name`, with tag and length.
    pub issuer: &'a [u8],
    /// The issuer's key: the DER of its `SubjectPublicKeyInfo`, with tag and length.
    pub issuer_key: &'a [u8],
}

#[cfg(test)]
pub(crate) mod tests;

/// Whether a peer can read a certificate, whatever it then makes of it.
pub fn is_readable(certificate: &Arc<CertificateFacts>) -> bool {
    Certificate::read(Arc::clone(certificate)).is_ok()
}
