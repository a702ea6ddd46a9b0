//! Why a capture cannot be read to its end.

use std::io;

use super::link;

/// What is wrong, and where.
#[derive(Debug, thiserror::Error)]
#[error("{cause}{}", place(*offset))]
pub struct ReadError {
    /// Offset in the capture, after decompression.
    pub offset: u64,
    /// What is wrong there.
    pub cause: Cause,
}

impl ReadError {
    pub(super) fn new(offset: u64, cause: Cause) -> Self {
        Self { offset, cause }
    }
}

/// What is wrong at the very begin is wrong with all of it.
fn place(offset: u64) -> String {
    match offset {
        0 => String::new(),
        offset => format!(" (at byte {offset})"),
    }
}

/// What is wrong with a capture.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The system, or the source itself.
    #[error("{0}")]
    Io(io::Error),
    /// Broken compression.
    #[error("broken gzip data: {0}")]
    Gzip(String),
    /// Zstandard, which is not undone here.
    #[error("compressed with Zstandard; unpack it first: zstd -dc FILE | tls-observer replay -")]
    Zstandard,
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Not one of the known formats.
    #[error("not a capture file: neither pcap nor pcapng")]
    NotACapture,
    /// The end comes within something.
    #[error("the file ends in the middle of a packet or block")]
    CutOff,
    /// A packet longer than any that is captured.
    #[error("a packet claims {0} bytes, more than any capture holds")]
    PacketLength(u32),
    /// A pcapng block with an impossible length.
    #[error("a block claims a length of {0} bytes, which it cannot have")]
    BlockLength(u32),
    /// The two lengths of a pcapng block differ.
    #[error("a block's length is {first} at its begin and {last} at its end")]
    BlockEnd {
        /// The length before the block's contents.
        first: u32,
        /// The length behind them.
        last: u32,
    },
    /// A pcapng section header without a byte order magic.
    #[error("a section does not tell its byte order")]
    ByteOrder,
    /// A packet of an interface that was not described.
    #[error("a packet is of interface {0}, which the file does not describe")]
    Interface(u32),
    /// More interfaces than are kept.
    #[error("a section has more than {0} interfaces")]
    Interfaces(usize),
    /// Every packet has a link type that is not decoded.
    #[error("link type {0} ({name}) is not supported", name = link::name(*.0).unwrap_or("unknown"))]
    LinkType(u16),
}
