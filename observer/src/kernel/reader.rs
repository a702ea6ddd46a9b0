//! Takes the wire's records out of their ring buffer.

use std::fs::File;
use std::io;
use std::time::Duration;

use aya::maps::{MapData, RingBuf};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::KernelError;
use super::decode;
use super::ring::Ring;
use crate::segment::Segment;

/// How often the ring is looked at. The kernel wakes the agent only when the ring fills faster than that: a wake-up for
/// each record would cost the services more than all the rest.
pub const POLL: Duration = Duration::from_millis(20);

/// The reading end of the ring buffer.
pub struct Reader {
    ring: Ring,
    poll: Interval,
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
            ring: Ring::new(ring, dump)?,
            poll,
        })
    }

    /// Waits until there may be records.
    pub async fn ready(&mut self) {
        tokio::select! {
            _ = self.poll.tick() => {}
            () = self.ring.ready() => {}
        }
    }

    /// Hands on the records that are there, up to a batch; true if there may be more.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub fn read(&mut self, mut each: impl FnMut(&Segment<'_>)) -> io::Result<bool> {
        self.ring
            .read(|record, clock| decode::segment(record, clock).map(|segment| each(&segment)))
    }

    /// Records that could not be decoded.
    pub fn undecodable(&self) -> u64 {
        self.ring.undecodable
    }

    /// Reads the clocks anew: wall time may have been adjusted.
    pub fn adjust_clock(&mut self) {
        self.ring.adjust_clock();
    }
}
