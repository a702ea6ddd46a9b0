//! What the tail-called programs do: walk a packet's records, look at segments that waited for it, and tell of its end.

use observer_common::wire::{FLAG_FIN, FLAG_NOT_TLS, FLAG_RST};

use crate::detect::{HANDSHAKE, SERVER_HELLO};
use crate::emit::{Scratch, claim, release};
use crate::flow::{
    Direction, Flow, HEADER_LEN, Head, PHASE_NOT_TLS, PHASE_TLS, STATE_NONE, STATE_NOT_TLS, STATE_PLAIN,
};
use crate::maps::FLOWS;
use crate::observe::{Hook, Next};
use crate::packet::{FIN, Packet, RST};
use crate::recognise::remember_listener;
use crate::records::{PACKET_STEPS, STASH_STEPS, resynchronise, walk};
use crate::source::{PacketSource, Source, StashSource};
use crate::stash;

/// Walks the records of a packet that `observe` found to hold some, or goes on doing so.
#[inline(always)]
pub fn follow(hook: &Hook) -> Next {
    let Some(slot) = claim() else {
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
        let reached = walk::<_, PACKET_STEPS>(&source, start, head, own, peer.finished != 0, slot);
        let strange = own.state == STATE_NOT_TLS;
        if strange {
            slot.start(own.next);
        }
        if strange || slot.len() > 0 {
            slot.flush(head, own, 0, if strange { FLAG_NOT_TLS } else { 0 });
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
        close(packet, head, own, peer, slot);
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

/// Looks at the segments that waited for this packet.
#[inline(always)]
pub fn drain(hook: &Hook) -> Next {
    let Some(slot) = claim() else {
        return Next::Done;
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
    if more { Next::Drain } else { Next::Done }
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
    let more = drain_one(packet, head, own, peer.finished != 0, slot);
    if !more && ends {
        close(packet, head, own, peer, slot);
    }
    more
}

/// Walks one waiting segment; true if another may follow it.
#[inline(always)]
fn drain_one(
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
    let usable = known >= 0 || resynchronise(&source, begins, own);
    if usable && start < len {
        let reached = walk::<_, STASH_STEPS>(&source, start, head, own, peer_finished, slot);
        if slot.len() > 0 {
            slot.flush(head, own, 0, 0);
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
pub fn close(
    packet: &Packet,
    head: &mut Head,
    own: &mut Direction,
    peer: &mut Direction,
    slot: &mut Scratch,
) {
    let reset = packet.flags & RST != 0;
    if (head.phase == PHASE_TLS || head.phase == PHASE_NOT_TLS) && own.closed == 0 {
        slot.start(packet.seq.wrapping_add(packet.len));
        slot.flush(head, own, 0, if reset { FLAG_RST } else { FLAG_FIN });
    }
    own.closed = 1;
    // A packet with payload passes the other end's hook too, and would open the connection anew: such a one stays until
    // it is the least recently used.
    if (reset || peer.closed != 0) && packet.len == 0 {
        let _ = FLOWS.remove(&packet.key);
    }
}
