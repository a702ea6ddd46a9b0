//! The peer programs of the laboratory's own (`tests/lab`): small programs over one TLS library each, all told what to do
//! by a plan in JSON and all reporting in JSON. `tests/lab/README.md` describes both.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

use super::feature::Feature;
use super::openssl_conf::{self, Configuration};
use crate::lab::peer::{Behaviour, ClientPlan, PEER_PATIENCE, REQUEST, ServerPlan, Stack, missing_program};
use crate::target;

/// What servers answer.
pub const REPLY: &str = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

/// Where the sources of the programs are.
pub fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("lab")
}

/// A program that `cargo xtask setup --lab` has built: it is in `lab-programs` in Cargo's target directory.
///
/// # Errors
/// When it has not been built.
pub fn built(name: &str) -> Result<Command> {
    target::installed(Path::new("lab-programs").join(name), "cargo xtask setup --lab").map(Command::new)
}

/// How a program takes its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One argument of JSON.
    Json,
    /// An argument `field=value` for each field that is not null, nested ones with a dot.
    Pairs,
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
    /// Puts the plan's names of cipher suite and group, IANA's, into the library's own.
    pub rename: fn(&mut Value),
    /// How it takes its plan.
    pub form: Form,
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
            Ok(command) => missing_program(&command.get_program().to_string_lossy()),
        }
    }

    fn serve(&self, plan: &ServerPlan<'_>) -> Result<Option<Command>> {
        if !Feature::are_all_in(&Feature::of_server(plan), self.server) {
            return Ok(None);
        }
        let mut told = self.plan(plan, plan.address)?;
        told["reply"] = json!(REPLY);
        self.command("server", &told, openssl_conf::server(plan))
            .map(Some)
    }

    fn call(&self, plan: &ClientPlan<'_>) -> Result<Option<Command>> {
        if !Feature::are_all_in(&Feature::of_client(plan), self.client) {
            return Ok(None);
        }
        let mut told = self.plan(plan, plan.address)?;
        told["request"] = json!(REQUEST);
        told["patience"] = json!(PEER_PATIENCE.as_secs());
        if let Behaviour::Idles(time) = plan.behaviour {
            told["behaviour"] = json!("idles");
            told["idle_seconds"] = json!(time.as_secs_f64());
        }
        self.command("client", &told, openssl_conf::client(plan))
            .map(Some)
    }
}

impl Program {
    /// The plan as the program is told it.
    fn plan(&self, plan: &impl Serialize, address: SocketAddr) -> Result<Value> {
        let mut told = serde_json::to_value(plan)?;
        told["address"] = json!(address.ip());
        told["port"] = json!(address.port());
        (self.rename)(&mut told);
        Ok(told)
    }

    fn command(&self, part: &str, plan: &Value, configuration: Configuration<'_>) -> Result<Command> {
        let mut command = (self.command)()?;
        if let Some(configure) = self.configure
            && let Some(file) = configuration.write()?
        {
            configure(&mut command, &file);
        }
        command.arg(part);
        match self.form {
            Form::Json => command.arg(plan.to_string()),
            Form::Pairs => command.args(pairs(plan)),
        };
        Ok(command)
    }
}

fn pairs(plan: &Value) -> Vec<String> {
    let fields = plan.as_object().into_iter().flatten();
    fields
        .flat_map(|(field, value)| match value {
            Value::Null => Vec::new(),
            Value::String(text) => vec![format!("{field}={text}")],
            Value::Object(_) => pairs(value)
                .iter()
                .map(|pair| format!("{field}.{pair}"))
                .collect(),
            other => vec![format!("{field}={other}")],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_leave_out_what_is_null_and_name_what_is_nested() {
        let plan = json!({ "name": "a b", "none": null, "identity": { "key": "k.pem" }, "count": 3, "resume": false });
        assert_eq!(
            pairs(&plan),
            ["name=a b", "identity.key=k.pem", "count=3", "resume=false"]
        );
    }
}
