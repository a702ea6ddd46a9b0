//! TLS servers and clients, honest and broken, that the agent watches.

pub mod crowd;
pub mod libssl;
pub mod lookalike;
pub mod openssl;
pub mod rustls;
pub mod smtp;
pub mod tcp;
pub mod tls;
pub mod wire;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::cgroup::Cgroup;
use crate::netns::Namespace;
use crate::pki::{Leaf, Pki, SERVER_NAME};
use crate::poll;
use crate::process::{Confine, Process};

/// Where a peer runs.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Its network.
    pub namespace: &'a Namespace,
    /// Its cgroup, which the agent watches.
    pub cgroup: &'a Cgroup,
}

impl Place<'_> {
    /// Starts a process there.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, command: &mut Command) -> Result<Process> {
        Process::spawn(command.confine(Some(self.namespace), Some(self.cgroup))?)
    }

    /// Starts a server there and waits until it listens.
    ///
    /// # Errors
    /// When it ends before, or takes too long.
    pub fn serve(&self, command: &mut Command, address: SocketAddr) -> Result<Process> {
        let mut server = self.spawn(command)?;
        let listening = poll::until("a listening server", poll::PATIENCE, || {
            if self.namespace.listens(address.port())? {
                return Ok(Some(()));
            }
            match server.wait(std::time::Duration::ZERO) {
                Ok(status) => bail!("the server ended: {status}"),
                Err(_) => Ok(None),
            }
        });
        listening.with_context(|| server.transcript())?;
        Ok(server)
    }
}

/// A TLS version that a peer is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Version {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

impl Version {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Tls12, Self::Tls13];

    /// As the events show it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

/// What a server wants of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// It does not ask for a certificate.
    None,
    /// It asks and takes no for an answer.
    Optional,
    /// It asks and insists.
    Required,
}

/// A TLS library that can be both server and client here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// OpenSSL's command line tools.
    OpenSsl,
    /// rustls.
    Rustls,
}

impl Stack {
    /// Both.
    pub const ALL: [Self; 2] = [Self::OpenSsl, Self::Rustls];

    /// Starts a server of this library that speaks one version, and waits until it listens.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn serve(
        self,
        place: Place<'_>,
        pki: &Pki,
        address: SocketAddr,
        version: Version,
        auth: ClientAuth,
    ) -> Result<Process> {
        let mut command = match self {
            Self::OpenSsl => openssl::server(pki, address, Some(version), auth),
            Self::Rustls => rustls::server(pki, address, &tls::Offer::only(version), auth)?,
        };
        place.serve(&mut command, address)
    }

    /// Runs a client of this library that asks for [`SERVER_NAME`] to its end. Tells whether the server served it.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn call(
        self,
        place: Place<'_>,
        trusted: &Path,
        address: SocketAddr,
        version: Version,
        certificate: Option<&Leaf>,
    ) -> Result<bool> {
        match self {
            Self::OpenSsl => {
                let mut command = openssl::client(trusted, address, Some(version), SERVER_NAME, certificate);
                Ok(openssl::converse(place, &mut command)?.answered)
            }
            Self::Rustls => {
                let offer = tls::Offer::only(version);
                let mut command = rustls::client(trusted, address, &offer, SERVER_NAME, certificate)?;
                let reports = rustls::converse(place, &mut command)?;
                Ok(reports.first().context("no report")?["ok"] == true)
            }
        }
    }
}
