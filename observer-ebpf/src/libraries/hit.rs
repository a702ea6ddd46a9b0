//! The only place that writes into the ring buffer. Every hit that finds no room is counted.

use core::intrinsics::{AtomicOrdering, atomic_xchg};

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::{bpf_get_current_pid_tgid, generated};
use observer_common::hit::counters::LibraryCounter;
use observer_common::hit::{FLAG_TOO_LONG, FLAG_UNREADABLE, MAX_HIT_BYTES};
use observer_common::{HIT_HEADER_LEN, HitHeader, SocketSeen};

use crate::maps::{HIT_SCRATCH, HITS, count};
use crate::scope::is_wanted;
use crate::sockets;
use crate::user::Unreadable;

/// Scratch slots per CPU. A task that is in a probe may be preempted by another that comes to one.
pub const SCRATCH_SLOTS: u32 = 4;

/// `BPF_RB_NO_WAKEUP`: the agent looks by itself many times a second; a wake-up for each hit costs more than all the rest.
const NO_WAKEUP: u64 = 1;
/// `BPF_RB_FORCE_WAKEUP`: the ring fills faster than the agent looks.
const FORCE_WAKEUP: u64 = 2;
/// `BPF_RB_AVAIL_DATA`.
const AVAILABLE: u64 = 0;

/// Bytes waiting in the ring at which the agent is woken. Set by the agent to a share of the ring's size.
#[unsafe(no_mangle)]
static WAKE_AT: u64 = 1 << 19;

/// A hit that is put together with its bytes.
#[repr(C)]
pub struct Scratch {
    header: HitHeader,
    bytes: [u8; MAX_HIT_BYTES],
    /// 1 while a program uses this slot.
    busy: u64,
}

/// A hit: begun when it is wanted, and sent. It lives in a map, for the stack is short, and every move would cost as much of
/// it again.
pub struct Hit {
    scratch: &'static mut Scratch,
}

impl Drop for Hit {
    #[inline(always)]
    fn drop(&mut self) {
        release(self.scratch);
    }
}

impl Hit {
    /// A hit of a library that runs on threads. None if nobody wants it, or if the thread has not received anything: what it
    /// does then, as reading its own certificates, is about no connection.
    #[inline(always)]
    pub fn of_thread(ctx: &impl EbpfContext, kind: u16) -> Option<Self> {
        let thread = bpf_get_current_pid_tgid();
        if !is_wanted((thread >> 32) as u32) {
            count(LibraryCounter::Unwanted);
            return None;
        }
        Self::about(ctx, kind, thread, 0, sockets::of_thread(thread))
    }

    /// A hit of Go, whose goroutine is `coroutine`.
    #[inline(always)]
    pub fn of_coroutine(ctx: &impl EbpfContext, kind: u16, coroutine: u64) -> Option<Self> {
        let thread = bpf_get_current_pid_tgid();
        if !is_wanted((thread >> 32) as u32) {
            count(LibraryCounter::Unwanted);
            return None;
        }
        let socket = sockets::of_coroutine(thread, coroutine);
        Self::about(ctx, kind, thread, coroutine, socket)
    }

    #[inline(always)]
    fn about(
        ctx: &impl EbpfContext,
        kind: u16,
        thread: u64,
        coroutine: u64,
        socket: Option<&'static SocketSeen>,
    ) -> Option<Self> {
        let Some(socket) = socket else {
            count(LibraryCounter::NoSocket);
            return None;
        };
        let hit = Self { scratch: claim()? };
        let header = &mut hit.scratch.header;
        header.kind = kind;
        header.flags = 0;
        header.captured = 0;
        header.pid = (thread >> 32) as u32;
        header.tid = thread as u32;
        header.coroutine = coroutine;
        header.values = [0; 4];
        header.socket = *socket;
        // SAFETY: helpers without preconditions; the context is the program's own, and the name as long as is said.
        unsafe {
            header.time_ns = generated::bpf_ktime_get_ns();
            header.cgroup_id = generated::bpf_get_current_cgroup_id();
            header.target = generated::bpf_get_attach_cookie(ctx.as_ptr());
            generated::bpf_get_current_comm((&raw mut header.name).cast(), size_of_val(&header.name) as u32);
        }
        Some(hit)
    }

    /// When the thread, or coroutine, received last.
    #[inline(always)]
    pub fn received_ns(&self) -> u64 {
        self.scratch.header.socket.received_ns
    }

    /// The attach cookie of the probe.
    #[inline(always)]
    pub fn target(&self) -> u64 {
        self.scratch.header.target
    }

    /// What the kind says.
    #[inline(always)]
    pub fn values(self, values: [u64; 4]) -> Self {
        self.scratch.header.values = values;
        self
    }

    /// Memory of the process could not be read.
    #[inline(always)]
    pub fn unreadable(mut self, error: Unreadable) -> Self {
        self.note_unreadable(error);
        self
    }

    /// Sends it without bytes.
    #[inline(always)]
    pub fn send(mut self) {
        self.put();
    }

    /// Sends it with `length` bytes of the process's memory from `address` on.
    #[inline(always)]
    pub fn send_with(mut self, address: u64, length: u64) {
        self.put_with(address, length);
    }

    /// As a hit of another kind, that says that. This and the next three leave the hit for more.
    #[inline(always)]
    pub fn set(&mut self, kind: u16, values: [u64; 4]) {
        self.scratch.header.kind = kind;
        self.scratch.header.flags = 0;
        self.scratch.header.captured = 0;
        self.scratch.header.values = values;
    }

    /// As [`unreadable`](Self::unreadable).
    #[inline(always)]
    pub fn note_unreadable(&mut self, _: Unreadable) {
        count(LibraryCounter::Unreadable);
        self.scratch.header.flags |= FLAG_UNREADABLE;
    }

    /// As [`send`](Self::send).
    #[inline(always)]
    pub fn put(&mut self) {
        // SAFETY: the header is as long as that.
        unsafe { output((&raw mut self.scratch.header).cast(), HIT_HEADER_LEN as u64) };
    }

    /// As [`send_with`](Self::send_with).
    #[inline(always)]
    pub fn put_with(&mut self, address: u64, length: u64) {
        if length == 0 {
            return self.put();
        }
        if length > MAX_HIT_BYTES as u64 {
            count(LibraryCounter::TooLong);
            self.scratch.header.flags |= FLAG_TOO_LONG;
            return self.put();
        }
        let length = bounded_length(length);
        // SAFETY: `length` is at most that of `bytes`; the helper checks the address.
        let result = unsafe {
            generated::bpf_probe_read_user(
                (&raw mut self.scratch.bytes).cast(),
                length as u32,
                address as *const core::ffi::c_void,
            )
        };
        if result == 0 {
            self.scratch.header.captured = length as u32;
            // SAFETY: the bytes stand right behind the header, in the same map value.
            unsafe {
                output(
                    (&raw mut self.scratch.header).cast(),
                    HIT_HEADER_LEN as u64 + length,
                )
            };
        } else {
            self.note_unreadable(Unreadable);
            self.put();
        }
    }
}

/// Cuts a length of 1 to [`MAX_HIT_BYTES`] to that, where the verifier sees it.
#[inline(always)]
fn bounded_length(length: u64) -> u64 {
    let mut last = length.wrapping_sub(1);
    // SAFETY: changes nothing but one register. In assembly, because the optimiser would drop a mask that it knows to be
    // redundant.
    unsafe { core::arch::asm!("{0} &= 0x3fff", inout(reg) last) };
    last + 1
}

const _: () = assert!(
    MAX_HIT_BYTES == 0x3fff + 1,
    "the mask in `bounded_length` is that of the limit"
);

/// # Safety
/// `size` bytes can be read at `record`.
#[inline(always)]
unsafe fn output(record: *mut core::ffi::c_void, size: u64) {
    let ring = (&raw const HITS).cast_mut().cast();
    // SAFETY: as promised; the ring is a map of this object.
    let written = unsafe {
        let wake_at = core::ptr::read_volatile(&raw const WAKE_AT);
        let waiting = HITS.query(AVAILABLE);
        let wake = if waiting < wake_at && waiting + size >= wake_at {
            FORCE_WAKEUP
        } else {
            NO_WAKEUP
        };
        generated::bpf_ringbuf_output(ring, record, size, wake)
    };
    count(if written == 0 {
        LibraryCounter::Emitted
    } else {
        LibraryCounter::RingFull
    });
}

/// Takes a free scratch slot of this CPU; give it back with [`release`].
#[inline(always)]
fn claim() -> Option<&'static mut Scratch> {
    for slot in 0..SCRATCH_SLOTS {
        let Some(scratch) = HIT_SCRATCH.get_ptr_mut(slot) else {
            continue;
        };
        // SAFETY: `busy` lies in a map value that lives as long as the program is loaded.
        let busy = unsafe { atomic_xchg::<u64, { AtomicOrdering::SeqCst }>(&raw mut (*scratch).busy, 1) };
        if busy == 0 {
            // SAFETY: the slot was free, and is this program's until it is released.
            return Some(unsafe { &mut *scratch });
        }
    }
    count(LibraryCounter::ScratchMissing);
    None
}

/// Gives a slot back.
#[inline(always)]
fn release(scratch: &mut Scratch) {
    // SAFETY: as in `claim`.
    unsafe { atomic_xchg::<u64, { AtomicOrdering::SeqCst }>(&raw mut scratch.busy, 0) };
}
