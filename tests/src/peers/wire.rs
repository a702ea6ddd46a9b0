//! A TCP connection that keeps a copy of what passes and can send in small segments.

use std::fs::File;
use std::io::{IoSlice, Read, Result, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Files for the bytes of each direction.
pub struct Record {
    sent: File,
    received: File,
}

impl Record {
    /// Makes the files.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        let [sent, received] = Self::files(path);
        Ok(Self {
            sent: File::create(sent)?,
            received: File::create(received)?,
        })
    }

    /// The names of the files for what was sent and what was received.
    pub fn files(path: &Path) -> [PathBuf; 2] {
        ["sent", "received"].map(|direction| path.with_extension(direction))
    }
}

/// A connection. Reads and writes go straight through.
pub struct Wire {
    stream: TcpStream,
    record: Option<Record>,
    split: Option<usize>,
}

impl Wire {
    /// Wraps a connection; every byte also goes to `record`. With `split`,
    /// writes go out in segments of that many bytes at most, each after the one before was acknowledged.
    ///
    /// # Errors
    /// When the socket refuses its options.
    pub fn new(stream: TcpStream, record: Option<Record>, split: Option<usize>) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            record,
            split,
        })
    }

    /// The connection itself.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Ends the splitting of writes.
    pub fn write_whole(&mut self) {
        self.split = None;
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.stream.read(buffer)?;
        if let (Some(record), Some(bytes)) = (&mut self.record, buffer.get(..count)) {
            record.received.write_all(bytes)?;
        }
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let piece = bytes
            .get(..self.split.unwrap_or(usize::MAX).min(bytes.len()))
            .unwrap_or(bytes);
        let count = self.stream.write(piece)?;
        if let (Some(record), Some(bytes)) = (&mut self.record, piece.get(..count)) {
            record.sent.write_all(bytes)?;
        }
        if self.split.is_some() {
            wait_acknowledged(&self.stream)?;
        }
        Ok(count)
    }

    /// All pieces in one segment, as over a bare socket.
    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> Result<usize> {
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        self.write(&bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.stream.flush()
    }
}

/// Waits until the peer's kernel has acknowledged all that was sent, so that the next write is a segment of its own.
///
/// # Errors
/// When the connection breaks.
pub fn wait_acknowledged(stream: &TcpStream) -> Result<()> {
    loop {
        let mut waiting: libc::c_int = 0;
        // SAFETY: TIOCOUTQ (SIOCOUTQ) writes one int to the address given, which lives on.
        if unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut waiting) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
        if waiting == 0 {
            return Ok(());
        }
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        std::thread::sleep(Duration::from_micros(50));
    }
}
