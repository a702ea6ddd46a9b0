//! Finding the event of each connection: by the ports and the time of its handshake.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::run::Meeting;
use crate::events::at;

/// How far the clocks of agent and laboratory may be apart.
const SLACK: SignedDuration = SignedDuration::from_millis(20);

/// A handshake's event with what it is found by.
struct Seen {
    time: Timestamp,
    client_port: u64,
    event: Value,
    taken: bool,
}

/// The handshakes that the agent told of.
pub struct Observed {
    by_server_port: HashMap<u64, Vec<Seen>>,
    /// `event.id` of the handshakes with a late alert.
    late_alerts: HashSet<String>,
}

impl Observed {
    /// Sorts the agent's events.
    pub fn new(events: Vec<Value>) -> Self {
        let mut by_server_port: HashMap<_, Vec<_>> = HashMap::new();
        let mut late_alerts = HashSet::new();
        for event in events {
            if at(&event, "event.action") == "tls-alert" {
                late_alerts.extend(at(&event, "event.id").as_str().map(str::to_owned));
                continue;
            }
            let time = at(&event, "@timestamp")
                .as_str()
                .and_then(|text| text.parse().ok());
            let port = |side: &str| at(&event, side).as_u64();
            // The schema demands all three.
            if let (Some(time), Some(server), Some(client_port)) =
                (time, port("server.port"), port("client.port"))
            {
                by_server_port.entry(server).or_default().push(Seen {
                    time,
                    client_port,
                    event,
                    taken: false,
                });
            }
        }
        for seen in by_server_port.values_mut() {
            seen.sort_by_key(|seen| seen.time);
        }
        Self {
            by_server_port,
            late_alerts,
        }
    }

    /// The events of a meeting's connections, in the same order; `None` where there is none. Those of a relay's other way
    /// are taken too, for they are no surprise.
    pub fn take(&mut self, meeting: &Meeting) -> Vec<Option<Value>> {
        if let Some(port) = meeting.other_port {
            for seen in self.within(port, meeting) {
                seen.taken = true;
            }
        }
        let mut candidates: Vec<_> = self.within(meeting.port, meeting).collect();
        let mut found: Vec<Option<Value>> = Vec::new();
        for connection in &meeting.connections {
            let wanted = connection.port.map(u64::from);
            let first = candidates
                .iter_mut()
                .find(|seen| !seen.taken && wanted.is_none_or(|port| seen.client_port == port));
            found.push(first.map(|seen| {
                seen.taken = true;
                seen.event.clone()
            }));
        }
        found
    }

    /// Whether a late alert followed a handshake's event.
    pub fn has_late_alert(&self, event: &Value) -> bool {
        at(event, "event.id")
            .as_str()
            .is_some_and(|id| self.late_alerts.contains(id))
    }

    /// Events that belong to no connection.
    pub fn left(&self) -> impl Iterator<Item = &Value> {
        self.by_server_port
            .values()
            .flatten()
            .filter(|seen| !seen.taken)
            .map(|seen| &seen.event)
    }

    fn within(&mut self, port: u16, meeting: &Meeting) -> impl Iterator<Item = &mut Seen> {
        let (begun, ended) = meeting.time;
        let seen = self
            .by_server_port
            .get_mut(&u64::from(port))
            .into_iter()
            .flatten();
        seen.filter(move |seen| begun - SLACK <= seen.time && seen.time <= ended + SLACK)
    }
}
