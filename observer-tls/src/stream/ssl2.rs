//! Records of SSL 2: what they look like, and their bytes joined over several pieces.

use bytes::Bytes;

use super::prefix::{Likeness, Prefix};
use crate::ssl2::{CLIENT_HELLO, CLIENT_MASTER_KEY, Message, SERVER_HELLO};

/// Longest record with a header of three bytes that is taken for one: padding is for encrypted records, and a hello is
/// far shorter.
const MAX_PADDED_HIGH: u8 = 3;

/// The header of a record.
#[derive(Clone, Copy, Debug)]
struct Header {
    /// Its own length.
    len: usize,
    /// Length of what follows.
    content: u16,
    /// How much of that is padding.
    padding: u8,
}

impl Header {
    fn parse(record: Prefix<'_>) -> Option<Self> {
        let length = record.u16(0)?;
        Some(match length & 0x8000 {
            0 => Self {
                len: 3,
                content: length & 0x3fff,
                padding: record.u8(2)?,
            },
            _ => Self {
                len: 2,
                content: length & 0x7fff,
                padding: 0,
            },
        })
    }

    /// Length of the message.
    fn message(self) -> usize {
        usize::from(self.content.saturating_sub(u16::from(self.padding)))
    }
}

/// Whether a hello of SSL 2 begins: each length is there and they add up. Needs 14 bytes.
pub(super) fn begins_ssl2_hello(data: &[u8]) -> Likeness {
    begins_message(data, |typ| matches!(typ, CLIENT_HELLO | SERVER_HELLO))
}

/// Whether the client's master key begins. Needs 13 bytes.
pub(super) fn begins_master_key(data: &[u8]) -> Likeness {
    begins_message(data, |typ| typ == CLIENT_MASTER_KEY)
}

fn begins_message(data: &[u8], wanted: impl Fn(u8) -> bool) -> Likeness {
    let record = Prefix(data);
    if record
        .u8(0)
        .is_some_and(|high| (MAX_PADDED_HIGH + 1..0x80).contains(&high))
    {
        return Likeness::No;
    }
    let Some(header) = Header::parse(record) else {
        return Likeness::Maybe;
    };
    let message = record.after(header.len);
    match message.u8(0) {
        Some(typ) if !wanted(typ) => Likeness::No,
        Some(CLIENT_HELLO) => Likeness::all([
            message
                .u16(1)
                .map(|version| matches!(version, 2 | 0x0300..=0x0304)),
            message.u16(3).map(|ciphers| ciphers > 0 && ciphers % 3 == 0),
            message.u16(5).map(|session_id| session_id <= 32),
            message.u16(7).map(|challenge| (16..=32).contains(&challenge)),
            adds_up(header, message, 3),
        ]),
        Some(CLIENT_MASTER_KEY) => Likeness::all([adds_up(header, message, 4)]),
        Some(SERVER_HELLO) => Likeness::all([
            message.u8(1).map(|session_id_hit| session_id_hit <= 1),
            message.u8(2).map(|certificate_type| certificate_type <= 1),
            message.u16(3).map(|version| version == 2),
            message.u16(7).map(|ciphers| ciphers % 3 == 0),
            message
                .u16(9)
                .map(|connection_id| (16..=32).contains(&connection_id)),
            adds_up(header, message, 5),
        ]),
        Some(_) => Likeness::No,
        None => Likeness::Maybe,
    }
}

/// Whether the three lengths at `at` and what is before and of them make up the message.
fn adds_up(header: Header, message: Prefix<'_>, at: usize) -> Option<bool> {
    let fields = [message.u16(at)?, message.u16(at + 2)?, message.u16(at + 4)?];
    let sum = at + 6 + fields.into_iter().map(usize::from).sum::<usize>();
    Some(sum == header.message())
}

/// A record being joined. At most 32 KiB, as its header has it.
#[derive(Debug, Default)]
pub(super) struct Join {
    bytes: Vec<u8>,
}

impl Join {
    /// Takes bytes up to the record's end. Gives the rest, and the message with its length once it is there.
    pub(super) fn push<'a>(&mut self, data: &'a [u8]) -> (&'a [u8], Option<(u32, Message)>) {
        let mut rest = data;
        while Header::parse(Prefix(&self.bytes)).is_none() {
            let Some((byte, after)) = rest.split_first() else {
                return (rest, None);
            };
            self.bytes.push(*byte);
            rest = after;
        }
        let Some(header) = Header::parse(Prefix(&self.bytes)) else {
            return (rest, None);
        };
        let end = header.len + usize::from(header.content);
        let missing = end.saturating_sub(self.bytes.len());
        let (part, rest) = rest.split_at_checked(missing).unwrap_or((rest, &[]));
        self.bytes.extend_from_slice(part);
        if self.bytes.len() < end {
            return (rest, None);
        }
        let record = Bytes::from(std::mem::take(&mut self.bytes));
        let message = record.slice(header.len..header.len + header.message());
        // Lengths have 15 bits.
        (rest, Some((message.len() as u32, Message::parse(&message))))
    }

    /// Drops what is there.
    pub(super) fn forget(&mut self) {
        self.bytes = Vec::new();
    }

    pub(super) fn buffered(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::*;

    #[test]
    fn messages_are_known_by_their_first_bytes() {
        let hellos = [
            ssl2_client_hello(0x0301),
            ssl2_server_hello(),
            ssl2_padded_client_hello(),
        ];
        for hello in &hellos {
            assert_eq!(begins_ssl2_hello(&hello[..14]), Likeness::Yes);
            assert_eq!(begins_ssl2_hello(&hello[..8]), Likeness::Maybe);
            assert_eq!(begins_master_key(hello), Likeness::No);
        }
        assert_eq!(begins_master_key(&ssl2_master_key()[..13]), Likeness::Yes);
        assert_eq!(begins_ssl2_hello(&ssl2_master_key()), Likeness::No);
        for at in [0, 1, 2, 3, 4, 6, 7, 9] {
            let mut broken = ssl2_client_hello(0x0301);
            broken[at] ^= 0x41;
            assert_eq!(begins_ssl2_hello(&broken), Likeness::No, "byte {at}");
        }
    }

    #[test]
    fn joined_over_pieces_padding_is_left_out() {
        let hello = ssl2_padded_client_hello();
        let mut join = Join::default();
        for byte in &hello[..hello.len() - 1] {
            assert_eq!(join.push(&[*byte]), (&[][..], None));
        }
        let last = [hello[hello.len() - 1], 22];
        let (rest, message) = join.push(&last);
        let (length, message) = message.unwrap();
        assert_eq!(rest, [22]);
        assert_eq!(length as usize, ssl2_client_hello(0x0301).len() - 2);
        assert_eq!(
            message,
            Message::parse(&Bytes::from(ssl2_client_hello(0x0301)).slice(2..))
        );
        assert_eq!(join.buffered(), 0);
    }
}
