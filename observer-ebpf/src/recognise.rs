//! For a connection that is not known to be TLS: is it now?

use observer_common::wire::FLAG_NOT_TLS;

use crate::detect::{CLIENT_HELLO, begins_tls, is_alert_record};
use crate::emit::{bounded_offset, claim, forget, release};
use crate::flow::{
    DETECT_LEN, Direction, Head, PHASE_CANDIDATE, PHASE_DETECT, PHASE_NEW, PHASE_NOT_TLS, PHASE_TLS,
};
use crate::maps::{FLOWS, LISTENERS, Listener};
use crate::observe::{Hook, namespace_scope};
use crate::packet::Packet;
use crate::source::{PacketSource, Source};
use crate::stash::set_aside;

/// Reads the beginning of a payload behind what detection held back. Returns how many bytes there are then, at most
/// [`DETECT_LEN`].
#[inline(always)]
fn peek(source: &PacketSource, own: &mut Direction) -> u32 {
    let held = forget(&mut own.cell, u32::from(own.partial_len)) & 15;
    let lacking = (DETECT_LEN as u32).saturating_sub(held).min(source.len());
    if lacking == 0 {
        return held;
    }
    let len = (bounded_offset(&mut own.cell, lacking - 1) & 15) + 1;
    // SAFETY: the offset is below 16, the length at most 16, and there is room for 32.
    let read = unsafe {
        source.read(
            0,
            (&raw mut own.partial).cast::<u8>().add(held as usize),
            len as u32,
        )
    };
    if read { held + len as u32 } else { held }
}

/// Whether the walk may go on with this packet. Notes what its bytes say of the connection, and forgets connections
/// that cannot become TLS any more.
#[inline(always)]
pub fn recognise(
    hook: &Hook,
    packet: &Packet,
    source: &PacketSource,
    head: &mut Head,
    own: &mut Direction,
    peer: &mut Direction,
) -> bool {
    if head.phase <= PHASE_DETECT && own.started != 0 && packet.seq != own.next {
        // Too early: it waits. Seen before: nothing to learn.
        if packet.seq.wrapping_sub(own.next) as i32 > 0
            && let Some(slot) = claim()
        {
            set_aside(packet, source, own, slot);
            release(slot);
        }
        return false;
    }
    let known = peek(source, own);
    let bytes = &own.partial;
    if begins_tls(bytes, known) {
        let tiny_record = known >= 6 && bytes[3] == 0 && u32::from(bytes[4]) < 6;
        if known == DETECT_LEN as u32 || tiny_record {
            head.phase = PHASE_TLS;
            head.client = if bytes[5] == CLIENT_HELLO {
                packet.direction
            } else {
                packet.direction ^ 1
            };
            own.started = 1;
            own.next = packet.seq;
            return true;
        }
        if head.phase <= PHASE_DETECT {
            own.partial_len = known as u8;
            own.started = 1;
            own.next = packet.seq.wrapping_add(packet.len);
        }
        return false;
    }
    own.partial_len = 0;
    not_tls(hook, packet, source, head, own, peer)
}

/// The bytes are not TLS: does that matter to anybody? On an address that speaks TLS it does, and where the server
/// answers with an alert.
#[inline(always)]
fn not_tls(
    hook: &Hook,
    packet: &Packet,
    source: &PacketSource,
    head: &mut Head,
    own: &mut Direction,
    peer: &mut Direction,
) -> bool {
    let from_opener = packet.direction == head.opener;
    if head.phase == PHASE_NEW && from_opener {
        head.phase = PHASE_CANDIDATE;
        if is_listener(packet) && !is_proxy_header(source) {
            report(hook, packet, head, own);
        }
        return false;
    }
    if from_opener && head.phase != PHASE_DETECT {
        return false;
    }
    if head.phase >= PHASE_CANDIDATE {
        let mut bytes = [0u8; 8];
        // SAFETY: `bytes` has room for seven.
        if source.len() >= 7 && unsafe { source.read(0, bytes.as_mut_ptr(), 7) } && is_alert_record(&bytes) {
            if head.phase == PHASE_CANDIDATE {
                report(hook, packet, head, peer);
            }
            return true;
        }
        if head.phase == PHASE_NOT_TLS {
            return false;
        }
    }
    // The server speaks first, or answers in the client's own protocol: whatever this is, it is not TLS now. Should it
    // become TLS later (STARTTLS), the ClientHello is found without this entry.
    let _ = FLOWS.remove(&packet.key);
    false
}

/// Tells that the client's first bytes are not TLS. None of them is copied.
#[inline(always)]
fn report(hook: &Hook, packet: &Packet, head: &mut Head, client: &mut Direction) {
    head.phase = PHASE_NOT_TLS;
    head.client = head.opener;
    let Some(slot) = claim() else { return };
    slot.begin(hook.ctx, packet, head, hook.cgroup);
    slot.of_direction(head.opener);
    slot.start(client.next);
    slot.flush(head, client, 0, FLAG_NOT_TLS);
    release(slot);
}

/// Whether the payload begins with a PROXY protocol header, version 1 or 2: TLS comes behind it.
#[inline(always)]
fn is_proxy_header(source: &PacketSource) -> bool {
    let mut bytes = [0u8; 8];
    // SAFETY: `bytes` has room for six.
    source.len() >= 6
        && unsafe { source.read(0, bytes.as_mut_ptr(), 6) }
        && (bytes[..6] == *b"PROXY " || bytes[..6] == *b"\r\n\r\n\0\r")
}

/// Notes that the sender of this packet speaks TLS.
#[inline(always)]
pub fn remember_listener(packet: &Packet) {
    let key = listener(packet, true);
    if LISTENERS.get_ptr(&key).is_none() {
        // A full map makes room by itself; a refusal costs one `not_tls` event at most, and no count of handshakes.
        let _ = LISTENERS.insert(&key, &1, 0);
    }
}

#[inline(always)]
fn is_listener(packet: &Packet) -> bool {
    LISTENERS.get_ptr(&listener(packet, false)).is_some()
}

/// The map key of the packet's sender, or of its receiver.
#[inline(always)]
fn listener(packet: &Packet, sender: bool) -> Listener {
    let key = &packet.key;
    let (addr, port) = if (packet.direction == observer_common::LO_TO_HI) == sender {
        (key.lo_addr, key.lo_port)
    } else {
        (key.hi_addr, key.hi_port)
    };
    Listener {
        scope: namespace_scope(key.scope),
        addr,
        port,
        pad: [0; 3],
    }
}
