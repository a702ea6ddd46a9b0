//! The list of settings: one line here is a flag, an environment variable and a key of the file.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use super::libraries::{Families, Selector};
use super::service::Service;
use super::trust::Trust;
use super::values::{
    ConnectionCount, FlowCount, Format, FromText, InterfaceName, LateAlerts, Listen, LogFormat, LogLevel,
    OutputKind, QueueLength, RingBytes, Span,
};
use super::watching::{InventoryCount, Learning, MetricCount, RefusalBurst};

/// The environment variable of the setting `key`.
pub fn variable(key: &str) -> String {
    format!("TLS_OBSERVER_{}", key.to_uppercase())
}

macro_rules! settings {
    ($($(#[$meta:meta])* $key:ident: $type:ty,)*) => {
        /// What one place (flags, environment or file) says; `None` where it is silent.
        #[derive(Clone, Debug, Default, Args, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Settings {
            $($(#[$meta])* pub $key: Option<$type>,)*
        }

        /// Every key, in order.
        pub const KEYS: &[&str] = &[$(stringify!($key)),*];

        impl Settings {
            /// Reads the variables of all settings. An empty variable counts as unset. Variables that are no setting's
            /// are passed over: Kubernetes adds some for a service called `tls-observer`.
            ///
            /// # Errors
            /// The variable's name and what is wrong with its value.
            pub fn from_environment(
                variables: impl Fn(&str) -> Option<String>,
            ) -> Result<Self, (String, String)> {
                let read = |key| {
                    let name = variable(key);
                    variables(&name).filter(|value| !value.is_empty()).map(|value| (name, value))
                };
                Ok(Self {
                    $($key: match read(stringify!($key)) {
                        Some((name, value)) => {
                            Some(<$type>::from_text(&value).map_err(|message| (name, message))?)
                        }
                        None => None,
                    },)*
                })
            }

            /// These settings, with `fallback` where they are silent.
            #[must_use]
            pub fn or(self, fallback: Self) -> Self {
                Self { $($key: self.$key.or(fallback.$key),)* }
            }
        }
    };
}

settings! {
    /// Watch the processes of this cgroup (v2) and those below it [default: the root of the cgroup v2 mount].
    #[arg(long, value_name = "PATH")]
    cgroup: PathBuf,
    /// Watch these network interfaces instead of a cgroup; may be repeated.
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "cgroup")]
    interface: Vec<InterfaceName>,
    /// Serve /metrics, /certificates, /healthz and /readyz on this address; off serves nothing [default: 127.0.0.1:9465].
    #[arg(long, value_name = "ADDRESS:PORT|off")]
    listen: Listen,
    /// Where events go: stdout or file:PATH (always JSON lines); may be repeated [default: stdout].
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    output: Vec<OutputKind>,
    /// What to write to standard output.
    #[arg(skip)]
    format: Format,
    /// How log lines look.
    #[arg(skip)]
    log_format: LogFormat,
    /// The least severe log lines to show.
    #[arg(skip)]
    log_level: LogLevel,
    /// Size of the ring buffer between kernel and agent, a power of two of at least 4KiB [default: 4MiB].
    #[arg(long, value_name = "SIZE")]
    ring_bytes: RingBytes,
    /// Connections that the kernel follows at once [default: 32768].
    #[arg(long, value_name = "COUNT")]
    max_flows: FlowCount,
    /// Connections that the agent puts back together at once [default: 16384].
    #[arg(long, value_name = "COUNT")]
    max_connections: ConnectionCount,
    /// How long a handshake may be silent before it counts as timed out [default: 10s].
    #[arg(long, value_name = "TIME")]
    handshake_timeout: Span,
    /// How long to wait for a refusal after a TLS 1.3 handshake seems done [default: 2s].
    #[arg(long, value_name = "TIME")]
    settle_timeout: Span,
    /// Events that may wait for a slow output; those beyond are dropped and counted [default: 8192].
    #[arg(long, value_name = "COUNT")]
    queue: QueueLength,
    /// Put the whole certificate chains into the events, as base64 DER [default: false].
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    certificate_chain: bool,
    /// Alerts after an established handshake that become events: unexpected or all [default: unexpected].
    #[arg(long, value_name = "unexpected|all")]
    late_alerts: LateAlerts,
    /// How many refusals of one source or certificate in how much time are an event, as COUNT/TIME; off: none are
    /// [default: 60/1m].
    #[arg(long, value_name = "COUNT/TIME|off")]
    refusal_burst: RefusalBurst,
    /// How long to learn certificates before a new one is an event; off: none is [default: 24h].
    #[arg(long, value_name = "TIME|off")]
    certificate_learning: Learning,
    /// Leaf certificates that /certificates tells of; 0 for none [default: 4096].
    #[arg(long, value_name = "COUNT")]
    certificate_inventory: InventoryCount,
    /// Certificates whose end has a metric of its own, with their names in labels; 0 for none [default: 0].
    #[arg(long, value_name = "COUNT")]
    certificate_metric: MetricCount,
    /// Name a listener for the metrics' service label, as NAME=ADDRESS:PORT or NAME=PORT; may be repeated.
    #[arg(long, value_name = "NAME=LISTENER", value_delimiter = ',')]
    service: Vec<Service>,
    /// Probe these TLS libraries of the processes for what TLS 1.3 hides: auto (openssl, gnutls, go), off, or a list of them and
    /// of aws-lc, rustls, boringssl [default: auto].
    #[arg(long, value_name = "auto|off|LIST")]
    libraries: Families,
    /// Probe only these: path:GLOB (the file with the library), cgroup:PATH or pid:NUMBER; may be repeated.
    #[arg(long, value_name = "SELECTOR", value_delimiter = ',')]
    libraries_include: Vec<Selector>,
    /// Do not probe these: path:GLOB, cgroup:PATH or pid:NUMBER; may be repeated.
    #[arg(long, value_name = "SELECTOR", value_delimiter = ',')]
    libraries_exclude: Vec<Selector>,
    /// Judge certificates by these authorities, as NAME=FILE or NAME;KEY=VALUE;… with the keys of a trust table in the file;
    /// may be repeated.
    #[arg(long, value_name = "NAME=FILE", value_delimiter = ',')]
    trust: Vec<Trust>,
}
