//! The sockets at both ends of a connection, as far as they are on this host, and connections by them.

use std::collections::HashMap;
use std::net::SocketAddr;

use foldhash::fast::RandomState;

use super::FlowTable;
use super::tuple::Tuple;
use crate::segment::Segment;
use crate::tracker::{Direction, Phase};

impl FlowTable {
    /// Where the connection stands that has this socket at one of its ends; `None` if none is followed. Where sockets are
    /// not known, the addresses of the socket's own end and of its peer tell.
    pub fn phase_of(&self, cookie: u64, addresses: Option<(SocketAddr, SocketAddr)>) -> Option<Phase> {
        if let Some(connection) = self.by_socket.get(cookie).and_then(|slot| self.connection(slot)) {
            return Some(connection.phase());
        }
        let (own, peer) = addresses?;
        let (tuple, direction) = Tuple::between(own, peer);
        let mut next = self.by_tuple.get(&tuple).copied();
        while let Some(connection) = next.and_then(|slot| self.connection(slot)) {
            if connection.sockets.cookies()[direction.index()] == 0 {
                return Some(connection.phase());
            }
            next = connection.next_of_tuple;
        }
        None
    }
}

/// The socket of one end.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    /// 0 if it is not known.
    cookie: u64,
    /// It sent something: it is no listener.
    sure: bool,
    /// The cookie under which the index has the connection.
    indexed: u64,
}

/// The sockets of a connection.
#[derive(Debug, Default)]
pub(super) struct Sockets([End; 2]);

impl Sockets {
    /// Takes note of the sockets of a piece that travels in `direction`.
    pub fn learn(&mut self, direction: Direction, segment: &Segment<'_>) {
        let sender = &mut self.0[direction.index()];
        if segment.source_socket != 0 {
            sender.cookie = segment.source_socket;
            sender.sure = true;
        }
        let receiver = &mut self.0[direction.reverse().index()];
        if segment.destination_socket != 0 && !receiver.sure {
            receiver.cookie = segment.destination_socket;
        }
    }

    /// Cookie of the sender's socket of each direction, 0 if unknown.
    pub fn cookies(&self) -> [u64; 2] {
        self.0.map(|end| end.cookie)
    }
}

/// Slots of connections by the cookies of their sockets.
#[derive(Debug, Default)]
pub(super) struct SocketIndex(HashMap<u64, u32, RandomState>);

impl SocketIndex {
    /// The slot of the connection with this socket.
    pub fn get(&self, cookie: u64) -> Option<u32> {
        self.0.get(&cookie).copied()
    }

    /// Brings the entries of the connection in `slot` up to date.
    pub fn note(&mut self, sockets: &mut Sockets, slot: u32) {
        for end in &mut sockets.0 {
            if end.indexed != end.cookie {
                self.remove(end.indexed, slot);
                self.0.insert(end.cookie, slot);
                end.indexed = end.cookie;
            }
        }
    }

    /// Takes the connection in `slot` out.
    pub fn forget(&mut self, sockets: &Sockets, slot: u32) {
        for end in &sockets.0 {
            self.remove(end.indexed, slot);
        }
    }

    /// A listener's cookie may have come to another connection since.
    fn remove(&mut self, cookie: u64, slot: u32) {
        if self.0.get(&cookie) == Some(&slot) {
            self.0.remove(&cookie);
        }
    }
}
