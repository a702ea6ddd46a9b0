//! How fuzz inputs are read: a byte string as a script of pieces of a TCP stream.
//!
//! The form is compact, so that a mutation changes one thing, and plain, so that seeds can be written
//! (`examples/seeds.rs`). A script that ends early just ends.

use observer_tls::stream::{Item, ItemBody, Stream};
use tls_observer::observation::Observation;
use tls_observer::output::event::{Event, EventOptions};

/// Far more than a segment can hold, and far from the 2 GiB at which sequence numbers lose their order.
const MAX_ELIDED: u32 = (1 << 24) - 1;

/// Where a piece begins.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// Behind the piece before it.
    Next,
    /// So far from there.
    Offset(i32),
    /// At a sequence number.
    At(u32),
}

impl Start {
    /// The sequence number, when `next` follows the piece before.
    pub fn seq(self, next: u32) -> u32 {
        match self {
            Self::Next => next,
            Self::Offset(distance) => next.wrapping_add_signed(distance),
            Self::At(seq) => seq,
        }
    }
}

/// One piece of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Where it begins.
    pub start: Start,
    /// The captured bytes.
    pub data: &'a [u8],
    /// Bytes behind them that were not captured.
    pub elided: u32,
    /// Two bits for the target to use.
    pub action: u8,
}

impl Piece<'_> {
    /// Bytes on the wire.
    pub fn wire_len(&self) -> u32 {
        u32::try_from(self.data.len())
            .unwrap_or(u32::MAX)
            .saturating_add(self.elided)
    }
}

/// Bits of a piece's first byte. The lowest two tell the form of its start: nothing, one byte and two bytes signed, or
/// four bytes.
pub mod shape {
    /// One byte of start.
    pub const OFFSET8: u8 = 1;
    /// Two bytes of start.
    pub const OFFSET16: u8 = 2;
    /// Four bytes of start.
    pub const AT: u8 = 3;
    /// One byte tells how many bytes were not captured.
    pub const ELIDED8: u8 = 1 << 2;
    /// Four bytes tell it, of which the upper one is passed over.
    pub const ELIDED32: u8 = 1 << 3;
    /// The length of the data takes two bytes, else one.
    pub const LONG: u8 = 1 << 4;
    /// Where [`super::Piece::action`] stands.
    pub const ACTION_SHIFT: u8 = 6;
}

/// What is left of an input.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a>(pub &'a [u8]);

impl<'a> Script<'a> {
    /// The next byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    /// The next two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next four bytes.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next piece.
    pub fn piece(&mut self) -> Option<Piece<'a>> {
        let shape = self.u8()?;
        let start = match shape & 3 {
            shape::OFFSET8 => Start::Offset(i32::from(self.array().map(i8::from_be_bytes)?)),
            shape::OFFSET16 => Start::Offset(i32::from(self.array().map(i16::from_be_bytes)?)),
            shape::AT => Start::At(self.u32()?),
            _ => Start::Next,
        };
        let elided = match (shape & shape::ELIDED8, shape & shape::ELIDED32) {
            (0, 0) => 0,
            (_, 0) => u32::from(self.u8()?),
            _ => self.u32()? & MAX_ELIDED,
        };
        let length = match shape & shape::LONG {
            0 => usize::from(self.u8()?),
            _ => usize::from(self.u16()?),
        };
        Some(Piece {
            start,
            data: self.take(length),
            elided,
            action: shape >> shape::ACTION_SHIFT,
        })
    }

    /// The next `count` bytes, or as many as there are.
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}

/// Reads one direction of a connection, from its SYN on, from its pieces in their order.
pub fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<ItemBody> {
    let mut stream = Stream::new();
    let mut items = Vec::new();
    let mut seq = 0_u32;
    stream.skip_to(seq, &mut items);
    for piece in pieces {
        let length = piece.len() as u32;
        stream.push(seq, piece, length, 0, &mut items);
        seq = seq.wrapping_add(length);
    }
    bodies(items)
}

/// Holds what was read of a stream in pieces, `cut`, against what was read of it in one, `whole`: it must be the same.
/// Only in a stream that does not begin with TLS the pieces count, for there TLS may begin where a piece does.
pub fn assert_same(whole: &[ItemBody], cut: &[ItemBody]) {
    if whole.contains(&ItemBody::NotTls) {
        assert!(cut.contains(&ItemBody::NotTls), "whole {whole:?}, cut {cut:?}");
    } else {
        assert_eq!(whole, cut);
    }
}

/// What was read, without when.
pub fn bodies(items: Vec<Item>) -> Vec<ItemBody> {
    items.into_iter().map(|item| item.body).collect()
}

/// The JSON events of these observations, which each can be one.
pub fn events(seen: &[Observation]) -> Vec<String> {
    let options = EventOptions {
        certificate_chain: true,
    };
    let lines = seen.iter().map(|seen| {
        let line = serde_json::to_string(&Event::new(seen, options)).expect("an event is JSON");
        assert!(!line.contains('\n'));
        line
    });
    lines.collect()
}
