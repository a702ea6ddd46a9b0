//! rustls, by the project's own server and client.

use std::process::Command;

use anyhow::Result;
use serde::Serialize;

use super::program::built;
use crate::lab::peer::{ClientPlan, ServerPlan, Stack};
use crate::lab::programs;

/// rustls with a cryptography provider.
pub struct Rustls {
    /// The stack's name.
    pub name: &'static str,
    /// Starts the program, but for its part and its plan.
    pub command: fn() -> Result<Command>,
}

/// On ring, as the project itself uses it.
pub const RING: Rustls = Rustls {
    name: "rustls",
    command: || Ok(Command::new(programs::lab_binary()?)),
};

/// On aws-lc-rs, by a program of its own.
pub const AWS_LC: Rustls = Rustls {
    name: "rustls-aws-lc",
    command: || built("rustls-aws-lc-peer"),
};

impl Rustls {
    fn command(&self, part: &str, plan: &impl Serialize) -> Result<Command> {
        let mut command = (self.command)()?;
        command.args([part, &serde_json::to_string(plan)?]);
        Ok(command)
    }
}

impl Stack for Rustls {
    fn name(&self) -> &'static str {
        self.name
    }

    fn lacks(&self) -> Option<String> {
        (self.command)().err().map(|error| error.to_string())
    }

    fn serve(&self, plan: &ServerPlan<'_>) -> Result<Option<Command>> {
        // It pads nothing, knows no post-handshake authentication, and refuses names with access_denied.
        if plan.padding.is_some() || plan.post_handshake_auth || plan.only_name.is_some() {
            return Ok(None);
        }
        if !suite_is_known(plan.cipher) {
            return Ok(None);
        }
        self.command("rustls-server", plan).map(Some)
    }

    fn call(&self, plan: &ClientPlan<'_>) -> Result<Option<Command>> {
        if plan.padding.is_some() || plan.post_handshake_auth || !suite_is_known(plan.cipher) {
            return Ok(None);
        }
        self.command("rustls-client", plan).map(Some)
    }
}

/// rustls has AEAD suites with forward secrecy only, and no CCM.
fn suite_is_known(cipher: Option<&str>) -> bool {
    cipher
        .is_none_or(|name| !name.starts_with("TLS_RSA_") && !name.contains("_CBC_") && !name.contains("CCM"))
}
