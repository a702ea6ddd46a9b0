//! Takes hits of library probes out of their ring buffer.

use std::fs::File;
use std::io::{self, Write as _};

use aya::maps::{MapData, RingBuf};
use tokio::io::unix::AsyncFd;

use super::KernelError;
use super::clock::WallClock;
use crate::facts::hit::{self, Hit};

/// Hits taken in one go before signals, timeouts and scrapes get their turn.
const BATCH: usize = 2048;

/// The reading end of the ring buffer.
pub struct HitReader {
    ring: AsyncFd<RingBuf<MapData>>,
    clock: WallClock,
    /// Where a copy of every record goes, for tests that search them for what must not be there.
    dump: Option<File>,
    /// Records that could not be decoded.
    pub undecodable: u64,
}

impl HitReader {
    /// Reads from `ring`; with `dump`, a copy of each record is written there.
    ///
    /// # Errors
    /// When the ring cannot be polled or the clocks cannot be read.
    pub fn new(ring: RingBuf<MapData>, dump: Option<File>) -> Result<Self, KernelError> {
        Ok(Self {
            // SAFETY: the ring owns its descriptor and is moved in with it: it stays open until both are dropped.
            ring: unsafe { AsyncFd::register(ring) }.map_err(|error| KernelError::Io {
                what: "cannot poll the ring buffer of the library probes",
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

    /// Waits until the ring fills faster than it is looked at.
    pub async fn ready(&mut self) {
        if let Ok(mut guard) = self.ring.readable().await {
            guard.clear_ready();
        }
    }

    /// Hands on the hits that are there, up to a batch; true if there may be more.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub fn read(&mut self, mut each: impl FnMut(&Hit<'_>)) -> io::Result<bool> {
        for _ in 0..BATCH {
            let Some(record) = self.ring.get_mut().next() else {
                return Ok(false);
            };
            if let Some(dump) = &mut self.dump {
                dump.write_all(&record)?;
            }
            match hit::decode(&record, &self.clock) {
                Ok(hit) => each(&hit),
                Err(error) => {
                    self.undecodable += 1;
                    // Not for each: a kernel object of another version would fill the log.
                    if self.undecodable.is_power_of_two() {
                        let count = self.undecodable;
                        tracing::error!(count, %error, "hits that this agent cannot decode");
                    }
                }
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
