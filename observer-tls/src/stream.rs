//! One direction of a TCP stream: captured pieces in, in any order; messages, alerts and record headers out.
//!
//! Four steps: pieces are put in order (`pending`), the place where TLS begins is found (`search`), the record layer is
//! walked (`records`), handshake messages are joined (`messages`). Bytes that are not needed are passed over, not buffered: the payload of encrypted records is
//! only counted. In-order captured data is copied once, into the message it belongs to.

mod alerts;
mod head;
mod messages;
mod pending;
mod plausible;
mod prefix;
mod prologue;
mod records;
mod search;
mod ssl2;

#[cfg(test)]
mod tests;

pub use messages::MAX_MESSAGE_BYTES;
pub use pending::{MAX_FOREIGN_PENDING_BYTES, MAX_PENDING_BYTES, MAX_PENDING_PIECES};
pub use plausible::begins_hello;

use crate::alert::Alert;
use crate::codepoints::{ContentType, ProtocolVersion};
use crate::handshake::Message;
use pending::{Pending, Piece};
use records::Records;

/// One thing that was read, in stream order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// When the piece passed that carried the first byte of this message or record, in the nanoseconds given to
    /// [`Stream::push`]. For [`ItemBody::Gap`] the last piece before it.
    pub time_ns: u64,
    /// What it is.
    pub body: ItemBody,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemBody {
    /// A plaintext handshake message.
    Handshake {
        /// Length of its body in bytes, as its header says.
        length: u32,
        /// What it says.
        message: Message,
    },
    /// A plaintext alert.
    Alert(Alert),
    /// A ChangeCipherSpec record. In TLS 1.3 it means nothing (RFC 8446, appendix D.4).
    ChangeCipherSpec,
    /// A record of which only the header can be read.
    Opaque {
        /// The outer content type.
        content_type: ContentType,
        /// The record's version field.
        version: ProtocolVersion,
        /// Length of the payload in bytes.
        length: u16,
    },
    /// Something could not be read because bytes are missing; a message that was being joined is lost.
    Gap {
        /// How many bytes are missing; 0 when the record or message boundaries were lost otherwise.
        bytes: u32,
    },
    /// A message longer than [`MAX_MESSAGE_BYTES`] was left out.
    Truncated,
    /// A message of SSL 2.
    Ssl2 {
        /// Its length in bytes, from its type on.
        length: u32,
        /// What it says.
        message: crate::ssl2::Message,
    },
    /// The stream's first bytes are not TLS. It is told once; TLS may begin later, as after STARTTLS.
    NotTls,
}

/// Reassembles one direction of a connection.
///
/// Of a stream that begins with its SYN, [`Stream::skip_to`] names the first byte; pieces may then come in any order. Else
/// the first piece pushed is where reading begins, at a record or in the middle of one; after [`Stream::lost_before`], in
/// the middle of a TLS connection.
///
/// A piece is a TCP segment as captured: where one begins, TLS may begin. In a stream whose first bytes are not TLS, and in
/// one that begins in the middle of a record, a hello is looked for there and nowhere else, but for one behind a header of
/// the PROXY protocol, MySQL's request for TLS, or lines of text near the beginning.
#[derive(Debug, Default)]
pub struct Stream {
    /// Offset of the next byte to read. Its low 32 bits are the TCP sequence number.
    next: Option<u64>,
    pending: Pending,
    records: Records,
    conflicts: u32,
}

impl Stream {
    /// A stream of which nothing has been seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one piece: `data` begins at the TCP sequence number `seq`; the wire carried `wire_len` bytes from there,
    /// of which those beyond `data` were not captured. `time_ns` is when it passed.
    ///
    /// Where pieces overlap, the first copy wins. A piece beyond a hole waits until the hole is filled, given up
    /// ([`Stream::lost_before`], [`Stream::finish`]) or too much waits behind it.
    pub fn push(&mut self, seq: u32, data: &[u8], wire_len: u32, time_ns: u64, out: &mut Vec<Item>) {
        let data_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let wire_len = wire_len.max(data_len);
        if wire_len == 0 {
            return;
        }
        let next = *self.next.get_or_insert(first_offset(seq));
        let start = offset_of(seq, next);
        let end = start + u64::from(wire_len);
        if end <= next {
            // All of it was read before.
            return;
        }
        if start > next {
            let agrees = self.pending.insert(start, data, wire_len, time_ns);
            self.conflicts = self.conflicts.saturating_add(u32::from(!agrees));
            while self.pending.is_over_limit(self.max_pending_bytes()) {
                self.give_up_hole(out);
            }
            return;
        }
        let read_before = usize::try_from(next - start).unwrap_or(usize::MAX);
        self.feed(data.get(read_before..).unwrap_or_default(), end, time_ns, out);
        self.drain(out);
    }

    /// The bytes up to `seq` were left out on purpose and a record begins at `seq`: goes on there. This is no gap.
    /// Before the first piece it says where the stream begins. Pieces that wait before `seq` are read first.
    pub fn skip_to(&mut self, seq: u32, out: &mut Vec<Item>) {
        let Some(target) = self.read_pending_before(seq, out) else {
            return;
        };
        self.next = Some(target);
        self.records.begin_record(out);
        self.drain(out);
    }

    /// The bytes before `seq` that have not come never will: gives [`ItemBody::Gap`], reads the pieces that wait before
    /// `seq` and goes on at `seq`, where records may begin or not.
    pub fn lost_before(&mut self, seq: u32, out: &mut Vec<Item>) {
        let was_empty = self.next.is_none();
        let Some(target) = self.read_pending_before(seq, out) else {
            return;
        };
        let next = self.next.replace(target).unwrap_or(target);
        if target > next || was_empty {
            self.records.missing(target - next, out);
        }
        self.drain(out);
    }

    /// No more pieces will come: reads what waits beyond holes and frees all buffers.
    pub fn finish(&mut self, out: &mut Vec<Item>) {
        while !self.pending.is_empty() {
            self.give_up_hole(out);
        }
        self.records.finish(out);
    }

    /// The other direction is TLS, or begins to be. A stream that searches among foreign bytes then takes any record in
    /// plaintext for the beginning of TLS, where it would otherwise wait for a hello: a server may answer with an alert.
    pub fn expect_records(&mut self) {
        self.records.expect_records();
    }

    /// Whether what passes now is not TLS. It may be so after [`ItemBody::NotTls`], and after TLS has ended.
    pub fn is_foreign(&self) -> bool {
        self.records.is_foreign()
    }

    /// Pieces that contradicted an earlier copy of the same bytes. Only bytes that wait behind a hole can be compared;
    /// of those that were read, no copy is kept.
    pub fn conflicts(&self) -> u32 {
        self.conflicts
    }

    /// Whether pieces wait behind a hole, which may yet be filled.
    pub fn has_hole(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Captured bytes held: pieces beyond a hole and the message being joined.
    pub fn buffered(&self) -> usize {
        self.pending.bytes() + self.records.buffered()
    }

    /// The TCP sequence number of the next byte to read; `None` before the first piece.
    pub fn next_seq(&self) -> Option<u32> {
        // The offset's low 32 bits are the sequence number.
        self.next.map(|next| next as u32)
    }

    /// Reads the pieces that wait before `seq`, giving up the holes before them. Gives the offset of `seq`, or `None`
    /// when that was read already.
    fn read_pending_before(&mut self, seq: u32, out: &mut Vec<Item>) -> Option<u64> {
        let target = match self.next {
            Some(next) => offset_of(seq, next),
            None => first_offset(seq),
        };
        while self.pending.first_start().is_some_and(|start| start < target) {
            self.give_up_hole(out);
        }
        self.next.is_none_or(|next| next <= target).then_some(target)
    }

    /// Goes on at the first piece beyond the hole.
    fn give_up_hole(&mut self, out: &mut Vec<Item>) {
        let (Some(start), Some(next)) = (self.pending.first_start(), self.next) else {
            return;
        };
        if start > next {
            self.records.missing(start - next, out);
            self.next = Some(start);
        }
        self.drain(out);
    }

    /// Reads the pieces that wait no longer.
    fn drain(&mut self, out: &mut Vec<Item>) {
        while let Some(next) = self.next
            && let Some(Piece {
                data, end, time_ns, ..
            }) = self.pending.pop_ready(next)
        {
            self.feed(&data, end, time_ns, out);
        }
    }

    /// Reads the bytes from `next` to `end`, of which the first are `data`.
    fn feed(&mut self, data: &[u8], end: u64, time_ns: u64, out: &mut Vec<Item>) {
        let Some(next) = self.next else { return };
        self.records.captured(data, time_ns, out);
        self.records
            .elided((end - next).saturating_sub(data.len() as u64), out);
        self.next = Some(end);
    }

    /// Most captured bytes that may wait.
    fn max_pending_bytes(&self) -> usize {
        if self.is_foreign() {
            MAX_FOREIGN_PENDING_BYTES
        } else {
            MAX_PENDING_BYTES
        }
    }
}

/// The offset given to the first sequence number: far enough from 0 that earlier ones have an offset too.
fn first_offset(seq: u32) -> u64 {
    (1 << 32) | u64::from(seq)
}

/// The offset of `seq`, which lies within 2 GiB of `next` (RFC 9293, section 3.4).
fn offset_of(seq: u32, next: u64) -> u64 {
    let distance = seq.wrapping_sub(next as u32) as i32;
    next.saturating_add_signed(i64::from(distance))
}
