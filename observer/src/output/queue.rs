//! The bounded queue before each output, and the thread that empties it: a slow reader of our output costs events, which
//! are counted, and never holds up the agent.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::event::EventOptions;
use super::json::JsonLines;
use super::metrics::{DropCounter, Metrics};
use super::target::{OutputError, Target};
use super::text::TextTable;
use crate::config::Config;
use crate::config::values::{Format, OutputKind};
use crate::report::Report;

/// Bytes that are gathered before a write, when events come faster than single writes would take them.
const BATCH_BYTES: usize = 64 * 1024;

/// How long an output that was idle waits behind the first event before it writes. The agent brings events in batches:
/// without this, both threads would wake each other, and the kernel write, once for each of them.
const GATHER: Duration = Duration::from_millis(2);

/// Turns a report into a line.
pub trait Render: Send {
    /// Appends the line, with its end.
    fn render(&mut self, report: &Report, line: &mut Vec<u8>);
}

/// All outputs of events.
#[derive(Debug)]
pub struct Outputs {
    queues: Vec<Queue>,
    closed: Arc<Notify>,
}

/// What became of the events at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Lines written, over all outputs.
    pub written: u64,
    /// Lines that were still waiting when time was up; counted as dropped.
    pub abandoned: u64,
}

/// One output's queue.
#[derive(Debug)]
struct Queue {
    sender: SyncSender<Message>,
    shared: Arc<Shared>,
    done: Receiver<()>,
}

/// What an output's thread and the agent both see.
#[derive(Debug)]
struct Shared {
    /// Events sent and not yet written or dropped.
    waiting: AtomicU64,
    written: AtomicU64,
    reopen: AtomicBool,
    queue_full: DropCounter,
    write_failed: DropCounter,
    shutdown: DropCounter,
}

enum Message {
    Event(Arc<Report>),
    /// Look at the flags in [`Shared`].
    Wake,
}

impl Outputs {
    /// Opens every output of `config` and starts its thread.
    ///
    /// # Errors
    /// When one cannot be opened; the error names it.
    pub fn open(config: &Config, metrics: &Metrics) -> Result<Self, OutputError> {
        let mut outputs = Self {
            queues: Vec::new(),
            closed: Arc::new(Notify::new()),
        };
        let json = || {
            Box::new(JsonLines::new(EventOptions {
                certificate_chain: config.certificate_chain,
            }))
        };
        for kind in &config.outputs {
            let (target, render): (_, Box<dyn Render>) = match kind {
                OutputKind::File(path) => (Target::file(path)?, json()),
                OutputKind::Stdout if config.console.format == Format::Json => (Target::stdout()?, json()),
                OutputKind::Stdout => {
                    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
                    (Target::stdout()?, Box::new(TextTable::new(color)))
                }
            };
            outputs.start(target, render, config.queue, metrics);
        }
        Ok(outputs)
    }

    fn start(&mut self, target: Target, render: Box<dyn Render>, length: usize, metrics: &Metrics) {
        let (sender, messages) = sync_channel(length);
        let (done_sender, done) = sync_channel(1);
        let shared = Arc::new(Shared {
            waiting: AtomicU64::new(0),
            written: AtomicU64::new(0),
            reopen: AtomicBool::new(false),
            queue_full: metrics.drop_counter("output", "queue_full"),
            write_failed: metrics.drop_counter("output", "write_failed"),
            shutdown: metrics.drop_counter("output", "shutdown"),
        });
        let mut writer = Writer {
            target,
            render,
            shared: shared.clone(),
            buffer: Vec::new(),
            lines: 0,
            failing: false,
        };
        let closed = self.closed.clone();
        thread::spawn(move || {
            if writer.run(&messages).is_err() {
                closed.notify_one();
                // What comes until the agent has ended is lost as well, and counted.
                let events = messages
                    .iter()
                    .filter(|message| matches!(message, Message::Event(_)));
                events.for_each(|_| writer.shared.dropped(1, &writer.shared.write_failed));
            }
            // Nobody may be left to hear it.
            let _ = done_sender.try_send(());
        });
        self.queues.push(Queue { sender, shared, done });
    }

    /// Queues an event for every output, without waiting: where a queue is full the event is dropped and counted.
    pub fn send(&self, report: Report) {
        let report = Arc::new(report);
        for queue in &self.queues {
            queue.shared.waiting.fetch_add(1, Ordering::Relaxed);
            match queue.sender.try_send(Message::Event(report.clone())) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => queue.shared.dropped(1, &queue.shared.queue_full),
                Err(TrySendError::Disconnected(_)) => queue.shared.dropped(1, &queue.shared.write_failed),
            }
        }
    }

    /// Has every file reopened, at once or with its next event: for SIGHUP.
    pub fn reopen(&self) {
        for queue in &self.queues {
            queue.shared.reopen.store(true, Ordering::Release);
            // A full queue keeps its thread awake anyway.
            let _ = queue.sender.try_send(Message::Wake);
        }
    }

    /// Resolves when the reader of our standard output went away: the agent then has nobody to tell and should end.
    pub async fn closed(&self) {
        self.closed.notified().await;
    }

    /// Writes what is still queued and ends the threads, in `limit` at most. It blocks.
    pub fn close(self, limit: Duration) -> Delivery {
        let deadline = Instant::now() + limit;
        let mut delivery = Delivery::default();
        for Queue { sender, shared, done } in self.queues {
            drop(sender);
            let ended = done.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            if matches!(ended, Err(RecvTimeoutError::Timeout)) {
                let waiting = shared.waiting.load(Ordering::Relaxed);
                shared.dropped(waiting, &shared.shutdown);
                delivery.abandoned += waiting;
            }
            delivery.written += shared.written.load(Ordering::Relaxed);
        }
        delivery
    }
}

impl Shared {
    fn dropped(&self, events: u64, counter: &DropCounter) {
        self.waiting.fetch_sub(events, Ordering::Relaxed);
        counter.inc_by(events);
    }
}

/// Marks that the reader of a pipe went away.
struct Closed;

/// The thread's side of a queue.
struct Writer {
    target: Target,
    render: Box<dyn Render>,
    shared: Arc<Shared>,
    buffer: Vec<u8>,
    /// Events in `buffer`.
    lines: u64,
    /// The last write failed; said once.
    failing: bool,
}

impl Writer {
    /// Writes until the senders are gone.
    fn run(&mut self, messages: &Receiver<Message>) -> Result<(), Closed> {
        loop {
            let message = match messages.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Disconnected) => return self.flush(),
                Err(TryRecvError::Empty) => {
                    self.flush()?;
                    let Ok(message) = messages.recv() else {
                        return Ok(());
                    };
                    thread::sleep(GATHER);
                    message
                }
            };
            if self.shared.reopen.swap(false, Ordering::Acquire) {
                self.reopen()?;
            }
            if let Message::Event(report) = message {
                self.render.render(&report, &mut self.buffer);
                self.lines += 1;
                if self.buffer.len() >= BATCH_BYTES {
                    self.flush()?;
                }
            }
        }
    }

    fn reopen(&mut self) -> Result<(), Closed> {
        self.flush()?;
        if let Err(error) = self.target.reopen() {
            tracing::error!("{error}; writing to the old file goes on");
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Closed> {
        let lines = std::mem::take(&mut self.lines);
        if lines == 0 {
            return Ok(());
        }
        let result = self.target.write(&self.buffer);
        self.buffer.clear();
        match result {
            Ok(()) => {
                self.shared.waiting.fetch_sub(lines, Ordering::Relaxed);
                self.shared.written.fetch_add(lines, Ordering::Relaxed);
                if std::mem::take(&mut self.failing) {
                    tracing::info!("writing events works again");
                }
                Ok(())
            }
            Err(error) => {
                self.shared.dropped(lines, &self.shared.write_failed);
                if error.is_closed() {
                    return Err(Closed);
                }
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!("{error}; events are dropped and counted until it works again");
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
