//! The peer programs of the laboratory's own (`tests/lab`): small programs over one TLS library each, all told what to do
//! by a plan in JSON and all reporting in JSON. `tests/lab/README.md` describes both.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use serde_json::{Value, json};

use super::super::peer::{Behaviour, ClientPlan, PEER_PATIENCE, REQUEST, ServerPlan, Service, Stack};
use super::feature::{Feature, is_tls13_suite};
use super::openssl_conf;
use crate::peers::{ClientAuth, Version};

/// What servers answer.
pub const REPLY: &str = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

/// Where the sources of the programs are.
pub fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("lab")
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
    pub configure: Option<fn(&mut Command, PathBuf)>,
}

impl Stack for Program {
    fn name(&self) -> &'static str {
        self.name
    }

    fn serve(&self, plan: &ServerPlan<'_>) -> Result<Option<Command>> {
        if !Feature::of_server(plan)
            .iter()
            .all(|feature| self.server.contains(feature))
        {
            return Ok(None);
        }
        let mut command = (self.command)()?;
        if let Some(configure) = self.configure
            && let Some(file) = openssl_conf::server(plan)?
        {
            configure(&mut command, file);
        }
        command.arg("server").arg(self.server_plan(plan).to_string());
        Ok(Some(command))
    }

    fn call(&self, plan: &ClientPlan<'_>) -> Result<Option<Command>> {
        if !Feature::of_client(plan)
            .iter()
            .all(|feature| self.client.contains(feature))
        {
            return Ok(None);
        }
        let mut command = (self.command)()?;
        if let Some(configure) = self.configure
            && let Some(file) = openssl_conf::client(plan)?
        {
            configure(&mut command, file);
        }
        command.arg("client").arg(self.client_plan(plan).to_string());
        Ok(Some(command))
    }
}

impl Program {
    fn server_plan(&self, plan: &ServerPlan<'_>) -> Value {
        json!({
            "address": plan.address.ip(),
            "port": plan.address.port(),
            "version": plan.version.map(Version::text),
            "certificate": plan.identity.chain,
            "key": plan.identity.key,
            "auth": match plan.auth {
                ClientAuth::None => "none",
                ClientAuth::Optional => "optional",
                ClientAuth::Required => "required",
            },
            "ca": plan.client_ca,
            "crl": plan.crl,
            "tickets": plan.tickets,
            "cipher": plan.cipher.and_then(|name| self.cipher(name)),
            "group": plan.group.map(|name| self.group(name)),
            "alpn": plan.alpn,
            "padding": plan.padding,
            "early_data": plan.early_data,
            "post_handshake_auth": plan.post_handshake_auth,
            "only_name": plan.only_name,
            "service": match plan.service {
                Service::Answers => "answers",
                Service::SpeaksFirst => "speaks_first",
                Service::Closes => "closes",
            },
            "reply": REPLY,
            "patience": PEER_PATIENCE.as_secs(),
        })
    }

    fn client_plan(&self, plan: &ClientPlan<'_>) -> Value {
        let idle = match plan.behaviour {
            Behaviour::Idles(time) => u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            _ => 0,
        };
        json!({
            "address": plan.address.ip(),
            "port": plan.address.port(),
            "version": plan.version.map(Version::text),
            "ca": plan.trusted,
            "server_name": plan.server_name,
            "certificate": plan.identity.map(|identity| identity.chain),
            "key": plan.identity.map(|identity| identity.key),
            "count": plan.count,
            "resume": plan.resume,
            "early_data": plan.early_data,
            "cipher": plan.cipher.and_then(|name| self.cipher(name)),
            "group": plan.group.map(|name| self.group(name)),
            "alpn": plan.alpn,
            "post_handshake_auth": plan.post_handshake_auth,
            "behaviour": match plan.behaviour {
                Behaviour::Requests => "requests",
                Behaviour::ClosesAtOnce => "closes",
                Behaviour::Idles(_) => "idles",
                Behaviour::UpdatesKey => "updates_key",
            },
            "idle_ms": idle,
            "request": REQUEST,
            "patience": PEER_PATIENCE.as_secs(),
        })
    }

    /// `None` where the program is not to be told.
    fn cipher(&self, iana: &str) -> Option<String> {
        match self.naming {
            Naming::Iana => Some(iana.to_owned()),
            Naming::OpenSslConf if is_tls13_suite(iana) => None,
            Naming::OpenSsl | Naming::OpenSslConf => Some(super::super::peer::openssl_cipher(iana)),
        }
    }

    fn group(&self, name: &str) -> String {
        match self.naming {
            Naming::Iana => name.to_owned(),
            Naming::OpenSsl | Naming::OpenSslConf => openssl_conf::group(name),
        }
    }
}
