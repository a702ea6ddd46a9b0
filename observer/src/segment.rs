//! A piece of one direction of a TCP stream: what both sources (the kernel's ring buffer and capture files) give to the
//! flow table.

use std::net::SocketAddr;

/// One piece. Bytes beyond `data.len()` up to `wire_len` were on the wire but not captured (a snap length, or encrypted
/// payload that the kernel leaves alone).
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Keeps equal tuples of different network namespaces apart.
    pub scope: u64,
    /// Sender of this piece.
    pub source: SocketAddr,
    /// Receiver of this piece.
    pub destination: SocketAddr,
    /// Whether the sender is the TLS client, where the source knows.
    pub from_client: Option<bool>,
    /// TCP sequence number of the first byte of `data`.
    pub seq: u32,
    /// What its sender has had of the other direction: the sequence number of the next byte there. `None` where the source
    /// does not tell.
    pub ack: Option<u32>,
    /// The captured bytes.
    pub data: &'a [u8],
    /// Bytes on the wire from `seq` on, at least `data.len()`.
    pub wire_len: u32,
    /// When it passed, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// When the source began to follow the connection, in a clock of its own. It differs when a tuple is reused. 0 where
    /// the source does not follow connections: then SYNs tell.
    pub born: u64,
    /// What else is known of it.
    pub flags: SegmentFlags,
    /// Cookie of the sender's socket, 0 where it is not on this host, or not known.
    pub source_socket: u64,
    /// Cookie of the receiver's socket, 0 where it is not on this host, or not known. While the connection is being
    /// accepted, this may still be the listener's.
    pub destination_socket: u64,
    /// cgroup v2 id of the local end, 0 if unknown.
    pub cgroup_id: u64,
}

/// Flags of a [`Segment`]; the meanings are those of `observer_common::wire`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentFlags {
    /// The connection's SYN was seen: nothing came before its first piece.
    pub syn_seen: bool,
    /// This piece is a SYN, and its sequence number that of the first byte behind it. For sources that tell of every
    /// packet, and know connections by nothing but their packets.
    pub syn: bool,
    /// Bytes before this piece were left out on purpose, at a record boundary.
    pub skipped: bool,
    /// Bytes before this piece are missing and will not come.
    pub gap: bool,
    /// Pieces of this connection were dropped since the last one that arrived.
    pub pieces_lost: bool,
    /// The client's first bytes on a TLS listener are not TLS; none of them is here.
    pub not_tls: bool,
    /// FIN.
    pub fin: bool,
    /// RST.
    pub rst: bool,
    /// A limit of the source left out further handshake bytes.
    pub truncated: bool,
}
