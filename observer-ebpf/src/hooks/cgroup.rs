//! cgroup_skb, ingress and egress: packets of the sockets in a cgroup. The data begins at the IP header.
//!
//! One program serves both directions. It always lets the packet pass.

use aya_ebpf::macros::cgroup_skb;
use aya_ebpf::programs::SkBuffContext;
use observer_common::counters::Counter;

use super::{CONTINUE, DRAIN};
use crate::maps::{CGROUP_CALLS, count};
use crate::observe::{Next, drain, observe};

/// Let the packet pass.
const PASS: i32 = 1;

/// Follows the packet.
#[cgroup_skb]
#[inline(always)]
pub fn cgroup_observe(ctx: SkBuffContext) -> i32 {
    count(Counter::Packets);
    let next = observe(&ctx, 0, true);
    if next == Next::Done {
        return PASS;
    }
    let slot = if next == Next::Continue { CONTINUE } else { DRAIN };
    // SAFETY: the slots hold programs of this type; a call that fails comes back here.
    unsafe { CGROUP_CALLS.tail_call(&ctx, slot) };
    super::limit_reached(&ctx);
    PASS
}

/// Follows segments that waited for this packet.
#[cgroup_skb]
#[inline(always)]
pub fn cgroup_drain(ctx: SkBuffContext) -> i32 {
    if drain(&ctx, 0, true) {
        // SAFETY: as above.
        unsafe { CGROUP_CALLS.tail_call(&ctx, DRAIN) };
        super::limit_reached(&ctx);
    }
    PASS
}
