//! Records the project's own fixtures (see [`crate::fixtures`]): each scenario is played by real peers in a fresh network
//! namespace, all that passes there is captured, and what the peers themselves said of it becomes the expectation.
//!
//! The observer has no part in this.

pub mod capture;
pub mod log;
pub mod openssl;
pub mod preamble;
pub mod scenarios;
pub mod stage;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use crate::fixtures::{Fixture, Told, sha256};
use capture::Capture;
use stage::{Materials, Stage};

/// What is recorded into one file.
pub struct Scenario {
    /// Name of the file without its ending.
    pub name: String,
    /// What happens, in a sentence.
    pub about: String,
    /// Plays it.
    pub play: Play,
}

/// What plays a scenario on its stage.
pub type Play = Box<dyn Fn(&Stage<'_>) -> Result<Account>>;

/// What the peers said of what they did.
#[derive(Debug, Default)]
pub struct Account {
    /// Client and server, with versions.
    pub peers: String,
    /// The server's port.
    pub port: u16,
    /// See [`Fixture::events`].
    pub events: Vec<Map<String, Value>>,
    /// See [`Fixture::messages`].
    pub messages: Option<Vec<Told>>,
}

/// Plays a scenario and writes its capture into `directory`.
///
/// # Errors
/// When a peer does not do or say what the scenario is about.
pub fn record(scenario: &Scenario, materials: &Materials, directory: &Path) -> Result<Fixture> {
    let stage = Stage::new(materials)?;
    let capture = Capture::start(&stage.namespace)?;
    let account = (scenario.play)(&stage);
    let packets = capture.finish()?;
    let account = account.with_context(|| scenario.name.clone())?;
    ensure!(!packets.is_empty(), "{}: nothing passed", scenario.name);
    let file = format!("{}.pcapng", scenario.name);
    let path = directory.join(&file);
    capture::write(&path, &scenario.about, &packets)?;
    Ok(Fixture {
        sha256: sha256(&std::fs::read(&path)?),
        file,
        scenario: scenario.about.clone(),
        peers: account.peers,
        recorded: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
        made: "cargo xtask fixtures (loopback of an own network namespace)".to_owned(),
        port: account.port,
        events: account.events,
        messages: account.messages,
    })
}
