//! Segments that came too early. They wait in the kernel, where it is not yet known what of them may be copied.

use observer_common::FlowKey;
use observer_common::counters::Counter;

use crate::emit::{Scratch, bounded_length};
use crate::flow::Direction;
use crate::maps::{STASH, count};
use crate::packet::Packet;
use crate::source::Source;

/// Payload bytes of a segment that can be set aside: a full Ethernet segment and some.
pub const STASH_BYTES: usize = 2048;
/// Segments set aside for one direction; with more, the missing one will hardly come.
pub const MAX_STASHED: u8 = 48;

/// Which segment: its connection, direction and first sequence number.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StashKey {
    /// The connection.
    pub flow: FlowKey,
    /// Sequence number of the segment's first byte.
    pub seq: u32,
    /// Its direction.
    pub direction: u32,
}

/// A segment's payload.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StashedSegment {
    /// Its bytes.
    pub data: [u8; STASH_BYTES],
    /// How many of them count.
    pub len: u32,
    /// See [`crate::emit::bounded_offset`].
    pub cell: u32,
}

/// Sets a segment aside; false if that cannot be done.
#[inline(always)]
pub fn set_aside<S: Source>(
    packet: &Packet,
    source: &S,
    direction: &mut Direction,
    scratch: &mut Scratch,
) -> bool {
    let (area, cell) = scratch.area();
    let segment = area.cast::<StashedSegment>();
    if source.len() == 0 || source.len() > STASH_BYTES as u32 || direction.stashed >= MAX_STASHED {
        count(Counter::StashFailed);
        return false;
    }
    let len = bounded_length(cell, source.len()).min(STASH_BYTES as u64);
    let key = StashKey {
        flow: packet.key,
        seq: packet.seq,
        direction: u32::from(packet.direction),
    };
    // SAFETY: the scratch area is larger than a stashed segment and 8-aligned; it is ours while claimed.
    let stored = unsafe {
        (*segment).len = len as u32;
        (*segment).cell = 0;
        source.read(0, segment.cast(), len as u32) && STASH.insert(&key, &*segment, 0).is_ok()
    };
    if !stored {
        count(Counter::StashFailed);
        return false;
    }
    if direction.stashed == 0 || (packet.seq.wrapping_sub(direction.stash_lo) as i32) < 0 {
        direction.stash_lo = packet.seq;
    }
    direction.stashed += 1;
    true
}

/// The waiting segment that begins at `seq`.
#[inline(always)]
pub fn waiting(packet: &Packet, seq: u32) -> Option<(StashKey, *mut StashedSegment)> {
    let key = StashKey {
        flow: packet.key,
        seq,
        direction: u32::from(packet.direction),
    };
    STASH.get_ptr_mut(&key).map(|segment| (key, segment))
}

/// Forgets a waiting segment.
#[inline(always)]
pub fn forget_segment(key: &StashKey, direction: &mut Direction) {
    if STASH.remove(key).is_ok() && direction.stashed > 0 {
        direction.stashed -= 1;
    }
}
