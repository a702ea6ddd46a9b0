//! What happens to one packet.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::helpers::generated;
use aya_ebpf::programs::SkBuffContext;
use observer_common::counters::Counter;
use observer_common::wire::{FLAG_FIN, FLAG_NOT_TLS, FLAG_RST};

use crate::detect::{HANDSHAKE, SERVER_HELLO, begins_tls};
use crate::emit::{Scratch, claim, release};
use crate::flow::{
    DETECT_LEN, Direction, Flow, HEADER_LEN, Head, PARTIAL_LEN, PHASE_NEW, PHASE_NOT_TLS, PHASE_TLS,
    STATE_NONE, STATE_NOT_TLS, STATE_PLAIN, STATE_SETTLED,
};
use crate::maps::{Counters, FLOWS};
use crate::packet::{ACK, FIN, Packet, RST, SYN};
use crate::recognise::{recognise, remember_listener};
use crate::records::{PACKET_STEPS, STASH_STEPS, resynchronise, step_over, walk};
use crate::source::{PacketSource, Source, StashSource};
use crate::stash::{self, set_aside};

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
    /// This CPU's counters.
    pub counters: Counters,
}

impl Hook<'_> {
    /// Reads the packet's headers, and names its connection.
    #[inline(always)]
    pub fn packet(&self) -> Option<Packet> {
        let mut packet = Packet::parse(self.ctx, self.ip, self.counters)?;
        packet.key.scope = scope(self.ctx, self.cgroup);
        Some(packet)
    }

    /// The same, kept in a scratch slot: for the programs in which the verifier must forget how it was come by.
    #[inline(always)]
    fn packet_in(&self, slot: &mut Scratch) -> Option<&'static Packet> {
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
        if let Some(start) = place(&packet, &source, own, hook.counters)
            && pass(&source, start, own) < packet.len
        {
            return Next::Walk;
        }
    }
    if own.stashed > 0 {
        return Next::Drain;
    }
    if packet.flags & (FIN | RST) != 0
        && let Some(slot) = claim(hook.counters)
    {
        slot.begin(hook.ctx, &packet, head, hook.cgroup);
        close(&packet, head, own, peer, slot, hook.counters);
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

/// Walks the records of a packet that [`observe`] found to hold some, or goes on doing so.
#[inline(always)]
pub fn follow(hook: &Hook) -> Next {
    let Some(slot) = claim(hook.counters) else {
        return Next::Done;
    };
    let next = match hook
        .packet_in(slot)
        .and_then(|packet| Some((packet, FLOWS.get_ptr_mut(&packet.key)?)))
    {
        // SAFETY: a map value, valid while the program runs.
        Some((packet, flow)) => follow_packet(hook, packet, unsafe { &mut *flow }, slot),
        None => Next::Done,
    };
    release(slot);
    next
}

#[inline(always)]
fn follow_packet(hook: &Hook, packet: &Packet, flow: &mut Flow, slot: &mut Scratch) -> Next {
    let (head, own, peer) = flow.split(packet.direction);
    let start = own.next.wrapping_sub(packet.seq);
    slot.begin(hook.ctx, packet, head, hook.cgroup);
    if start < packet.len {
        let source = PacketSource {
            ctx: hook.ctx,
            base: packet.payload,
            len: packet.len,
        };
        let answers =
            own.state == STATE_NONE && head.client != packet.direction && begins_server_hello(&source, start);
        take_held(own, slot);
        let reached =
            walk::<_, PACKET_STEPS>(&source, start, head, own, peer.finished != 0, slot, hook.counters);
        let strange = own.state == STATE_NOT_TLS;
        if strange {
            slot.start(own.next);
        }
        if strange || slot.len() > 0 {
            slot.flush(
                head,
                own,
                0,
                if strange { FLAG_NOT_TLS } else { 0 },
                hook.counters,
            );
        }
        if answers {
            remember_listener(packet);
        }
        if reached < packet.len {
            return Next::Walk;
        }
    }
    if own.stashed > 0 {
        return Next::Drain;
    }
    if packet.flags & (FIN | RST) != 0 {
        close(packet, head, own, peer, slot, hook.counters);
    }
    Next::Done
}

/// Whether the server's first bytes are a ServerHello: only then is its address worth remembering. A server that echoes
/// what it got sends a ClientHello.
#[inline(always)]
fn begins_server_hello(source: &PacketSource, start: u32) -> bool {
    let mut bytes = [0u8; 8];
    // SAFETY: `bytes` has room for six.
    let read = unsafe { source.read(start, bytes.as_mut_ptr(), 6) };
    read && bytes[0] == HANDSHAKE && bytes[5] == SERVER_HELLO
}

/// Puts what detection held back, beyond a record header, at the beginning of the first piece.
#[inline(always)]
fn take_held(own: &mut Direction, slot: &mut Scratch) {
    let held = u32::from(own.partial_len);
    if own.state != STATE_NONE || held <= HEADER_LEN {
        return;
    }
    slot.start(own.next.wrapping_sub(held));
    slot.append_held(&own.partial, held);
    let record = (u32::from(own.partial[3]) << 8) | u32::from(own.partial[4]);
    own.left = record.saturating_sub(held - HEADER_LEN);
    own.copying = 1;
    own.copied = held;
    own.state = STATE_PLAIN;
    own.partial_len = 0;
}

/// From which payload byte on a packet is news; `None` if nothing in it is, or if it must wait.
#[inline(always)]
fn place(packet: &Packet, source: &PacketSource, own: &mut Direction, counters: Counters) -> Option<u32> {
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
            let slot = claim(counters)?;
            let waits = set_aside(packet, source, own, slot, counters);
            release(slot);
            if waits {
                return None;
            }
        }
    }
    if resynchronise(source, packet.seq, own, counters) {
        return Some(0);
    }
    own.next = packet.seq.wrapping_add(packet.len);
    None
}

/// Looks at the segments that waited for this packet; true if there may be more of them.
#[inline(always)]
pub fn drain(hook: &Hook) -> bool {
    let Some(slot) = claim(hook.counters) else {
        return false;
    };
    let more = match hook
        .packet_in(slot)
        .and_then(|packet| Some((packet, FLOWS.get_ptr_mut(&packet.key)?)))
    {
        // SAFETY: a map value, valid while the program runs.
        Some((packet, flow)) => drain_packet(hook, packet, unsafe { &mut *flow }, slot),
        None => false,
    };
    release(slot);
    more
}

#[inline(always)]
fn drain_packet(hook: &Hook, packet: &Packet, flow: &mut Flow, slot: &mut Scratch) -> bool {
    let (head, own, peer) = flow.split(packet.direction);
    slot.begin(hook.ctx, packet, head, hook.cgroup);
    let ends = packet.flags & (FIN | RST) != 0;
    if ends {
        // What is missing will not come any more.
        own.give_up = 1;
    }
    let more = drain_one(hook, packet, head, own, peer.finished != 0, slot);
    if !more && ends {
        close(packet, head, own, peer, slot, hook.counters);
    }
    more
}

/// Walks one waiting segment; true if another may follow it.
#[inline(always)]
fn drain_one(
    hook: &Hook,
    packet: &Packet,
    head: &mut Head,
    own: &mut Direction,
    peer_finished: bool,
    slot: &mut Scratch,
) -> bool {
    let mut begins = own.next;
    let mut found = stash::waiting(packet, begins);
    if found.is_none() {
        // Cut otherwise than the segment before it: it may overlap what was walked meanwhile. Or never to be reached,
        // when the peer has acknowledged what is missing.
        if own.stash_lo.wrapping_sub(own.next) as i32 > 0 && own.give_up == 0 {
            return false;
        }
        begins = own.stash_lo;
        found = stash::waiting(packet, begins);
    }
    let Some((key, segment)) = found else {
        if own.give_up != 0 {
            own.stashed = 0;
            own.give_up = 0;
        }
        return false;
    };
    // SAFETY: the map value was just found.
    let len = unsafe { (*segment).len };
    let source = StashSource { segment, len };
    let known = own.next.wrapping_sub(begins) as i32;
    let start = if known > 0 { known as u32 } else { 0 };
    let usable = known >= 0 || resynchronise(&source, begins, own, hook.counters);
    if usable && start < len {
        let reached = walk::<_, STASH_STEPS>(&source, start, head, own, peer_finished, slot, hook.counters);
        if slot.len() > 0 {
            slot.flush(head, own, 0, 0, hook.counters);
        }
        if reached < len {
            // More records than one run visits: the next run finds the segment again by `stash_lo`.
            own.stash_lo = begins;
            return true;
        }
    }
    stash::forget_segment(&key, own);
    if own.stashed == 0 {
        own.give_up = 0;
    }
    // Which one is the lowest now is not known; the one behind this is the likeliest.
    own.stash_lo = begins.wrapping_add(len);
    own.stashed > 0
}

/// Tells that a direction ended, and forgets a connection that ended in both.
#[inline(always)]
fn close(
    packet: &Packet,
    head: &mut Head,
    own: &mut Direction,
    peer: &mut Direction,
    slot: &mut Scratch,
    counters: Counters,
) {
    let reset = packet.flags & RST != 0;
    if (head.phase == PHASE_TLS || head.phase == PHASE_NOT_TLS) && own.closed == 0 {
        slot.start(packet.seq.wrapping_add(packet.len));
        slot.flush(head, own, 0, if reset { FLAG_RST } else { FLAG_FIN }, counters);
    }
    own.closed = 1;
    // A packet with payload passes the other end's hook too, and would open the connection anew: such a one stays until
    // it is the least recently used.
    if (reset || peer.closed != 0) && packet.len == 0 {
        let _ = FLOWS.remove(&packet.key);
    }
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
        hook.counters.count(Counter::FlowInsertFailed);
        return None;
    }
    // SAFETY: as above.
    FLOWS.get_ptr_mut(&packet.key).map(|flow| unsafe { &mut *flow })
}
