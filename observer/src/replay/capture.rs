//! Captures of whatever format, one packet after the other.

use std::fmt;
use std::io::Read;

use super::Packet;
use super::error::{Cause, ReadError};
use super::input::Input;
use super::pcap::Pcap;
use super::pcapng::PcapNg;

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// A capture that is being read. It holds a buffer of one mebibyte and the list of its interfaces, nothing more.
pub struct Capture<R: Read> {
    input: Input<R>,
    format: Format,
}

impl<R: Read> fmt::Debug for Capture<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture")
            .field("offset", &self.input.offset())
            .finish_non_exhaustive()
    }
}

impl<R: Read> Capture<R> {
    /// Tells the format by the first bytes, gzip'ed or not.
    ///
    /// # Errors
    /// When `reader` fails, or has no capture.
    pub fn new(reader: R) -> Result<Self, ReadError> {
        let mut input = Input::new(reader)?;
        if input.at_end()? {
            return Err(ReadError::new(0, Cause::Empty));
        }
        let format = if let Some(format) = PcapNg::begin(&mut input) {
            Format::PcapNg(format)
        } else if let Some(format) = Pcap::begin(&mut input)? {
            Format::Pcap(format)
        } else {
            return Err(ReadError::new(0, Cause::NotACapture));
        };
        Ok(Self { input, format })
    }

    /// The next packet; `None` at the end. After an error there is no next one.
    ///
    /// # Errors
    /// When the capture is damaged, is cut off, or cannot be read further.
    #[inline]
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, ReadError> {
        match &mut self.format {
            Format::Pcap(format) => format.next(&mut self.input),
            Format::PcapNg(format) => format.next(&mut self.input),
        }
    }

    /// The link type that all packets have: a pcap file's; pcapng has one for each interface.
    pub fn link_type(&self) -> Option<u16> {
        match &self.format {
            Format::Pcap(format) => Some(format.link_type),
            Format::PcapNg(_) => None,
        }
    }

    /// How many bytes were read, after decompression.
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }
}
