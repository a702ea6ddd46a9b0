//! The metrics of the agent, in prometheus-client's registry.
//!
//! Identities never become labels. Every label value is from a fixed list ([`definitions`]), so the number of series is
//! bounded whatever peers send.

mod authentications;
pub mod definitions;
pub mod expiry;
mod initial;
pub mod joined;
pub mod losses;
pub mod reference;
pub mod series;
pub mod watching;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use observer_common::Counter as KernelCounter;
use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::CounterWithExemplar;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::event::text::Id;
use super::words::Word;
use crate::config::service::{Service, ServiceNames};
use crate::observation::{Action, Observation, Outcome, Side};
use crate::report::Report;
use crate::verify::revocation::fetch::{FetchCounters, FetchResult};
use crate::watch::Forgotten;
use crate::watch::inventory::SharedInventory;
use authentications::Authentications;
use definitions as def;
use expiry::Expiry;
use joined::JoinMetrics;
use series::{ServiceLabel, Table};
use watching::WatchingMetrics;

/// A handle to one series of `tls_observer_events_dropped_total`.
pub type DropCounter = Counter;

/// All metrics. [`Metrics::record`] and the setters may be called from any thread.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    services: Services,
    handshakes: Table<3, Counter>,
    failures: Table<3, CounterWithExemplar<EventId>>,
    duration: Table<2, Histogram>,
    alerts: Table<3, Counter>,
    client_certificates: Table<1, Counter>,
    authentications: Authentications,
    verdicts: Table<2, Counter>,
    disagreements: Table<1, Counter>,
    ciphers: Table<1, Counter>,
    groups: Table<2, Counter>,
    dropped: Table<2, Counter>,
    trust_reloads: Table<1, Counter>,
    /// `tls_observer_revocation_fetches_total` of each result.
    revocation_fetches: Vec<(FetchResult, Counter)>,
    /// `tls_observer_events_dropped_total` of each kernel counter that tells of a loss.
    kernel_losses: Vec<(KernelCounter, DropCounter)>,
    probes: Family<ProbeLabels, Gauge>,
    flows: Gauge,
    buffer_bytes: Gauge,
    ring_bytes: Counter,
    watching: WatchingMetrics,
    joined: JoinMetrics,
}

/// Labels of an exemplar.
#[derive(Clone, Copy, Debug)]
struct EventId(Id);

impl EncodeLabelSet for EventId {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> Result<(), std::fmt::Error> {
        let digits = self.0.digits();
        ("event_id", std::str::from_utf8(&digits).unwrap_or_default()).encode(encoder.encode_label())
    }
}

/// Labels of `tls_observer_probe_attached`: as many as the configuration asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ProbeLabels {
    hook: &'static str,
    target: String,
}

impl EncodeLabelSet for ProbeLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> Result<(), std::fmt::Error> {
        (def::HOOK.name, self.hook).encode(encoder.encode_label())?;
        (def::TARGET.name, self.target.as_str()).encode(encoder.encode_label())
    }
}

/// The `service` label of each listener.
#[derive(Debug, Default)]
struct Services {
    names: ServiceNames,
    /// For listeners without a name; `None` when no service is configured at all.
    other: ServiceLabel,
}

impl Services {
    fn new(services: &[Service]) -> Self {
        let names = ServiceNames::new(services);
        let other = (!names.is_empty()).then(|| def::OTHER.into());
        Self { names, other }
    }

    fn label(&self, server: SocketAddr) -> ServiceLabel {
        self.other.as_ref()?;
        self.names.name(server).or(self.other.as_ref()).cloned()
    }

    /// Every value of the label.
    fn labels(&self) -> impl Iterator<Item = ServiceLabel> {
        self.names.all().cloned().map(Some).chain([self.other.clone()])
    }
}

impl Metrics {
    /// Registers everything and makes the series that exist from the start.
    pub fn new(services: &[Service]) -> Self {
        let mut registry = Registry::default();
        let handshakes = Table::register(&mut registry, &def::HANDSHAKES, Counter::default as fn() -> _);
        let failures = Table::register(
            &mut registry,
            &def::FAILURES,
            CounterWithExemplar::default as fn() -> _,
        );
        let histogram: fn() -> Histogram = || Histogram::new(def::DURATION_BUCKETS);
        let duration = Table::register(&mut registry, &def::DURATION, histogram);
        let alerts = Table::register(&mut registry, &def::ALERTS, Counter::default as fn() -> _);
        let client_certificates = Table::register(
            &mut registry,
            &def::CLIENT_CERTIFICATES,
            Counter::default as fn() -> _,
        );
        let authentications = Authentications::new(&mut registry);
        let verdicts = Table::register(&mut registry, &def::VERDICTS, Counter::default as fn() -> _);
        let disagreements =
            Table::register(&mut registry, &def::DISAGREEMENTS, Counter::default as fn() -> _);
        let ciphers = Table::register(&mut registry, &def::CIPHERS, Counter::default as fn() -> _);
        let groups = Table::register(&mut registry, &def::GROUPS, Counter::default as fn() -> _);
        let joined = JoinMetrics::new(&mut registry);
        let watching = WatchingMetrics::new(&mut registry);
        let dropped: Table<2, Counter> =
            Table::register(&mut registry, &def::DROPPED, Counter::default as fn() -> _);
        let trust_reloads =
            Table::register(&mut registry, &def::TRUST_RELOADS, Counter::default as fn() -> _);
        let fetches: Table<1, Counter> = Table::register(
            &mut registry,
            &def::REVOCATION_FETCHES,
            Counter::default as fn() -> _,
        );
        let revocation_fetches = FetchResult::ALL
            .iter()
            .map(|result| (*result, fetches.get([result.label()])));
        let losses = KernelCounter::ALL
            .iter()
            .filter(|counter| !counter.stage().is_empty());
        let kernel_losses = losses
            .map(|counter| (*counter, dropped.get([counter.stage(), counter.reason()])))
            .collect();
        let (probes, flows, buffer_bytes) = (Family::default(), Gauge::default(), Gauge::default());
        let ring_bytes = Counter::default();
        register(&mut registry, &def::PROBES, probes.clone());
        register(&mut registry, &def::FLOWS, flows.clone());
        register(&mut registry, &def::BUFFER_BYTES, buffer_bytes.clone());
        register(&mut registry, &def::RING_BYTES, ring_bytes.clone());
        let release = [(def::RELEASE.name, env!("CARGO_PKG_VERSION"))];
        register(&mut registry, &def::BUILD, Info::new(release.to_vec()));
        let metrics = Self {
            registry,
            services: Services::new(services),
            handshakes,
            failures,
            duration,
            alerts,
            client_certificates,
            authentications,
            verdicts,
            disagreements,
            ciphers,
            groups,
            dropped,
            trust_reloads,
            revocation_fetches: revocation_fetches.collect(),
            kernel_losses,
            probes,
            flows,
            buffer_bytes,
            ring_bytes,
            watching,
            joined,
        };
        for loss in losses::LOSSES {
            metrics.drop_counter(loss.stage, loss.reason);
        }
        for result in def::RESULT.values.iter().copied() {
            metrics.trust_reloads.get([result]);
        }
        for service in metrics.services.labels() {
            metrics.create_initial(&service);
        }
        metrics
    }

    /// Adds the metric of each certificate's end, for those of the inventory that may have one.
    pub fn add_expiry(&mut self, inventory: SharedInventory) {
        self.registry.register_collector(Box::new(Expiry(inventory)));
    }

    /// Counts one handshake or late alert.
    pub fn record(&self, seen: &Observation) {
        let service = &self.services.label(seen.server);
        for alert in &seen.alerts {
            let (level, description) = def::alert(alert);
            self.alerts
                .with([alert.sender.word(), level, description], service, |counter| {
                    counter.inc()
                });
        }
        if seen.action == Action::LateAlert {
            return;
        }
        self.joined.record(seen);
        self.joined
            .sources
            .with([seen.source.word()], service, Counter::inc);
        let version = def::version(seen.version);
        let resumed = def::boolean(seen.resumption.is_some());
        self.handshakes
            .with([seen.outcome.word(), version, resumed], service, |counter| {
                counter.inc()
            });
        self.client_certificates
            .with([seen.client_certificate.word()], service, |counter| counter.inc());
        self.authentications.record(seen, service);
        for (side, verdict) in [
            (Side::Client, &seen.client_verdict),
            (Side::Server, &seen.server_verdict),
        ] {
            if let Some(verdict) = verdict {
                self.verdicts
                    .with([side.word(), verdict.status.word()], service, |counter| {
                        counter.inc()
                    });
            }
        }
        if let Some(disagreement) = seen.disagreement {
            self.disagreements
                .with([disagreement.word()], service, |counter| counter.inc());
        }
        if let Some(cipher) = seen.cipher {
            self.ciphers
                .with([def::cipher(cipher)], service, |counter| counter.inc());
        }
        if let Some(group) = seen.group {
            let post_quantum = def::boolean(group.is_post_quantum());
            self.groups
                .with([def::group(group), post_quantum], service, |counter| {
                    counter.inc()
                });
        }
        match seen.outcome {
            Outcome::Established => {
                let seconds = Duration::from_nanos(seen.duration_ns).as_secs_f64();
                self.duration.with([version, resumed], service, |histogram| {
                    histogram.observe(seconds)
                });
            }
            Outcome::Rejected | Outcome::Aborted | Outcome::TimedOut => self.record_failure(seen, service),
            Outcome::Incomplete => {}
        }
    }

    fn record_failure(&self, seen: &Observation, service: &ServiceLabel) {
        let rejected_by = seen.rejected_by.map_or(def::NONE, Word::word);
        let reason = seen.reason.map_or(def::OTHER, Word::word);
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(seen.time_ns);
        self.failures
            .with([rejected_by, reason, seen.evidence.word()], service, |counter| {
                counter.inc_by(1, Some(EventId(Id(seen.id))), Some(time))
            });
    }

    /// Counts what is no single handshake.
    pub fn record_finding(&self, report: &Report) {
        self.watching.record(report);
    }

    /// Takes over how much of what TLS libraries told became part of events. Totals that go backwards are passed over.
    pub fn set_facts_joined(&self, total: u64) {
        self.joined.set_joined(total);
    }

    /// Takes over the total of what the watching forgot. Totals that go backwards are passed over.
    pub fn set_forgotten(&self, what: Forgotten, total: u64) {
        self.watching.set_forgotten(what, total);
    }

    /// The series of `tls_observer_events_dropped_total` for this place and cause. It exists from now on.
    pub fn drop_counter(&self, stage: &'static str, reason: &'static str) -> DropCounter {
        self.dropped.get([stage, reason])
    }

    /// Counts an attempt to read the files of the trust bundles again.
    pub fn count_trust_reload(&self, succeeded: bool) {
        let result = if succeeded { def::SUCCESS } else { def::FAILURE };
        self.trust_reloads.with([result], &None, |counter| counter.inc());
    }

    /// Takes over how many fetches ended how.
    pub fn set_revocation_fetches(&self, counters: &FetchCounters) {
        for (result, exported) in &self.revocation_fetches {
            exported
                .inner()
                .fetch_max(counters.get(*result), Ordering::Relaxed);
        }
    }

    /// Takes over the total of a kernel counter, summed over CPUs. Totals that go backwards are passed over.
    pub fn set_kernel_counter(&self, counter: KernelCounter, total: u64) {
        let raise = |exported: &Counter| exported.inner().fetch_max(total, Ordering::Relaxed);
        if counter == KernelCounter::EmittedBytes {
            raise(&self.ring_bytes);
        }
        if let Some((_, exported)) = self.kernel_losses.iter().find(|(known, _)| *known == counter) {
            raise(exported);
        }
    }

    /// Says whether the probe of `hook` is attached to `target` (a cgroup's path or an interface's name).
    pub fn set_probe_attached(&self, hook: &'static str, target: &str, attached: bool) {
        let labels = ProbeLabels {
            hook,
            target: target.to_owned(),
        };
        self.probes.get_or_create(&labels).set(i64::from(attached));
    }

    /// Says that nothing is attached to `target` any more.
    pub fn remove_probe(&self, hook: &'static str, target: &str) {
        self.probes.remove(&ProbeLabels {
            hook,
            target: target.to_owned(),
        });
    }

    /// Says how many connections the flow table holds.
    pub fn set_flows(&self, flows: usize) {
        self.flows.set(i64::try_from(flows).unwrap_or(i64::MAX));
    }

    /// Says how many bytes wait in reassembly.
    pub fn set_buffer_bytes(&self, bytes: usize) {
        self.buffer_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// All metrics as OpenMetrics text.
    pub fn open_metrics(&self) -> String {
        let mut text = String::with_capacity(32 * 1024);
        // Writing to a string cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

fn register<const N: usize>(
    registry: &mut Registry,
    definition: &'static series::Definition<N>,
    metric: impl prometheus_client::registry::Metric,
) {
    registry.register(definition.name, definition.help.trim_end_matches('.'), metric);
}

#[cfg(test)]
mod tests;
