//! Which connection a thread received from last.
//!
//! Libraries speak of `SSL` objects, not of sockets, and often never see one. But what they tell of is what has just been
//! received: the thread, or the goroutine, has read the peer's message from its socket and now hands it to the library.

use core::ffi::c_void;

use aya_ebpf::helpers::{bpf_get_current_pid_tgid, bpf_probe_read_kernel, generated};
use aya_ebpf::macros::{btf_tracepoint, fentry};
use aya_ebpf::programs::{BtfTracePointContext, FEntryContext};
use observer_common::SocketSeen;

use crate::maps::{COROUTINE_PROCESSES, COROUTINES, Coroutine, THREADS};
use crate::scope::is_wanted;

/// Where `struct sock` has the peer's IPv6 address; 0 where the kernel does not tell. Set by the agent from the kernel's BTF.
#[unsafe(no_mangle)]
static SOCK_V6_DADDR: u32 = 0;

/// Where it has its own. Set by the agent.
#[unsafe(no_mangle)]
static SOCK_V6_RCV_SADDR: u32 = 0;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// How long after a thread received what it does is believed to be about what it received.
const RECENT_NS: u64 = 10_000_000_000;

/// The beginning of `struct sock`, which has been the same since Linux 3.13.
#[repr(C)]
#[derive(Clone, Copy)]
struct Common {
    /// Peer, IPv4, network byte order.
    daddr: [u8; 4],
    /// This end.
    rcv_saddr: [u8; 4],
    hash: u32,
    /// The peer's port, network byte order.
    dport: u16,
    /// This end's port, host byte order.
    num: u16,
    family: u16,
    state: u16,
}

/// What a thread received from last.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Received {
    /// The connection.
    pub socket: SocketSeen,
    /// The goroutine that it was for, if the thread runs any.
    pub coroutine: u64,
}

/// Received from a socket, or tried to: Linux 6.3 and later.
#[btf_tracepoint(function = "sock_recv_length")]
pub fn sock_recv_length(ctx: BtfTracePointContext) -> i32 {
    let (socket, result): (*mut c_void, i32) = (ctx.arg(0), ctx.arg(1));
    // Nothing was there: what the thread has to work on came before.
    if result >= 0 {
        received(socket);
    }
    0
}

/// About to receive from a TCP socket: before Linux 6.3.
#[fentry(function = "tcp_recvmsg")]
pub fn tcp_recvmsg(ctx: FEntryContext) -> i32 {
    received(ctx.arg(0));
    0
}

/// Remembers the socket for this thread, and for its goroutine.
#[inline(always)]
fn received(socket: *mut c_void) {
    let thread = bpf_get_current_pid_tgid();
    let pid = (thread >> 32) as u32;
    if !is_wanted(pid) {
        return;
    }
    // SAFETY: the kernel's own pointer to a socket; all are helpers that take one.
    let (cookie, now) = unsafe {
        if generated::bpf_skc_to_tcp_sock(socket).is_null() {
            return;
        }
        (
            generated::bpf_get_socket_cookie(socket),
            generated::bpf_ktime_get_ns(),
        )
    };
    // SAFETY: an LRU map of plain data.
    let has_coroutines = unsafe { COROUTINE_PROCESSES.get(pid) }.is_some();
    if let Some(known) = THREADS.get_ptr_mut(thread) {
        // SAFETY: the entry of this thread, which is here, so that nobody else writes to it. It may be given to another
        // thread at this moment, whose first receipt then overwrites it: cookie and addresses stay a pair for all that, for
        // neither is changed in place.
        let same = unsafe {
            (*known).socket.received_ns = now;
            (*known).socket.cookie == cookie
        };
        // The goroutine stays what it was at the first receipt: should another go on with the connection, hits of that one
        // find no connection, and the process counts as one with goroutines from then on.
        if same && !has_coroutines {
            return;
        }
    }
    let coroutine = current_coroutine();
    let seen = describe(socket, cookie, now);
    // A full LRU map makes room; what fails is a fact without a socket later, and counted there.
    let _ = THREADS.insert(
        &thread,
        &Received {
            socket: seen,
            coroutine,
        },
        0,
    );
    if has_coroutines {
        let key = Coroutine {
            pid: u64::from(pid),
            address: coroutine,
        };
        let _ = COROUTINES.insert(&key, &seen, 0);
    }
}

/// Its addresses and ports.
#[inline(always)]
fn describe(socket: *mut c_void, cookie: u64, now: u64) -> SocketSeen {
    let mut seen = SocketSeen {
        cookie,
        received_ns: now,
        ..SocketSeen::default()
    };
    // SAFETY: reads fail softly, and give nothing then.
    let Ok(common) = (unsafe { bpf_probe_read_kernel(socket.cast::<Common>()) }) else {
        return seen;
    };
    seen.local_port = common.num;
    seen.remote_port = u16::from_be(common.dport);
    if common.family == AF_INET {
        seen.local_addr = mapped(common.rcv_saddr);
        seen.remote_addr = mapped(common.daddr);
    } else if common.family == AF_INET6 {
        // SAFETY: constants that the agent sets before loading.
        let (remote, local) = unsafe {
            (
                core::ptr::read_volatile(&raw const SOCK_V6_DADDR),
                core::ptr::read_volatile(&raw const SOCK_V6_RCV_SADDR),
            )
        };
        if remote != 0 && local != 0 {
            // SAFETY: as above.
            unsafe {
                seen.local_addr =
                    bpf_probe_read_kernel(socket.byte_add(local as usize).cast()).unwrap_or_default();
                seen.remote_addr =
                    bpf_probe_read_kernel(socket.byte_add(remote as usize).cast()).unwrap_or_default();
            }
        }
    }
    seen
}

/// An IPv4 address as IPv6.
#[inline(always)]
fn mapped(address: [u8; 4]) -> [u8; 16] {
    let [a, b, c, d] = address;
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]
}

/// The register in which Go keeps the current goroutine, as it was when the thread entered the kernel.
#[inline(always)]
fn current_coroutine() -> u64 {
    /// `struct pt_regs`: the offset of r14 on x86-64.
    #[cfg(bpf_target_arch = "x86_64")]
    const GOROUTINE: usize = 8;
    /// `struct pt_regs`: the offset of x28 on arm64.
    #[cfg(bpf_target_arch = "aarch64")]
    const GOROUTINE: usize = 28 * 8;
    #[cfg(not(any(bpf_target_arch = "x86_64", bpf_target_arch = "aarch64")))]
    compile_error!("where does Go keep the goroutine on this architecture?");
    // SAFETY: the current task always has a place for its registers; for kernel threads they mean nothing, and neither do
    // they for programs that are not Go's.
    unsafe {
        let registers = generated::bpf_task_pt_regs(generated::bpf_get_current_task_btf()) as *const u8;
        bpf_probe_read_kernel(registers.add(GOROUTINE).cast::<u64>()).unwrap_or_default()
    }
}

/// What the current thread received from last, if that is not long ago.
#[inline(always)]
pub fn of_thread(thread: u64) -> Option<&'static SocketSeen> {
    // SAFETY: plain data of this thread; see `received`.
    let received = THREADS.get_ptr(thread).map(|received| unsafe { &*received })?;
    is_recent(&received.socket).then_some(&received.socket)
}

/// What a goroutine of the current thread's process received from last, if that is not long ago. The first call of a
/// process finds only what this thread received for it.
#[inline(always)]
pub fn of_coroutine(thread: u64, coroutine: u64) -> Option<&'static SocketSeen> {
    let pid = (thread >> 32) as u32;
    let key = Coroutine {
        pid: u64::from(pid),
        address: coroutine,
    };
    let seen = match COROUTINES.get_ptr(key) {
        // SAFETY: plain data. Only this goroutine's thread writes to the entry, and this is it.
        Some(seen) => unsafe { &*seen },
        None => {
            // It does not matter if this fails: then the next hit tries again.
            let _ = COROUTINE_PROCESSES.insert(&pid, &1, 0);
            // SAFETY: as above.
            let received = THREADS.get_ptr(thread).map(|received| unsafe { &*received })?;
            if received.coroutine != coroutine {
                return None;
            }
            &received.socket
        }
    };
    is_recent(seen).then_some(seen)
}

#[inline(always)]
fn is_recent(seen: &SocketSeen) -> bool {
    // SAFETY: helper without preconditions.
    let now = unsafe { generated::bpf_ktime_get_ns() };
    now.wrapping_sub(seen.received_ns) < RECENT_NS
}
