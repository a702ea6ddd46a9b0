//! A line on the terminal that tells how far a long replay is.

use std::fs::File;
use std::io::{IsTerminal as _, Seek as _, Write as _, stderr};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::replay::Counts;

/// How long to wait before the first line: what is over by then needs none.
const QUIET: Duration = Duration::from_secs(1);
/// How often the line changes.
const INTERVAL: Duration = Duration::from_millis(200);
/// The clock is looked at once in so many packets.
const PACKETS: u64 = 4096;
/// Back to the begin of the line, which is emptied.
const CLEAR: &str = "\r\x1b[K";

/// How far a file was read: decompression does not matter to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter<'a> {
    pub file: &'a File,
    /// Size of the file.
    pub bytes: u64,
}

impl Meter<'_> {
    fn percent(mut self) -> Option<u64> {
        let position = self.file.stream_position().ok()?;
        (position * 100).checked_div(self.bytes)
    }
}

/// The line.
#[derive(Debug)]
pub(super) struct Progress {
    /// `None` when nobody looks.
    next: Option<Instant>,
    shown: bool,
    packets: u64,
}

impl Progress {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        Self {
            next: stderr().is_terminal().then(|| Instant::now() + QUIET),
            shown: false,
            packets: 0,
        }
    }

    /// Whether it is time to show how far things are; to be asked after each packet.
    #[inline]
    pub fn is_due(&mut self) -> bool {
        let Some(next) = self.next else {
            return false;
        };
        self.packets += 1;
        self.packets.is_multiple_of(PACKETS) && Instant::now() >= next
    }

    /// Shows how far things are.
    #[cold]
    pub fn show(&mut self, file: &Path, meter: Option<Meter<'_>>, counts: &Counts, handshakes: u64) {
        self.next = Some(Instant::now() + INTERVAL);
        self.shown = true;
        let far = match meter.and_then(Meter::percent) {
            Some(percent) => format!("{percent} %"),
            None => format!("{} MB", counts.bytes / 1_000_000),
        };
        let file = file.display();
        // A terminal that is gone is no reason to stop.
        let _ = write!(
            stderr(),
            "{CLEAR}{file}: {far}, {} packets, {handshakes} handshakes",
            counts.packets
        );
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(stderr(), "{CLEAR}");
        }
    }
}
