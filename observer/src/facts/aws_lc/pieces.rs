//! Certificate messages that come in pieces, because the peer cut them up into several records.

use bytes::Bytes;
use observer_common::hit::aws_lc::MAX_MESSAGE;

use crate::facts::hit::Hit;

/// Messages that wait for their rest at once: 4 MiB. Few peers cut a message up, and the rest follows at once.
const MAX_UNFINISHED: usize = 64;

/// Messages of which pieces have come.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// The latest last.
    unfinished: Vec<Unfinished>,
    /// Messages that were given up: pieces are missing, or there were too many of them.
    pub given_up: u64,
}

#[derive(Debug)]
struct Unfinished {
    /// The process, and its key.
    stream: (u32, u64),
    /// The connection.
    cookie: u64,
    /// Bytes that the whole message has.
    length: usize,
    bytes: Vec<u8>,
}

/// A piece that goes on from none, or of another connection than that.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DoesNotFit;

impl Pieces {
    /// Takes the piece from `offset` on of a message of `length` bytes, which was opened with a key for the socket of a
    /// cookie. Gives the message, if that was its last piece.
    ///
    /// # Errors
    /// When there are no bytes, or they do not go on where the last piece ended.
    pub fn take(
        &mut self,
        hit: &Hit<'_>,
        (key, cookie): (u64, u64),
        length: u64,
        offset: u64,
    ) -> Result<Option<Bytes>, DoesNotFit> {
        let stream = (hit.pid, key);
        let before = self.unfinished.iter().position(|one| one.stream == stream);
        let before = before.map(|at| self.unfinished.remove(at));
        let mut message = match (before, offset) {
            (before, 0) => {
                // A key's address is used again; the connection that had it before is gone.
                self.given_up += u64::from(before.is_some());
                Unfinished {
                    stream,
                    cookie,
                    length: usize::try_from(length).unwrap_or(usize::MAX),
                    bytes: Vec::new(),
                }
            }
            (Some(before), _) if before.bytes.len() as u64 == offset && before.cookie == cookie => before,
            _ => return Err(DoesNotFit),
        };
        let expected = message.length - message.bytes.len();
        if hit.bytes.is_empty() || hit.bytes.len() > expected || message.length > MAX_MESSAGE {
            return Err(DoesNotFit);
        }
        message.bytes.extend_from_slice(hit.bytes);
        if message.bytes.len() == message.length {
            return Ok(Some(message.bytes.into()));
        }
        if self.unfinished.len() == MAX_UNFINISHED {
            self.unfinished.remove(0);
            self.given_up += 1;
        }
        self.unfinished.push(message);
        Ok(None)
    }
}
