//! The pcap format (draft-ietf-opsawg-pcap), in both byte orders, with microseconds and nanoseconds, and the form with
//! longer packet headers that some Linux distributions once wrote.

use super::error::{Cause, ReadError};
use super::input::Input;
use super::{ByteOrder, MAX_PACKET_BYTES, Packet};
use std::io::Read;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// Packet headers have 8 more bytes: interface, protocol and packet type.
const MODIFIED: u32 = 0xa1b2_cd34;

const FILE_HEADER_BYTES: usize = 24;
const PACKET_HEADER_BYTES: usize = 16;
const MODIFIED_HEADER_BYTES: usize = 24;

/// What a file's header tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pcap {
    order: ByteOrder,
    /// Nanoseconds in a unit of a packet's fraction of a second.
    fraction_ns: u32,
    header_bytes: usize,
    /// Files before version 2.3 have the packet's two lengths in the other order.
    lengths_swapped: bool,
    pub link_type: u16,
}

impl Pcap {
    /// Reads the file's header; `None` when the stream does not begin like one.
    pub fn begin(input: &mut Input<impl Read>) -> Result<Option<Self>, ReadError> {
        let Some(magic) = input.peek(4).first_chunk().copied() else {
            return Ok(None);
        };
        let found = ByteOrder::BOTH.into_iter().find_map(|order| {
            let (fraction_ns, header_bytes) = match order.u32(magic) {
                MICROSECONDS => (1000, PACKET_HEADER_BYTES),
                NANOSECONDS => (1, PACKET_HEADER_BYTES),
                MODIFIED => (1000, MODIFIED_HEADER_BYTES),
                _ => return None,
            };
            Some((order, fraction_ns, header_bytes))
        });
        let Some((order, fraction_ns, header_bytes)) = found else {
            return Ok(None);
        };
        let header = input.need(FILE_HEADER_BYTES)?;
        let version = (order.u16_at(header, 4), order.u16_at(header, 6));
        // The upper half tells of frame check sequences.
        let link_type = order.u32_at(header, 20) as u16;
        input.consume(FILE_HEADER_BYTES);
        Ok(Some(Self {
            order,
            fraction_ns,
            header_bytes,
            lengths_swapped: matches!(version, (2, 0..=2)),
            link_type,
        }))
    }

    /// The next packet; `None` at the end of the file.
    #[inline]
    pub fn next<'a>(&self, input: &'a mut Input<impl Read>) -> Result<Option<Packet<'a>>, ReadError> {
        if input.at_end()? {
            return Ok(None);
        }
        let header = input.need(self.header_bytes)?;
        let order = self.order;
        let seconds = order.u32_at(header, 0);
        let fraction = order.u32_at(header, 4);
        let mut captured = order.u32_at(header, 8);
        let mut wire_len = order.u32_at(header, 12);
        if self.lengths_swapped {
            std::mem::swap(&mut captured, &mut wire_len);
        }
        if captured as usize > MAX_PACKET_BYTES {
            return Err(ReadError::new(input.offset(), Cause::PacketLength(captured)));
        }
        let record = input.take(self.header_bytes + captured as usize)?;
        let data = record.get(self.header_bytes..).unwrap_or_default();
        Ok(Some(Packet {
            time_ns: u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * u64::from(self.fraction_ns),
            link_type: self.link_type,
            wire_len: wire_len.max(captured),
            data,
        }))
    }
}
