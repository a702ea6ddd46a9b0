//! A ring buffer's reading end: takes records out of it, and counts those that nobody understands.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write as _};

use aya::maps::{MapData, RingBuf};
use tokio::io::unix::AsyncFd;

use super::KernelError;
use super::clock::WallClock;

/// Records taken in one go before signals, timeouts and scrapes get their turn.
const BATCH: usize = 2048;

/// The reading end of a ring buffer.
pub struct Ring {
    ring: AsyncFd<RingBuf<MapData>>,
    clock: WallClock,
    /// Where a copy of every record goes, for tests that search them for what must not be there.
    dump: Option<File>,
    /// Records that could not be decoded.
    pub undecodable: u64,
}

impl Ring {
    /// Reads from `ring`; with `dump`, a copy of each record is written there.
    ///
    /// # Errors
    /// When the ring cannot be polled or the clocks cannot be read.
    pub fn new(ring: RingBuf<MapData>, dump: Option<File>) -> Result<Self, KernelError> {
        Ok(Self {
            // SAFETY: the ring owns its descriptor and is moved in with it: it stays open until both are dropped.
            ring: unsafe { AsyncFd::register(ring) }.map_err(|error| KernelError::Io {
                what: "cannot poll a ring buffer",
                source: error.into(),
            })?,
            clock: WallClock::now().map_err(|source| KernelError::Io {
                what: "cannot read the clocks",
                source,
            })?,
            dump,
            undecodable: 0,
        })
    }

    /// Waits until the kernel says that it fills faster than it is looked at.
    pub async fn ready(&mut self) {
        if let Ok(mut guard) = self.ring.readable().await {
            guard.clear_ready();
        }
    }

    /// Hands on the records that are there, up to a batch; true if there may be more. `take` decodes one, by a clock for its
    /// times.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub fn read<E: Display>(
        &mut self,
        mut take: impl FnMut(&[u8], &WallClock) -> Result<(), E>,
    ) -> io::Result<bool> {
        for _ in 0..BATCH {
            let Some(record) = self.ring.get_mut().next() else {
                return Ok(false);
            };
            if let Some(dump) = &mut self.dump {
                dump.write_all(&record)?;
            }
            if let Err(error) = take(&record, &self.clock) {
                self.undecodable += 1;
                report(self.undecodable, &error);
            }
        }
        Ok(true)
    }

    /// Reads the clocks anew: wall time may have been adjusted.
    pub fn adjust_clock(&mut self) {
        if let Ok(clock) = WallClock::now() {
            self.clock = clock;
        }
    }
}

/// Says so once, and then at each power of two: a kernel object of another version would fill the log otherwise.
fn report(count: u64, error: &impl Display) {
    if count.is_power_of_two() {
        tracing::error!(count, %error, "ring buffer records that this agent cannot decode");
    }
}
