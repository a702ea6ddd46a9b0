//! Reading a file that may be hostile: within its length, a piece at a time, and not more than a budget in all.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;

use object::pod::{Pod, bytes_of_slice, bytes_of_slice_mut, slice_from_bytes};

/// Bytes that may be read of one file in all, however large it is. The symbols and the string tables of the largest
/// programs are some hundred megabytes.
pub const MAX_READ: u64 = 1 << 30;

/// Bytes that may be read of a file in all beyond twice its length: tables that overlap in a hostile file would be read
/// again and again.
const READ_AGAIN: u64 = 1 << 20;

/// Bytes that are read at once and held in memory as one piece.
pub const MAX_PIECE: usize = 1 << 20;

/// Bytes of a chunk when a table is walked through; a multiple of all sizes of table entries in use.
const CHUNK: usize = 24 * 8 * 1024;

/// Why a file cannot be examined.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("reading {what}: {source}")]
    Io {
        /// What was being read.
        what: &'static str,
        /// What the system call said.
        source: io::Error,
    },
    /// It is no file that a processor of this kind runs: not ELF, not 64 bits, another processor.
    #[error("not a program for this kind of machine: {0}")]
    Unsupported(&'static str),
    /// A table is said to lie where the file has no bytes.
    #[error("{what}: {size} bytes at offset {offset} are beyond the end of the file ({length} bytes)")]
    Outside {
        /// What was to be read.
        what: &'static str,
        /// Where it is said to begin.
        offset: u64,
        /// How long it is said to be.
        size: u64,
        /// Length of the file.
        length: u64,
    },
    /// Something has more parts than is plausible.
    #[error("{what}: {count} are more than the limit of {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: u64,
        /// How many there may be.
        limit: u64,
    },
    /// More was to be read than [`MAX_READ`], or than tables that do not overlap can have.
    #[error("{what}: more would have to be read than the file can be worth")]
    Budget {
        /// What was to be read.
        what: &'static str,
    },
    /// Something contradicts its format.
    #[error("{what}: {why}")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Bytes that can be read at any offset: a file, or a slice in tests.
pub trait ReadAt {
    /// Length in bytes.
    ///
    /// # Errors
    /// What the system call says.
    fn length(&self) -> io::Result<u64>;

    /// Fills the buffer from `offset` on.
    ///
    /// # Errors
    /// What the system call says; `UnexpectedEof` where there are fewer bytes.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }
}

impl ReadAt for &[u8] {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let piece = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.get(offset..offset.checked_add(buffer.len())?))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(piece);
        Ok(())
    }
}

/// Bytes of a file, aligned so that the structures of a table can be seen in them.
#[derive(Debug)]
pub struct Piece {
    words: Vec<u64>,
    size: usize,
}

impl Piece {
    fn new(size: usize) -> Self {
        Self {
            words: vec![0; size.div_ceil(8)],
            size,
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        bytes_of_slice(&self.words).get(..self.size).unwrap_or_default()
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        bytes_of_slice_mut(&mut self.words)
            .get_mut(..self.size)
            .unwrap_or_default()
    }

    /// The bytes as entries of a table; bytes beyond the last whole entry are left out.
    pub fn entries<T: Pod>(&self) -> &[T] {
        entries(self.bytes())
    }
}

/// Bytes as entries of a table; bytes beyond the last whole entry are left out.
pub fn entries<T: Pod>(bytes: &[u8]) -> &[T] {
    // A walk's chunks are multiples of eight bytes in a buffer of words: alignment never fails.
    slice_from_bytes(bytes, bytes.len() / size_of::<T>()).map_or(&[], |(entries, _)| entries)
}

/// A file with its length and what is left of its budget.
pub struct Reader<'a> {
    source: &'a dyn ReadAt,
    length: u64,
    read: Cell<u64>,
}

impl<'a> Reader<'a> {
    /// A reader with the whole budget.
    ///
    /// # Errors
    /// When the length cannot be had.
    pub fn new(source: &'a dyn ReadAt) -> Result<Self, Error> {
        let length = source.length().map_err(|source| Error::Io {
            what: "length of the file",
            source,
        })?;
        Ok(Self {
            source,
            length,
            read: Cell::new(0),
        })
    }

    /// Length of the file in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        self.read.get()
    }

    /// `size` bytes at `offset`.
    ///
    /// # Errors
    /// When they are not within the file, more than [`MAX_PIECE`], beyond the budget or unreadable.
    pub fn piece(&self, what: &'static str, offset: u64, size: u64) -> Result<Piece, Error> {
        if size > MAX_PIECE as u64 {
            return Err(Error::TooMany {
                what,
                count: size,
                limit: MAX_PIECE as u64,
            });
        }
        let mut piece = Piece::new(size as usize);
        self.fill(what, offset, piece.bytes_mut())?;
        Ok(piece)
    }

    /// Shows `size` bytes from `offset` on in chunks. A chunk but the last is a multiple of 8, 16, 24 and 64 bytes; the
    /// closure gets where in the range it begins, and may break off.
    ///
    /// # Errors
    /// As [`piece`](Self::piece), but for its limit, and what the closure says.
    pub fn walk(
        &self,
        what: &'static str,
        offset: u64,
        size: u64,
        mut show: impl FnMut(u64, &[u8]) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        self.check(what, offset, size)?;
        let mut buffer = Piece::new(size.min(CHUNK as u64) as usize);
        let mut done = 0;
        while done < size {
            buffer.size = (size - done).min(CHUNK as u64) as usize;
            self.fill(what, offset + done, buffer.bytes_mut())?;
            if show(done, buffer.bytes())?.is_break() {
                break;
            }
            done += buffer.size as u64;
        }
        Ok(())
    }

    fn check(&self, what: &'static str, offset: u64, size: u64) -> Result<(), Error> {
        match offset.checked_add(size) {
            Some(end) if end <= self.length => Ok(()),
            _ => Err(Error::Outside {
                what,
                offset,
                size,
                length: self.length,
            }),
        }
    }

    fn fill(&self, what: &'static str, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        self.check(what, offset, buffer.len() as u64)?;
        let read = self.read.get() + buffer.len() as u64;
        if read > MAX_READ.min(self.length.saturating_mul(2).saturating_add(READ_AGAIN)) {
            return Err(Error::Budget { what });
        }
        self.read.set(read);
        self.source
            .read_exact_at(buffer, offset)
            .map_err(|source| Error::Io { what, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_must_lie_within_the_file() {
        let bytes: &[u8] = &[1, 2, 3, 4];
        let reader = Reader::new(&bytes).unwrap();
        assert_eq!(reader.piece("all", 1, 3).unwrap().bytes(), [2, 3, 4]);
        for (offset, size) in [(2, 3), (5, 0), (u64::MAX, 1), (u64::MAX, u64::MAX >> 50)] {
            let error = reader.piece("some", offset, size).unwrap_err();
            assert!(matches!(error, Error::Outside { length: 4, .. }), "{error}");
        }
    }

    #[test]
    fn a_walk_shows_all_bytes_once_and_in_whole_entries() {
        let bytes: Vec<u8> = (0..CHUNK * 2 + 40).map(|i| i as u8).collect();
        let slice = &bytes[..];
        let reader = Reader::new(&slice).unwrap();
        let mut seen: Vec<u8> = Vec::new();
        let size = bytes.len() as u64 - 16;
        let show = |at, chunk: &[u8]| {
            assert_eq!(at, seen.len() as u64);
            seen.extend(chunk);
            Ok(ControlFlow::Continue(()))
        };
        reader.walk("all", 16, size, show).unwrap();
        assert_eq!(seen, bytes[16..]);
        assert_eq!(CHUNK % (24 * 64), 0);
    }

    #[test]
    fn the_budget_is_for_all_reads_together() {
        /// A file without end.
        struct Endless;
        impl ReadAt for Endless {
            fn length(&self) -> io::Result<u64> {
                Ok(u64::MAX)
            }
            fn read_exact_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
                Ok(())
            }
        }
        let reader = Reader::new(&Endless).unwrap();
        let mut shown = 0;
        let walked = reader.walk("table", 0, u64::MAX, |_, chunk| {
            shown += chunk.len() as u64;
            Ok(ControlFlow::Continue(()))
        });
        assert!(matches!(walked, Err(Error::Budget { what: "table" })));
        assert!(shown <= MAX_READ && shown > MAX_READ - CHUNK as u64);
    }

    #[test]
    fn a_small_file_is_not_read_again_and_again() {
        let bytes = &vec![0; MAX_PIECE][..];
        let reader = Reader::new(&bytes).unwrap();
        let times = (0..)
            .take_while(|_| reader.piece("all", 0, MAX_PIECE as u64).is_ok())
            .count();
        assert_eq!(times, 3);
        assert_eq!(reader.read(), 3 * MAX_PIECE as u64);
    }
}
