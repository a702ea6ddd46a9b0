//! What certificates the sessions stand for that clients resume. A resumed handshake shows none; it goes on from one that
//! did, or the server's library finds the client's in the session.

use std::sync::Arc;

use observer_tls::x509::CertificateFacts;

use crate::observation::{Action, CertificateSource, Contradiction, Observation, Outcome, SessionName};
use crate::watch::lru::Lru;

/// Names of sessions kept: a client has few that it will use again, and many never come back.
const MAX_NAMES: usize = 8 * 1024;
/// DER bytes of the certificates that they stand for. Those that stand for the same ones share them, but are counted each.
const MAX_BYTES: usize = 32 * 1024 * 1024;

type Chain = Arc<[Arc<CertificateFacts>]>;

/// The certificates of a session.
#[derive(Clone, Debug)]
struct Certificates {
    client: Chain,
    server: Chain,
}

impl Certificates {
    fn bytes(&self) -> usize {
        let both = self.client.iter().chain(self.server.iter());
        both.map(|facts| facts.der.len()).sum()
    }

    fn are(&self, other: &Self) -> bool {
        let same = |a: &Chain, b: &Chain| {
            a.iter()
                .map(|facts| &facts.der)
                .eq(b.iter().map(|facts| &facts.der))
        };
        same(&self.client, &other.client) && same(&self.server, &other.server)
    }
}

/// Certificates by the names of the sessions that they were shown for.
#[derive(Debug, Default)]
pub struct SessionMemory {
    /// `None` for a name that was given to sessions of different peers: it tells nothing. A client's leaf is a name, too.
    names: Lru<SessionName, Option<Certificates>>,
    bytes: usize,
    contradicted: u64,
}

impl SessionMemory {
    /// Fills in the certificates of a resumed session, and remembers those of a handshake that can be resumed.
    pub fn observe(&mut self, seen: &mut Observation) {
        if seen.action != Action::Handshake {
            return;
        }
        if seen.resumed == Some(true) && seen.client_chain.is_empty() && seen.server_chain.is_empty() {
            self.fill(seen);
        }
        // Who learned a leaf alone as the whole chain would miss its issuers the next time.
        if seen.outcome == Outcome::Established && !seen.sessions.leaf_alone {
            self.remember_shown(seen);
        }
    }

    /// Remembers the certificates of a handshake by the names of its session, and a client's chain by its leaf: of a chain a
    /// session may keep no more.
    fn remember_shown(&mut self, seen: &Observation) {
        let (client, server) = (seen.client_chain.as_slice(), seen.server_chain.as_slice());
        let is_shown = !client.is_empty() || !server.is_empty();
        if is_shown && !seen.sessions.given.is_empty() {
            let shown = Certificates {
                client: client.into(),
                server: server.into(),
            };
            for name in &seen.sessions.given {
                self.remember(*name, &shown);
            }
        }
        if let [leaf, _, ..] = client {
            let shown = Certificates {
                client: client.into(),
                server: Chain::default(),
            };
            let name = SessionName::of(&leaf.der);
            // What was sent last counts.
            if let Some(Some(before)) = self.names.remove(&name) {
                self.bytes -= before.bytes();
            }
            self.insert(name, &shown);
        }
    }

    /// Sessions in which a library found another certificate than their first handshakes showed.
    pub fn contradicted(&self) -> u64 {
        self.contradicted
    }

    /// Fills in the certificates of the session that is resumed, as far as they are known; none if it is not sure whose they
    /// are.
    fn fill(&mut self, seen: &mut Observation) {
        let shown = seen.sessions.resumed.and_then(|name| self.known(name));
        if let Some(kept) = &seen.sessions.kept
            && let Some(first) = shown.as_ref().and_then(|shown| shown.client.first())
            && kept.as_ref() != Some(first)
        {
            self.contradicted += 1;
            let told = seen.told.get_or_insert_default();
            told.contradictions.push(Contradiction::Chain);
            told.contradictions.sort_unstable();
            told.contradictions.dedup();
            return;
        }
        if let Some(shown) = shown {
            seen.client_chain = shown.client.to_vec();
            seen.server_chain = shown.server.to_vec();
        }
        if seen.client_chain.is_empty()
            && let Some(Some(leaf)) = &seen.sessions.kept
        {
            let shown = self.known(SessionName::of(&leaf.der));
            let shown = shown.filter(|shown| shown.client.first() == Some(leaf));
            seen.sessions.leaf_alone = shown.is_none();
            seen.client_chain = shown.map_or_else(|| vec![Arc::clone(leaf)], |shown| shown.client.to_vec());
        }
        if !seen.client_chain.is_empty() || !seen.server_chain.is_empty() {
            seen.certificate_source = CertificateSource::Resumption;
        }
    }

    fn known(&mut self, name: SessionName) -> Option<Certificates> {
        self.names.get(&name)?.clone()
    }

    /// Remembers what stands for the name; one that is given to others, too, tells nothing from then on.
    fn remember(&mut self, name: SessionName, shown: &Certificates) {
        if let Some(known) = self.names.get(&name) {
            if let Some(other) = known.take_if(|known| !known.are(shown)) {
                self.bytes -= other.bytes();
            }
            return;
        }
        self.insert(name, shown);
    }

    fn insert(&mut self, name: SessionName, shown: &Certificates) {
        self.bytes += shown.bytes();
        self.names.insert(name, Some(shown.clone()));
        while (self.names.len() > MAX_NAMES || self.bytes > MAX_BYTES)
            && let Some((_, forgotten)) = self.names.pop()
        {
            self.bytes -= forgotten.as_ref().map_or(0, Certificates::bytes);
        }
    }
}
