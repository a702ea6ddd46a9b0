//! The one kind of record in the ring buffer: a piece of one direction's TCP stream.
//!
//! A piece is a segment with a snap length. `captured` bytes follow the header; the wire carried `wire_len` bytes from
//! `seq` on, and those beyond `captured` were left in the kernel on purpose (encrypted records: their 5-byte header is
//! captured, their payload is not). So live pieces and the packets of a truncated capture file mean the same thing, and
//! take the same road through the agent.

use crate::flow::FlowKey;

/// Length of an encoded [`RecordHeader`] in bytes.
pub const RECORD_HEADER_LEN: usize = 104;

/// `kind` of a piece of a TCP stream.
pub const KIND_SEGMENT: u8 = 1;

/// The connection's SYN was seen: nothing came before the first piece.
pub const FLAG_SYN_SEEN: u8 = 1 << 0;
/// Bytes between this piece and the one before were left out on purpose, at record boundaries (a settled connection).
pub const FLAG_SKIPPED: u8 = 1 << 1;
/// Bytes between this piece and the one before never passed the hook, and never will.
pub const FLAG_GAP: u8 = 1 << 2;
/// Pieces of this connection were dropped since the last one that arrived: the ring was full.
pub const FLAG_PIECES_LOST: u8 = 1 << 3;
/// The client's first bytes on a known TLS listener, or before a TLS alert, are not TLS. None of them is captured.
pub const FLAG_NOT_TLS: u8 = 1 << 4;
/// This direction sent FIN; `seq + wire_len` is the FIN's sequence number.
pub const FLAG_FIN: u8 = 1 << 5;
/// This direction sent RST.
pub const FLAG_RST: u8 = 1 << 6;
/// More plaintext handshake bytes followed than [`crate::limits::MAX_HANDSHAKE_BYTES`]; they were left out.
pub const FLAG_TRUNCATED: u8 = 1 << 7;

/// What stands before the captured bytes of every ring buffer record, in the machine's byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RecordHeader {
    /// [`KIND_SEGMENT`]; any other value is from a newer kernel object and must be refused.
    pub kind: u8,
    /// [`crate::LO_TO_HI`] or [`crate::HI_TO_LO`].
    pub direction: u8,
    /// Direction in which the TLS client sends, or [`crate::flow::CLIENT_UNKNOWN`].
    pub client_direction: u8,
    /// The `FLAG_…` bits of this module.
    pub flags: u8,
    /// TCP sequence number of the first captured byte.
    pub seq: u32,
    /// Bytes on the wire from `seq` on that this record accounts for, at least `captured`.
    pub wire_len: u32,
    /// Captured bytes that follow this header, at most [`crate::limits::MAX_CAPTURE`].
    pub captured: u32,
    /// `CLOCK_MONOTONIC` nanoseconds when the packet passed the hook.
    pub time_ns: u64,
    /// `CLOCK_MONOTONIC` nanoseconds when the kernel began to follow the connection. It tells a reused tuple from a
    /// connection that goes on.
    pub born_ns: u64,
    /// The connection.
    pub flow: FlowKey,
    /// Socket cookie of the local end, 0 where the hook knows no socket.
    pub socket_cookie: u64,
    /// cgroup v2 id of the local end's socket, 0 where the hook knows none.
    pub cgroup_id: u64,
    /// Interface index, 0 in cgroup mode.
    pub ifindex: u32,
    /// 1 for packets that enter the host or cgroup, 2 for those that leave it.
    pub hook_side: u32,
}

const _: () = assert!(core::mem::size_of::<RecordHeader>() == RECORD_HEADER_LEN);
