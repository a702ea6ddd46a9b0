//! What the kernel remembers of a connection.

use observer_common::wire::FLAG_SYN_SEEN;

use crate::emit::forget;

/// The connection's SYN was seen, and no payload yet.
pub const PHASE_NEW: u8 = 0;
/// Its first bytes look like TLS, but there are too few to tell.
pub const PHASE_DETECT: u8 = 1;
/// The client's first bytes are not TLS; whether anybody cares depends on what the server answers.
pub const PHASE_CANDIDATE: u8 = 2;
/// The client's first bytes are not TLS, and the server speaks TLS: reported as such.
pub const PHASE_NOT_TLS: u8 = 3;
/// TLS is followed.
pub const PHASE_TLS: u8 = 4;

/// No record of this direction was seen.
pub const STATE_NONE: u8 = 0;
/// Handshake records are plaintext.
pub const STATE_PLAIN: u8 = 1;
/// After ChangeCipherSpec, or after a record of type 23: what follows is encrypted.
pub const STATE_OPAQUE: u8 = 2;
/// The handshake is long over: only alert headers and the close are told.
pub const STATE_SETTLED: u8 = 3;
/// What this direction sends is not TLS: it is not looked at any more.
pub const STATE_NOT_TLS: u8 = 4;

/// Bytes of a record header.
pub const HEADER_LEN: u32 = 5;
/// Bytes of the beginning of a connection that detection looks at.
pub const DETECT_LEN: usize = 11;
/// Room for them: a masked offset and a masked length, each below 16, stay inside.
pub const PARTIAL_LEN: usize = 32;

/// One direction of a connection.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Direction {
    /// Sequence number of the next byte to look at.
    pub next: u32,
    /// Payload bytes of the current record that are still to come.
    pub left: u32,
    /// Plaintext handshake bytes copied so far.
    pub copied: u32,
    /// Lowest sequence number among the segments set aside.
    pub stash_lo: u32,
    /// Bytes of a record header, or of the connection's beginning, that came without the rest.
    pub partial: [u8; PARTIAL_LEN],
    /// How many of them.
    pub partial_len: u8,
    /// `STATE_…`.
    pub state: u8,
    /// 1 while `next` is known.
    pub started: u8,
    /// 1 while the current record's payload is copied.
    pub copying: u8,
    /// Headers of encrypted records told so far.
    pub opaque: u8,
    /// 1 after a handshake record behind ChangeCipherSpec: a TLS 1.2 Finished.
    pub finished: u8,
    /// Segments set aside.
    pub stashed: u8,
    /// 1 when the peer has acknowledged bytes that never passed here.
    pub give_up: u8,
    /// 1 while record boundaries are lost.
    pub lost: u8,
    /// 1 after FIN or RST.
    pub closed: u8,
    /// `FLAG_…` bits for the next piece.
    pub flags: u8,
    /// Always 0.
    pub pad: u8,
    /// See [`crate::emit::bounded_offset`].
    pub cell: u32,
}

/// What is known of a connection as a whole.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Head {
    /// `CLOCK_MONOTONIC` nanoseconds when it was first seen.
    pub born: u64,
    /// `PHASE_…`.
    pub phase: u8,
    /// Direction of the TLS client, or `CLIENT_UNKNOWN`.
    pub client: u8,
    /// Direction of the TCP client: who sent the SYN.
    pub opener: u8,
    /// [`FLAG_SYN_SEEN`] or 0.
    pub syn_seen: u8,
    /// 1 once a piece of it is in the ring.
    pub announced: u8,
    /// 1 when its opening piece found no room: nothing more of it is sent.
    pub muted: u8,
    /// Always 0.
    pub pad: [u8; 6],
    /// See [`crate::emit::bounded_offset`].
    pub cell: u32,
}

/// One connection.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Flow {
    /// What both directions share.
    pub head: Head,
    /// Both directions, by `LO_TO_HI` and `HI_TO_LO`.
    pub directions: [Direction; 2],
}

const NO_DIRECTION: Direction = Direction {
    next: 0,
    left: 0,
    copied: 0,
    stash_lo: 0,
    partial: [0; PARTIAL_LEN],
    partial_len: 0,
    state: STATE_NONE,
    started: 0,
    copying: 0,
    opaque: 0,
    finished: 0,
    stashed: 0,
    give_up: 0,
    lost: 0,
    closed: 0,
    flags: 0,
    pad: 0,
    cell: 0,
};

impl Flow {
    /// A connection of which nothing is known yet.
    #[inline(always)]
    pub fn new(born: u64, opener: u8, syn_seen: bool) -> Self {
        Self {
            head: Head {
                born,
                phase: if syn_seen { PHASE_NEW } else { PHASE_DETECT },
                client: observer_common::flow::CLIENT_UNKNOWN,
                opener,
                syn_seen: if syn_seen { FLAG_SYN_SEEN } else { 0 },
                announced: 0,
                muted: 0,
                pad: [0; 6],
                cell: 0,
            },
            directions: [NO_DIRECTION; 2],
        }
    }

    /// The head, the direction asked for, and the other one.
    #[inline(always)]
    pub fn split(&mut self, direction: u8) -> (&mut Head, &mut Direction, &mut Direction) {
        // Not by a branch: the verifier would look at all that follows once for each direction.
        let own = (forget(&mut self.head.cell, u32::from(direction)) & 1) as usize;
        let directions = (&raw mut self.directions).cast::<Direction>();
        // SAFETY: 0 and 1 are indices of the array, and they differ.
        unsafe {
            (
                &mut self.head,
                &mut *directions.add(own),
                &mut *directions.add(own ^ 1),
            )
        }
    }
}
