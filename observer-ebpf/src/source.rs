//! Where the walk reads payload from: the packet at hand, or a segment that was set aside.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::helpers::generated;
use aya_ebpf::programs::SkBuffContext;

use crate::emit::bounded_offset;
use crate::stash::{STASH_BYTES, StashedSegment};

/// Payload bytes addressed from 0.
pub trait Source {
    /// Payload length in bytes.
    fn len(&self) -> u32;
    /// Copies `len` bytes from `at` to `to`; false if they are not there.
    ///
    /// # Safety
    /// `to` must be valid for writes of `len` bytes.
    unsafe fn read(&self, at: u32, to: *mut u8, len: u32) -> bool;

    /// The byte at `at`.
    #[inline(always)]
    fn byte(&self, at: u32) -> Option<u8> {
        let mut byte = 0u8;
        // SAFETY: `byte` is one writable byte.
        unsafe { self.read(at, &mut byte, 1) }.then_some(byte)
    }
}

/// The TCP payload of a packet.
pub struct PacketSource<'a> {
    /// The packet.
    pub ctx: &'a SkBuffContext,
    /// Offset of the payload.
    pub base: u32,
    /// Its length.
    pub len: u32,
}

/// Reads from a packet wherever its bytes are, linear or in fragments.
///
/// # Safety
/// `to` must be valid for writes of `len` bytes.
#[inline(always)]
pub unsafe fn load(ctx: &SkBuffContext, at: u32, to: *mut u8, len: u32) -> bool {
    // SAFETY: the context is the program's own; the caller vouches for `to`.
    unsafe { generated::bpf_skb_load_bytes(ctx.as_ptr(), at, to.cast(), len) == 0 }
}

impl Source for PacketSource<'_> {
    #[inline(always)]
    fn len(&self) -> u32 {
        self.len
    }

    #[inline(always)]
    unsafe fn read(&self, at: u32, to: *mut u8, len: u32) -> bool {
        // SAFETY: the caller vouches for `to`.
        unsafe { load(self.ctx, self.base + at, to, len) }
    }
}

/// A segment that waits in the map `STASH`.
pub struct StashSource {
    /// The map value.
    pub segment: *mut StashedSegment,
    /// Its length.
    pub len: u32,
}

impl Source for StashSource {
    #[inline(always)]
    fn len(&self) -> u32 {
        self.len
    }

    #[inline(always)]
    unsafe fn read(&self, at: u32, to: *mut u8, len: u32) -> bool {
        // SAFETY: offset and length are cut to what the map value holds; a value that is evicted meanwhile is reused for
        // another segment of the same size, never unmapped.
        unsafe {
            let cell = &mut (*self.segment).cell;
            let at = bounded_offset(cell, at) & (STASH_BYTES as u64 - 1);
            let from = (&raw const (*self.segment).data).cast::<u8>().add(at as usize);
            generated::bpf_probe_read_kernel(to.cast(), len, from.cast()) == 0
        }
    }
}
