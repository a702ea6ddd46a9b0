//! Limits that the kernel probes and the agent share.

/// Largest TLS record payload that is still believed: 2^14 bytes of plaintext and 2,048 of expansion (RFC 5246,
/// section 6.2.3). A header that announces more means that record boundaries were lost.
pub const MAX_RECORD_PAYLOAD: u32 = (1 << 14) + 2048;

/// Captured bytes that one ring buffer record carries at most; longer runs are cut into several records.
pub const MAX_CAPTURE: usize = 4096;

/// Plaintext handshake bytes copied for one direction of one connection. A peer that sends more gets the rest of its
/// records reported by header alone, so that nobody can make the kernel copy without end.
pub const MAX_HANDSHAKE_BYTES: u32 = 256 * 1024;

/// Headers of encrypted records reported for one direction before it counts as settled. Full TLS 1.3 flights with
/// session tickets were seen to need 12 at most.
pub const MAX_OPAQUE_HEADERS: u8 = 32;

/// Connections that the kernel follows at once unless configured otherwise; the least recently used one makes room.
pub const DEFAULT_MAX_FLOWS: u32 = 32 * 1024;

/// Size of the ring buffer unless configured otherwise, in bytes.
pub const DEFAULT_RING_BYTES: u32 = 4 * 1024 * 1024;
