//! What a tracker shares with others, and what it needs of them.

use std::net::SocketAddr;

use super::authorities::AuthorityCache;
use super::certificates::CertificateCache;
use super::habits::HabitCache;
use super::offers::OfferCache;
use crate::flows::listeners::Listeners;
use crate::observation::Sink;

/// One of the two directions of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the lower to the higher endpoint.
    Up,
    /// From the higher to the lower endpoint.
    Down,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Up, Self::Down];

    /// 0 or 1.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The other one.
    pub const fn reverse(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// What peers say over and over, parsed once, and what they do. All of it is bounded.
#[derive(Debug, Default)]
pub struct Caches {
    /// Certificates.
    pub certificates: CertificateCache,
    /// CA names of CertificateRequests.
    pub authorities: AuthorityCache,
    /// What clients offer.
    pub offers: OfferCache,
    /// What servers do after a handshake.
    pub habits: HabitCache,
}

/// What a tracker needs of its surroundings to take in something.
pub struct Surroundings<'a> {
    /// Sender of each direction, by [`Direction::index`].
    pub senders: [SocketAddr; 2],
    /// Cookie of the socket of each direction's sender, 0 if unknown.
    pub sockets: [u64; 2],
    /// When the source began to follow the connection.
    pub born: u64,
    /// Bytes of the connection are missing that its streams do not know of.
    pub lossy: bool,
    /// Not all that was sent so far was seen: one direction waits behind a hole, or was never there.
    pub partial: bool,
    /// Report every late alert, orderly closes too.
    pub late_alerts_all: bool,
    /// What was parsed before.
    pub caches: &'a mut Caches,
    /// Addresses that speak TLS.
    pub listeners: &'a mut Listeners,
    /// Where observations go.
    pub sink: &'a mut dyn Sink,
}
