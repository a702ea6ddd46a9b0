//! Attach points. All of them run the same body; they differ in where the IP header stands and what they return.

use aya_ebpf::maps::ProgramArray;
use aya_ebpf::programs::SkBuffContext;
use observer_common::counters::Counter;

use crate::follow::{drain, follow};
use crate::maps::count;
use crate::observe::{Hook, Next, observe};

pub mod cgroup;
pub mod classifier;

/// Tail-call slot of the program that walks a packet's records.
const WALK: u32 = 0;
/// Tail-call slot of the program that looks at segments which waited.
const DRAIN: u32 = 1;

/// The first program of a hook.
#[inline(always)]
fn run_observe(ctx: &SkBuffContext, ip: u32, cgroup: bool, calls: &ProgramArray) {
    call(ctx, calls, observe(&Hook { ctx, ip, cgroup }));
}

/// The program in slot [`WALK`].
#[inline(always)]
fn run_walk(ctx: &SkBuffContext, ip: u32, cgroup: bool, calls: &ProgramArray) {
    call(ctx, calls, follow(&Hook { ctx, ip, cgroup }));
}

/// The program in slot [`DRAIN`].
#[inline(always)]
fn run_drain(ctx: &SkBuffContext, ip: u32, cgroup: bool, calls: &ProgramArray) {
    call(ctx, calls, drain(&Hook { ctx, ip, cgroup }));
}

/// Goes on in another program. Comes back only if it cannot: a packet needed more tail calls than the kernel allows
/// (33). What is left of it goes unread, and the walk begins anew with the next packet.
#[inline(always)]
fn call(ctx: &SkBuffContext, calls: &ProgramArray, next: Next) {
    let slot = match next {
        Next::Done => return,
        Next::Walk => WALK,
        Next::Drain => DRAIN,
    };
    // SAFETY: the slots hold programs of this program's type.
    unsafe { calls.tail_call(ctx, slot) };
    count(Counter::WalkLimit);
    aya_log_ebpf::debug!(
        ctx,
        "a packet of {} bytes holds more records than one walk visits",
        ctx.len()
    );
}
