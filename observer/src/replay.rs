//! Captures as a source: pcap and pcapng files go the same road as live traffic.
//!
//! - [`Capture`] reads packets out of any [`Read`], with a fixed buffer and without copying them;
//! - [`read`] does so with a closure;
//! - [`Decoder`] finds the TCP segments in packets, through tags, tunnels and fragments;
//! - [`Replay`] does it all: it drives a [`FlowTable`](crate::flows::FlowTable) with the segments and the capture's own
//!   time;
//! - [`verb`] is the command `replay`.
//!
//! Formats and link layers are read by code of our own. The crate `pcap-parser` holds a block whole, so that one with a
//! length that lies ends the reading or takes memory of that size; it makes a list of options for each packet block, reads
//! the modified form of pcap in one byte order alone, and does not say why the source failed. `etherparse` reads two of the
//! link types and none of the tunnels.

mod capture;
mod decode;
mod drive;
mod error;
mod fragments;
mod input;
mod ip;
mod layers;
mod link;
mod pcap;
mod pcapng;
mod tunnel;
pub mod verb;
mod view;
mod wifi;

#[cfg(test)]
mod tests;

use std::io::Read;

pub use capture::Capture;
pub use decode::{Counts, Decoder};
pub use drive::Replay;
pub use error::{Cause, ReadError};

/// Captured bytes of one packet at most, the limit of libpcap (`MAXIMUM_SNAPLEN`) and of Wireshark.
pub const MAX_PACKET_BYTES: usize = 262_144;

/// One packet of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// When it was captured, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// What it begins with: a `LINKTYPE_` number.
    pub link_type: u16,
    /// What was captured of it.
    pub data: &'a [u8],
    /// Its length on the wire in bytes, at least that of `data`.
    pub wire_len: u32,
}

/// Reads a whole capture.
///
/// # Errors
/// When the capture is damaged, is cut off, or cannot be read; `take` has had all packets before.
pub fn read(reader: impl Read, mut take: impl FnMut(Packet<'_>)) -> Result<(), ReadError> {
    let mut capture = Capture::new(reader)?;
    while let Some(packet) = capture.next_packet()? {
        take(packet);
    }
    Ok(())
}

/// Why a packet was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PassedOver {
    NotIp,
    NotTcp,
    /// The snap length has cut off headers.
    Truncated,
    /// Headers contradict themselves or the packet's length.
    Malformed,
    /// Too many headers within each other.
    Nesting,
    LinkType,
}

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    const BOTH: [Self; 2] = [Self::Little, Self::Big];

    #[inline]
    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    fn i64(self, bytes: [u8; 8]) -> i64 {
        match self {
            Self::Little => i64::from_le_bytes(bytes),
            Self::Big => i64::from_be_bytes(bytes),
        }
    }

    /// The number at `at`; 0 where `bytes` is too short, which callers have checked.
    #[inline]
    fn u32_at(self, bytes: &[u8], at: usize) -> u32 {
        let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| self.u32(*bytes))
    }

    /// The number at `at`; 0 where `bytes` is too short, which callers have checked.
    #[inline]
    fn u16_at(self, bytes: &[u8], at: usize) -> u16 {
        match (self, bytes.get(at..).and_then(|rest| rest.first_chunk())) {
            (_, None) => 0,
            (Self::Little, Some(bytes)) => u16::from_le_bytes(*bytes),
            (Self::Big, Some(bytes)) => u16::from_be_bytes(*bytes),
        }
    }
}
