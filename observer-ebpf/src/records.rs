//! The walk over record headers that keeps application data in the kernel.
//!
//! It reads five bytes of each record and decides: handshake, alert and ChangeCipherSpec records are copied while they
//! are plaintext; of an encrypted record the header is told; once a direction is settled, only alerts are. Payload that
//! is not copied is stepped over without being read.

use observer_common::counters::Counter;
use observer_common::limits::{MAX_CAPTURE, MAX_HANDSHAKE_BYTES, MAX_OPAQUE_HEADERS};
use observer_common::wire::{FLAG_GAP, FLAG_NOT_TLS, FLAG_SKIPPED, FLAG_TRUNCATED};

use crate::detect::{
    ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEARTBEAT, Header, is_plain_hello,
};
use crate::emit::Scratch;
use crate::flow::{
    Direction, HEADER_LEN, Head, STATE_IGNORED, STATE_NONE, STATE_OPAQUE, STATE_PLAIN, STATE_SETTLED,
};
use crate::maps::count;
use crate::source::Source;

/// Steps of one run over a packet: a record is a step, or two where its payload is copied. A packet with more is gone on
/// with by a tail call.
pub const PACKET_STEPS: u32 = 10;
/// Records of a settled direction that one run steps over. A segment of 64 KiB has four of full size.
pub const SETTLED_STEPS: u32 = 8;
/// Steps of one run over a segment that was set aside; the verifier finds these harder.
pub const STASH_STEPS: u32 = 4;

/// What becomes of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Header and payload are copied.
    Copy,
    /// The header is told.
    Tell,
    /// Nothing is told.
    Skip,
}

/// Walks the records of `source` from payload offset `at`, which is where `direction.next` stands. Returns where it
/// stopped: the end of the payload, or earlier after `STEPS` steps.
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
        if at >= end || direction.state == STATE_IGNORED {
            break;
        }
        let available = end - at;
        if direction.left > 0 {
            let mut step = direction.left.min(available);
            if direction.copying != 0 {
                if scratch.len() == 0 {
                    scratch.start(direction.next);
                }
                step = step.min(MAX_CAPTURE as u32 - scratch.len().min(MAX_CAPTURE as u32 - 1) - 1).max(1);
                let copied = copy_payload(source, at, step, direction, scratch);
                if !copied || scratch.len() >= MAX_CAPTURE as u32 - 64 {
                    scratch.flush_if_any(head, direction);
                }
                if !copied {
                    direction.copying = 0;
                    direction.flags |= FLAG_TRUNCATED | FLAG_SKIPPED;
                }
            }
            direction.left -= step;
            direction.next = direction.next.wrapping_add(step);
            at += step;
            continue;
        }

        let held = u32::from(direction.partial_len);
        let mut bytes = [0u8; 8];
        let after;
        if held == 0 && available >= HEADER_LEN {
            // SAFETY: `bytes` has room for five.
            if !unsafe { source.read(at, bytes.as_mut_ptr(), HEADER_LEN) } {
                count(Counter::LoadFailed);
                return end;
            }
            after = at + HEADER_LEN;
        } else {
            // A header in pieces is rare: one byte a step keeps the program small.
            let Some(byte) = source.byte(at) else { return end };
            direction.partial[(held & 7) as usize] = byte;
            if held + 1 < HEADER_LEN {
                direction.partial_len += 1;
                direction.next = direction.next.wrapping_add(1);
                at += 1;
                continue;
            }
            bytes[..5].copy_from_slice(&direction.partial[..5]);
            after = at + 1;
        }
        let header = Header::read(&bytes);
        if !header.plausible {
            scratch.flush_if_any(head, direction);
            lose(head, direction, scratch);
            at = end;
            break;
        }
        let fate = decide(source, after, end - after, &header, peer_finished, direction);
        direction.left = header.length;
        direction.copying = (fate == Fate::Copy) as u8;
        if fate == Fate::Skip {
            // A piece that waits must not swallow what is left out.
            scratch.flush_if_any(head, direction);
            direction.flags |= FLAG_SKIPPED;
        } else {
            if scratch.len() == 0 {
                scratch.start(direction.next.wrapping_sub(held));
            }
            scratch.append_header(&bytes);
            if fate == Fate::Tell {
                scratch.flush(head, direction, header.length, 0);
            }
        }
        direction.partial_len = 0;
        direction.next = direction.next.wrapping_add(after - at);
        at = after;
    }
    at
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
        if end - header_at < HEADER_LEN || !unsafe { source.read(header_at, bytes.as_mut_ptr(), HEADER_LEN) } {
            break;
        }
        let header = Header::read(&bytes);
        if !header.plausible || header.content == ALERT {
            break;
        }
        direction.flags |= FLAG_SKIPPED;
        direction.next = direction.next.wrapping_add(header_at + HEADER_LEN - at);
        direction.left = header.length;
        at = header_at + HEADER_LEN;
    }
    at
}

impl Scratch {
    /// Writes the piece if there is one.
    #[inline(always)]
    fn flush_if_any(&mut self, head: &mut Head, direction: &mut Direction) {
        if self.len() > 0 {
            self.flush(head, direction, 0, 0);
        }
    }
}

/// Copies payload of a plaintext record, within the budget of the connection; false if it could not.
#[inline(always)]
fn copy_payload<S: Source>(source: &S, at: u32, len: u32, direction: &mut Direction, scratch: &mut Scratch) -> bool {
    if direction.copied > MAX_HANDSHAKE_BYTES {
        count(Counter::HandshakeTooLong);
        return false;
    }
    direction.copied += len;
    scratch.append(source, at, len)
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
) -> Fate {
    // Two bytes are never an encrypted alert: the shortest cipher expansion is longer.
    if header.content == ALERT {
        return if header.length == 2 { Fate::Copy } else { Fate::Tell };
    }
    if direction.state == STATE_SETTLED {
        return Fate::Skip;
    }
    match header.content {
        CHANGE_CIPHER_SPEC => {
            direction.state = STATE_OPAQUE;
            if header.length == 1 { Fate::Copy } else { Fate::Tell }
        }
        HANDSHAKE if direction.state != STATE_OPAQUE => {
            direction.state = STATE_PLAIN;
            Fate::Copy
        }
        HANDSHAKE => {
            let mut peek = [0u8; 8];
            // SAFETY: `peek` has room for six.
            if available >= 6 && unsafe { source.read(payload, peek.as_mut_ptr(), 6) } && is_plain_hello(&peek, header.length)
            {
                return Fate::Copy;
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
        _ => Fate::Skip,
    }
}

/// One more encrypted record; after enough of them the direction is settled.
#[inline(always)]
fn tell_opaque(direction: &mut Direction) -> Fate {
    direction.opaque = direction.opaque.saturating_add(1);
    if direction.opaque >= MAX_OPAQUE_HEADERS {
        direction.state = STATE_SETTLED;
    }
    Fate::Tell
}

/// What stands where a record header should is none.
#[inline(always)]
fn lose(head: &mut Head, direction: &mut Direction, scratch: &mut Scratch) {
    direction.left = 0;
    direction.partial_len = 0;
    if direction.state == STATE_NONE {
        direction.state = STATE_IGNORED;
        scratch.start(direction.next);
        scratch.flush(head, direction, 0, FLAG_NOT_TLS);
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
    let mut bytes = [0u8; 8];
    // SAFETY: `bytes` has room for five.
    if source.len() < HEADER_LEN || !unsafe { source.read(0, bytes.as_mut_ptr(), HEADER_LEN) } {
        return false;
    }
    let header = Header::read(&bytes);
    if header.plausible && header.length > 0 {
        direction.lost = 0;
        return true;
    }
    false
}
