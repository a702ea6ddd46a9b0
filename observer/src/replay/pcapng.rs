//! The pcapng format (draft-ietf-opsawg-pcapng): sections in either byte order, interfaces of different link types and
//! clocks, the three kinds of packet blocks. All other blocks are passed over, whatever their size.

use std::io::Read;

use super::error::{Cause, ReadError};
use super::input::Input;
use super::{ByteOrder, MAX_PACKET_BYTES, Packet};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Type and length in front of a block's contents.
const BLOCK_HEADER_BYTES: usize = 8;
/// The length again, behind a block's contents.
const BLOCK_TRAILER_BYTES: usize = 4;
const MIN_BLOCK_BYTES: u32 = 12;
/// How much of an interface description is searched for options.
const MAX_OPTIONS_BYTES: usize = 64 * 1024;
/// Interfaces that are kept of a section; those of a capture of a whole host are some dozens.
const MAX_INTERFACES: usize = 65_536;

const OPTION_END: u16 = 0;
const OPTION_TIME_RESOLUTION: u16 = 9;
const OPTION_TIME_OFFSET: u16 = 14;

/// What an interface description tells.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link_type: u16,
    /// Captured bytes of each packet at most; 0 for no limit.
    snap_length: u32,
    clock: Clock,
}

/// How an interface's time stamps count.
#[derive(Clone, Copy, Debug)]
struct Clock {
    unit: Unit,
    /// Nanoseconds to be added.
    offset_ns: i128,
}

/// What a time stamp counts, in terms of nanoseconds.
#[derive(Clone, Copy, Debug)]
enum Unit {
    /// So many nanoseconds.
    Multiple(u64),
    /// One of so many parts of a nanosecond.
    Part(u64),
    /// 2^-n seconds.
    Binary(u32),
}

impl Clock {
    /// Microseconds since the Unix epoch: what counts when nothing else is said.
    const USUAL: Self = Self {
        unit: Unit::Multiple(1000),
        offset_ns: 0,
    };

    #[inline]
    fn nanoseconds(self, stamp: u64) -> u64 {
        let since = match self.unit {
            Unit::Multiple(factor) => stamp.saturating_mul(factor),
            Unit::Part(parts) => stamp / parts,
            Unit::Binary(digits) => {
                let shifted = (u128::from(stamp) * 1_000_000_000) >> digits.min(127);
                u64::try_from(shifted).unwrap_or(u64::MAX)
            }
        };
        if self.offset_ns == 0 {
            return since;
        }
        let time = (i128::from(since) + self.offset_ns).max(0);
        u64::try_from(time).unwrap_or(u64::MAX)
    }
}

/// The unit that the value of the option `if_tsresol` stands for: 10^-n seconds, or 2^-n with the highest bit set.
fn unit(resolution: u8) -> Unit {
    let digits = u32::from(resolution & 0x7f);
    if resolution & 0x80 != 0 {
        Unit::Binary(digits)
    } else if digits <= 9 {
        Unit::Multiple(10_u64.pow(9 - digits))
    } else {
        Unit::Part(10_u64.checked_pow(digits - 9).unwrap_or(u64::MAX))
    }
}

/// A block whose contents are being read.
#[derive(Clone, Copy, Debug)]
struct Block {
    length: u32,
    /// Bytes that follow, with the trailer.
    left: u64,
}

/// The section that is being read.
#[derive(Debug)]
pub(super) struct PcapNg {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    /// The block that the last packet was in: what is left of it was not looked at yet.
    open: Option<Block>,
    /// For packets without a time of their own.
    last_time_ns: u64,
}

impl PcapNg {
    /// `None` when the stream does not begin with a section header.
    pub fn begin(input: &mut Input<impl Read>) -> Option<Self> {
        let begins = input.peek(4) == SECTION_HEADER.to_be_bytes();
        begins.then(|| Self {
            order: ByteOrder::Little,
            interfaces: Vec::new(),
            open: None,
            last_time_ns: 0,
        })
    }

    /// The next packet; `None` at the end of the file.
    #[inline]
    pub fn next<'a>(&mut self, input: &'a mut Input<impl Read>) -> Result<Option<Packet<'a>>, ReadError> {
        loop {
            if let Some(block) = self.open.take() {
                self.close(input, block)?;
            }
            if input.at_end()? {
                return Ok(None);
            }
            let at = input.offset();
            let header = input.need(BLOCK_HEADER_BYTES)?;
            let kind = self.order.u32_at(header, 0);
            if kind == SECTION_HEADER {
                self.section(input)?;
                continue;
            }
            let length = self.order.u32_at(header, 4);
            if length < MIN_BLOCK_BYTES || !length.is_multiple_of(4) {
                return Err(ReadError::new(at, Cause::BlockLength(length)));
            }
            input.consume(BLOCK_HEADER_BYTES);
            let mut block = Block {
                length,
                left: u64::from(length) - BLOCK_HEADER_BYTES as u64,
            };
            match kind {
                INTERFACE_DESCRIPTION => self.interface(input, &mut block)?,
                PACKET | SIMPLE_PACKET | ENHANCED_PACKET => return self.packet(input, kind, block).map(Some),
                _ => {}
            }
            self.close(input, block)?;
        }
    }

    /// Reads a section header. It tells the byte order, which its own length is in too.
    fn section(&mut self, input: &mut Input<impl Read>) -> Result<(), ReadError> {
        let at = input.offset();
        let header = input.need(BLOCK_HEADER_BYTES + 4)?;
        let magic = ByteOrder::BOTH
            .into_iter()
            .find(|order| order.u32_at(header, BLOCK_HEADER_BYTES) == BYTE_ORDER_MAGIC);
        let Some(order) = magic else {
            return Err(ReadError::new(at + BLOCK_HEADER_BYTES as u64, Cause::ByteOrder));
        };
        let length = order.u32_at(header, 4);
        if length < MIN_BLOCK_BYTES + 16 || !length.is_multiple_of(4) {
            return Err(ReadError::new(at, Cause::BlockLength(length)));
        }
        self.order = order;
        self.interfaces.clear();
        input.consume(BLOCK_HEADER_BYTES + 4);
        let left = u64::from(length) - BLOCK_HEADER_BYTES as u64 - 4;
        self.close(input, Block { length, left })
    }

    fn interface(&mut self, input: &mut Input<impl Read>, block: &mut Block) -> Result<(), ReadError> {
        let at = input.offset();
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(ReadError::new(at, Cause::Interfaces(MAX_INTERFACES)));
        }
        let contents = block.left as usize - BLOCK_TRAILER_BYTES;
        let body = input.take(contents.min(8 + MAX_OPTIONS_BYTES))?;
        block.left -= body.len() as u64;
        let Some((fixed, options)) = body.split_at_checked(8) else {
            return Err(ReadError::new(at, Cause::BlockLength(block.length)));
        };
        self.interfaces.push(Interface {
            link_type: self.order.u16_at(fixed, 0),
            snap_length: self.order.u32_at(fixed, 4),
            clock: clock(self.order, options),
        });
        Ok(())
    }

    #[inline]
    fn packet<'a>(
        &mut self,
        input: &'a mut Input<impl Read>,
        kind: u32,
        mut block: Block,
    ) -> Result<Packet<'a>, ReadError> {
        let at = input.offset();
        let impossible = || ReadError::new(at, Cause::BlockLength(block.length));
        let fixed_bytes: usize = if kind == SIMPLE_PACKET { 4 } else { 20 };
        let room = (block.left as usize - BLOCK_TRAILER_BYTES)
            .checked_sub(fixed_bytes)
            .ok_or_else(impossible)?;
        let fixed = input.need(fixed_bytes)?;
        let order = self.order;
        let number = match kind {
            ENHANCED_PACKET => order.u32_at(fixed, 0),
            PACKET => u32::from(order.u16_at(fixed, 0)),
            _ => 0,
        };
        let Some(interface) = self.interfaces.get(number as usize).copied() else {
            return Err(ReadError::new(at, Cause::Interface(number)));
        };
        let (captured, wire_len) = if kind == SIMPLE_PACKET {
            let wire_len = order.u32_at(fixed, 0);
            let limit = match interface.snap_length {
                0 => u32::MAX,
                limit => limit,
            };
            (wire_len.min(limit).min(room as u32), wire_len)
        } else {
            let stamp = u64::from(order.u32_at(fixed, 4)) << 32 | u64::from(order.u32_at(fixed, 8));
            self.last_time_ns = interface.clock.nanoseconds(stamp);
            (order.u32_at(fixed, 12), order.u32_at(fixed, 16))
        };
        if captured as usize > room {
            return Err(impossible());
        }
        if captured as usize > MAX_PACKET_BYTES {
            return Err(ReadError::new(at, Cause::PacketLength(captured)));
        }
        let bytes = fixed_bytes + captured as usize;
        let (time_ns, link_type) = (self.last_time_ns, interface.link_type);
        block.left -= bytes as u64;
        let record = input.take(bytes)?;
        self.open = Some(block);
        Ok(Packet {
            time_ns,
            link_type,
            wire_len: wire_len.max(captured),
            data: record.get(fixed_bytes..).unwrap_or_default(),
        })
    }

    /// Passes over what is left of a block, and checks that it ends where it should.
    #[inline]
    fn close(&self, input: &mut Input<impl Read>, block: Block) -> Result<(), ReadError> {
        input.skip(block.left - BLOCK_TRAILER_BYTES as u64)?;
        let at = input.offset();
        let last = self.order.u32_at(input.take(BLOCK_TRAILER_BYTES)?, 0);
        if last == block.length {
            return Ok(());
        }
        let first = block.length;
        Err(ReadError::new(at, Cause::BlockEnd { first, last }))
    }
}

/// The clock that an interface's options describe.
fn clock(order: ByteOrder, mut options: &[u8]) -> Clock {
    let mut clock = Clock::USUAL;
    while let Some((header, rest)) = options.split_at_checked(4) {
        let (code, length) = (order.u16_at(header, 0), usize::from(order.u16_at(header, 2)));
        let Some(value) = rest.get(..length) else { break };
        match (code, value) {
            (OPTION_END, _) => break,
            (OPTION_TIME_RESOLUTION, [resolution, ..]) => clock.unit = unit(*resolution),
            (OPTION_TIME_OFFSET, _) => {
                let seconds = value.first_chunk().map_or(0, |bytes| order.i64(*bytes));
                clock.offset_ns = i128::from(seconds) * 1_000_000_000;
            }
            _ => {}
        }
        options = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    clock
}
