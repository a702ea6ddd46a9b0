//! cgroup_skb, ingress and egress: packets of the sockets in a cgroup. The data begins at the IP header.
//!
//! One program serves both directions. It always lets the packet pass.

use aya_ebpf::macros::cgroup_skb;
use aya_ebpf::programs::SkBuffContext;

use super::{run_drain, run_observe, run_walk};
use crate::maps::CGROUP_CALLS;

/// Let the packet pass.
const PASS: i32 = 1;

/// Looks at a packet.
#[cgroup_skb]
#[inline(always)]
pub fn cgroup_observe(ctx: SkBuffContext) -> i32 {
    run_observe(&ctx, 0, true, &CGROUP_CALLS);
    PASS
}

/// Walks a packet's records.
#[cgroup_skb]
#[inline(always)]
pub fn cgroup_walk(ctx: SkBuffContext) -> i32 {
    run_walk(&ctx, 0, true, &CGROUP_CALLS);
    PASS
}

/// Looks at segments that waited for a packet.
#[cgroup_skb]
#[inline(always)]
pub fn cgroup_drain(ctx: SkBuffContext) -> i32 {
    run_drain(&ctx, 0, true, &CGROUP_CALLS);
    PASS
}
