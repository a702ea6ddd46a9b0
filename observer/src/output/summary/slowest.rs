//! The established handshakes that took longest.

use serde::Serialize;

use super::super::event::text::{Id, Named};
use super::super::event::time::Time;
use super::failures::canonical;
use crate::observation::Observation;
use observer_tls::codepoints::ProtocolVersion;

/// How many are kept.
const SLOWEST: usize = 10;
/// Characters kept of a server name, which may be longer than any real one.
const MAX_NAME: usize = 256;

/// The slowest so far, the slowest first.
#[derive(Debug, Default)]
pub(super) struct Slowest(Vec<Slow>);

/// One handshake.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Slow {
    pub duration_ns: u64,
    #[serde(rename = "@timestamp")]
    pub timestamp: Time,
    pub id: Id,
    pub client: String,
    pub server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Named<ProtocolVersion>>,
    pub resumed: bool,
}

impl Slowest {
    /// Takes `seen` in, if it is among the slowest.
    pub fn add(&mut self, seen: &Observation) {
        let place = self
            .0
            .partition_point(|slow| slow.duration_ns >= seen.duration_ns);
        if place >= SLOWEST {
            return;
        }
        let server_name = seen.server_name.as_deref();
        self.0.truncate(SLOWEST - 1);
        self.0.insert(
            place,
            Slow {
                duration_ns: seen.duration_ns,
                timestamp: Time::from_nanos(seen.time_ns),
                id: Id(seen.id),
                client: canonical(seen.client).to_string(),
                server: canonical(seen.server).to_string(),
                server_name: server_name.map(|name| name.chars().take(MAX_NAME).collect()),
                version: seen.version.map(Named),
                resumed: seen.resumption.is_some(),
            },
        );
    }

    /// The slowest, the slowest first.
    pub fn list(&self) -> &[Slow] {
        &self.0
    }
}
