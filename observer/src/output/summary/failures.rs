//! Failed handshakes by reason, and whom they concern.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::super::words::{Word, Worded};
use super::tally::{Table, Tally};
use crate::observation::{Evidence, Observation, Outcome, Reason, Side};

/// Clients, servers and names kept apart for one kind of failure.
const MAX_EXAMPLES: usize = 64;
/// Of these as many are shown.
const EXAMPLES: usize = 3;

/// Failures by kind. The vocabularies are fixed, so their number is.
#[derive(Debug, Default)]
pub(super) struct Failures(HashMap<Kind, Concerned>);

type Kind = (Reason, Outcome, Option<Side>, Evidence);

#[derive(Debug)]
struct Concerned {
    clients: Tally<IpAddr>,
    servers: Tally<SocketAddr>,
    names: Tally<String>,
}

impl Default for Concerned {
    fn default() -> Self {
        Self {
            clients: Tally::with_limit(MAX_EXAMPLES),
            servers: Tally::with_limit(MAX_EXAMPLES),
            names: Tally::with_limit(MAX_EXAMPLES),
        }
    }
}

/// One kind of failure.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    pub count: u64,
    pub reason: Worded<Reason>,
    pub outcome: Worded<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_by: Option<Worded<Side>>,
    pub evidence: Worded<Evidence>,
    /// Addresses.
    pub clients: Table,
    /// Addresses and ports.
    pub servers: Table,
    /// Server names that the clients asked for.
    pub names: Table,
}

impl Failures {
    /// Counts `seen`, if it failed.
    pub fn add(&mut self, seen: &Observation) {
        let Some(reason) = seen.reason else { return };
        let concerned = self
            .0
            .entry((reason, seen.outcome, seen.rejected_by, seen.evidence))
            .or_default();
        concerned.clients.add(seen.client.ip().to_canonical());
        concerned.servers.add(canonical(seen.server));
        if let Some(name) = &seen.server_name {
            concerned.names.add_ref(name);
        }
    }

    /// All kinds, the most frequent first.
    pub fn list(&self) -> Vec<Failure> {
        let mut list: Vec<_> = self
            .0
            .iter()
            .map(|(&(reason, outcome, rejected_by, evidence), concerned)| Failure {
                count: concerned.clients.total(),
                reason: Worded(reason),
                outcome: Worded(outcome),
                rejected_by: rejected_by.map(Worded),
                evidence: Worded(evidence),
                clients: concerned.clients.table(EXAMPLES, ToString::to_string),
                servers: concerned.servers.table(EXAMPLES, ToString::to_string),
                names: concerned.names.table(EXAMPLES, String::clone),
            })
            .collect();
        list.sort_by_key(|failure| {
            (
                std::cmp::Reverse(failure.count),
                failure.reason.0.word(),
                failure.outcome.0.word(),
                failure.rejected_by.map(|side| side.0.word()),
                failure.evidence.0.word(),
            )
        });
        list
    }
}

/// An address with IPv4-mapped ones as IPv4.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
