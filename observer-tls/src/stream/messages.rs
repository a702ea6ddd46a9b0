//! Joins handshake messages out of the payloads of plaintext records (RFC 8446, section 5.1): a record may hold several
//! messages, and a message may span records.

use bytes::Bytes;

use super::head::Head;
use super::{Item, ItemBody};
use crate::codepoints::HandshakeType;
use crate::handshake::Message;

/// Longest message that is read, body only: a chain of a few dozen large certificates. Longer ones are passed over.
pub const MAX_MESSAGE_BYTES: u32 = 128 * 1024;

/// Room made at once for a message that is not there as a whole; more only as the bytes come.
const FIRST_RESERVE: usize = 4096;

/// Where in the sequence of messages we are.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// In a message's header, or between two messages.
    #[default]
    Header,
    /// In the body of a message that is being kept.
    Body { typ: HandshakeType, length: usize },
    /// In the body of a message that is passed over.
    PassOver { remaining: usize },
    /// Somewhere; the next record may begin with a message.
    Lost,
}

/// The message being joined, of one direction.
#[derive(Debug, Default)]
pub(super) struct Messages {
    state: State,
    head: Head<4>,
    body: Vec<u8>,
    /// Time of the first byte of the message.
    time_ns: u64,
}

impl Messages {
    /// Takes payload bytes.
    pub(super) fn push(&mut self, mut data: &[u8], time_ns: u64, out: &mut Vec<Item>) {
        while !data.is_empty() {
            data = match self.state {
                State::Header => self.read_header(data, time_ns, out),
                State::Body { typ, length } => self.read_body(typ, length, data, out),
                State::PassOver { remaining } => {
                    let count = remaining.min(data.len());
                    self.pass(remaining - count);
                    data.get(count..).unwrap_or_default()
                }
                State::Lost => return,
            }
        }
    }

    /// Passes over `count` payload bytes that were not captured. `reported`: the caller has told of the gap.
    pub(super) fn pass_over(&mut self, count: usize, time_ns: u64, reported: bool, out: &mut Vec<Item>) {
        let remaining = match self.state {
            State::Lost => return,
            State::Header => 0,
            State::Body { length, .. } => length - self.body.len(),
            State::PassOver { remaining } => remaining,
        };
        // Bytes of a message that is passed over anyway are no news.
        let lost = count > remaining || matches!(self.state, State::Body { .. });
        if lost && !reported {
            out.push(Item {
                time_ns,
                body: gap(count),
            });
        }
        self.forget();
        if count > remaining {
            self.state = State::Lost;
        } else {
            self.pass(remaining - count);
        }
    }

    /// A record is over. Whether the next one goes on in a known place of the sequence.
    pub(super) fn end_record(&mut self) -> bool {
        if matches!(self.state, State::Lost) {
            self.forget();
            return false;
        }
        true
    }

    /// The next record cannot go on with the message being joined.
    pub(super) fn abandon(&mut self, time_ns: u64, out: &mut Vec<Item>) {
        if matches!(self.state, State::Body { .. }) || !self.head.is_empty() {
            out.push(Item {
                time_ns,
                body: gap(0),
            });
        }
        self.forget();
    }

    /// Drops the message being joined; the next byte begins a message.
    pub(super) fn forget(&mut self) {
        self.state = State::Header;
        self.head.clear();
        self.body = Vec::new();
    }

    /// Whether the next payload byte belongs to a message that has begun.
    pub(super) fn in_progress(&self) -> bool {
        !matches!(self.state, State::Header) || !self.head.is_empty()
    }

    pub(super) fn buffered(&self) -> usize {
        self.body.len()
    }

    fn read_header<'a>(&mut self, data: &'a [u8], time_ns: u64, out: &mut Vec<Item>) -> &'a [u8] {
        if self.head.is_empty() {
            self.time_ns = time_ns;
        }
        let rest = self.head.fill(data, 4);
        let Some([typ, a, b, c]) = self.head.complete() else {
            return rest;
        };
        self.head.clear();
        let length = u32::from_be_bytes([0, a, b, c]);
        if length > MAX_MESSAGE_BYTES {
            out.push(Item {
                time_ns: self.time_ns,
                body: ItemBody::Truncated,
            });
            self.pass(length as usize);
            return rest;
        }
        let (typ, length) = (HandshakeType(typ), length as usize);
        if let Some((body, rest)) = rest.split_at_checked(length) {
            self.emit(typ, &Bytes::copy_from_slice(body), out);
            return rest;
        }
        self.body.reserve_exact(length.min(FIRST_RESERVE.max(rest.len())));
        self.body.extend_from_slice(rest);
        self.state = State::Body { typ, length };
        &[]
    }

    fn read_body<'a>(
        &mut self,
        typ: HandshakeType,
        length: usize,
        data: &'a [u8],
        out: &mut Vec<Item>,
    ) -> &'a [u8] {
        let missing = length - self.body.len();
        let Some((last, rest)) = data.split_at_checked(missing) else {
            self.body.extend_from_slice(data);
            return &[];
        };
        self.body.extend_from_slice(last);
        let body = Bytes::from(std::mem::take(&mut self.body));
        self.state = State::Header;
        self.emit(typ, &body, out);
        rest
    }

    fn emit(&self, typ: HandshakeType, body: &Bytes, out: &mut Vec<Item>) {
        out.push(Item {
            time_ns: self.time_ns,
            body: ItemBody::Handshake {
                // Bodies are at most MAX_MESSAGE_BYTES long.
                length: body.len() as u32,
                message: Message::parse(typ, body),
            },
        });
    }

    fn pass(&mut self, remaining: usize) {
        self.state = if remaining == 0 {
            State::Header
        } else {
            State::PassOver { remaining }
        };
    }
}

/// A gap of `count` bytes.
pub(super) fn gap(count: usize) -> ItemBody {
    ItemBody::Gap {
        bytes: u32::try_from(count).unwrap_or(u32::MAX),
    }
}
