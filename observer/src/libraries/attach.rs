//! Probes in the TLS libraries of the host's processes: attached when a library comes into use, detached when it is used no
//! more.
//!
//! A thread of its own holds the kernel programs (`worker`). It looks at the processes every few seconds, and soon after
//! one has executed a program (`schedule`), and attaches to each file that holds a library that was asked for (`plan`).
//! What was found of a file is kept under a number (`files`), which is the attach cookie of its probes, so that each hit
//! tells which file it comes from.
//!
//! A probe is in a file: every process that maps it meets the probe, those that come later from their first instruction on,
//! and children from their first moment. The kernel half drops the hits of processes that are not asked for. Only if single
//! processes are asked for by number, their probes are in them alone: those of children, and of what is executed anew by
//! others, were not asked for.

mod attached;
pub mod btf;
pub mod counters;
mod detacher;
mod files;
pub mod object;
mod plan;
pub mod policy;
mod schedule;
pub mod watch;
mod worker;

use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use aya::maps::{MapData, RingBuf};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

pub use counters::{AttachCounters, Counts};
pub use files::{ProbedFile, ProbedLibrary};

use crate::config::Config;
use crate::kernel::KernelError;
use crate::kernel::loader::Attachment;
use crate::libraries::processes::cgroup_id;
use counters::Counters;
use detacher::Detacher;
use files::Files;
use object::{Loaded, Object, Settings};
use policy::Policy;
use schedule::Schedule;
use worker::Worker;

/// How long detaching may take. What is left the kernel takes out when the process ends.
const DETACH_LIMIT: Duration = Duration::from_secs(2);

/// Library probes at work. Dropping them detaches everything; so does the end of the process, whatever ends it.
pub struct LibraryProbes {
    files: Arc<Files>,
    /// Number of the changes that were told.
    told: u64,
    counters: Counters,
    attach_counters: Arc<AttachCounters>,
    /// Ends the thread when it is closed; `None` once it was.
    stop: Option<UnixStream>,
    /// Closed when all is detached.
    ended: Receiver<()>,
    /// What is missing on this host, one line each.
    pub degraded: Vec<String>,
}

impl LibraryProbes {
    /// Loads the probes and begins to look for libraries; none if the configuration wants none. What they see comes out of
    /// the ring.
    ///
    /// # Errors
    /// See [`KernelError`]: the agent can go on without them, with what the wire tells.
    pub fn start(config: &Config) -> Result<Option<(Self, RingBuf<MapData>)>, KernelError> {
        let probing = &config.libraries;
        if probing.families.is_empty() {
            return Ok(None);
        }
        let filter = probing.filter(&config.scope);
        let cgroup_id = match &filter.cgroup {
            Some(path) => cgroup_id(path).map_err(|source| KernelError::Cgroup {
                path: path.clone(),
                source,
            })?,
            None => 0,
        };
        raise_descriptor_limit();
        let Loaded {
            object,
            ring,
            execs,
            exec_watch,
            counters,
            degraded,
        } = Object::load(Settings {
            ring_bytes: config.ring_bytes,
            cgroup_id,
            policy: Policy::of(&filter),
        })?;
        let io_error = |source| KernelError::Io {
            what: "cannot start the threads of the library probes",
            source,
        };
        let (detacher, ended) = Detacher::start().map_err(io_error)?;
        let files = Arc::new(Files::default());
        let attach_counters = Arc::new(AttachCounters::default());
        let mut worker = Worker::new(
            object,
            filter,
            probing.families.clone(),
            files.clone(),
            attach_counters.clone(),
            detacher,
        );
        let (stop, stopped) = UnixStream::pair().map_err(io_error)?;
        thread::Builder::new()
            .name("library-probes".to_owned())
            .spawn(move || {
                work(&mut worker, execs, &stopped);
                worker.end();
                drop(exec_watch);
            })
            .map_err(io_error)?;
        let probes = Self {
            files,
            told: 0,
            counters,
            attach_counters,
            stop: Some(stop),
            ended,
            degraded,
        };
        Ok(Some((probes, ring)))
    }

    /// All that is attached now, if that has changed since the last call: `uprobe:openssl` to a path, each pair once.
    pub fn changes(&mut self) -> Option<Vec<Attachment>> {
        self.files.attachments(&mut self.told)
    }

    /// The counters of the kernel half.
    ///
    /// # Errors
    /// What the map says.
    pub fn counts(&self) -> Result<Counts, KernelError> {
        self.counters.read()
    }

    /// What could not be attached: stage, reason and total, always in the same order.
    pub fn losses(&self) -> [(&'static str, &'static str, u64); 3] {
        self.attach_counters.losses()
    }

    /// Detaches everything, so far as that is done in two seconds; the counters can still be read, and what is in the ring.
    pub fn detach(&mut self) {
        if let Some(mut stop) = self.stop.take() {
            // If nobody listens the thread has ended.
            let _ = stop.write_all(&[0]);
            let _ = self.ended.recv_timeout(DETACH_LIMIT);
        }
    }
}

impl Drop for LibraryProbes {
    fn drop(&mut self) {
        self.detach();
    }
}

/// Looks at processes until it is told to stop.
fn work(worker: &mut Worker, mut execs: RingBuf<MapData>, stopped: &UnixStream) {
    let mut schedule = Schedule::new(Instant::now());
    loop {
        let now = Instant::now();
        while let Some(record) = execs.next() {
            if let Some(pid) = record.first_chunk() {
                schedule.exec(u32::from_ne_bytes(*pid), now);
            }
        }
        if schedule.is_all_due(now) {
            worker.look_at_all();
            schedule.all_done(Instant::now(), now.elapsed());
        }
        let due = schedule.due(Instant::now());
        if !due.is_empty() {
            let begun = Instant::now();
            if worker.can_look_at_one() {
                due.into_iter().for_each(|pid| worker.look_at(pid));
            } else {
                worker.look_at_all();
            }
            schedule.done(Instant::now(), begun.elapsed());
        }
        // SAFETY: the ring is open for as long as this function runs.
        let ring = unsafe { BorrowedFd::borrow_raw(execs.as_raw_fd()) };
        match wait([stopped.as_fd(), ring], schedule.pause(Instant::now())) {
            Ok(false) => {}
            Ok(true) => return,
            Err(error) => {
                tracing::error!(%error, "library probes: cannot wait for programs to begin");
                return;
            }
        }
    }
}

/// Waits until one of the two can be read or the time is over; true if it is the first.
fn wait([stopped, ring]: [BorrowedFd<'_>; 2], time: Duration) -> io::Result<bool> {
    let mut waiting = [
        PollFd::new(stopped, PollFlags::POLLIN),
        PollFd::new(ring, PollFlags::POLLIN),
    ];
    // Rounded up: a wait of part of a millisecond would be none.
    let time = time + Duration::from_millis(1);
    let time = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
    match poll(&mut waiting, time) {
        Ok(_) => Ok(waiting[0].any() == Some(true)),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Each probe is a descriptor: as many as the system lets this process have without asking.
fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::debug!(%error, "the limit of open files stays at {soft}");
    }
}
