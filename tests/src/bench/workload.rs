//! One server under load.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::load::Credentials;
use super::machine::cpu_time;
use super::{ADDRESS, Ground, load};
use crate::peers::{ClientAuth, Stack, Version, openssl};
use crate::process::Process;

/// How long one repeat may take.
const LIMIT: Duration = Duration::from_secs(180);

/// A running server that demands client certificates.
pub struct Server<'a> {
    ground: &'a Ground,
    version: Version,
    process: Process,
}

/// What one run of the client gave.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Wall-clock seconds, measured by the client.
    pub seconds: f64,
    /// CPU seconds of the server, its system calls and the kernel programs in them included.
    pub server_cpu: f64,
    /// The same of the client, its start included.
    pub client_cpu: f64,
}

impl<'a> Server<'a> {
    /// Starts the server.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub fn start(ground: &'a Ground, stack: Stack, version: Version) -> Result<Self> {
        let mut command = match stack {
            Stack::Rustls => load::server(Credentials::of_server(&ground.pki), version)?,
            Stack::OpenSsl => {
                let mut command = openssl::server(&ground.pki, ADDRESS, Some(version), ClientAuth::Required);
                command.arg("-quiet");
                command
            }
        };
        Self::run(ground, version, &mut command)
    }

    /// Starts a server by a command that makes it listen at [`ADDRESS`].
    ///
    /// # Errors
    /// When it does not listen in time.
    pub fn run(ground: &'a Ground, version: Version, command: &mut Command) -> Result<Self> {
        Ok(Self {
            ground,
            version,
            process: ground.place().serve(command, ADDRESS)?,
        })
    }

    /// Makes `connections` connections, one after the other or a few at once, each with a full handshake, and asks for
    /// `bytes` on each (0: one short line).
    ///
    /// # Errors
    /// When some connection fails.
    pub fn load(&self, connections: u32, bytes: u64) -> Result<Outcome> {
        self.ask(connections, bytes, None)
    }

    /// As [`Self::load`], with the words that this server wants to hear for it.
    ///
    /// # Errors
    /// When some connection fails.
    pub fn ask(&self, connections: u32, bytes: u64, request: Option<&str>) -> Result<Outcome> {
        let before = cpu_time(self.process.pid())?;
        let mut command = load::client(
            Credentials::of_client(&self.ground.pki),
            self.version,
            connections,
            bytes,
        )?;
        if let Some(request) = request {
            command.args(["--request", request]);
        }
        let mut client = self.ground.place().spawn(&mut command)?;
        let status = client.wait(LIMIT)?;
        let server_cpu = cpu_time(self.process.pid())?.saturating_sub(before).as_secs_f64();
        ensure!(
            status.success(),
            "{}\n{}",
            client.transcript(),
            self.process.transcript()
        );
        let report: Value =
            serde_json::from_str(client.stdout().first().context("the client reports nothing")?)?;
        let field = |name: &str| report[name].as_f64().with_context(|| report.to_string());
        Ok(Outcome {
            seconds: field("seconds")?,
            server_cpu,
            client_cpu: field("cpu")?,
        })
    }
}
