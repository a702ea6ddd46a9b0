//! Every map of the library probes, its size, and why it has that size.

use core::intrinsics::{AtomicOrdering, atomic_xadd};

use aya_ebpf::macros::map;
use aya_ebpf::maps::{HashMap, LruHashMap, PerCpuArray, RingBuf};
use observer_common::SocketSeen;
use observer_common::hit::counters::{COUNTERS, LibraryCounter};

use crate::hit::{SCRATCH_SLOTS, Scratch};
use crate::hooks::aws_lc::{Record, Stream, Unfinished};
use crate::hooks::gnutls::{Call, InCall, MadeSession, SessionAddress};
use crate::sockets::Received;

/// Hits on their way to the agent. A full handshake with client certificates is some ten hits and 4 KiB on each side; the
/// agent sets the size before loading.
#[map]
pub static HITS: RingBuf = RingBuf::with_byte_size(2 * 1024 * 1024, 0);

/// Numbers of processes (u32) that have executed a program. What finds no room is found by the agent's next look at all
/// processes.
#[map]
pub static EXECS: RingBuf = RingBuf::with_byte_size(64 * 1024, 0);

/// The connection that each thread received from last. LRU: threads come and go. A thread that is forgotten receives
/// again before its next handshake.
#[map]
pub static THREADS: LruHashMap<u64, Received> = LruHashMap::with_max_entries(16 * 1024, 0);

/// The connection that each goroutine received from last, for they move between threads. As many as handshakes that wait
/// for their peer at once.
#[map]
pub static COROUTINES: LruHashMap<Coroutine, SocketSeen> = LruHashMap::with_max_entries(32 * 1024, 0);

/// The record that each thread is opening, from the call until it returns. LRU: a thread may die within.
#[map]
pub static OPENINGS: LruHashMap<u64, Record> = LruHashMap::with_max_entries(4096, 0);

/// Handshake messages that go on in the next record, which most never do. LRU: connections end within.
#[map]
pub static UNFINISHED: LruHashMap<Stream, Unfinished> = LruHashMap::with_max_entries(4096, 0);

/// Processes that have goroutines: for others [`COROUTINES`] is not kept. Filled by the agent when it attaches, and by the
/// first hit.
#[map]
pub static COROUTINE_PROCESSES: LruHashMap<u32, u8> = LruHashMap::with_max_entries(4096, 0);

/// Processes that the operator named: 1 wanted, 0 not. Filled by the agent.
#[map]
pub static PROCESSES: HashMap<u32, u32> = HashMap::with_max_entries(16 * 1024, 1);

/// Sessions of GnuTLS: what is known of each since it was made. LRU: nobody tells when one is freed.
#[map]
pub static GNUTLS_SESSIONS: LruHashMap<SessionAddress, MadeSession> =
    LruHashMap::with_max_entries(16 * 1024, 0);

/// Functions of GnuTLS that threads are in, and what they were called with. As many as threads, for hardly one is in two.
#[map]
pub static GNUTLS_CALLS: LruHashMap<Call, InCall> = LruHashMap::with_max_entries(16 * 1024, 0);

/// The verification of a peer's chain that each thread is in: OpenSSL's context for it.
#[map]
pub static VERIFICATIONS: LruHashMap<u64, u64> = LruHashMap::with_max_entries(4096, 0);

/// Where the library in a file keeps the error of a verification in its context, or GnuTLS the alert received last in its
/// session, by the probe's target. Filled by the agent,
/// which reads it off the library's own code; a file that is not here has a probe in the function that returns the error.
#[map]
pub static ERROR_OFFSETS: HashMap<u64, u32> = HashMap::with_max_entries(4096, 1);

/// Space to put a hit with its bytes together in; see [`SCRATCH_SLOTS`].
#[map]
pub static HIT_SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(SCRATCH_SLOTS, 0);

/// Counters of each CPU, by [`LibraryCounter`].
#[map]
pub static LIBRARY_COUNTERS: PerCpuArray<[u64; COUNTERS as usize]> = PerCpuArray::with_max_entries(1, 0);

/// A goroutine of a process.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Coroutine {
    /// The process.
    pub pid: u64,
    /// Where it keeps the goroutine's state.
    pub address: u64,
}

/// Adds one to a counter of this CPU.
#[inline(always)]
pub fn count(counter: LibraryCounter) {
    if let Some(counters) = LIBRARY_COUNTERS.get_ptr_mut(0) {
        // SAFETY: the id of a counter is below their number; the entry is this CPU's, aligned and valid while the program
        // runs. Atomic, because a program that preempts this one on the same CPU counts in the same place.
        unsafe {
            atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(
                counters.cast::<u64>().add(counter as usize),
                1,
            )
        };
    }
}
