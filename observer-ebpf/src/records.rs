//! The walk over record headers that keeps application data in the kernel.
//!
//! It reads five bytes of each record and decides: handshake, alert and ChangeCipherSpec records are copied while they
//! are plaintext; of an encrypted record the header is told; once a direction is settled, only those of alerts and of
//! renegotiations are. Payload that is not copied is stepped over without being read.

use observer_common::counters::Counter;
use observer_common::limits::{MAX_CAPTURE, MAX_HANDSHAKE_BYTES, MAX_OPAQUE_HEADERS};
use observer_common::wire::{FLAG_GAP, FLAG_SKIPPED, FLAG_TRUNCATED};

use crate::detect::{
    ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEARTBEAT, Header, is_plain_hello,
};
use crate::emit::{Scratch, Step, forget};
use crate::flow::{
    Direction, HEADER_LEN, Head, STATE_NONE, STATE_NOT_TLS, STATE_OPAQUE, STATE_PLAIN, STATE_SETTLED,
};
use crate::maps::count;
use crate::source::Source;

/// Steps of one run over a packet: a record is a step, or two where its payload is copied. A packet with more is gone on
/// with by a tail call.
pub const PACKET_STEPS: u32 = 16;
/// Records of a settled direction that one run steps over. A segment of 64 KiB has four of full size.
pub const SETTLED_STEPS: u32 = 8;
/// Steps of one run over a segment that was set aside.
pub const STASH_STEPS: u32 = 8;

/// Payload bytes that one step copies at most, and the fill at which a piece is written: together they stay below
/// [`MAX_CAPTURE`], with room for a header.
const STEP_BYTES: u32 = 2048;
const FULL: u32 = MAX_CAPTURE as u32 - STEP_BYTES - 64;

/// The highest handshake type in use before encryption: certificate_status (RFC 6066, section 8).
const LAST_HANDSHAKE_TYPE: u8 = 22;

/// A record's header and payload are copied.
const COPY: u32 = 0;
/// Its header is told.
const TELL: u32 = 1;
/// Nothing of it is told.
const SKIP: u32 = 2;

/// Walks the records of `source` from payload offset `at`, which is where `direction.next` stands. Returns where it
/// stopped: the end of the payload, or earlier after `STEPS` steps. What it gathered last is still in `scratch`.
#[inline(always)]
pub fn walk<S: Source, const STEPS: u32>(
    source: &S,
    mut at: u32,
    head: &mut Head,
    direction: &mut Direction,
    peer_finished: bool,
    scratch: &mut Scratch,
) -> u32 {
    let end = source.len();
    for _ in 0..STEPS {
        if at >= end {
            break;
        }
        scratch.step = Step {
            flush: 0,
            beyond: 0,
            flags_after: 0,
        };
        let moved = step(source, at, end - at, direction, peer_finished, scratch);
        let moved = forget(&mut scratch.cell, moved);
        if moved == 0 {
            return end;
        }
        direction.next = direction.next.wrapping_add(moved);
        at += moved;
        if scratch.step.flush != 0 {
            scratch.flush(head, direction, scratch.step.beyond, 0);
        }
        direction.flags |= scratch.step.flags_after as u8;
    }
    at
}

/// One step: the payload of a record, or its header, as far as they are here. Returns how many bytes it took, 0 if the
/// rest of this payload cannot be used.
#[inline(always)]
fn step<S: Source>(
    source: &S,
    at: u32,
    available: u32,
    direction: &mut Direction,
    peer_finished: bool,
    scratch: &mut Scratch,
) -> u32 {
    if direction.left > 0 {
        let mut taken = direction.left.min(available);
        if direction.copying != 0 {
            taken = taken.min(STEP_BYTES);
            copy(source, at, taken, direction, scratch);
        }
        direction.left -= taken;
        return taken;
    }

    let held = u32::from(direction.partial_len);
    let mut bytes = [0u8; 8];
    let taken;
    if held == 0 && available >= HEADER_LEN {
        // SAFETY: `bytes` has room for five.
        if !unsafe { source.read(at, bytes.as_mut_ptr(), HEADER_LEN) } {
            count(Counter::LoadFailed);
            direction.lost = 1;
            return 0;
        }
        taken = HEADER_LEN;
    } else {
        // A header in pieces is rare: one byte a step keeps the program small.
        let Some(byte) = source.byte(at) else { return 0 };
        direction.partial[(held & 7) as usize] = byte;
        if held + 1 < HEADER_LEN {
            direction.partial_len += 1;
            return 1;
        }
        bytes[..5].copy_from_slice(&direction.partial[..5]);
        taken = 1;
    }
    direction.partial_len = 0;
    let header = Header::read(&bytes);
    if !header.plausible {
        lose(direction);
        return 0;
    }
    let taken = forget(&mut scratch.cell, taken);
    let fate = decide(
        source,
        at + taken,
        available - taken,
        &header,
        peer_finished,
        direction,
    );
    // From here on the ways of all kinds of records look alike to the verifier.
    let fate = forget(&mut scratch.cell, fate);
    direction.left = header.length;
    direction.copying = (fate == COPY) as u8;
    if fate == SKIP {
        // A piece that waits must not swallow what is left out.
        scratch.step.flush = (scratch.len() > 0) as u32;
        scratch.step.flags_after = FLAG_SKIPPED as u32;
        return taken;
    }
    if scratch.len() == 0 {
        scratch.start(direction.next.wrapping_sub(held));
    }
    scratch.append_header(&bytes);
    scratch.step.flush = (fate == TELL) as u32;
    scratch.step.beyond = header.length;
    taken
}

/// Copies payload of a plaintext record, within the budget of the connection.
#[inline(always)]
fn copy<S: Source>(source: &S, at: u32, len: u32, direction: &mut Direction, scratch: &mut Scratch) {
    if scratch.len() == 0 {
        scratch.start(direction.next);
    }
    direction.copied += len;
    if direction.copied > MAX_HANDSHAKE_BYTES {
        count(Counter::HandshakeTooLong);
    } else if scratch.append(source, at, len) {
        scratch.step.flush = (scratch.len() >= FULL) as u32;
        return;
    } else {
        count(Counter::LoadFailed);
    }
    direction.copying = 0;
    scratch.step.flush = (scratch.len() > 0) as u32;
    scratch.step.flags_after = (FLAG_TRUNCATED | FLAG_SKIPPED) as u32;
}

/// Steps over the records of a settled direction from payload offset `at` on, as long as there is nothing to tell. The
/// way of bulk traffic: it touches no scratch space and asks no helper but for headers. Returns where it stopped.
#[inline(always)]
pub fn step_over<S: Source>(source: &S, mut at: u32, direction: &mut Direction) -> u32 {
    let end = source.len();
    let mut bytes = [0u8; 8];
    for _ in 0..SETTLED_STEPS {
        if at >= end {
            break;
        }
        let available = end - at;
        if direction.left >= available {
            direction.left -= available;
            direction.next = direction.next.wrapping_add(available);
            return end;
        }
        let header_at = at + direction.left;
        // SAFETY: `bytes` has room for five.
        if end - header_at < HEADER_LEN || !unsafe { source.read(header_at, bytes.as_mut_ptr(), HEADER_LEN) }
        {
            break;
        }
        let header = Header::read(&bytes);
        if !header.plausible || header.content < APPLICATION_DATA {
            break;
        }
        direction.flags |= FLAG_SKIPPED;
        direction.next = direction.next.wrapping_add(header_at + HEADER_LEN - at);
        direction.left = header.length;
        at = header_at + HEADER_LEN;
    }
    at
}

/// Decides what becomes of a record, and notes what it says about its direction.
#[inline(always)]
fn decide<S: Source>(
    source: &S,
    payload: u32,
    available: u32,
    header: &Header,
    peer_finished: bool,
    direction: &mut Direction,
) -> u32 {
    // Two bytes are never an encrypted alert: the shortest cipher expansion is longer.
    if header.content == ALERT {
        return if header.length == 2 { COPY } else { TELL };
    }
    if direction.state == STATE_SETTLED {
        // Handshake records under encryption are a renegotiation.
        let renegotiates = header.content < APPLICATION_DATA && direction.opaque < u8::MAX;
        direction.opaque += renegotiates as u8;
        return if renegotiates { TELL } else { SKIP };
    }
    match header.content {
        CHANGE_CIPHER_SPEC => {
            direction.state = STATE_OPAQUE;
            if header.length == 1 { COPY } else { TELL }
        }
        HANDSHAKE if direction.state != STATE_OPAQUE => {
            direction.state = STATE_PLAIN;
            COPY
        }
        HANDSHAKE => {
            let mut peek = [0u8; 8];
            // SAFETY: `peek` has room for six.
            if available >= 6
                && unsafe { source.read(payload, peek.as_mut_ptr(), 6) }
                && is_plain_hello(&peek, header.length)
            {
                return COPY;
            }
            direction.finished = 1;
            tell_opaque(direction)
        }
        APPLICATION_DATA => {
            direction.state = STATE_OPAQUE;
            let fate = tell_opaque(direction);
            if peer_finished && direction.finished != 0 {
                direction.state = STATE_SETTLED;
            }
            fate
        }
        HEARTBEAT => tell_opaque(direction),
        _ => SKIP,
    }
}

/// One more encrypted record; after enough of them the direction is settled.
#[inline(always)]
fn tell_opaque(direction: &mut Direction) -> u32 {
    direction.opaque = direction.opaque.saturating_add(1);
    if direction.opaque >= MAX_OPAQUE_HEADERS {
        direction.state = STATE_SETTLED;
    }
    TELL
}

/// What stands where a record header should is none. A direction that never showed one does not speak TLS.
#[inline(always)]
fn lose(direction: &mut Direction) {
    direction.left = 0;
    if direction.state == STATE_NONE {
        direction.state = STATE_NOT_TLS;
        return;
    }
    direction.lost = 1;
    direction.flags |= FLAG_GAP;
    count(Counter::SyncLost);
}

/// Whether record boundaries can be found again at the start of this payload.
#[inline(always)]
pub fn resynchronise<S: Source>(source: &S, seq: u32, direction: &mut Direction) -> bool {
    direction.left = 0;
    direction.copying = 0;
    direction.partial_len = 0;
    direction.next = seq;
    direction.flags |= FLAG_GAP;
    if direction.lost == 0 {
        direction.lost = 1;
        count(Counter::SyncLost);
    }
    if source.len() < RESUME_BYTES {
        return false;
    }
    let mut bytes = [0u8; 16];
    // SAFETY: `bytes` has room for that many.
    if unsafe { source.read(0, bytes.as_mut_ptr(), RESUME_BYTES) } && may_resume_at(&bytes, direction.state) {
        direction.lost = 0;
        return true;
    }
    false
}

/// Bytes that [`may_resume_at`] wants to see.
const RESUME_BYTES: u32 = 9;

/// Whether a payload begins with a record, so surely that what follows may be taken for records again. Ciphertext can
/// look like a header by chance; as a handshake record, which would be copied, only with a message header behind it.
#[inline(always)]
fn may_resume_at(bytes: &[u8; 16], state: u8) -> bool {
    let header = Header::read(&[bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], 0, 0, 0]);
    if !header.plausible || header.length == 0 {
        return false;
    }
    if header.content == HANDSHAKE && state == STATE_PLAIN {
        let message = ((bytes[6] as u32) << 16) | ((bytes[7] as u32) << 8) | bytes[8] as u32;
        return bytes[5] <= LAST_HANDSHAKE_TYPE
            && message <= MAX_HANDSHAKE_BYTES
            && message + 4 <= header.length;
    }
    true
}
