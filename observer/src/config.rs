//! Flags, environment and file become one validated [`Config`]: a flag beats its variable, which beats the file, which
//! beats the default.

pub mod file;
pub mod host;
pub mod libraries;
pub mod replay;
pub mod service;
pub mod settings;
pub mod trust;
pub mod values;
pub mod watching;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use observer_common::limits;

use crate::cli::{GlobalArgs, RunArgs};
use crate::exit::Exit;
use host::Host;
use libraries::LibraryProbing;
use service::{Listener, Service};
use settings::Settings;
use trust::Trust;
use values::{Format, LateAlerts, Listen, LogFormat, LogLevel, OutputKind};
use watching::Watching;

/// Default of [`Config::listen`].
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9465);
/// Default of [`Config::max_connections`].
pub const DEFAULT_MAX_CONNECTIONS: usize = 16_384;
/// Default of [`Config::handshake_timeout`].
pub const DEFAULT_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Default of [`Config::settle_timeout`].
pub const DEFAULT_SETTLE_TIMEOUT: Duration = Duration::from_secs(2);
/// Default of [`Config::queue`].
pub const DEFAULT_QUEUE: usize = 8192;

/// What `check` and `schema` need, and `run` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Console {
    /// What goes to standard output.
    pub format: Format,
    /// How log lines look.
    pub log_format: LogFormat,
    /// The least severe log lines shown.
    pub log_level: LogLevel,
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The sockets of the processes in this cgroup (v2) and below.
    Cgroup(PathBuf),
    /// All that passes these interfaces.
    Interfaces(Vec<String>),
}

/// The configuration of `run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Standard output and log.
    pub console: Console,
    /// What is watched.
    pub scope: Scope,
    /// Where metrics and health are served; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Where events go; may be empty.
    pub outputs: Vec<OutputKind>,
    /// Size of the ring buffer in bytes, a power of two and a multiple of 4096.
    pub ring_bytes: u32,
    /// Entries of the kernel's flow map.
    pub max_flows: u32,
    /// Connections in the agent's flow table.
    pub max_connections: usize,
    /// Silence after which a handshake has timed out.
    pub handshake_timeout: Duration,
    /// How long a TLS 1.3 handshake that seems done is held back for a refusal.
    pub settle_timeout: Duration,
    /// Events that may wait for one output.
    pub queue: usize,
    /// Whether events carry whole chains.
    pub certificate_chain: bool,
    /// Which alerts after an established handshake become events.
    pub late_alerts: LateAlerts,
    /// What is watched beyond single handshakes.
    pub watching: Watching,
    /// What of the host's TLS libraries is probed.
    pub libraries: LibraryProbing,
    /// Named listeners, no listener twice.
    pub services: Vec<Service>,
    /// Trust bundles, no name twice.
    pub trust: Vec<Trust>,
}

/// What `run` and `replay` both have, with the default where the settings are silent.
impl Settings {
    fn max_connections(&self) -> usize {
        self.max_connections
            .map_or(DEFAULT_MAX_CONNECTIONS, |count| count.0 as usize)
    }

    fn handshake_timeout(&self) -> Duration {
        self.handshake_timeout
            .map_or(DEFAULT_HANDSHAKE_TIMEOUT, |span| span.0)
    }

    fn settle_timeout(&self) -> Duration {
        self.settle_timeout.map_or(DEFAULT_SETTLE_TIMEOUT, |span| span.0)
    }

    /// The named listeners, and the trust bundles that may speak of them.
    fn services_and_trust(&mut self) -> Result<(Vec<Service>, Vec<Trust>), ConfigError> {
        let services = self.service.take().unwrap_or_default();
        let listeners: Vec<Listener> = services.iter().map(|service| service.listener).collect();
        if let Some(twice) = repeated(&listeners) {
            let name = match twice {
                Listener::Address(address) => address.to_string(),
                Listener::Port(port) => format!("port {port}"),
            };
            return Err(ConfigError::Conflict(format!(
                "service: {name} has two names; give it one"
            )));
        }
        let bundles = self.trust.take().unwrap_or_default();
        let names: Vec<&str> = bundles.iter().map(|bundle| bundle.name.as_str()).collect();
        if let Some(twice) = repeated(&names) {
            return Err(ConfigError::Conflict(format!(
                "trust: two bundles have the name {twice:?}; events could not tell them apart"
            )));
        }
        for bundle in &bundles {
            let is_known = |wanted: &String| services.iter().any(|service| service.name == *wanted);
            if let Some(unknown) = bundle.selector.services.iter().find(|name| !is_known(name)) {
                return Err(ConfigError::Conflict(format!(
                    "trust {:?}: service: no service has the name {unknown:?}",
                    bundle.name
                )));
            }
        }
        Ok((services, bundles))
    }
}

/// Why there is no configuration. Each message is one line: where, what, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// An environment variable's value.
    #[error("{name}: {message}")]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file's contents.
    #[error("{}{}: {message}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong, the key named.
        message: String,
    },
    /// Settings that cannot stand together.
    #[error("{0}")]
    Conflict(String),
    /// The default scope does not exist here.
    #[error(
        "no cgroup v2 hierarchy is mounted here: mount one (mount -t cgroup2 none /sys/fs/cgroup), or choose interfaces \
         with --interface NAME"
    )]
    NoCgroup,
}

impl ConfigError {
    /// The exit status that tells of it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoCgroup => Exit::Unsupported,
            _ => Exit::Usage,
        }
    }
}

impl Console {
    /// For the verbs that read no file.
    ///
    /// # Errors
    /// When an environment variable of any setting does not hold a valid value.
    pub fn from_cli(global: &GlobalArgs, host: &impl Host) -> Result<Self, ConfigError> {
        Ok(Self::from_settings(
            &flags(global, Settings::default()).or(environment(host)?),
            host,
        ))
    }

    fn from_settings(settings: &Settings, host: &impl Host) -> Self {
        let usual = if host.stdout_is_terminal() {
            Format::Text
        } else {
            Format::Json
        };
        Self {
            format: settings.format.unwrap_or(usual),
            log_format: settings.log_format.unwrap_or(LogFormat::Text),
            log_level: settings.log_level.unwrap_or(LogLevel::Info),
        }
    }
}

impl Config {
    /// Puts flags, environment, file and defaults together.
    ///
    /// # Errors
    /// See [`ConfigError`]; nothing is opened or started before.
    pub fn from_cli(global: &GlobalArgs, run: &RunArgs, host: &impl Host) -> Result<Self, ConfigError> {
        let flags = flags(global, run.settings.clone());
        let environment = environment(host)?;
        let file = file_settings(run.config.as_deref(), host)?;
        let scope = scope(
            [
                ("the command line", &flags),
                ("the environment", &environment),
                ("the configuration file", &file),
            ],
            host,
        )?;
        Self::from_settings(flags.or(environment).or(file), scope, host)
    }

    fn from_settings(mut settings: Settings, scope: Scope, host: &impl Host) -> Result<Self, ConfigError> {
        let console = Console::from_settings(&settings, host);
        let outputs = settings.output.take().unwrap_or_else(|| vec![OutputKind::Stdout]);
        let (services, trust) = settings.services_and_trust()?;
        if let Some(twice) = repeated(&outputs) {
            let name = match twice {
                OutputKind::Stdout => "stdout".to_owned(),
                OutputKind::File(path) => format!("file:{}", path.display()),
            };
            return Err(ConfigError::Conflict(format!(
                "output: {name} is there twice; name each output once"
            )));
        }
        let listen = match settings.listen {
            None => Some(DEFAULT_LISTEN),
            Some(Listen::At(address)) => Some(address),
            Some(Listen::Off) => None,
        };
        Ok(Self {
            console,
            scope,
            listen,
            outputs,
            ring_bytes: settings
                .ring_bytes
                .map_or(limits::DEFAULT_RING_BYTES, |size| size.0),
            max_flows: settings
                .max_flows
                .map_or(limits::DEFAULT_MAX_FLOWS, |count| count.0),
            max_connections: settings.max_connections(),
            handshake_timeout: settings.handshake_timeout(),
            settle_timeout: settings.settle_timeout(),
            queue: settings.queue.map_or(DEFAULT_QUEUE, |count| count.0 as usize),
            certificate_chain: settings.certificate_chain.unwrap_or(false),
            late_alerts: settings.late_alerts.unwrap_or(LateAlerts::Unexpected),
            watching: Watching::from_settings(&settings),
            libraries: LibraryProbing::from_settings(&mut settings)?,
            services,
            trust,
        })
    }
}

/// The flags, global ones included.
fn flags(global: &GlobalArgs, run: Settings) -> Settings {
    Settings {
        format: global.format,
        log_format: global.log_format,
        log_level: global.log_level,
        ..run
    }
}

fn environment(host: &impl Host) -> Result<Settings, ConfigError> {
    Settings::from_environment(|name| host.variable(name))
        .map_err(|(name, message)| ConfigError::Variable { name, message })
}

/// The settings of the file that the flag or else its variable names; none without a file.
fn file_settings(flag: Option<&Path>, host: &impl Host) -> Result<Settings, ConfigError> {
    let path = flag.map(Path::to_owned).or_else(|| {
        host.variable(&settings::variable("config"))
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    });
    path.map_or_else(|| Ok(Settings::default()), |path| read_file(&path, host))
}

fn read_file(path: &Path, host: &impl Host) -> Result<Settings, ConfigError> {
    let text = host.read(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    file::parse(&text).map_err(|error| ConfigError::File {
        path: path.to_owned(),
        line: error.line,
        message: error.message,
    })
}

/// What to watch: the first place that names a cgroup or interfaces decides, so that a flag `--interface` beats a file's
/// `cgroup`. In one place they exclude each other.
fn scope(places: [(&str, &Settings); 3], host: &impl Host) -> Result<Scope, ConfigError> {
    for (place, settings) in places {
        let interfaces = settings.interface.as_deref().filter(|names| !names.is_empty());
        return Ok(match (&settings.cgroup, interfaces) {
            (None, None) => continue,
            (Some(cgroup), None) => Scope::Cgroup(cgroup.clone()),
            (None, Some(names)) => Scope::Interfaces(names.iter().map(ToString::to_string).collect()),
            (Some(_), Some(_)) => {
                let message = format!("{place} sets both cgroup and interface; keep one of them");
                return Err(ConfigError::Conflict(message));
            }
        });
    }
    let mounts = Path::new("/proc/self/mounts");
    let table = host.read(mounts).map_err(|source| ConfigError::Read {
        path: mounts.to_owned(),
        source,
    })?;
    host::cgroup2_mount(&table)
        .map(Scope::Cgroup)
        .ok_or(ConfigError::NoCgroup)
}

/// The first item that stands in `items` a second time.
fn repeated<T: PartialEq>(items: &[T]) -> Option<&T> {
    items
        .iter()
        .enumerate()
        .find_map(|(at, item)| items[..at].contains(item).then_some(item))
}

#[cfg(test)]
mod tests;
