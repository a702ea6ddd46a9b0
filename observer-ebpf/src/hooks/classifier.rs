//! The traffic control classifier, on tcx or on a clsact qdisc: all packets of an interface.
//!
//! One program serves both directions. It always leaves the packet to the next program.

use aya_ebpf::macros::classifier;
use aya_ebpf::programs::{SkBuffContext, TcContext};
use observer_common::counters::Counter;

use super::{CONTINUE, DRAIN};
use crate::maps::{CLASSIFIER_CALLS, LINK_HEADERS, count};
use crate::observe::{Next, drain, observe};
use crate::packet::network_offset;

/// `TCX_NEXT` and `TC_ACT_UNSPEC`: no verdict.
const NEXT: i32 = -1;

/// Follows the packet.
#[classifier]
#[inline(always)]
pub fn classifier_observe(ctx: TcContext) -> i32 {
    let ctx = SkBuffContext::new(ctx.skb.skb);
    count(Counter::Packets);
    let Some(ip) = ip_header(&ctx) else { return NEXT };
    let next = observe(&ctx, ip, false);
    if next == Next::Done {
        return NEXT;
    }
    let slot = if next == Next::Continue { CONTINUE } else { DRAIN };
    // SAFETY: the slots hold programs of this type; a call that fails comes back here.
    unsafe { CLASSIFIER_CALLS.tail_call(&ctx, slot) };
    super::limit_reached(&ctx);
    NEXT
}

/// Follows segments that waited for this packet.
#[classifier]
#[inline(always)]
pub fn classifier_drain(ctx: TcContext) -> i32 {
    let ctx = SkBuffContext::new(ctx.skb.skb);
    let Some(ip) = ip_header(&ctx) else { return NEXT };
    if drain(&ctx, ip, false) {
        // SAFETY: as above.
        unsafe { CLASSIFIER_CALLS.tail_call(&ctx, DRAIN) };
        super::limit_reached(&ctx);
    }
    NEXT
}

#[inline(always)]
fn ip_header(ctx: &SkBuffContext) -> Option<u32> {
    // SAFETY: a field of the program's own context.
    let ifindex = unsafe { (*ctx.skb.skb).ifindex };
    // SAFETY: the agent fills the map before it attaches, and never changes it.
    let link_header = unsafe { LINK_HEADERS.get_ptr(&ifindex).map(|len| *len) }?;
    network_offset(ctx, link_header)
}
