//! A stack as it is deployed: its program, its settings in the environment, its log.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::agent::Agent;
use crate::peers::Place;
use crate::private::PrivateCopies;
use crate::probed;
use crate::process::Process;
use crate::target;

use super::certificates::Certificates;

/// The name that clients ask for.
pub const NAME: &str = "localhost";
/// OpenSSL's libraries, as the programs of Debian load them.
const OPENSSL: [&str; 2] = ["libssl.so.3", "libcrypto.so.3"];
/// First of the ports that deployments listen on.
const PORT: u16 = 8443;

/// How a stack is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deployment {
    /// TLS 1.2 and 1.3, and the revocation list if the stack can read one.
    Usual,
    /// No revocation list.
    WithoutCrl,
    /// Nothing below TLS 1.3.
    Tls13Only,
}

impl Deployment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Usual, Self::WithoutCrl, Self::Tls13Only];

    /// Where it listens, beside the others.
    pub const fn address(self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT + self as u16)
    }

    /// The label `service` that the agent gives it.
    pub const fn service(self) -> &'static str {
        match self {
            Self::Usual => "orders",
            Self::WithoutCrl => "orders-without-crl",
            Self::Tls13Only => "orders-tls13",
        }
    }
}

/// Where the code is in which library probes are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// In OpenSSL's shared libraries, of which the service loads copies.
    SharedOpenSsl,
    /// In the program itself, a path below the stack's directory.
    Program(&'static str),
    /// No probe finds it.
    Stripped,
}

/// How a stack turns a client away whose certificate it does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// In the handshake.
    Handshake,
    /// It completes the handshake and answers the request with an error.
    Answer,
}

/// Whose TLS it is, and so what probes tell in TLS 1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// OpenSSL: the certificate and what was found of it, not that a handshake is complete.
    OpenSsl,
    /// rustls on aws-lc-rs: every handshake message and alert.
    AwsLc,
    /// rustls on ring: the certificate, and whether it was taken.
    Ring,
    /// Any, without symbols: nothing.
    Stripped,
}

impl Library {
    /// Whether probes show the client's certificate.
    pub const fn shows_certificates(self) -> bool {
        !matches!(self, Self::Stripped)
    }

    /// Whether probes tell why a side refused.
    pub const fn tells_reasons(self) -> bool {
        matches!(self, Self::OpenSsl | Self::AwsLc)
    }

    /// What the agent's counters of losses say when a certificate is broken: the layout of ring's callers is guessed, so what
    /// makes no sense is not believed.
    pub const fn doubts(self) -> &'static [&'static str] {
        match self {
            Self::Ring => &["stage=\"library_hits\""],
            _ => &[],
        }
    }

    /// Whether probes show session tickets, so that a resumed session has a name.
    pub const fn shows_tickets(self) -> bool {
        matches!(self, Self::AwsLc)
    }

    /// Whether probes show the client's certificate that a resumed session has kept.
    pub const fn shows_sessions(self) -> bool {
        matches!(self, Self::OpenSsl)
    }
}

/// One of the stacks, in one of its variants.
#[derive(Debug)]
pub struct Stack {
    /// Its name: the directory of its sources, its page in the documentation.
    pub name: &'static str,
    /// Which variant: a heading of its page.
    pub variant: &'static str,
    /// What is started, a path below the stack's directory.
    pub program: &'static str,
    /// The name of the process that serves, without a version.
    pub process: &'static str,
    /// Where its TLS is.
    pub code: Code,
    /// What it is.
    pub library: Library,
    /// The agent's `--libraries`.
    pub probes: &'static str,
    /// How it refuses.
    pub refusal: Refusal,
    /// Whether it answers what is not TLS with an alert.
    pub alerts_strangers: bool,
    /// Whether it resumes sessions.
    pub resumes: bool,
    /// Files of its log, in the directory that it runs in, beside standard output and error.
    pub logs: &'static [&'static str],
}

impl Stack {
    /// A service on OpenSSL's shared libraries, probed by default, that refuses in the handshake and resumes sessions.
    pub const fn on_openssl(
        name: &'static str,
        variant: &'static str,
        program: &'static str,
        process: &'static str,
    ) -> Self {
        Self {
            name,
            variant,
            program,
            process,
            code: Code::SharedOpenSsl,
            library: Library::OpenSsl,
            probes: "auto",
            refusal: Refusal::Handshake,
            alerts_strangers: false,
            resumes: true,
            logs: &[],
        }
    }

    /// Where `cargo xtask setup --stacks` has put it: `stacks/NAME` in Cargo's target directory.
    ///
    /// # Errors
    /// When it is not there.
    pub fn directory(&self) -> Result<PathBuf> {
        target::installed(Path::new("stacks").join(self.name), "cargo xtask setup --stacks")
    }

    /// Starts it and waits until it listens and the agent's probes are in.
    ///
    /// # Errors
    /// When it does not come up, or the probes do not.
    pub fn deploy(
        &self,
        deployment: Deployment,
        with: &Certificates,
        place: Place<'_>,
        agent: &Agent,
    ) -> Result<Service> {
        let copies = PrivateCopies::new()?;
        let directory = tempfile::Builder::new().prefix("tlsobs-stack-").tempdir()?;
        let own = self.directory()?;
        let mut command = Command::new(own.join(self.program));
        command
            .current_dir(&own)
            .env("RUN_DIRECTORY", directory.path())
            .env("LISTEN", deployment.address().to_string())
            .env("TLS_CERTIFICATE", &with.pki.server.files.certificate)
            .env("TLS_KEY", &with.pki.server.files.key)
            .env("TLS_CLIENT_CA", &with.pki.client_ca.files.certificate);
        if deployment != Deployment::WithoutCrl {
            command.env("TLS_CLIENT_CRL", &with.faults.crl);
        }
        if deployment == Deployment::Tls13Only {
            command.env("TLS_MIN_VERSION", "1.3");
        }
        let process = place.serve(&mut copies.of(&command), deployment.address())?;
        let files = match self.code {
            Code::SharedOpenSsl => OPENSSL.map(|name| copies.directory().join(name)).to_vec(),
            Code::Program(path) => vec![fs::canonicalize(own.join(path))?],
            Code::Stripped => Vec::new(),
        };
        probed::wait_files(agent, &files).with_context(|| process.transcript())?;
        Ok(Service {
            process,
            logs: self.logs.iter().map(|name| directory.path().join(name)).collect(),
            _directory: directory,
            _copies: copies,
        })
    }
}

/// A running service. Dropping it ends it.
pub struct Service {
    process: Process,
    logs: Vec<PathBuf>,
    _directory: TempDir,
    _copies: PrivateCopies,
}

impl Service {
    /// The lines of each part of its log so far.
    fn parts(&self) -> Vec<Vec<String>> {
        let stderr = self.process.stderr().lines().map(str::to_owned).collect();
        let mut parts = vec![self.process.stdout(), stderr];
        for path in &self.logs {
            let text = fs::read(path).unwrap_or_default();
            parts.push(
                String::from_utf8_lossy(&text)
                    .lines()
                    .map(str::to_owned)
                    .collect(),
            );
        }
        parts
    }

    /// How much it has logged.
    pub fn logged(&self) -> Logged {
        Logged(self.parts().iter().map(Vec::len).collect())
    }

    /// What it has logged since then.
    pub fn log_since(&self, before: &Logged) -> Vec<String> {
        let parts = self.parts().into_iter().zip(&before.0);
        parts
            .flat_map(|(lines, seen)| lines.into_iter().skip(*seen))
            .collect()
    }
}

/// A place in a service's log: lines of each of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged(Vec<usize>);
