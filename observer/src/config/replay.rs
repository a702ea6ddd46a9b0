//! The configuration of `replay`: some of the settings of `run`, from the same places.

use std::path::PathBuf;
use std::time::Duration;

use super::host::Host;
use super::service::Service;
use super::trust::Trust;
use super::values::LateAlerts;
use super::watching::Watching;
use super::{ConfigError, Console, environment, file_settings, flags};
use crate::cli::{CertificatesArgs, GlobalArgs, ReplayArgs};

/// What is shown of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The events of live traffic.
    Events,
    /// Each handshake message and alert.
    Messages,
    /// A report of all handshakes.
    Summary,
    /// The certificates of all handshakes.
    Certificates,
}

/// The configuration of `replay`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayConfig {
    /// Standard output and log.
    pub console: Console,
    /// The captures, in order; `-` for standard input.
    pub files: Vec<PathBuf>,
    /// What is written.
    pub view: View,
    /// Connections in the flow table.
    pub max_connections: usize,
    /// Silence after which a handshake has timed out.
    pub handshake_timeout: Duration,
    /// How long a TLS 1.3 handshake that seems done is held back for a refusal.
    pub settle_timeout: Duration,
    /// Whether events carry whole chains.
    pub certificate_chain: bool,
    /// Which alerts after an established handshake become events.
    pub late_alerts: LateAlerts,
    /// What is watched beyond single handshakes.
    pub watching: Watching,
    /// Named listeners, for the trust bundles that speak of them.
    pub services: Vec<Service>,
    /// Trust bundles, no name twice.
    pub trust: Vec<Trust>,
}

impl ReplayConfig {
    /// As [`Self::from_cli`], for the certificates of captures.
    ///
    /// # Errors
    /// The same.
    pub fn of_certificates(
        global: &GlobalArgs,
        certificates: &CertificatesArgs,
        host: &impl Host,
    ) -> Result<Self, ConfigError> {
        let replay = ReplayArgs {
            files: certificates.files.clone(),
            config: certificates.config.clone(),
            ..ReplayArgs::default()
        };
        Ok(Self {
            view: View::Certificates,
            ..Self::from_cli(global, &replay, host)?
        })
    }

    /// Puts flags, environment, file and defaults together. Settings of `run` that mean nothing here are passed over.
    ///
    /// # Errors
    /// When a variable or the file does not hold valid values.
    pub fn from_cli(global: &GlobalArgs, replay: &ReplayArgs, host: &impl Host) -> Result<Self, ConfigError> {
        let mut settings = flags(global, replay.settings())
            .or(environment(host)?)
            .or(file_settings(replay.config.as_deref(), host)?);
        let (services, trust) = settings.services_and_trust()?;
        Ok(Self {
            console: Console::from_settings(&settings, host),
            files: replay.files.clone(),
            view: match (replay.messages, replay.summary) {
                (true, _) => View::Messages,
                (_, true) => View::Summary,
                _ => View::Events,
            },
            max_connections: settings.max_connections(),
            handshake_timeout: settings.handshake_timeout(),
            settle_timeout: settings.settle_timeout(),
            certificate_chain: settings.certificate_chain.unwrap_or(false),
            late_alerts: settings.late_alerts.unwrap_or(LateAlerts::Unexpected),
            watching: Watching::from_settings(&settings),
            services,
            trust,
        })
    }
}
