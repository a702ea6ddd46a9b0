//! Who is refused again and again: bursts of refusals by source and by certificate.
//!
//! A refusal is a handshake that one side ended with an alert ([`Outcome::Rejected`]), however that is known. Connections
//! that were closed, reset or fell silent are none: health checks, port scans and clients that try two addresses at once
//! do that all day. A refusal by the server counts for the client's source. One about a certificate counts for that
//! certificate, whichever side showed it, where it could be read.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::sketch::Sketch;
use super::window::PANES;
use crate::config::watching::Rate;
use crate::observation::{Observation, Outcome, Reason, Side};
use crate::report::{Network, RefusalBurst, Refused, Report};

/// Reasons that are counted for one key. Of more, those that are frequent stay.
const MAX_REASONS: usize = 4;

/// Finds bursts of refusals.
#[derive(Debug)]
pub struct Refusals {
    rate: Rate,
    pane_ns: u64,
    sources: Sketch<Network, Series>,
    certificates: Sketch<(Side, [u8; 32]), Series>,
}

impl Refusals {
    /// None yet; from `rate` on they are a burst.
    pub fn new(rate: Rate) -> Self {
        let window_ns = u64::try_from(rate.window.as_nanos()).unwrap_or(u64::MAX);
        Self {
            rate,
            pane_ns: (window_ns / PANES as u64).max(1),
            sources: Sketch::default(),
            certificates: Sketch::default(),
        }
    }

    /// Counts `seen`, if it is a refusal, at `time_ns`. Bursts that it begins are added to `reports`.
    pub fn observe(&mut self, seen: &Observation, time_ns: u64, reports: &mut Vec<Report>) {
        if seen.outcome != Outcome::Rejected {
            return;
        }
        let refusal = Refusal {
            seen,
            time_ns,
            pane: time_ns / self.pane_ns,
            rate: self.rate,
        };
        if seen.rejected_by == Some(Side::Server) {
            let client = seen.client.ip().to_canonical();
            let network = Network::of(client);
            let refused = || Refused::Source { client, network };
            reports.extend(refusal.count(&mut self.sources, network, refused));
        }
        if let Some((side, leaf)) = seen.blamed_leaf() {
            let refused = || Refused::Certificate {
                side,
                leaf: leaf.clone(),
            };
            reports.extend(refusal.count(&mut self.certificates, (side, leaf.sha256), refused));
        }
    }

    /// Sources and certificates that were displaced by others while they were counted.
    pub fn displaced(&self) -> u64 {
        self.sources.displaced() + self.certificates.displaced()
    }

    /// Forgets what was counted: time begins anew.
    pub fn clear(&mut self) {
        self.sources.clear();
        self.certificates.clear();
    }
}

/// One refusal, on its way into a count.
struct Refusal<'a> {
    seen: &'a Observation,
    time_ns: u64,
    pane: u64,
    rate: Rate,
}

impl Refusal<'_> {
    /// Counts it for `key`; a report if a burst begins with it.
    fn count<K: Copy + Eq + Hash>(
        &self,
        sketch: &mut Sketch<K, Series>,
        key: K,
        refused: impl FnOnce() -> Refused,
    ) -> Option<Report> {
        let slot = sketch.slot(key, self.pane);
        // Between refusals counts only fall: as low as now it never was since the last one.
        match slot.count() {
            0 => slot.about = Series::beginning(self.time_ns),
            lowest if lowest < self.rate.count.div_ceil(2) => slot.about.burst = false,
            _ => {}
        }
        slot.add(self.pane);
        slot.about.add(self.seen, self.time_ns);
        if slot.count() < self.rate.count || std::mem::replace(&mut slot.about.burst, true) {
            return None;
        }
        let (count, series) = (slot.count(), &slot.about);
        Some(Report::RefusalBurst(Box::new(RefusalBurst {
            time_ns: self.time_ns,
            handshake: self.seen.id,
            refused: refused(),
            rate: self.rate,
            count,
            total: series.total,
            first_ns: series.first_ns,
            reason: series.most_frequent_reason(),
            servers: series.servers.clone(),
            more_servers: series.more_servers,
        })))
    }
}

/// Refusals of one key that followed each other with less than a window between them.
#[derive(Debug, Default)]
struct Series {
    /// The rate was passed, and since then the count was never below half of it.
    burst: bool,
    first_ns: u64,
    total: u64,
    reasons: Vec<(Reason, u64)>,
    servers: Vec<SocketAddr>,
    more_servers: bool,
}

impl Series {
    fn beginning(time_ns: u64) -> Self {
        Self {
            first_ns: time_ns,
            ..Self::default()
        }
    }

    fn add(&mut self, seen: &Observation, time_ns: u64) {
        self.total += 1;
        // Handshakes are reported in the order of their outcomes, but not quite.
        self.first_ns = self.first_ns.min(time_ns);
        if let Some(reason) = seen.reason {
            self.add_reason(reason);
        }
        let server = seen.server;
        if !self.servers.contains(&server) {
            if self.servers.len() < RefusalBurst::MAX_SERVERS {
                self.servers.push(server);
            } else {
                self.more_servers = true;
            }
        }
    }

    /// Counts a reason as Misra and Gries (1982) do: one that makes up more than a fifth of all is always among those kept.
    fn add_reason(&mut self, reason: Reason) {
        if let Some((_, count)) = self.reasons.iter_mut().find(|(known, _)| *known == reason) {
            *count += 1;
        } else if self.reasons.len() < MAX_REASONS {
            self.reasons.push((reason, 1));
        } else {
            self.reasons.iter_mut().for_each(|(_, count)| *count -= 1);
            self.reasons.retain(|(_, count)| *count > 0);
        }
    }

    fn most_frequent_reason(&self) -> Option<Reason> {
        let most = self.reasons.iter().max_by_key(|(_, count)| *count);
        most.map(|(reason, _)| *reason)
    }
}

impl Network {
    /// The source that `address` belongs to: itself, but for a global IPv6 address the 64 bits of its subnet. There one host
    /// may have any number of addresses, and changes them daily (RFC 8981). Local IPv6 addresses (RFC 4193, RFC 4291) are
    /// counted singly, because in a private network a subnet is a cluster of hosts, each with an address that it keeps.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self {
                address: address.into(),
                prefix: 32,
            },
            IpAddr::V6(address)
                if address.is_loopback()
                    || address.is_unspecified()
                    || address.is_unique_local()
                    || address.is_unicast_link_local() =>
            {
                Self {
                    address: address.into(),
                    prefix: 128,
                }
            }
            IpAddr::V6(address) => Self {
                address: Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
                prefix: 64,
            },
        }
    }
}

#[cfg(test)]
mod tests;
