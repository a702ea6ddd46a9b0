//! Part of a packet: what was captured of it, and how long it was on the wire.

use super::PassedOver;

/// Bytes from some header on.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// What was captured; at most `wire` bytes.
    pub data: &'a [u8],
    /// Bytes on the wire.
    pub wire: usize,
}

impl<'a> View<'a> {
    pub fn new(data: &'a [u8], wire: usize) -> Self {
        Self { data, wire }.cut(wire)
    }

    /// The first `N` bytes.
    #[inline]
    pub fn head<const N: usize>(&self) -> Result<&'a [u8; N], PassedOver> {
        self.data.first_chunk().ok_or_else(|| self.missing(N))
    }

    /// The byte at `at`.
    #[inline]
    pub fn u8(&self, at: usize) -> Result<u8, PassedOver> {
        self.data.get(at).copied().ok_or_else(|| self.missing(at + 1))
    }

    /// The number in network byte order at `at`.
    #[inline]
    pub fn u16(&self, at: usize) -> Result<u16, PassedOver> {
        match self.data.get(at..).and_then(|rest| rest.first_chunk()) {
            Some(bytes) => Ok(u16::from_be_bytes(*bytes)),
            None => Err(self.missing(at + 2)),
        }
    }

    /// The number in network byte order at `at`.
    #[inline]
    pub fn u32(&self, at: usize) -> Result<u32, PassedOver> {
        match self.data.get(at..).and_then(|rest| rest.first_chunk()) {
            Some(bytes) => Ok(u32::from_be_bytes(*bytes)),
            None => Err(self.missing(at + 4)),
        }
    }

    /// What follows the first `count` bytes.
    #[inline]
    pub fn skip(&self, count: usize) -> Result<Self, PassedOver> {
        match self.data.get(count..) {
            Some(data) => Ok(Self {
                data,
                wire: self.wire - count,
            }),
            None => Err(self.missing(count)),
        }
    }

    /// The same with `wire` bytes on the wire: what is captured beyond them is padding.
    #[inline]
    pub fn cut(&self, wire: usize) -> Self {
        Self {
            data: self.data.get(..wire).unwrap_or(self.data),
            wire,
        }
    }

    /// Why the first `count` bytes are not there.
    #[cold]
    fn missing(&self, count: usize) -> PassedOver {
        if count > self.wire {
            PassedOver::Malformed
        } else {
            PassedOver::Truncated
        }
    }
}
