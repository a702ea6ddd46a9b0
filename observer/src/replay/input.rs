//! A stream of bytes behind one fixed buffer: whatever a length in a file claims, no more than the buffer is held.

use std::io::{self, BufReader, Chain, Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

use super::error::{Cause, ReadError};

/// Size of the buffer. Several times [`super::MAX_PACKET_BYTES`], so that what has to be moved to its front is little
/// beside what is read; small enough to stay in a processor's cache.
const BUFFER_BYTES: usize = 4 * super::MAX_PACKET_BYTES;
/// Most bytes asked of the source at once.
const READ_BYTES: usize = 256 * 1024;
/// Compressed bytes read at once. What the decoder has made of such a piece is lost when it finds damage in it, so it is
/// small.
const COMPRESSED_BYTES: usize = 8 * 1024;
/// The first bytes of a gzip member (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The first bytes of a Zstandard frame (RFC 8878, section 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The bytes that a source begins with, and then the rest of it.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Where bytes come from.
enum Source<R: Read> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<BufReader<Whole<R>>>>),
}

/// The stream, uncompressed.
pub(super) struct Input<R: Read> {
    source: Source<R>,
    buffer: Box<[u8]>,
    /// The bytes that are read and not consumed: `buffer[start..end]`.
    start: usize,
    end: usize,
    /// Offset in the stream of `buffer[start]`.
    offset: u64,
    /// Why nothing more can be read. Kept until the bytes before it are consumed.
    failure: Option<io::Error>,
}

impl<R: Read> Input<R> {
    /// Begins to read; gzip is undone.
    pub fn new(mut reader: R) -> Result<Self, ReadError> {
        let mut magic = Vec::with_capacity(ZSTD_MAGIC.len());
        let begun = reader
            .by_ref()
            .take(ZSTD_MAGIC.len() as u64)
            .read_to_end(&mut magic);
        begun.map_err(|error| ReadError::new(0, Cause::Io(error)))?;
        if magic == ZSTD_MAGIC {
            return Err(ReadError::new(0, Cause::Zstandard));
        }
        let compressed = magic.starts_with(&GZIP_MAGIC);
        let whole = Cursor::new(magic).chain(reader);
        let source = if compressed {
            let compressed = BufReader::with_capacity(COMPRESSED_BYTES, whole);
            Source::Gzip(Box::new(MultiGzDecoder::new(compressed)))
        } else {
            Source::Plain(whole)
        };
        Ok(Self {
            source,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            offset: 0,
            failure: None,
        })
    }

    /// Offset of the next byte in the uncompressed stream.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next bytes, `wanted` of them or what is left; `wanted` is at most [`BUFFER_BYTES`]. They are not consumed.
    #[inline]
    pub fn peek(&mut self, wanted: usize) -> &[u8] {
        if self.end - self.start < wanted {
            self.fill(wanted);
        }
        let end = self.end.min(self.start + wanted);
        &self.buffer[self.start..end]
    }

    /// The next `wanted` bytes, not consumed.
    ///
    /// # Errors
    /// When the stream ends or fails before.
    #[inline]
    pub fn need(&mut self, wanted: usize) -> Result<&[u8], ReadError> {
        if self.end - self.start < wanted {
            self.fill(wanted);
            if self.end - self.start < wanted {
                return Err(self.stopped());
            }
        }
        Ok(&self.buffer[self.start..self.start + wanted])
    }

    /// Whether the stream is over, without a failure.
    ///
    /// # Errors
    /// When it failed here.
    pub fn at_end(&mut self) -> Result<bool, ReadError> {
        if !self.peek(1).is_empty() {
            return Ok(false);
        }
        match self.failure {
            Some(_) => Err(self.stopped()),
            None => Ok(true),
        }
    }

    /// Passes over bytes that [`Self::peek`] or [`Self::need`] has shown.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// The next `wanted` bytes, consumed.
    ///
    /// # Errors
    /// When the stream ends or fails before.
    #[inline]
    pub fn take(&mut self, wanted: usize) -> Result<&[u8], ReadError> {
        self.need(wanted)?;
        self.consume(wanted);
        Ok(&self.buffer[self.start - wanted..self.start])
    }

    /// Passes over any number of bytes.
    ///
    /// # Errors
    /// When the stream ends or fails before.
    pub fn skip(&mut self, mut count: u64) -> Result<(), ReadError> {
        while count > 0 {
            let part = usize::try_from(count).unwrap_or(usize::MAX).min(READ_BYTES);
            let there = self.peek(part).len();
            if there == 0 {
                return Err(self.stopped());
            }
            self.consume(there);
            count -= there as u64;
        }
        Ok(())
    }

    /// Reads until `wanted` bytes are there, or nothing more comes.
    #[cold]
    fn fill(&mut self, wanted: usize) {
        if self.start + wanted.max(READ_BYTES) > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end - self.start < wanted && self.failure.is_none() {
            let room = self.buffer.len().min(self.end + READ_BYTES);
            let read = match &mut self.source {
                Source::Plain(source) => source.read(&mut self.buffer[self.end..room]),
                Source::Gzip(source) => source.read(&mut self.buffer[self.end..room]),
            };
            match read {
                Ok(0) => return,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => self.failure = Some(error),
            }
        }
    }

    /// Why fewer bytes are there than were needed.
    fn stopped(&mut self) -> ReadError {
        let offset = self.offset + (self.end - self.start) as u64;
        let gzip = matches!(self.source, Source::Gzip(_));
        let cause = match self.failure.take() {
            Some(error) if gzip && error.kind() == ErrorKind::UnexpectedEof => Cause::CutOff,
            Some(error) if gzip && error.raw_os_error().is_none() => Cause::Gzip(error.to_string()),
            Some(error) => Cause::Io(error),
            None => Cause::CutOff,
        };
        ReadError::new(offset, cause)
    }
}
