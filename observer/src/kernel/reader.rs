//! Takes records out of the ring buffer.

use std::fs::File;
use std::io::{self, Write as _};
use std::time::Duration;

use aya::maps::{MapData, RingBuf};
use tokio::io::unix::AsyncFd;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::KernelError;
use super::clock::WallClock;
use super::decode::{self, DecodeError};
use crate::segment::Segment;

/// How often the ring is looked at. The kernel wakes the agent only when the ring fills faster than that: a wake-up for
/// each record would cost the services more than all the rest.
pub const POLL: Duration = Duration::from_millis(20);

/// Records taken in one go before signals, timeouts and scrapes get their turn.
const BATCH: usize = 2048;

/// The reading end of the ring buffer.
pub struct Reader {
    ring: AsyncFd<RingBuf<MapData>>,
    poll: Interval,
    clock: WallClock,
    /// Where a copy of every record goes, for tests that search them for what must not be there.
    dump: Option<File>,
    /// Records that could not be decoded.
    pub undecodable: u64,
}

impl Reader {
    /// Reads from `ring`; with `dump`, a copy of each record is written there.
    ///
    /// # Errors
    /// When the ring cannot be polled or the clocks cannot be read.
    pub fn new(ring: RingBuf<MapData>, dump: Option<File>) -> Result<Self, KernelError> {
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            // SAFETY: the ring owns its descriptor and is moved in with it: it stays open until both are dropped.
            ring: unsafe { AsyncFd::register(ring) }.map_err(|error| KernelError::Io {
                what: "cannot poll the ring buffer",
                source: error.into(),
            })?,
            poll,
            clock: WallClock::now().map_err(|source| KernelError::Io {
                what: "cannot read the clocks",
                source,
            })?,
            dump,
            undecodable: 0,
        })
    }

    /// Waits until there may be records.
    pub async fn ready(&mut self) {
        tokio::select! {
            _ = self.poll.tick() => {}
            guard = self.ring.readable() => {
                if let Ok(mut guard) = guard {
                    guard.clear_ready();
                }
            }
        }
    }

    /// Hands on the records that are there, up to a batch; true if there may be more.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub fn read(&mut self, mut each: impl FnMut(&Segment<'_>)) -> io::Result<bool> {
        for _ in 0..BATCH {
            let Some(record) = self.ring.get_mut().next() else {
                return Ok(false);
            };
            if let Some(dump) = &mut self.dump {
                dump.write_all(&record)?;
            }
            match decode::segment(&record, &self.clock) {
                Ok(segment) => each(&segment),
                Err(error) => {
                    self.undecodable += 1;
                    report(self.undecodable, error);
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

/// Says so once, and then at each power of two: a kernel object of another version would fill the log otherwise.
fn report(count: u64, error: DecodeError) {
    if count.is_power_of_two() {
        tracing::error!(count, %error, "ring buffer records that this agent cannot decode");
    }
}
