//! One direction of a connection: how it began, how far it is known to have come, how it ended.

use crate::segment::Segment;

/// First bytes kept of each direction, to recognise the same connection from another place: a record header, a message
/// header, version and random.
const FIRST_BYTES: usize = 48;

/// How far from the expected sequence number a packet may be and still belong to the connection, where nothing but packets
/// tells: more than any window in use, little enough that a new connection's random number seldom comes so near.
const SAME_CONNECTION_BYTES: u32 = 1 << 24;

/// How a direction began.
#[derive(Debug)]
pub(super) struct First {
    pub(super) seq: u32,
    pub(super) time_ns: u64,
    pub(super) bytes: [u8; FIRST_BYTES],
    pub(super) len: usize,
    pub(super) not_tls: bool,
}

impl First {
    pub(super) fn of(segment: &Segment<'_>) -> Self {
        let len = segment.data.len().min(FIRST_BYTES);
        let mut bytes = [0; FIRST_BYTES];
        bytes[..len].copy_from_slice(&segment.data[..len]);
        Self {
            seq: segment.seq,
            time_ns: segment.time_ns,
            bytes,
            len,
            not_tls: segment.flags.not_tls,
        }
    }

    /// Whether `segment` begins the same. It may have been cut shorter or longer.
    pub(super) fn is_beginning_of(&self, segment: &Segment<'_>) -> bool {
        let len = self.len.min(segment.data.len());
        let same_kind = if len == 0 {
            self.not_tls && segment.flags.not_tls
        } else {
            true
        };
        self.seq == segment.seq && same_kind && self.bytes[..len] == segment.data[..len]
    }
}

/// One direction's beginning and end.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// The SYN's word on where the direction begins.
    pub(super) start: Option<u32>,
    pub(super) first: Option<First>,
    /// The other side has had all before this.
    pub(super) acknowledged: Option<u32>,
    /// It began with bytes that are not TLS.
    pub(super) foreign: bool,
    /// Sequence number and time of the FIN.
    pub(super) fin: Option<(u32, u64)>,
    pub(super) closed: bool,
}

impl Course {
    /// Whether the other side has had bytes that were not seen. `next`: those before it were.
    pub(super) fn misses_acknowledged(&self, next: Option<u32>) -> bool {
        let (Some(next), Some(acknowledged)) = (next, self.acknowledged) else {
            return false;
        };
        is_before(self.end(next), acknowledged)
    }

    /// The number behind all that was seen, when the bytes before `next` were: a FIN has a number of its own.
    pub(super) fn end(&self, next: u32) -> u32 {
        match self.fin {
            Some((fin, _)) if fin == next => next.wrapping_add(1),
            _ => next,
        }
    }
}

/// Whether a packet with this sequence number can belong to a connection that expects `next`.
pub(super) fn is_near(next: u32, seq: u32) -> bool {
    seq.wrapping_sub(next).min(next.wrapping_sub(seq)) < SAME_CONNECTION_BYTES
}

/// Whether sequence number `a` comes before `b` (RFC 9293, section 3.4: modulo 2^32).
pub(super) fn is_before(a: u32, b: u32) -> bool {
    0 < b.wrapping_sub(a) && b.wrapping_sub(a) < 1 << 31
}
