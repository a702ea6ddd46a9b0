//! Every map of the kernel side, its size, and why it has that size.

use core::intrinsics::{AtomicOrdering, atomic_xadd};

use aya_ebpf::macros::map;
use aya_ebpf::maps::{HashMap, LruHashMap, PerCpuArray, ProgramArray, RingBuf};
use observer_common::FlowKey;
use observer_common::counters::{COUNTERS as COUNTER_COUNT, Counter};
use observer_common::limits::{DEFAULT_MAX_FLOWS, DEFAULT_RING_BYTES};

use crate::emit::Scratch;
use crate::flow::Flow;
use crate::stash::{StashKey, StashedSegment};

/// Pieces on their way to the agent. The agent sets the configured size before loading.
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(DEFAULT_RING_BYTES, 0);

/// Followed connections. LRU: a full map forgets the connection that was quiet for longest instead of refusing a new
/// one. The agent sets the configured size before loading.
#[map]
pub static FLOWS: LruHashMap<FlowKey, Flow> = LruHashMap::with_max_entries(DEFAULT_MAX_FLOWS, 0);

/// Addresses that answered a ClientHello with TLS: on these, a client that does not speak TLS is worth telling of.
#[map]
pub static LISTENERS: LruHashMap<Listener, u8> = LruHashMap::with_max_entries(4096, 0);

/// Segments that overtook an earlier one, by the sequence number they begin at: 512 of 2 KiB, 1 MiB in all. Reordering
/// is rare and short, and a segment waits for one round trip at most.
#[map]
pub static STASH: LruHashMap<StashKey, StashedSegment> = LruHashMap::with_max_entries(512, 0);

/// Space to put a piece together in; see [`crate::emit::claim`] for why there are several per CPU.
#[map]
pub static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(crate::emit::SCRATCH_SLOTS, 0);

/// Counters of each CPU, by [`Counter`].
#[map]
pub static COUNTERS: PerCpuArray<[u64; COUNTER_COUNT as usize]> = PerCpuArray::with_max_entries(1, 0);

/// Length of the link-layer header of each interface that the classifier is attached to: 14 for Ethernet, 0 for
/// interfaces that carry bare IP. Filled by the agent.
#[map]
pub static LINK_HEADERS: HashMap<u32, u32> = HashMap::with_max_entries(256, 0);

/// Tail-call targets of the cgroup hook, by [`crate::hooks::CONTINUE`] and [`crate::hooks::DRAIN`].
#[map]
pub static CGROUP_CALLS: ProgramArray = ProgramArray::with_max_entries(2, 0);

/// Tail-call targets of the classifier, as [`CGROUP_CALLS`]. The kernel ties a program array to one program type.
#[map]
pub static CLASSIFIER_CALLS: ProgramArray = ProgramArray::with_max_entries(2, 0);

/// An address that TLS was seen on.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Listener {
    /// Scope as in [`FlowKey`], 0 where the scope is a socket and not a namespace.
    pub scope: u64,
    /// Address, IPv4 mapped.
    pub addr: [u8; 16],
    /// TCP port.
    pub port: u16,
    /// Always 0.
    pub pad: [u16; 3],
}

/// Adds `by` to a counter of this CPU.
#[inline(always)]
pub fn count_by(counter: Counter, by: u64) {
    if let Some(counters) = COUNTERS.get_ptr_mut(0) {
        // SAFETY: the id of a counter is below their number; the entry is this CPU's, aligned and valid while the program
        // runs. Atomic, because a program that preempts this one on the same CPU counts in the same place.
        unsafe {
            atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(
                counters.cast::<u64>().add(counter as usize),
                by,
            )
        };
    }
}

/// Adds one to a counter of this CPU.
#[inline(always)]
pub fn count(counter: Counter) {
    count_by(counter, 1);
}
