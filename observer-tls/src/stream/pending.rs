//! Pieces that came before the bytes in front of them.

use std::collections::VecDeque;

use bytes::Bytes;

/// Captured bytes that may wait behind a hole: more than a TCP window usually lets pass before a retransmission, little
/// enough for thousands of connections.
pub const MAX_PENDING_BYTES: usize = 64 * 1024;

/// As [`MAX_PENDING_BYTES`], in a stream that is not TLS: enough for a hello and what follows it.
pub const MAX_FOREIGN_PENDING_BYTES: usize = 32 * 1024;

/// Pieces that may wait behind a hole: bounds what small ones cost beyond their bytes, about 100 bytes each.
pub const MAX_PENDING_PIECES: usize = 1024;

/// The bytes from `start` to `end`, of which the first are `data`.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) data: Bytes,
    pub(super) time_ns: u64,
}

/// Waiting pieces, by offset, without overlap.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pieces: VecDeque<Piece>,
    bytes: usize,
}

impl Pending {
    /// Adds what is new of a piece; bytes that wait already stay as they are. Whether they agree with those of the piece.
    pub(super) fn insert(&mut self, start: u64, data: &[u8], wire_len: u32, time_ns: u64) -> bool {
        let end = start + u64::from(wire_len);
        let agrees = self.agrees(start, end, data);
        let mut at = start;
        let mut index = self.pieces.partition_point(|piece| piece.end <= start);
        while at < end {
            let next = self.pieces.get(index).map(|piece| (piece.start, piece.end));
            let (until, resume) = match next {
                Some((piece_start, piece_end)) if piece_start < end => (piece_start, piece_end),
                _ => (end, end),
            };
            if at < until {
                let data = Bytes::copy_from_slice(part(data, at - start, until - start));
                self.bytes += data.len();
                self.pieces.insert(
                    index,
                    Piece {
                        start: at,
                        end: until,
                        data,
                        time_ns,
                    },
                );
                index += 1;
            }
            at = at.max(resume);
            index += 1;
        }
        agrees
    }

    /// Whether the bytes that wait agree with `data`, from `start` to `end`. A single byte in front of what is to be sent
    /// next may be anything: it keeps the connection alive (RFC 9293, section 3.8.4).
    fn agrees(&self, start: u64, end: u64, data: &[u8]) -> bool {
        let first = self.pieces.partition_point(|piece| piece.end <= start);
        end - start == 1
            || self
                .pieces
                .range(first..)
                .take_while(|piece| piece.start < end)
                .all(|piece| {
                    let from = start.max(piece.start);
                    let theirs = part(data, from - start, u64::MAX);
                    let ours = part(&piece.data, from - piece.start, u64::MAX);
                    theirs.iter().zip(ours).all(|(theirs, ours)| theirs == ours)
                })
    }

    /// The first piece, if it begins at `next`; what lies before `next` is cut off.
    pub(super) fn pop_ready(&mut self, next: u64) -> Option<Piece> {
        while self.first_start()? <= next {
            let mut piece = self.pieces.pop_front()?;
            self.bytes -= piece.data.len();
            if self.pieces.is_empty() {
                self.pieces = VecDeque::new();
            }
            if piece.end > next {
                let cut = usize::try_from(next - piece.start).unwrap_or(usize::MAX);
                piece.data = piece.data.slice(cut.min(piece.data.len())..);
                piece.start = next;
                return Some(piece);
            }
        }
        None
    }

    pub(super) fn first_start(&self) -> Option<u64> {
        self.pieces.front().map(|piece| piece.start)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(super) fn is_over_limit(&self, max_bytes: usize) -> bool {
        self.bytes > max_bytes || self.pieces.len() > MAX_PENDING_PIECES
    }

    /// Captured bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The captured part of `from..to`, counted from the beginning of `data`.
fn part(data: &[u8], from: u64, to: u64) -> &[u8] {
    let clamp = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
    data.get(clamp(from)..clamp(to)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(pending: &mut Pending) -> Vec<(u64, u64, Vec<u8>, u64)> {
        let mut pieces = Vec::new();
        while let Some(start) = pending.first_start() {
            let piece = pending.pop_ready(start).unwrap();
            pieces.push((piece.start, piece.end, piece.data.to_vec(), piece.time_ns));
        }
        pieces
    }

    #[test]
    fn the_first_copy_wins() {
        let mut pending = Pending::default();
        pending.insert(10, b"bb", 2, 1);
        pending.insert(14, b"dd", 2, 2);
        pending.insert(8, b"AABBCCDDEE", 10, 3);
        assert_eq!(pending.bytes(), 10);
        let expected = vec![
            (8, 10, b"AA".to_vec(), 3),
            (10, 12, b"bb".to_vec(), 1),
            (12, 14, b"CC".to_vec(), 3),
            (14, 16, b"dd".to_vec(), 2),
            (16, 18, b"EE".to_vec(), 3),
        ];
        assert_eq!(drained(&mut pending), expected);
        assert_eq!(pending.bytes(), 0);
    }

    #[test]
    fn a_repeated_piece_changes_nothing() {
        let mut pending = Pending::default();
        pending.insert(10, b"abcd", 4, 1);
        pending.insert(10, b"XXXX", 4, 2);
        pending.insert(11, b"YY", 2, 2);
        assert_eq!(drained(&mut pending), vec![(10, 14, b"abcd".to_vec(), 1)]);
    }

    #[test]
    fn bytes_that_were_not_captured_keep_their_place() {
        let mut pending = Pending::default();
        pending.insert(12, b"x", 1, 1);
        pending.insert(10, b"a", 5, 2);
        let expected = vec![
            (10, 12, b"a".to_vec(), 2),
            (12, 13, b"x".to_vec(), 1),
            (13, 15, Vec::new(), 2),
        ];
        assert_eq!(drained(&mut pending), expected);
    }

    #[test]
    fn what_was_read_in_between_is_cut_off() {
        let mut pending = Pending::default();
        pending.insert(10, b"abcd", 6, 1);
        pending.insert(20, b"z", 1, 1);
        let piece = pending.pop_ready(12).unwrap();
        assert_eq!(
            (piece.start, piece.end, piece.data.as_ref()),
            (12, 16, &b"cd"[..])
        );
        assert!(pending.pop_ready(16).is_none());
        assert!(pending.pop_ready(25).is_none());
        assert!(pending.is_empty());
    }
}
