//! The only wiring: ring buffers → flow table and readers of libraries → join → judge → outputs and metrics, with signals,
//! timeouts and the HTTP server around it.
//!
//! A ring buffer is the queue between kernel and agent, and the bounded queues of [`Outputs`] are those between the
//! agent and its readers. Nothing else waits anywhere, so nothing else can be lost.

mod libraries;
mod losses;

use std::env;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use observer_common::Counter;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::config::Config;
use crate::exit::Exit;
use crate::flows::{FlowLimits, FlowTable};
use crate::join::Join;
use crate::judge::live::{LiveJudge, StartError};
use crate::kernel::clock::WallClock;
use crate::kernel::reader::Reader;
use crate::kernel::{KernelError, Probes, loader};
use crate::observation::{Action, Observation, Outcome, Sink};
use crate::output::http::{ListenError, Readiness, Server};
use crate::output::metrics::Metrics;
use crate::output::queue::Outputs;
use crate::output::target::OutputError;
use crate::report::Report;
use crate::watch::Watch;
use libraries::LibraryStage;
use losses::LossCounters;

/// How often timeouts are looked for and the kernel's counters are read.
const TICK: Duration = Duration::from_millis(250);
/// How long the outputs may take for what is queued when the agent ends.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// Names a file that gets a copy of every ring buffer record: for tests that search them for what must not be there.
const DUMP_VARIABLE: &str = "TLS_OBSERVER_DUMP_RING";

/// Why the agent ended, other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The probes.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// An output.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The HTTP server.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The trust bundles.
    #[error(transparent)]
    Trust(#[from] StartError),
    /// Something of the system.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// Why.
        source: io::Error,
    },
}

impl RunError {
    /// The exit status that tells of it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Kernel(error) => error.exit(),
            Self::Trust(StartError::Trust(_)) => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}

/// Runs the agent until SIGTERM, SIGINT, or until nobody reads its standard output any more.
///
/// # Errors
/// See [`RunError`]; the probes are detached then.
pub async fn run(config: Config) -> Result<(), RunError> {
    let watch = Watch::new(&config.watching);
    let mut metrics = Metrics::new(&config.services);
    if let Some(inventory) = watch.inventory().filter(|_| config.watching.metric > 0) {
        metrics.add_expiry(inventory.clone());
    }
    let metrics = Arc::new(metrics);
    let readiness = Readiness::default();
    // What can be refused is tried before anything is attached.
    let server = match config.listen {
        Some(address) => {
            let inventory = watch.inventory().cloned();
            Some(Server::bind(address, metrics.clone(), readiness.clone(), inventory).await?)
        }
        None => None,
    };
    let judge = LiveJudge::start(&config, metrics.clone())?;
    let (dump, hits_dump) = (dump_file()?, dump_file()?);
    let outputs = Outputs::open(&config, &metrics)?;
    let mut signals = Signals::new()?;
    let (probes, ring) = loader::start(&config)?;
    let reader = Reader::new(ring, dump)?;
    let libraries = LibraryStage::start(&config, &metrics, hits_dump)?;
    announce(&probes, server.as_ref(), &metrics);
    if let Some(server) = server {
        tokio::spawn(server.serve());
    }
    readiness.set(true);

    let source = Source {
        probes,
        reader,
        libraries,
    };
    let mut agent = Agent::new(&config, source, judge, outputs, metrics, watch);
    agent.watch(&mut signals).await?;
    readiness.set(false);
    agent.end()
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> Result<Self, RunError> {
        let listen = |kind| {
            signal(kind).map_err(|source| RunError::System {
                what: "cannot listen for signals".to_owned(),
                source,
            })
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }
}

fn dump_file() -> Result<Option<File>, RunError> {
    let Some(path) = env::var_os(DUMP_VARIABLE) else {
        return Ok(None);
    };
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map(Some)
        .map_err(|source| RunError::System {
            what: format!("{DUMP_VARIABLE}: cannot open {}", path.display()),
            source,
        })
}

/// The start-up report: what is attached, and what is degraded.
fn announce(probes: &Probes, server: Option<&Server>, metrics: &Metrics) {
    for attachment in &probes.attached {
        metrics.set_probe_attached(attachment.hook, &attachment.target, true);
        tracing::info!(hook = attachment.hook, target = attachment.target, "attached");
    }
    for line in &probes.degraded {
        tracing::warn!("degraded: {line}");
    }
    if let Some(address) = server.and_then(|server| server.local_address().ok()) {
        tracing::info!(%address, "serving /metrics, /certificates, /healthz and /readyz");
    }
}

/// Records that are none, as a cause of loss.
const fn undecodable(total: u64) -> [(&'static str, &'static str, u64); 1] {
    [("decode", "undecodable", total)]
}

/// What the summary at the end tells.
#[derive(Default)]
struct Tally {
    established: u64,
    failed: u64,
    incomplete: u64,
    late_alerts: u64,
}

/// Where all comes from.
struct Source {
    probes: Probes,
    reader: Reader,
    libraries: LibraryStage,
}

/// Hands what the flow table observes to the join, and what that need not hold on.
struct Joining<'a> {
    join: &'a mut Join,
    seen: &'a mut Vec<Observation>,
}

impl Sink for Joining<'_> {
    fn observation(&mut self, seen: Observation) {
        self.join.observation(seen, self.seen);
    }
}

struct Agent {
    source: Source,
    flows: FlowTable,
    join: Join,
    judge: LiveJudge,
    outputs: Outputs,
    metrics: Arc<Metrics>,
    tally: Tally,
    /// Observations on their way from the flow table to the outputs; kept for its capacity.
    seen: Vec<Observation>,
    watch: Watch,
    /// What follows from one observation; kept for its capacity.
    findings: Vec<Report>,
    decode_losses: LossCounters,
    losses: LossCounters,
    join_losses: LossCounters,
}

impl Agent {
    fn new(
        config: &Config,
        source: Source,
        judge: LiveJudge,
        outputs: Outputs,
        metrics: Arc<Metrics>,
        watch: Watch,
    ) -> Self {
        let flows = FlowTable::new(FlowLimits::new(
            config.max_connections,
            config.handshake_timeout,
            config.settle_timeout,
            config.late_alerts,
        ));
        let losses = LossCounters::new(&metrics, &flows.stats().losses());
        let join = Join::new(source.libraries.is_running(), config.late_alerts);
        let join_losses = LossCounters::new(&metrics, &join.stats().losses());
        let decode_losses = LossCounters::new(&metrics, &undecodable(0));
        Self {
            source,
            flows,
            join,
            judge,
            outputs,
            metrics,
            tally: Tally::default(),
            seen: Vec::new(),
            watch,
            findings: Vec::new(),
            decode_losses,
            losses,
            join_losses,
        }
    }

    /// The main loop.
    async fn watch(&mut self, signals: &mut Signals) -> Result<(), RunError> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = signals.terminate.recv() => return Ok(()),
                _ = signals.interrupt.recv() => return Ok(()),
                () = self.outputs.closed() => {
                    tracing::info!("nobody reads standard output any more");
                    return Ok(());
                }
                _ = signals.hang_up.recv() => {
                    self.outputs.reopen();
                    self.judge.reload();
                }
                _ = tick.tick() => self.tick()?,
                () = self.source.reader.ready() => {}
                () = self.source.libraries.ready() => {}
            }
            if self.read()? {
                // More is waiting: let the server and the signals have a turn, then go on at once.
                tokio::task::yield_now().await;
                while self.read()? {
                    self.tick()?;
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Takes a batch out of each ring; true if there may be more.
    fn read(&mut self) -> Result<bool, RunError> {
        let error = |source| RunError::System {
            what: format!("{DUMP_VARIABLE}: cannot write"),
            source,
        };
        let flows = &mut self.flows;
        let mut joining = Joining {
            join: &mut self.join,
            seen: &mut self.seen,
        };
        let more = self
            .source
            .reader
            .read(|segment| flows.push(segment, &mut joining))
            .map_err(error)?;
        let more_hits = self.source.libraries.read(&mut self.join).map_err(error)?;
        self.join
            .release(self.source.libraries.drained_ns(), &self.flows, &mut self.seen);
        self.deliver();
        Ok(more || more_hits)
    }

    /// Looks for timeouts and exports the counters of all stages.
    fn tick(&mut self) -> Result<(), RunError> {
        self.source.reader.adjust_clock();
        self.source.libraries.tick(&self.metrics)?;
        let counts = self.source.probes.counters.read()?;
        for counter in Counter::ALL {
            self.metrics.set_kernel_counter(*counter, counts.get(*counter));
        }
        let now = WallClock::current().map_err(|source| RunError::System {
            what: "cannot read the clock".to_owned(),
            source,
        })?;
        let mut joining = Joining {
            join: &mut self.join,
            seen: &mut self.seen,
        };
        self.flows.tick(now, counts.get(Counter::RingFull), &mut joining);
        self.deliver();

        let stats = self.flows.stats();
        self.metrics.set_flows(stats.connections);
        self.metrics.set_buffer_bytes(stats.buffered_bytes);
        self.losses.export(&stats.losses());
        let joined = self.join.stats();
        self.metrics.set_facts_joined(joined.joined);
        self.join_losses.export(&joined.losses());
        self.decode_losses
            .export(&undecodable(self.source.reader.undecodable()));
        self.judge.tick();
        for (what, total) in self.watch.forgotten() {
            self.metrics.set_forgotten(what, total);
        }
        self.source.probes.flush_log();
        Ok(())
    }

    /// Hands observations, and what follows from them, to metrics and outputs.
    fn deliver(&mut self) {
        for mut seen in self.seen.drain(..) {
            self.judge.judge(&mut seen);
            match (seen.action, seen.outcome) {
                (Action::LateAlert, _) => self.tally.late_alerts += 1,
                (_, Outcome::Established) => self.tally.established += 1,
                (_, Outcome::Incomplete) => self.tally.incomplete += 1,
                _ => self.tally.failed += 1,
            }
            self.metrics.record(&seen);
            self.watch.observe(&seen, &mut self.findings);
            self.outputs.send(Report::Observation(seen));
            for finding in self.findings.drain(..) {
                self.metrics.record_finding(&finding);
                self.outputs.send(finding);
            }
        }
    }

    /// Detaches, reports what is pending as incomplete, and says what it all was.
    fn end(mut self) -> Result<(), RunError> {
        self.source.probes.detach();
        while self.read()? {}
        self.tick()?;
        let mut joining = Joining {
            join: &mut self.join,
            seen: &mut self.seen,
        };
        self.flows.flush(&mut joining);
        self.join.flush(&mut self.seen);
        self.deliver();
        self.source.libraries.detach();
        let lost = self.source.probes.counters.read()?.get(Counter::HandshakesLost);
        let delivery = self.outputs.close(CLOSE_LIMIT);
        let Tally {
            established,
            failed,
            incomplete,
            late_alerts,
        } = self.tally;
        tracing::info!(
            established,
            failed,
            incomplete,
            late_alerts,
            lost_in_ring = lost,
            events_written = delivery.written,
            events_abandoned = delivery.abandoned,
            "done"
        );
        Ok(())
    }
}
