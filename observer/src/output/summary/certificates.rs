//! Certificates by expiry, and who showed them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use observer_tls::x509::CertificateFacts;
use serde::Serialize;

use super::super::event::text::{Digest, Time};
use super::failures::canonical;
use super::tally::{Table, Tally, is_zero};
use crate::observation::Observation;

/// Certificates kept: those that expire first.
const MAX_CERTIFICATES: usize = 1024;
/// DER bytes of the certificates kept.
const MAX_DER_BYTES: usize = 8 * 1024 * 1024;
/// How many are shown.
const SHOWN: usize = 40;
/// Holders kept apart for one certificate.
const MAX_HOLDERS: usize = 16;
/// Of these as many are shown.
const HOLDERS: usize = 3;
/// Names of subjectAltName that are shown.
const NAMES: usize = 3;

/// The certificates of all chains by expiry. Those that do not tell come last.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    kept: BTreeMap<Key, Shown>,
    der_bytes: usize,
    /// Sightings of certificates that expire later than those kept.
    unsorted: u64,
}

/// Last second of validity, and SHA-256.
type Key = (i64, [u8; 32]);

#[derive(Debug)]
struct Shown {
    facts: Arc<CertificateFacts>,
    /// When it was last seen, seconds since the Unix epoch.
    seen: i64,
    served_by: Tally<SocketAddr>,
    presented_by: Tally<IpAddr>,
}

/// What the report says of certificates.
#[derive(Debug, Serialize)]
pub(super) struct Expiries {
    /// Different certificates seen; of those kept.
    pub total: usize,
    /// How many of them had expired when they were seen.
    pub expired: usize,
    /// The expired ones, then those that expire first.
    pub entries: Vec<Expiry>,
    /// How many more there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub more: usize,
    /// Sightings of certificates that were not kept apart; all expire later.
    #[serde(skip_serializing_if = "is_zero")]
    pub unsorted: u64,
}

/// One certificate.
#[derive(Debug, Serialize)]
pub(super) struct Expiry {
    /// "expired", "not_yet_valid" or "valid" when it was last seen, or "malformed".
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
    /// Seconds from when it was last seen to its expiry; negative when expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
    pub subject: String,
    pub issuer: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternative_names: Vec<String>,
    /// How many more names it has.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_names: usize,
    pub sha256: String,
    /// Servers that sent it, in their own or above their own certificate.
    pub served_by: Table,
    /// Clients that did.
    pub presented_by: Table,
}

impl Certificates {
    /// Counts the certificates of both chains.
    pub fn add(&mut self, seen: &Observation) {
        let seconds = (seen.time_ns / 1_000_000_000).cast_signed();
        for facts in &seen.server_chain {
            if let Some(shown) = self.entry(facts, seconds) {
                shown.served_by.add(canonical(seen.server));
            }
        }
        for facts in &seen.client_chain {
            if let Some(shown) = self.entry(facts, seconds) {
                shown.presented_by.add(seen.client.ip().to_canonical());
            }
        }
    }

    fn entry(&mut self, facts: &Arc<CertificateFacts>, seconds: i64) -> Option<&mut Shown> {
        let key = (facts.not_after.unwrap_or(i64::MAX), facts.sha256);
        if !self.kept.contains_key(&key) {
            self.der_bytes += facts.der.len();
            self.kept.insert(
                key,
                Shown {
                    facts: Arc::clone(facts),
                    seen: seconds,
                    served_by: Tally::with_limit(MAX_HOLDERS),
                    presented_by: Tally::with_limit(MAX_HOLDERS),
                },
            );
            while self.kept.len() > MAX_CERTIFICATES || self.der_bytes > MAX_DER_BYTES {
                let Some((last, dropped)) = self.kept.pop_last() else {
                    break;
                };
                self.der_bytes -= dropped.facts.der.len();
                self.unsorted += dropped.served_by.total() + dropped.presented_by.total();
                self.unsorted += u64::from(last == key);
            }
        }
        let shown = self.kept.get_mut(&key)?;
        shown.seen = shown.seen.max(seconds);
        Some(shown)
    }

    /// The expired ones, then those that expire first.
    pub fn expiries(&self) -> Expiries {
        let mut sorted: Vec<_> = self.kept.values().collect();
        // The map is sorted by expiry; the sort is stable.
        sorted.sort_by_key(|shown| !shown.is_expired());
        Expiries {
            total: sorted.len(),
            expired: sorted.iter().filter(|shown| shown.is_expired()).count(),
            entries: sorted.iter().take(SHOWN).map(|shown| shown.expiry()).collect(),
            more: sorted.len().saturating_sub(SHOWN),
            unsorted: self.unsorted,
        }
    }
}

impl Shown {
    fn is_expired(&self) -> bool {
        self.facts.not_after.is_some_and(|end| end < self.seen)
    }

    fn status(&self) -> &'static str {
        if self.facts.malformed.is_some() {
            "malformed"
        } else if self.is_expired() {
            "expired"
        } else if self.facts.not_before.is_some_and(|start| self.seen < start) {
            "not_yet_valid"
        } else {
            "valid"
        }
    }

    fn expiry(&self) -> Expiry {
        let facts = &self.facts;
        let mut names = facts.alternative_names();
        let more_names = names.len().saturating_sub(NAMES);
        names.truncate(NAMES);
        let sha256 = Digest(&facts.sha256).to_string();
        Expiry {
            status: self.status(),
            not_after: facts.not_after.map(Time::from_seconds),
            expires_in: facts.not_after.map(|end| end.saturating_sub(self.seen)),
            subject: facts.subject.clone(),
            issuer: facts.issuer.clone(),
            alternative_names: names,
            more_names,
            sha256,
            served_by: self.served_by.table(HOLDERS, ToString::to_string),
            presented_by: self.presented_by.table(HOLDERS, ToString::to_string),
        }
    }
}
