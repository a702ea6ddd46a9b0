//! Which certificates each name has: they are learned for some time, and then new ones are told.
//!
//! A server's name is the one that the client asked for, together with the server's address; without one, the address
//! alone. Its certificate counts whatever became of the handshake. A client's name is its SPIFFE id, else its subject, else
//! the first of its alternative names. Its certificate counts only if the server took it: anybody may show one.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::RandomState;
use observer_tls::x509::CertificateFacts;

use super::cut;
use super::lru::Lru;
use crate::observation::{Observation, Outcome, Side};
use crate::output::columns::endpoint;
use crate::report::{Identity, NewCertificate, Report};

/// Names at most, and issuers at most.
const MAX_NAMES: usize = 8192;
/// Certificates that one name remembers: hosts behind one name often have one each.
const MAX_KNOWN: usize = 32;
/// Bytes of an issuer's name, and of a serial number, that are kept of the certificate that was new last.
const MAX_KEPT_BYTES: usize = 512;

/// Finds certificates that are new to their names.
///
/// Names, issuers and serial numbers are told apart by keyed hashes of 64 bits, so that a name takes little room and a
/// handshake that shows nothing new costs no allocation.
#[derive(Debug)]
pub struct Names {
    learning_ns: u64,
    /// When learning began, nanoseconds since the Unix epoch: with the first handshake.
    begun_ns: Option<u64>,
    hasher: RandomState,
    names: Lru<u64, Name>,
    /// Issuers of all names, by side.
    issuers: Lru<u64, ()>,
    forgotten: u64,
    crowded: u64,
}

#[derive(Debug)]
struct Name {
    known: Vec<Known>,
    /// The certificate that was new last.
    latest: Identity,
}

/// A certificate of a name.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// The first bytes of its SHA-256.
    fingerprint: u64,
    issuer: u64,
    /// Issuer and serial number.
    identity: u64,
    last_ns: u64,
}

impl Names {
    /// None known; what comes after `learning_ns` is told.
    pub fn new(learning_ns: u64) -> Self {
        Self {
            learning_ns,
            begun_ns: None,
            hasher: RandomState::default(),
            names: Lru::default(),
            issuers: Lru::default(),
            forgotten: 0,
            crowded: 0,
        }
    }

    /// Learns the leaves of `seen` at `time_ns`, and adds those that are new to `reports`.
    pub fn observe(&mut self, seen: &Observation, time_ns: u64, reports: &mut Vec<Report>) {
        let begun_ns = *self.begun_ns.get_or_insert(time_ns);
        let learned = time_ns.saturating_sub(begun_ns) >= self.learning_ns;
        for side in [Side::Server, Side::Client] {
            if side == Side::Client && seen.outcome != Outcome::Established {
                continue;
            }
            let leaf = seen
                .chain(side)
                .first()
                .filter(|leaf| !leaf.serial_number.is_empty());
            let Some(leaf) = leaf else { continue };
            let Some(name) = name(seen, side, leaf) else {
                continue;
            };
            let key = self.key(seen, side, name);
            let news = self.learn(key, side, leaf, time_ns);
            if !learned || !(news.issuer || news.serial) {
                continue;
            }
            reports.push(Report::NewCertificate(Box::new(NewCertificate {
                time_ns,
                handshake: seen.id,
                client: seen.client,
                server: seen.server,
                server_name: seen.server_name.clone(),
                side,
                name: name.map_or_else(|| endpoint(seen.server), str::to_owned),
                leaf: leaf.clone(),
                new_issuer: news.issuer,
                new_serial: news.serial,
                previous: news.previous,
            })));
        }
    }

    /// Time begins anew, and so does the learning. What is known stays known.
    pub fn begin_anew(&mut self) {
        self.begun_ns = None;
    }

    /// Names and issuers that left to make room.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// New serial numbers that were not told, because their name shows too many.
    pub fn crowded(&self) -> u64 {
        self.crowded
    }

    fn key(&self, seen: &Observation, side: Side, name: Option<&str>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        side.hash(&mut hasher);
        if side == Side::Server {
            (seen.server.ip().to_canonical(), seen.server.port()).hash(&mut hasher);
        }
        let name = name.unwrap_or_default().as_bytes();
        name.len().hash(&mut hasher);
        // Letter case does not matter in a host's name (RFC 4343), and two names of clients do not differ by it alone.
        for piece in name.chunks(32) {
            let mut lower = [0; 32];
            lower[..piece.len()].copy_from_slice(piece);
            lower.make_ascii_lowercase();
            hasher.write(&lower);
        }
        hasher.finish()
    }

    /// Learns that the name with this key has the certificate `leaf`, and says what is new about it.
    fn learn(&mut self, key: u64, side: Side, leaf: &CertificateFacts, time_ns: u64) -> News {
        let [a, b, c, d, e, f, g, h, ..] = leaf.sha256;
        let fingerprint = u64::from_ne_bytes([a, b, c, d, e, f, g, h]);
        if self
            .names
            .get(&key)
            .is_some_and(|name| name.knows(fingerprint, time_ns))
        {
            return News::default();
        }
        let known = Known {
            fingerprint,
            issuer: self.hasher.hash_one((side, &leaf.issuer)),
            identity: self.hasher.hash_one((&leaf.issuer, &leaf.serial_number)),
            last_ns: time_ns,
        };
        let issuer = self.issuers.get(&known.issuer).is_none();
        if issuer {
            self.forgotten += insert(&mut self.issuers, known.issuer, ());
        }
        let Some(name) = self.names.get(&key) else {
            let name = Name {
                known: vec![known],
                latest: Identity::of(leaf),
            };
            self.forgotten += insert(&mut self.names, key, name);
            return News {
                issuer,
                ..News::default()
            };
        };
        let (news, crowded) = name.learn(known, leaf, self.learning_ns);
        self.crowded += u64::from(crowded);
        news
    }
}

/// Puts an entry in; the number of those that left for it.
fn insert<V>(map: &mut Lru<u64, V>, key: u64, value: V) -> u64 {
    map.insert(key, value);
    u64::from(map.len() > MAX_NAMES && map.pop().is_some())
}

/// Which name `leaf` belongs to: of a server `Some(None)` if none was asked for; `None` if a client has none.
fn name<'a>(seen: &'a Observation, side: Side, leaf: &'a CertificateFacts) -> Option<Option<&'a str>> {
    if side == Side::Server {
        return Some(seen.server_name.as_deref());
    }
    let subject = Some(leaf.subject.as_str()).filter(|subject| !subject.is_empty());
    let alternative = || {
        let lists = [&leaf.dns_names, &leaf.uris, &leaf.emails, &leaf.ip_addresses];
        lists.into_iter().flatten().map(String::as_str).next()
    };
    let name = leaf.spiffe_id().or(subject).or_else(alternative);
    name.map(Some)
}

/// What is new about a certificate.
#[derive(Debug, Default)]
struct News {
    issuer: bool,
    serial: bool,
    previous: Option<Identity>,
}

impl Name {
    /// Whether a certificate with this fingerprint is known; if so, it was seen again.
    fn knows(&mut self, fingerprint: u64, time_ns: u64) -> bool {
        let known = self
            .known
            .iter_mut()
            .find(|known| known.fingerprint == fingerprint);
        known.is_some_and(|known| {
            known.last_ns = known.last_ns.max(time_ns);
            true
        })
    }

    /// Learns a certificate, and says what is new about it; and whether its serial number is not told because so many
    /// others were seen within the learning time.
    fn learn(&mut self, new: Known, leaf: &CertificateFacts, learning_ns: u64) -> (News, bool) {
        if let Some(same) = self.known.iter_mut().find(|known| known.identity == new.identity) {
            *same = new;
            return (News::default(), false);
        }
        let issuer = self.known.iter().all(|known| known.issuer != new.issuer);
        let mut crowded = false;
        if self.known.len() == MAX_KNOWN {
            let oldest = self
                .known
                .iter()
                .enumerate()
                .min_by_key(|(_, known)| known.last_ns);
            if let Some((at, oldest)) = oldest {
                crowded = !issuer && new.last_ns.saturating_sub(oldest.last_ns) < learning_ns;
                self.known.swap_remove(at);
            }
        }
        self.known.push(new);
        let news = News {
            issuer,
            serial: !crowded,
            previous: Some(std::mem::replace(&mut self.latest, Identity::of(leaf))),
        };
        (news, crowded)
    }
}

impl Identity {
    fn of(leaf: &CertificateFacts) -> Self {
        Self {
            issuer: cut(&leaf.issuer, MAX_KEPT_BYTES).into(),
            serial_number: cut(&leaf.serial_number, MAX_KEPT_BYTES).into(),
        }
    }
}

#[cfg(test)]
mod tests;
