//! The end of a piece, kept until the next one tells what it begins.

use super::super::head::Head;

/// Bytes that are enough to judge by in any case.
pub(super) const ENOUGH: usize = 16;

/// Bytes of earlier pieces, each with the time of its piece, that may begin something together with the next one.
#[derive(Debug, Default)]
pub(in super::super) struct Carry {
    pub(super) bytes: Head<ENOUGH>,
    pub(super) times: [u64; ENOUGH],
    /// Bit n: something may begin at byte n.
    places: u32,
}

impl Carry {
    /// The bytes with their times.
    pub(in super::super) fn iter(&self) -> impl Iterator<Item = (u8, u64)> {
        self.bytes.as_slice().iter().copied().zip(self.times)
    }

    /// Adds the bytes of a piece. `everywhere`: something may begin at each of them, not only at the first.
    pub(super) fn add(&mut self, data: &[u8], time_ns: u64, everywhere: bool) {
        let from = self.bytes.len();
        self.bytes.fill(data, ENOUGH);
        for time in self.times.iter_mut().take(self.bytes.len()).skip(from) {
            *time = time_ns;
        }
        let count = if everywhere { self.bytes.len() - from } else { 1 };
        self.places |= ((1 << count) - 1) << from;
    }

    /// Drops the first `count` bytes.
    pub(super) fn drop_first(&mut self, count: usize) {
        for _ in 0..count {
            self.bytes.shift();
        }
        self.times.rotate_left(count.min(ENOUGH));
        self.places >>= count;
    }

    pub(super) fn may_begin_at(&self, at: usize) -> bool {
        self.places >> at & 1 == 1
    }
}
