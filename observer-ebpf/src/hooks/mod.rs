//! Attach points. All of them run the same body; they differ in where the IP header stands and what they return.

use aya_ebpf::programs::SkBuffContext;
use observer_common::counters::Counter;

use crate::maps::count;

pub mod cgroup;
pub mod classifier;

/// Tail-call slot of the program that goes on with the same packet.
pub const CONTINUE: u32 = 0;
/// Tail-call slot of the program that looks at segments which waited.
pub const DRAIN: u32 = 1;

/// A packet needed more tail calls than the kernel allows (33): what is left of it goes unread, and the walk begins anew
/// with the next packet.
#[inline(always)]
pub fn limit_reached(ctx: &SkBuffContext) {
    count(Counter::WalkLimit);
    aya_log_ebpf::debug!(ctx, "a packet of {} bytes holds more records than one walk visits", ctx.len());
}
