//! The sockets at both ends of a connection, as far as they are on this host, and connections by them.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::segment::Segment;
use crate::tracker::Direction;

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
