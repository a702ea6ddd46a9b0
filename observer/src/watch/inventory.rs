//! Every leaf certificate that was seen: where, when, how often, and whether it was refused.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use observer_tls::x509::CertificateFacts;

use super::lru::Lru;
use super::{MAX_NAME_BYTES, cut};
use crate::config::watching::Watching;
use crate::observation::{Observation, Outcome, Side};
use crate::verify::{Revocation, Status};

/// DER bytes of all certificates at most: peers choose how large theirs are. What is read out of one takes a few times as
/// much.
const MAX_DER_BYTES: usize = 16 * 1024 * 1024;
/// Places that one certificate remembers.
const MAX_PLACES: usize = 8;

/// The inventory, written by the watching and read by those who ask.
#[derive(Clone, Debug)]
pub struct SharedInventory(Arc<Mutex<Inventory>>);

impl SharedInventory {
    /// An empty one; `None` if the settings want none.
    pub fn new(settings: &Watching) -> Option<Self> {
        let inventory = || Inventory::new(settings.inventory, settings.metric);
        (settings.inventory > 0).then(|| Self(Arc::new(Mutex::new(inventory()))))
    }

    /// Waits for its turn. What somebody left who failed is whole: each change is small.
    pub fn lock(&self) -> MutexGuard<'_, Inventory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaf certificates by side and fingerprint. When there are too many, the one that was not seen for longest leaves.
#[derive(Debug)]
pub struct Inventory {
    capacity: usize,
    /// How many certificates may have a metric of their own.
    max_measured: usize,
    entries: Lru<(Side, [u8; 32]), Entry>,
    der_bytes: usize,
    measured: usize,
    forgotten: u64,
    unmeasured: u64,
}

/// One certificate, as one side showed it.
#[derive(Debug)]
pub struct Entry {
    /// Who showed it.
    pub side: Side,
    /// What it says.
    pub leaf: Arc<CertificateFacts>,
    /// When it was first seen, nanoseconds since the Unix epoch.
    pub first_ns: u64,
    /// When it was last seen.
    pub last_ns: u64,
    /// Handshakes that showed it.
    pub handshakes: u64,
    /// Those of them in which the peer refused it.
    pub refusals: u64,
    /// The agent's latest judgement.
    pub verdict: Option<(Status, Revocation)>,
    /// Servers that showed it, or to which it was shown; the latest.
    pub places: Vec<Place>,
    /// There were more places.
    pub more_places: bool,
    /// It has a metric of its own.
    pub measured: bool,
}

/// Where a certificate was shown.
#[derive(Debug)]
pub struct Place {
    /// The server.
    pub server: SocketAddr,
    /// The name that the client asked for.
    pub server_name: Option<Box<str>>,
    /// Handshakes there that showed it.
    pub handshakes: u64,
    /// The last of them, nanoseconds since the Unix epoch.
    pub last_ns: u64,
}

impl Inventory {
    /// An empty one with room for `capacity` certificates, of which `max_measured` may have a metric of their own.
    pub fn new(capacity: usize, max_measured: usize) -> Self {
        Self {
            capacity,
            max_measured,
            entries: Lru::default(),
            der_bytes: 0,
            measured: 0,
            forgotten: 0,
            unmeasured: 0,
        }
    }

    /// Takes note of the leaves of `seen`.
    pub fn observe(&mut self, seen: &Observation, time_ns: u64) {
        for side in [Side::Server, Side::Client] {
            let Some(leaf) = seen.chain(side).first() else {
                continue;
            };
            let key = (side, leaf.sha256);
            match self.entries.get(&key) {
                Some(entry) => entry.add(seen, time_ns),
                None => {
                    let mut entry =
                        Entry::new(side, leaf.clone(), time_ns, self.measured < self.max_measured);
                    entry.add(seen, time_ns);
                    self.insert(key, entry);
                }
            }
        }
    }

    fn insert(&mut self, key: (Side, [u8; 32]), entry: Entry) {
        if entry.measured {
            self.measured += 1;
        } else if self.max_measured > 0 {
            self.unmeasured += 1;
        }
        self.der_bytes += entry.leaf.der.len();
        self.entries.insert(key, entry);
        while self.entries.len() > self.capacity || self.der_bytes > MAX_DER_BYTES {
            let Some((_, oldest)) = self.entries.pop() else {
                break;
            };
            self.der_bytes -= oldest.leaf.der.len();
            self.measured -= usize::from(oldest.measured);
            self.forgotten += 1;
        }
    }

    /// How many certificates there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Certificates that left to make room.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Certificates that got no metric of their own.
    pub fn unmeasured(&self) -> u64 {
        self.unmeasured
    }

    /// All certificates, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|(_, entry)| entry)
    }
}

impl Entry {
    fn new(side: Side, leaf: Arc<CertificateFacts>, time_ns: u64, measured: bool) -> Self {
        Self {
            side,
            leaf,
            first_ns: time_ns,
            last_ns: time_ns,
            handshakes: 0,
            refusals: 0,
            verdict: None,
            places: Vec::new(),
            more_places: false,
            measured,
        }
    }

    fn add(&mut self, seen: &Observation, time_ns: u64) {
        self.first_ns = self.first_ns.min(time_ns);
        self.last_ns = self.last_ns.max(time_ns);
        self.handshakes += 1;
        let blamed = seen.blamed_leaf().is_some_and(|(side, _)| side == self.side);
        self.refusals += u64::from(blamed && seen.outcome == Outcome::Rejected);
        let verdict = match self.side {
            Side::Client => &seen.client_verdict,
            Side::Server => &seen.server_verdict,
        };
        if let Some(verdict) = verdict {
            self.verdict = Some((verdict.status, verdict.revocation));
        }
        self.add_place(seen, time_ns);
    }

    fn add_place(&mut self, seen: &Observation, time_ns: u64) {
        let server = seen.server;
        let server_name = seen.server_name.as_deref().map(|name| cut(name, MAX_NAME_BYTES));
        let is_here =
            |place: &&mut Place| place.server == server && place.server_name.as_deref() == server_name;
        if let Some(place) = self.places.iter_mut().find(is_here) {
            place.handshakes += 1;
            place.last_ns = place.last_ns.max(time_ns);
            return;
        }
        if self.places.len() == MAX_PLACES {
            self.more_places = true;
            let oldest = self
                .places
                .iter()
                .enumerate()
                .min_by_key(|(_, place)| place.last_ns);
            if let Some((oldest, _)) = oldest {
                self.places.swap_remove(oldest);
            }
        }
        self.places.push(Place {
            server,
            server_name: server_name.map(Box::from),
            handshakes: 1,
            last_ns: time_ns,
        });
    }
}

#[cfg(test)]
mod tests;
