//! The two ends of a connection.

use std::net::{IpAddr, SocketAddr};

use crate::segment::Segment;
use crate::tracker::Direction;

/// The two ends of a connection, in the order of address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tuple {
    low: (IpAddr, u16),
    high: (IpAddr, u16),
}

impl Tuple {
    /// The tuple of the connection that `segment` belongs to, and the direction it travels.
    pub fn of(segment: &Segment<'_>) -> (Self, Direction) {
        Self::between(segment.source, segment.destination)
    }

    /// The tuple of the connection between these ends, and the direction from the first to the second.
    pub fn between(source: SocketAddr, destination: SocketAddr) -> (Self, Direction) {
        let source = (source.ip(), source.port());
        let destination = (destination.ip(), destination.port());
        match source <= destination {
            true => (
                Self {
                    low: source,
                    high: destination,
                },
                Direction::Up,
            ),
            false => (
                Self {
                    low: destination,
                    high: source,
                },
                Direction::Down,
            ),
        }
    }

    /// Sender of each direction.
    pub fn senders(&self) -> [SocketAddr; 2] {
        [self.low.into(), self.high.into()]
    }
}
