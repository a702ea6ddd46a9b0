//! Takes probes out, on a thread of its own: the kernel waits for grace periods each time, tens of milliseconds for each
//! probe, and new libraries shall not wait for that.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Instant;

use aya::programs::uprobe::UProbeLink;

/// The thread's end of a queue. There are never more probes in it than may be attached at once.
pub struct Detacher {
    queue: Sender<Vec<UProbeLink>>,
    waiting: Arc<AtomicUsize>,
}

impl Detacher {
    /// Starts the thread. It ends when this is dropped and all probes are out, and what is returned beside it is closed then.
    ///
    /// # Errors
    /// If there can be no thread.
    pub fn start() -> io::Result<(Self, Receiver<()>)> {
        let (queue, links) = mpsc::channel::<Vec<UProbeLink>>();
        let (alive, ended) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let count = waiting.clone();
        thread::Builder::new()
            .name("library-detach".to_owned())
            .spawn(move || {
                for links in links {
                    let (begun, probes) = (Instant::now(), links.len());
                    for link in links {
                        drop(link);
                        count.fetch_sub(1, Ordering::Relaxed);
                    }
                    tracing::debug!(probes, took = ?begun.elapsed(), "probes taken out");
                }
                drop::<Sender<()>>(alive);
            })?;
        Ok((Self { queue, waiting }, ended))
    }

    /// Takes these out, some time.
    pub fn detach(&self, links: Vec<UProbeLink>) {
        self.waiting.fetch_add(links.len(), Ordering::Relaxed);
        // The thread listens as long as this is there; if it does not, they are taken out here.
        if !links.is_empty()
            && let Err(unheard) = self.queue.send(links)
        {
            drop(unheard);
        }
    }

    /// Probes that are not out yet.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}
