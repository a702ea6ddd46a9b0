//! What happens to one packet.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::helpers::generated;
use aya_ebpf::programs::SkBuffContext;
use observer_common::counters::Counter;

use crate::detect::begins_tls;
use crate::emit::{Scratch, claim, release};
use crate::flow::{
    DETECT_LEN, Direction, Flow, PARTIAL_LEN, PHASE_NEW, PHASE_TLS, STATE_NOT_TLS, STATE_SETTLED,
};
use crate::follow::close;
use crate::maps::{FLOWS, count};
use crate::packet::{ACK, FIN, Packet, RST, SYN};
use crate::recognise::recognise;
use crate::records::{resynchronise, step_over};
use crate::source::{PacketSource, Source};
use crate::stash::set_aside;

/// How connections of different namespaces are kept apart: set by the agent from what the kernel has.
#[unsafe(no_mangle)]
static SCOPE: u32 = SCOPE_NAMESPACE;
/// `bpf_get_netns_cookie` works for cgroup programs here.
const SCOPE_NAMESPACE: u32 = 0;
/// It does not; the socket's cookie serves, so that each end is a connection of its own until the agent joins them.
const SCOPE_SOCKET: u32 = 1;

/// What is left to do for a packet, by another program: a tail call each, so that every program stays small enough for
/// the verifier.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Done,
    /// Its records are to be walked, or walked on.
    Walk,
    /// Segments that waited for it can be looked at.
    Drain,
}

/// A packet on its way through a hook.
pub struct Hook<'a> {
    /// The packet.
    pub ctx: &'a SkBuffContext,
    /// Where its IP header stands.
    pub ip: u32,
    /// Seen by the cgroup hook, not the classifier.
    pub cgroup: bool,
}

impl Hook<'_> {
    /// Reads the packet's headers, and names its connection.
    #[inline(always)]
    pub fn packet(&self) -> Option<Packet> {
        let mut packet = Packet::parse(self.ctx, self.ip)?;
        packet.key.scope = scope(self.ctx, self.cgroup);
        Some(packet)
    }

    /// The same, kept in a scratch slot: for the programs in which the verifier must forget how it was come by.
    #[inline(always)]
    pub fn packet_in(&self, slot: &mut Scratch) -> Option<&'static Packet> {
        slot.packet = self.packet()?;
        // SAFETY: nothing else writes this field while the slot is claimed.
        Some(unsafe { &*(&raw const slot.packet) })
    }
}

/// Which namespace, or socket, a packet belongs to. An interface's packets all belong to the agent's own namespace; and
/// the helper would not say so, for most of them have no socket yet.
#[inline(always)]
fn scope(ctx: &SkBuffContext, cgroup_hook: bool) -> u64 {
    if !cgroup_hook {
        return 0;
    }
    // SAFETY: helpers without preconditions.
    unsafe {
        if scope_is_socket() {
            generated::bpf_get_socket_cookie(ctx.as_ptr())
        } else {
            generated::bpf_get_netns_cookie(ctx.as_ptr())
        }
    }
}

/// Whether scopes are sockets here.
#[inline(always)]
fn scope_is_socket() -> bool {
    // SAFETY: reads a constant that the agent set before loading; volatile, for the compiler knows only the default.
    unsafe { core::ptr::read_volatile(&raw const SCOPE) == SCOPE_SOCKET }
}

/// The part of a scope that both ends of a connection share: a namespace, but not a socket.
#[inline(always)]
pub fn namespace_scope(scope: u64) -> u64 {
    if scope_is_socket() { 0 } else { scope }
}

/// Looks at one packet: whose is it, is it news, and can it be stepped over?
#[inline(always)]
pub fn observe(hook: &Hook) -> Next {
    let Some(packet) = hook.packet() else {
        return Next::Done;
    };
    let source = PacketSource {
        ctx: hook.ctx,
        base: packet.payload,
        len: packet.len,
    };
    let Some(flow) = find_or_open(hook, &packet, &source) else {
        return Next::Done;
    };
    let (head, own, peer) = flow.split(packet.direction);
    if packet.flags & SYN != 0 && own.started == 0 {
        own.started = 1;
        own.next = packet.seq;
    }
    if peer.stashed > 0 && packet.flags & ACK != 0 && (packet.ack.wrapping_sub(peer.next) as i32) > 0 {
        peer.give_up = 1;
    }
    if packet.len > 0 {
        if head.phase != PHASE_TLS && !recognise(hook, &packet, &source, head, own, peer) {
            return Next::Done;
        }
        if let Some(start) = place(&packet, &source, own)
            && pass(&source, start, own) < packet.len
        {
            return Next::Walk;
        }
    }
    if own.stashed > 0 {
        return Next::Drain;
    }
    if packet.flags & (FIN | RST) != 0
        && let Some(slot) = claim()
    {
        slot.begin(hook.ctx, &packet, head, hook.cgroup);
        close(&packet, head, own, peer, slot);
        release(slot);
    }
    Next::Done
}

/// Steps over payload that is nothing to tell of: the way of bulk traffic. Returns where it stopped.
#[inline(always)]
fn pass(source: &PacketSource, start: u32, own: &mut Direction) -> u32 {
    if own.copying != 0 || own.partial_len != 0 {
        return start;
    }
    let rest = source.len - start;
    if own.left >= rest {
        own.left -= rest;
        own.next = own.next.wrapping_add(rest);
        return source.len;
    }
    if own.state == STATE_SETTLED {
        step_over(source, start, own)
    } else {
        start
    }
}

/// From which payload byte on a packet is news; `None` if nothing in it is, or if it must wait.
#[inline(always)]
fn place(packet: &Packet, source: &PacketSource, own: &mut Direction) -> Option<u32> {
    if own.state == STATE_NOT_TLS {
        return None;
    }
    if own.started == 0 {
        own.started = 1;
        own.next = packet.seq;
        return Some(0);
    }
    let ahead = packet.seq.wrapping_sub(own.next) as i32;
    if ahead < 0 {
        let known = ahead.unsigned_abs();
        return (known < packet.len).then_some(known);
    }
    if own.lost == 0 {
        if ahead == 0 {
            return Some(0);
        }
        if own.copying == 0 && own.left >= ahead as u32 {
            // What is missing lies in payload that would have been stepped over.
            own.left -= ahead as u32;
            own.next = packet.seq;
            return Some(0);
        }
        if own.state < STATE_SETTLED {
            let slot = claim()?;
            let waits = set_aside(packet, source, own, slot);
            release(slot);
            if waits {
                return None;
            }
        }
    }
    if resynchronise(source, packet.seq, own) {
        return Some(0);
    }
    own.next = packet.seq.wrapping_add(packet.len);
    None
}

/// Whether a SYN would be entered under the listening socket: where scopes are sockets, the connection's own socket
/// comes into being only after it, and takes another scope. Such a connection begins with its first data.
#[inline(always)]
fn is_for_listener(hook: &Hook) -> bool {
    // SAFETY: a field of the program's own context.
    hook.cgroup && scope_is_socket() && unsafe { (*hook.ctx.skb.skb).ingress_ifindex } != 0
}

/// The connection's state; a new one for a SYN and for bytes that begin TLS.
#[inline(always)]
fn find_or_open<'a>(hook: &Hook, packet: &Packet, source: &PacketSource) -> Option<&'a mut Flow> {
    let opens = packet.flags & (SYN | ACK | RST) == SYN && !is_for_listener(hook);
    if let Some(flow) = FLOWS.get_ptr_mut(&packet.key) {
        // SAFETY: a map value, valid while the program runs.
        let flow = unsafe { &mut *flow };
        let direction = &flow.directions[usize::from(packet.direction & 1)];
        // The SYN of the connection that is followed, seen by its other end or sent again.
        if !opens || (flow.head.phase == PHASE_NEW && direction.next == packet.seq) {
            return Some(flow);
        }
    } else if !opens {
        let mut bytes = [0u8; PARTIAL_LEN];
        let known = if packet.len >= DETECT_LEN as u32 {
            DETECT_LEN as u32
        } else {
            1
        };
        // SAFETY: `bytes` has room for it.
        if !unsafe { source.read(0, bytes.as_mut_ptr(), known) } {
            return None;
        }
        if !begins_tls(&bytes, known) {
            return None;
        }
    }
    // SAFETY: helper without preconditions.
    let now = unsafe { generated::bpf_ktime_get_ns() };
    let fresh = Flow::new(now, packet.direction, opens);
    if FLOWS.insert(&packet.key, &fresh, 0).is_err() {
        count(Counter::FlowInsertFailed);
        return None;
    }
    // SAFETY: as above.
    FLOWS.get_ptr_mut(&packet.key).map(|flow| unsafe { &mut *flow })
}
