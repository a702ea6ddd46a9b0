//! Reads the files of the trust bundles again when they change, in a thread of its own.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::files::Stamps;
use super::{Loader, Store, TrustError};

/// How often is looked for changes.
pub const INTERVAL: Duration = Duration::from_secs(2);
/// Files that have changed must be left alone for so long, or they may be half written.
const SETTLE: Duration = Duration::from_millis(200);
/// Waits for files to settle at most; then what is there is read, and read again when it changes again.
const MAX_WAITS: usize = 10;

/// Looks for changes until it is dropped.
#[derive(Debug)]
pub struct Reloader {
    wake: Sender<()>,
    news: Receiver<Result<Store, TrustError>>,
}

impl Reloader {
    /// Starts to look once an `interval` for changes of the files, which were as `seen` when `loader` read them.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(loader: Loader, seen: Stamps, interval: Duration) -> io::Result<Self> {
        let (wake, woken) = channel();
        let (tell, news) = channel();
        let mut watch = Watch { loader, seen };
        thread::Builder::new().name("trust".to_owned()).spawn(move || {
            loop {
                let at_once = match woken.recv_timeout(interval) {
                    Ok(()) => true,
                    Err(RecvTimeoutError::Timeout) => false,
                    Err(RecvTimeoutError::Disconnected) => return,
                };
                if let Some(result) = watch.look(at_once)
                    && tell.send(result).is_err()
                {
                    return;
                }
            }
        })?;
        Ok(Self { wake, news })
    }

    /// Reads all files again, changed or not.
    pub fn reload(&self) {
        // Only a thread that is gone does not listen, and it has said why.
        let _ = self.wake.send(());
    }

    /// What came of the latest change, once.
    pub fn poll(&self) -> Option<Result<Store, TrustError>> {
        self.news.try_recv().ok()
    }
}

struct Watch {
    loader: Loader,
    /// As the files were when they were last read, for better or worse: what was bad then is not read again before it has
    /// changed.
    seen: Stamps,
}

impl Watch {
    /// Reads the files if they have changed, or if they are to be read in any case.
    fn look(&mut self, in_any_case: bool) -> Option<Result<Store, TrustError>> {
        let mut now = self.loader.stamps();
        if now == self.seen && !in_any_case {
            return None;
        }
        for _ in 0..MAX_WAITS {
            thread::sleep(SETTLE);
            let later = self.loader.stamps();
            if later == now {
                break;
            }
            now = later;
        }
        self.seen = now;
        Some(self.loader.load())
    }
}
