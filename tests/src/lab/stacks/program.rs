//! The peer programs of the laboratory's own (`tests/lab`): small programs over one TLS library each, all told what to do
//! by a plan in JSON and all reporting in JSON. `tests/lab/README.md` describes both.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};

use super::feature::{Feature, is_tls13_suite};
use super::openssl_conf::{self, Configuration};
use crate::lab::peer::{
    Behaviour, ClientPlan, PEER_PATIENCE, REQUEST, ServerPlan, Stack, missing_program, openssl_cipher,
};

/// What servers answer.
pub const REPLY: &str = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

/// Where the sources of the programs are.
pub fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("lab")
}

/// A program that `cargo xtask lab` has built: it is in `lab-programs` in Cargo's target directory, some directories above
/// the running program.
///
/// # Errors
/// When it has not been built.
pub fn built(name: &str) -> Result<Command> {
    let own = std::env::current_exe().context("own path")?;
    let found = own
        .ancestors()
        .skip(1)
        .take(3)
        .map(|directory| directory.join("lab-programs").join(name))
        .find(|path| path.is_file());
    let path = found.with_context(|| {
        format!(
            "no lab-programs/{name} near {}: run cargo xtask lab",
            own.display()
        )
    })?;
    Ok(Command::new(path))
}

/// How a library names cipher suites and groups, and where it takes them from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// IANA's.
    Iana,
    /// OpenSSL's, through the program.
    OpenSsl,
    /// OpenSSL's; suites of TLS 1.3 come from OpenSSL's configuration file only.
    OpenSslConf,
}

/// A program, and what it can be told.
pub struct Program {
    /// The stack's name.
    pub name: &'static str,
    /// Starts it, but for its arguments.
    pub command: fn() -> Result<Command>,
    /// What its servers can.
    pub server: &'static [Feature],
    /// What its clients can.
    pub client: &'static [Feature],
    /// Names it knows.
    pub naming: Naming,
    /// How it is told of a configuration file for OpenSSL, if it can be.
    pub configure: Option<fn(&mut Command, &Path)>,
}

impl Stack for Program {
    fn name(&self) -> &'static str {
        self.name
    }

    fn lacks(&self) -> Option<String> {
        match (self.command)() {
            Err(error) => Some(error.to_string()),
            Ok(command) => {
                let program = command.get_program();
                let name = program.to_string_lossy();
                if Path::new(program).is_absolute() {
                    None
                } else {
                    missing_program(&name)
                }
            }
        }
    }

    fn serve(&self, plan: &ServerPlan<'_>) -> Result<Option<Command>> {
        if !Feature::of_server(plan)
            .iter()
            .all(|feature| self.server.contains(feature))
        {
            return Ok(None);
        }
        let mut told = self.plan(plan, plan.address, plan.cipher, plan.group)?;
        told["reply"] = json!(REPLY);
        self.command("server", &told, openssl_conf::server(plan))
            .map(Some)
    }

    fn call(&self, plan: &ClientPlan<'_>) -> Result<Option<Command>> {
        if !Feature::of_client(plan)
            .iter()
            .all(|feature| self.client.contains(feature))
        {
            return Ok(None);
        }
        let mut told = self.plan(plan, plan.address, plan.cipher, plan.group)?;
        told["request"] = json!(REQUEST);
        if let Behaviour::Idles(time) = plan.behaviour {
            told["behaviour"] = json!("idles");
            told["idle_seconds"] = json!(time.as_secs_f64());
        }
        self.command("client", &told, openssl_conf::client(plan))
            .map(Some)
    }
}

impl Program {
    /// The plan as the program is told it: address and names in its own terms.
    fn plan(
        &self,
        plan: &impl Serialize,
        address: SocketAddr,
        cipher: Option<&str>,
        group: Option<&str>,
    ) -> Result<Value> {
        let mut told = serde_json::to_value(plan)?;
        told["address"] = json!(address.ip());
        told["port"] = json!(address.port());
        told["cipher"] = json!(cipher.and_then(|name| self.cipher(name)));
        told["group"] = json!(group.map(|name| self.group(name)));
        told["patience"] = json!(PEER_PATIENCE.as_secs());
        Ok(told)
    }

    fn command(&self, part: &str, plan: &Value, configuration: Configuration<'_>) -> Result<Command> {
        let mut command = (self.command)()?;
        if let Some(configure) = self.configure
            && let Some(file) = configuration.write()?
        {
            configure(&mut command, &file);
        }
        command.arg(part).arg(plan.to_string());
        Ok(command)
    }

    /// `None` where the program is not to be told.
    fn cipher(&self, iana: &str) -> Option<String> {
        match self.naming {
            Naming::Iana => Some(iana.to_owned()),
            Naming::OpenSslConf if is_tls13_suite(iana) => None,
            Naming::OpenSsl | Naming::OpenSslConf => Some(openssl_cipher(iana)),
        }
    }

    fn group(&self, name: &str) -> String {
        match self.naming {
            Naming::Iana => name.to_owned(),
            Naming::OpenSsl | Naming::OpenSslConf => openssl_conf::group(name),
        }
    }
}
