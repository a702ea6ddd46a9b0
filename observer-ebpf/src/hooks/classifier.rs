//! The traffic control classifier, on tcx or on a clsact qdisc: all packets of an interface.
//!
//! One program serves both directions. It always leaves the packet to the next program.

use aya_ebpf::macros::classifier;
use aya_ebpf::programs::{SkBuffContext, TcContext};

use super::{run_drain, run_observe, run_walk};
use crate::maps::{CLASSIFIER_CALLS, LINK_HEADERS};
use crate::packet::network_offset;

/// `TCX_NEXT` and `TC_ACT_UNSPEC`: no verdict.
const NEXT: i32 = -1;

/// Looks at a packet.
#[classifier]
#[inline(always)]
pub fn classifier_observe(ctx: TcContext) -> i32 {
    let ctx = SkBuffContext::new(ctx.skb.skb);
    if let Some(ip) = ip_header(&ctx) {
        run_observe(&ctx, ip, false, &CLASSIFIER_CALLS);
    }
    NEXT
}

/// Walks a packet's records.
#[classifier]
#[inline(always)]
pub fn classifier_walk(ctx: TcContext) -> i32 {
    let ctx = SkBuffContext::new(ctx.skb.skb);
    if let Some(ip) = ip_header(&ctx) {
        run_walk(&ctx, ip, false, &CLASSIFIER_CALLS);
    }
    NEXT
}

/// Looks at segments that waited for a packet.
#[classifier]
#[inline(always)]
pub fn classifier_drain(ctx: TcContext) -> i32 {
    let ctx = SkBuffContext::new(ctx.skb.skb);
    if let Some(ip) = ip_header(&ctx) {
        run_drain(&ctx, ip, false, &CLASSIFIER_CALLS);
    }
    NEXT
}

/// Where the IP header of a packet stands on this interface.
#[inline(always)]
fn ip_header(ctx: &SkBuffContext) -> Option<u32> {
    // SAFETY: a field of the program's own context.
    let ifindex = unsafe { (*ctx.skb.skb).ifindex };
    // SAFETY: the agent fills the map before it attaches, and never changes it.
    let link_header = LINK_HEADERS.get_ptr(&ifindex).map(|len| unsafe { *len })?;
    network_offset(ctx, link_header)
}
