//! The kernel's monotonic time stamps, turned into wall time.

use std::io;

use nix::time::{ClockId, clock_gettime};

/// What to add to `CLOCK_MONOTONIC` to get wall time. Wall time is adjusted while the agent runs, so that this is read
/// anew now and then; between two readings events keep the order and the distances that the kernel saw.
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    offset_ns: i128,
}

impl WallClock {
    /// Reads both clocks.
    ///
    /// # Errors
    /// What the system call says.
    pub fn now() -> io::Result<Self> {
        // The monotonic clock before and after: their mean is within half a call of the wall clock's reading.
        let before = read(ClockId::CLOCK_MONOTONIC)?;
        let wall = read(ClockId::CLOCK_REALTIME)?;
        let after = read(ClockId::CLOCK_MONOTONIC)?;
        Ok(Self {
            offset_ns: wall - (before + after) / 2,
        })
    }

    /// A clock that is `offset_ns` ahead of the monotonic one.
    #[cfg(test)]
    pub(crate) const fn with_offset(offset_ns: i128) -> Self {
        Self { offset_ns }
    }

    /// Nanoseconds since the Unix epoch at `monotonic_ns`.
    pub fn wall(&self, monotonic_ns: u64) -> u64 {
        u64::try_from(i128::from(monotonic_ns) + self.offset_ns).unwrap_or(0)
    }

    /// Nanoseconds since the Unix epoch, now.
    ///
    /// # Errors
    /// What the system call says.
    pub fn current() -> io::Result<u64> {
        Ok(u64::try_from(read(ClockId::CLOCK_REALTIME)?).unwrap_or(0))
    }
}

fn read(clock: ClockId) -> io::Result<i128> {
    let time = clock_gettime(clock)?;
    Ok(i128::from(time.tv_sec()) * 1_000_000_000 + i128::from(time.tv_nsec()))
}
