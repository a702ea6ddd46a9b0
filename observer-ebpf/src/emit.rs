//! The only place that writes into the ring buffer. Every piece that finds no room is counted.

use core::intrinsics::{AtomicOrdering, atomic_xchg};

use aya_ebpf::EbpfContext as _;
use aya_ebpf::helpers::generated;
use aya_ebpf::programs::SkBuffContext;
use observer_common::counters::Counter;
use observer_common::limits::MAX_CAPTURE;
use observer_common::wire::{FLAG_PIECES_LOST, KIND_SEGMENT};
use observer_common::{RECORD_HEADER_LEN, RecordHeader};

use crate::flow::{DETECT_LEN, Direction, Head, PARTIAL_LEN};
use crate::maps::{EVENTS, SCRATCH, count, count_by};
use crate::packet::Packet;
use crate::source::Source;

/// Scratch slots per CPU. Programs preempt each other: a packet that leaves in process context is interrupted by one
/// that arrives, and a task by another task. Four deep was never seen.
pub const SCRATCH_SLOTS: u32 = 4;

/// `BPF_RB_NO_WAKEUP`: the agent looks by itself many times a second; a wake-up for each piece would cost far more than
/// the piece.
const NO_WAKEUP: u64 = 1;
/// `BPF_RB_FORCE_WAKEUP`: the ring fills faster than the agent looks.
const FORCE_WAKEUP: u64 = 2;
/// `BPF_RB_AVAIL_DATA`.
const AVAILABLE: u64 = 0;

/// Bytes waiting in the ring at which the agent is woken. Set by the agent to a share of the ring's size.
#[unsafe(no_mangle)]
static WAKE_AT: u64 = 1 << 20;

/// Room to append to: a piece may hold [`MAX_CAPTURE`] bytes and an append begins below that, so that a masked
/// offset and a masked length together stay inside.
const ROOM: usize = 2 * MAX_CAPTURE + 16;

/// What a step of the walk leaves to be done.
#[repr(C)]
pub struct Step {
    /// 1 to write the piece.
    pub flush: u32,
    /// Bytes behind it that are left out.
    pub beyond: u32,
    /// `FLAG_…` bits for the next piece, set after this one is written.
    pub flags_after: u32,
}

/// A piece that is being put together.
#[repr(C)]
pub struct Scratch {
    header: RecordHeader,
    data: [u8; ROOM],
    /// 1 while a program uses this slot.
    busy: u64,
    /// Bytes in `data`.
    len: u32,
    /// The packet that the piece is of, kept here for the same reason as `step`.
    pub packet: Packet,
    /// What the current step of the walk decided, kept here so that the verifier forgets it; see [`bounded_offset`].
    pub step: Step,
    /// See [`bounded_offset`].
    pub cell: u32,
}

/// Takes a free scratch slot of this CPU; give it back with [`release`].
#[inline(always)]
pub fn claim() -> Option<&'static mut Scratch> {
    for slot in 0..SCRATCH_SLOTS {
        let Some(scratch) = SCRATCH.get_ptr_mut(slot) else {
            continue;
        };
        // SAFETY: `busy` lies in a map value that lives as long as the program is loaded.
        let busy = unsafe { atomic_xchg::<u64, { AtomicOrdering::SeqCst }>(&raw mut (*scratch).busy, 1) };
        if busy == 0 {
            // SAFETY: the slot was free, and is this program's until it is released.
            return Some(unsafe { &mut *scratch });
        }
    }
    count(Counter::ScratchMissing);
    None
}

/// Gives a slot back.
#[inline(always)]
pub fn release(scratch: &mut Scratch) {
    // SAFETY: as in `claim`.
    unsafe { atomic_xchg::<u64, { AtomicOrdering::SeqCst }>(&raw mut scratch.busy, 0) };
}

impl Scratch {
    /// Sets what all pieces of one packet share.
    #[inline(always)]
    pub fn begin(&mut self, ctx: &SkBuffContext, packet: &Packet, head: &Head, cgroup_hook: bool) {
        let header = &mut self.header;
        header.kind = KIND_SEGMENT;
        header.direction = packet.direction;
        header.born_ns = head.born;
        header.flow = packet.key;
        // SAFETY: helpers without preconditions; the context is the program's own.
        unsafe {
            header.time_ns = generated::bpf_ktime_get_ns();
            header.socket_cookie = generated::bpf_get_socket_cookie(ctx.as_ptr());
            header.cgroup_id = generated::bpf_skb_cgroup_id(ctx.skb.skb);
            header.ifindex = if cgroup_hook { 0 } else { (*ctx.skb.skb).ifindex };
            header.hook_side = if (*ctx.skb.skb).ingress_ifindex != 0 { 1 } else { 2 };
        }
        self.len = 0;
    }

    /// Bytes in the piece.
    #[inline(always)]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Names the sequence number of the first byte; call it on an empty piece.
    #[inline(always)]
    pub fn start(&mut self, seq: u32) {
        self.header.seq = seq;
    }

    /// Appends the five bytes of a record header.
    #[inline(always)]
    pub fn append_header(&mut self, bytes: &[u8; 8]) {
        let at = bounded_offset(&mut self.cell, self.len) as usize;
        let data = (&raw mut self.data).cast::<u8>();
        for i in 0..5 {
            // SAFETY: `at` is below MAX_CAPTURE by the mask, and `data` has room for that twice over.
            unsafe { *data.add(at + i) = bytes[i] };
        }
        self.len = at as u32 + 5;
    }

    /// Appends payload bytes, at least one and fewer than [`MAX_CAPTURE`]; false if they could not be read.
    #[inline(always)]
    pub fn append<S: Source>(&mut self, source: &S, at: u32, len: u32) -> bool {
        let to = bounded_offset(&mut self.cell, self.len) as usize;
        let len = bounded_length(&mut self.cell, len);
        // SAFETY: offset and length are at most MAX_CAPTURE each, and `data` has room for both.
        let read = unsafe { source.read(at, (&raw mut self.data).cast::<u8>().add(to), len as u32) };
        if read {
            self.len = to as u32 + len as u32;
        }
        read
    }

    /// Turns the piece to the other direction than the packet's.
    #[inline(always)]
    pub fn of_direction(&mut self, direction: u8) {
        self.header.direction = direction;
    }

    /// Begins the piece with the bytes that detection held back.
    #[inline(always)]
    pub fn append_held(&mut self, bytes: &[u8; PARTIAL_LEN], len: u32) {
        for i in 0..DETECT_LEN {
            self.data[i] = bytes[i];
        }
        self.len = len;
    }

    /// The data area, for other uses of a claimed slot, and the cell for [`bounded_offset`].
    #[inline(always)]
    pub fn area(&mut self) -> (*mut u8, &mut u32) {
        ((&raw mut self.data).cast(), &mut self.cell)
    }

    /// Writes the piece, if there is anything to tell, and empties it. `beyond` bytes follow on the wire and are left
    /// out; `flags` are told with the ones that wait in `direction`.
    #[inline(always)]
    pub fn flush(&mut self, head: &mut Head, direction: &mut Direction, beyond: u32, flags: u8) {
        let len = bounded_offset(&mut self.cell, self.len);
        self.len = 0;
        if head.muted != 0 {
            return;
        }
        self.header.client_direction = head.client;
        self.header.flags = direction.flags | head.syn_seen | flags;
        self.header.captured = len as u32;
        self.header.wire_len = len as u32 + beyond;
        let size = RECORD_HEADER_LEN as u64 + len;
        // SAFETY: the header and `len` bytes behind it lie in this map value.
        let written = unsafe {
            let wake_at = core::ptr::read_volatile(&raw const WAKE_AT);
            let waiting = EVENTS.query(AVAILABLE);
            let wake = if waiting < wake_at && waiting + size >= wake_at {
                FORCE_WAKEUP
            } else {
                NO_WAKEUP
            };
            generated::bpf_ringbuf_output(ring(), (&raw mut self.header).cast(), size, wake)
        };
        if written == 0 {
            head.announced = 1;
            direction.flags = 0;
            count(Counter::Emitted);
            count_by(Counter::EmittedBytes, size);
        } else {
            count(Counter::RingFull);
            direction.flags |= FLAG_PIECES_LOST;
            if head.announced == 0 {
                head.muted = 1;
                count(Counter::HandshakesLost);
            }
        }
    }
}

/// The ring buffer map, as the raw helper wants it.
#[inline(always)]
fn ring() -> *mut core::ffi::c_void {
    (&raw const EVENTS).cast_mut().cast()
}

/// Cuts an offset to below [`MAX_CAPTURE`], where the verifier sees it; offsets are below that anyway.
///
/// The value goes through memory of a map on its way. The verifier wants to know the exact range of what becomes a
/// length or an offset, and follows it back to where it came from; tracked as precisely as that, hardly two passes of a
/// loop look alike to it, and it verifies all of them, which is exponential. What comes out of a map it takes as new.
#[inline(always)]
pub fn bounded_offset(cell: &mut u32, at: u32) -> u64 {
    let mut at = u64::from(forget(cell, at));
    // SAFETY: changes nothing but one register. In assembly, because the optimiser would drop a mask that it knows to be
    // redundant.
    unsafe { core::arch::asm!("{0} &= 0xfff", inout(reg) at) };
    at
}

/// As [`bounded_offset`], for lengths: 1 to [`MAX_CAPTURE`]. A length of 0 must be turned away before.
#[inline(always)]
pub fn bounded_length(cell: &mut u32, len: u32) -> u64 {
    bounded_offset(cell, len.wrapping_sub(1)) + 1
}

/// Makes the verifier forget what it knows of a value; see [`bounded_offset`].
#[inline(always)]
pub fn forget(cell: &mut u32, value: u32) -> u32 {
    let cell = &raw mut *cell;
    // SAFETY: a valid place in a map value, volatile so that the compiler does not keep the value in a register.
    unsafe {
        core::ptr::write_volatile(cell, value);
        core::ptr::read_volatile(cell)
    }
}
