//! What library probes write: one record for each hit, in a ring buffer of their own.
//!
//! A hit is a function of a TLS library that was entered, or that returned. The kernel copies what its arguments say and
//! understands none of it; the agent puts the hits of a thread together. Which values and which bytes a hit carries
//! stands beside its kind, in one module for each library.

pub mod aws_lc;
pub mod boringssl;
pub mod counters;
pub mod gnutls;
pub mod go;
pub mod openssl;
pub mod rustls;

/// Length of an encoded [`HitHeader`] in bytes.
pub const HIT_HEADER_LEN: usize = 152;

/// Bytes that one hit carries at most: a certificate longer than that is not copied, and counted.
pub const MAX_HIT_BYTES: usize = 16 * 1024;

/// The library's memory could not be read; values that depend on it are 0, and no bytes follow.
pub const FLAG_UNREADABLE: u16 = 1 << 0;
/// There were more bytes than [`MAX_HIT_BYTES`]; none of them follow.
pub const FLAG_TOO_LONG: u16 = 1 << 1;

/// The connection that a thread received from last, before a hit.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SocketSeen {
    /// Socket cookie; 0 if the thread has received nothing, or nobody knows what.
    pub cookie: u64,
    /// When it received, `CLOCK_MONOTONIC` nanoseconds.
    pub received_ns: u64,
    /// Address of this end, IPv4 mapped; all 0 if it is not known.
    pub local_addr: [u8; 16],
    /// Address of the peer.
    pub remote_addr: [u8; 16],
    /// TCP port of this end, host byte order.
    pub local_port: u16,
    /// TCP port of the peer, host byte order.
    pub remote_port: u16,
    /// Always 0.
    pub pad: u32,
}

const _: () = assert!(core::mem::size_of::<SocketSeen>() == 56);

/// What stands before the bytes of every hit, in the machine's byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct HitHeader {
    /// Which function: a constant of the library's module.
    pub kind: u16,
    /// The `FLAG_…` bits of this module.
    pub flags: u16,
    /// Bytes that follow this header, at most [`MAX_HIT_BYTES`].
    pub captured: u32,
    /// `CLOCK_MONOTONIC` nanoseconds.
    pub time_ns: u64,
    /// The process: its thread group id, in the first pid namespace.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// What the library runs on instead of threads: Go's goroutine. 0 for others.
    pub coroutine: u64,
    /// cgroup v2 id of the thread.
    pub cgroup_id: u64,
    /// The attach cookie of the probe: tells the agent which file it is in. 0 where the kernel has none.
    pub target: u64,
    /// What the kind says.
    pub values: [u64; 4],
    /// The connection that the thread, or coroutine, received from last.
    pub socket: SocketSeen,
    /// The thread's name, padded with 0.
    pub name: [u8; 16],
}

const _: () = assert!(core::mem::size_of::<HitHeader>() == HIT_HEADER_LEN);
