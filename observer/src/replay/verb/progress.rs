//! A line on the terminal that tells how far a long replay is.

use std::fs::File;
use std::io::{IsTerminal as _, Seek as _, Write as _, stderr};
use std::path::Path;
use std::time::{Duration, Instant};

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
}

impl Progress {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        Self {
            next: stderr().is_terminal().then(|| Instant::now() + QUIET),
            shown: false,
        }
    }

    /// To be called after each packet with the totals.
    #[inline]
    pub fn packet(
        &mut self,
        file: &Path,
        meter: Option<Meter<'_>>,
        packets: u64,
        bytes: u64,
        handshakes: u64,
    ) {
        if packets.is_multiple_of(PACKETS) && self.next.is_some() {
            self.show(file, meter, packets, bytes, handshakes);
        }
    }

    #[cold]
    fn show(&mut self, file: &Path, meter: Option<Meter<'_>>, packets: u64, bytes: u64, handshakes: u64) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.next = Some(now + INTERVAL);
        self.shown = true;
        let far = match meter.and_then(Meter::percent) {
            Some(percent) => format!("{percent} %"),
            None => format!("{} MB", bytes / 1_000_000),
        };
        let file = file.display();
        // A terminal that is gone is no reason to stop.
        let _ = write!(
            stderr(),
            "{CLEAR}{file}: {far}, {packets} packets, {handshakes} handshakes"
        );
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(stderr(), "{CLEAR}");
        }
    }
}
