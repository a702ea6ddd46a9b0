//! What TLS libraries tell of handshakes: certificates, results of verification and alerts that TLS 1.3 hides from the
//! wire.
//!
//! ```text
//! ring buffer ─► hit ─► reader of the library ─► Fact ─► join with the wire's observation (crate::join)
//! ```
//!
//! A [`hit`] is one function of a library that was entered or left. What several hits of a thread mean together only the
//! library's own reader knows; it gives [`Fact`]s, which mean the same for all libraries. A reader that is not sure of what
//! it saw gives nothing: a certificate must never come to stand at another's connection.

pub mod aws_lc;
pub mod boringssl;
pub mod gnutls;
pub mod go;
pub mod hit;
pub mod openssl;
pub mod programs;
pub mod readers;
pub mod rustls;
mod terms;
pub mod threads;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use observer_tls::codepoints::AlertDescription;

use crate::libraries::hooks::Family;
use crate::observation::{CertificateFault, Reason, SessionName, Side};

/// One thing that a TLS library told of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// When, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Who told.
    pub origin: Origin,
    /// The connection that it is about.
    pub socket: Socket,
    /// Which end of the connection the process is, where the library says.
    pub own_side: Option<Side>,
    /// What was told.
    pub body: FactBody,
}

/// The process in which a library told something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The process, in the first pid namespace.
    pub pid: u32,
    /// The name of its thread.
    pub name: Box<str>,
    /// The path of its program, once that has been looked up.
    pub executable: Option<Arc<str>>,
    /// Its cgroup v2 id.
    pub cgroup_id: u64,
    /// The library.
    pub family: Family,
}

impl Origin {
    /// Who was hit, in a library of `family`.
    pub fn of(hit: &hit::Hit<'_>, family: Family) -> Self {
        let name = hit.name.split(|byte| *byte == 0).next().unwrap_or_default();
        Self {
            pid: hit.pid,
            name: String::from_utf8_lossy(name).into(),
            executable: None,
            cgroup_id: hit.cgroup_id,
            family,
        }
    }
}

/// A TCP socket as its own end sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Its cookie: no two sockets of a host have the same one until it starts anew.
    pub cookie: u64,
    /// This end and the peer, where they could be read.
    pub addresses: Option<(SocketAddr, SocketAddr)>,
}

/// What was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactBody {
    /// The peer's chain as it was sent, DER, leaf first.
    Chain(Vec<Bytes>),
    /// The peer was asked for a certificate and sent none, which the library did not accept.
    NoCertificate,
    /// The service asked the library for the peer's certificate, and there was none. Whether the peer had been asked for
    /// one, the library does not say.
    NoPeerCertificate,
    /// The library verified the peer's chain.
    Verified(Verification),
    /// The peer sent an alert.
    AlertReceived(AlertDescription),
    /// The library made an alert for the peer. That it was sent, only the wire knows.
    AlertSent(AlertDescription),
    /// The server gave out a ticket, by which the session can be resumed. Tickets themselves are never kept.
    Ticket(SessionName),
    /// A session was read that the peer wants to resume: the peer's certificate in it, DER, if it has one. Whether it is
    /// resumed, only the wire knows.
    Session(Option<Bytes>),
    /// The library could not read a certificate of the peer's, and the handshake failed: in the library's own terms, as
    /// [`Failure::term`].
    Unreadable(Box<str>),
    /// The handshake failed.
    Failed(Failure),
    /// The handshake succeeded.
    Established,
}

/// What a library found of a peer's chain. The service may have decided otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// What it found wrong; `None` if nothing.
    pub fault: Option<CertificateFault>,
    /// In the library's own terms, with its number: `X509_V_ERR_CERT_HAS_EXPIRED (10)`, `X509_V_OK`.
    pub term: Box<str>,
}

/// Why a library gave a handshake up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In the terms of events; `None` where none of them says it.
    pub reason: Option<Reason>,
    /// In the library's own terms, with its number: `SSL_R_NO_SHARED_CIPHER (193)`.
    pub term: Box<str>,
}
