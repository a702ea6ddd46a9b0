//! Programs that begin: what they use is looked at before they speak with anyone.

use aya_ebpf::helpers::{bpf_get_current_pid_tgid, generated};
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use observer_common::hit::counters::LibraryCounter;

use crate::maps::{EXECS, count};
use crate::scope::is_wanted;

/// A process has executed a program; it is that program's from now on.
#[btf_tracepoint(function = "sched_process_exec")]
pub fn sched_process_exec(_ctx: BtfTracePointContext) -> i32 {
    let mut pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    if is_wanted(pid) {
        let ring = (&raw const EXECS).cast_mut().cast();
        // SAFETY: the ring is a map of this object, and the number as long as that.
        let result =
            unsafe { generated::bpf_ringbuf_output(ring, (&raw mut pid).cast(), size_of::<u32>() as u64, 0) };
        if result != 0 {
            count(LibraryCounter::ExecsLost);
        }
    }
    0
}
