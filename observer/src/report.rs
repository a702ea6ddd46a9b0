//! What the outputs tell of: single handshakes, and what many of them together amount to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use observer_tls::x509::CertificateFacts;

use crate::config::watching::Rate;
use crate::observation::{Observation, Reason, Side};

/// One event.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly all are observations, and a box would be one more allocation for each"
)]
pub enum Report {
    /// A handshake, or a late alert.
    Observation(Observation),
    /// A source or a certificate is refused again and again.
    RefusalBurst(Box<RefusalBurst>),
    /// A certificate that was not seen while learning.
    NewCertificate(Box<NewCertificate>),
}

/// A burst of refusals, told when the rate is passed and not again until it is over.
#[derive(Clone, Debug)]
pub struct RefusalBurst {
    /// When the refusal was that passed the rate, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The id of its handshake.
    pub handshake: [u8; 16],
    /// Who or what is refused.
    pub refused: Refused,
    /// The rate that was passed.
    pub rate: Rate,
    /// Refusals within the window.
    pub count: u32,
    /// Refusals since the first.
    pub total: u64,
    /// The first refusal of those that followed each other with less than a window between them, nanoseconds since the Unix
    /// epoch.
    pub first_ns: u64,
    /// The most frequent reason.
    pub reason: Option<Reason>,
    /// The servers that it was about, at most [`RefusalBurst::MAX_SERVERS`] of them.
    pub servers: Vec<SocketAddr>,
    /// There were more.
    pub more_servers: bool,
}

impl RefusalBurst {
    /// Servers that one burst names.
    pub const MAX_SERVERS: usize = 8;
}

/// Who or what is refused again and again.
#[derive(Clone, Debug)]
pub enum Refused {
    /// Clients by where they come from.
    Source {
        /// The last one.
        client: IpAddr,
        /// The addresses that are counted as one.
        network: Network,
    },
    /// A leaf certificate.
    Certificate {
        /// Who shows it.
        side: Side,
        /// What it says.
        leaf: Arc<CertificateFacts>,
    },
}

/// Addresses that are counted as one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// The address, or the first of them.
    pub address: IpAddr,
    /// Bits that they share.
    pub prefix: u8,
}

/// A certificate that is new to a name.
#[derive(Clone, Debug)]
pub struct NewCertificate {
    /// When it was shown, nanoseconds since the Unix epoch: the end of the handshake.
    pub time_ns: u64,
    /// The id of the handshake.
    pub handshake: [u8; 16],
    /// Who sent the ClientHello.
    pub client: SocketAddr,
    /// Who answered.
    pub server: SocketAddr,
    /// The name that the client asked for.
    pub server_name: Option<String>,
    /// Who showed the certificate.
    pub side: Side,
    /// For which name.
    pub name: String,
    /// What it says.
    pub leaf: Arc<CertificateFacts>,
    /// Its issuer is new.
    pub new_issuer: bool,
    /// Its serial number is new.
    pub new_serial: bool,
    /// The one that was new before it.
    pub previous: Option<Identity>,
}

/// What tells certificates of one name apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Distinguished name of the issuer (RFC 4514).
    pub issuer: Box<str>,
    /// Serial number, as in [`CertificateFacts::serial_number`].
    pub serial_number: Box<str>,
}
