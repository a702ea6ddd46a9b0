//! What TLS libraries told of a handshake, beside what the wire showed.

use std::sync::Arc;

use super::Side;
use crate::facts::{Origin, Verification};
use crate::libraries::hooks::Family;

/// The socket cookies of a connection's ends; 0 for an end that is not on this host, or not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sockets {
    /// Of the client.
    pub client: u64,
    /// Of the server.
    pub server: u64,
}

impl Sockets {
    /// That of `side`, if it is known.
    pub fn of(self, side: Side) -> Option<u64> {
        Some(match side {
            Side::Client => self.client,
            Side::Server => self.server,
        })
        .filter(|cookie| *cookie != 0)
    }

    /// Puts in that of `side`.
    pub fn set(&mut self, side: Side, cookie: u64) {
        match side {
            Side::Client => self.client = cookie,
            Side::Server => self.server = cookie,
        }
    }

    /// Whose socket has this cookie.
    pub fn side(self, cookie: u64) -> Option<Side> {
        [Side::Client, Side::Server]
            .into_iter()
            .find(|side| self.of(*side) == Some(cookie))
    }
}

/// What the libraries at both ends told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The client's.
    pub client: Option<EndTold>,
    /// The server's.
    pub server: Option<EndTold>,
    /// Where what was told does not fit to what the wire showed, so that it was not believed.
    pub contradictions: Vec<Contradiction>,
}

impl Told {
    /// What the library at the end of `side` told.
    pub fn by(&self, side: Side) -> Option<&EndTold> {
        match side {
            Side::Client => self.client.as_ref(),
            Side::Server => self.server.as_ref(),
        }
    }

    /// The verification that tells most, and whose certificate it was of: one that found a fault before one that found
    /// none, and that of the client's certificate before that of the server's.
    pub fn verification(&self) -> Option<(Side, &Verification)> {
        let of = |judged: Side| {
            let verification = self.by(judged.other())?.verification.as_ref()?;
            Some((judged, verification))
        };
        let found = [of(Side::Client), of(Side::Server)];
        let mut found = found.into_iter().flatten();
        found
            .clone()
            .find(|(_, verification)| verification.fault.is_some())
            .or_else(|| found.next())
    }
}

/// What the library at one end told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndTold {
    /// The process.
    pub pid: u32,
    /// The name of the thread that made the handshake.
    pub thread: Box<str>,
    /// The path of its program; `None` where the process had ended before it was looked at.
    pub executable: Option<Arc<str>>,
    /// The library.
    pub family: Family,
    /// What it found of the peer's chain.
    pub verification: Option<Verification>,
    /// Why it gave the handshake up, in its own terms.
    pub failure: Option<Box<str>>,
}

impl From<&Origin> for EndTold {
    fn from(origin: &Origin) -> Self {
        Self {
            pid: origin.pid,
            thread: origin.name.clone(),
            executable: origin.executable.clone(),
            family: origin.family,
            verification: None,
            failure: None,
        }
    }
}

impl EndTold {
    /// The name of the process: that of its program's file, or of the thread where that is not known.
    pub fn process(&self) -> &str {
        let file = self
            .executable
            .as_deref()
            .and_then(|path| path.rsplit('/').next());
        file.filter(|name| !name.is_empty()).unwrap_or(&self.thread)
    }
}

/// What does not fit between a library's word and the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Contradiction {
    /// The library takes its end for the other one.
    Role,
    /// The socket has other addresses.
    Address,
    /// What the chain's owner sent is not as long as the chain.
    ChainSize,
    /// The wire shows another chain, or none where there must be one to see.
    Chain,
    /// The wire shows otherwise whether the client sent a certificate.
    ClientCertificate,
    /// The wire shows another alert.
    Alert,
    /// The wire shows that the handshake ended otherwise.
    Outcome,
    /// The wire shows another reason.
    Reason,
}

/// Where the certificates of a handshake were learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateSource {
    /// They were read on the wire, or there are none.
    #[default]
    Wire,
    /// A library told of them.
    Library,
    /// They are those of the session that was resumed: of its first handshake, or as a library found them in it.
    Resumption,
}
