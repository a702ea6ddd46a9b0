//! Facts by socket, until the handshake is observed that they belong to.

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::Bytes;
use foldhash::fast::RandomState;

use crate::facts::{Fact, FactBody};
use crate::watch::lru::Lru;

/// Sockets whose facts are kept: ten times those of a busy second's tenth.
const MAX_SOCKETS: usize = 16 * 1024;
/// Facts kept of one socket. A handshake has about five.
const MAX_FACTS: usize = 32;
/// Bytes that facts may hold, over all sockets.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// What a fact holds besides certificates, about.
const FACT_BYTES: usize = 128;

/// How long facts wait for their handshake after the last of them, nanoseconds.
pub(super) const WAIT_NS: u64 = 2_000_000_000;

/// The address of an end, and that of its peer.
pub(super) type Ends = (SocketAddr, SocketAddr);

/// Facts of one socket, in the order in which they were told.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub facts: Vec<Fact>,
    /// The addresses of its socket, once they were told.
    pub ends: Option<Ends>,
    /// When they have waited long enough, nanoseconds since the Unix epoch.
    due_ns: u64,
}

/// Facts that wait, by the cookie of their socket.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    groups: Lru<u64, Group>,
    /// Sockets by their addresses. In two network namespaces two may have the same ones.
    by_ends: HashMap<Ends, Vec<u64>, RandomState>,
    facts: usize,
    bytes: usize,
}

impl Waiting {
    /// How many facts wait.
    pub fn facts(&self) -> usize {
        self.facts
    }

    /// Adds a fact; gives the number of facts that were lost to make room.
    pub fn add(&mut self, fact: Fact) -> u64 {
        let cookie = fact.socket.cookie;
        if self.groups.get(&cookie).is_none() {
            self.groups.insert(cookie, Group::default());
        }
        let Some(group) = self.groups.get(&cookie) else {
            return 1;
        };
        if group.facts.len() >= MAX_FACTS {
            return 1;
        }
        if group.ends.is_none()
            && let Some(ends) = fact.socket.addresses
        {
            group.ends = Some(ends);
            self.by_ends.entry(ends).or_default().push(cookie);
        }
        group.due_ns = group.due_ns.max(fact.time_ns.saturating_add(WAIT_NS));
        self.facts += 1;
        self.bytes += weight(&fact);
        group.facts.push(fact);
        let mut lost = 0;
        while (self.groups.len() > MAX_SOCKETS || self.bytes > MAX_BYTES)
            && let Some((_, group)) = self.pop()
        {
            lost += group.facts.len() as u64;
        }
        lost
    }

    /// Takes those facts of a socket that are `wanted`.
    pub fn take(&mut self, cookie: u64, wanted: impl Fn(&Fact) -> bool) -> Vec<Fact> {
        let Some(group) = self.groups.get(&cookie) else {
            return Vec::new();
        };
        let taken: Vec<_> = group.facts.extract_if(.., |fact| wanted(fact)).collect();
        let is_empty = group.facts.is_empty();
        self.discount(&taken);
        if is_empty && let Some(group) = self.groups.remove(&cookie) {
            self.forget(cookie, &group);
        }
        taken
    }

    /// The socket whose facts wait the longest, if they have waited long enough at `now_ns`.
    pub fn due(&mut self, now_ns: u64) -> Option<(u64, Group)> {
        let (_, group) = self.groups.oldest()?;
        if group.due_ns > now_ns {
            return None;
        }
        self.pop()
    }

    /// The facts of the socket at the other end of the connection between these ends, if it is certain which that is.
    pub fn take_peer(&mut self, ends: Ends) -> Option<(u64, Group)> {
        let (own, peer) = ends;
        if self.by_ends.contains_key(&ends) {
            return None;
        }
        let [cookie] = *self.by_ends.get(&(peer, own))?.as_slice() else {
            return None;
        };
        let group = self.groups.remove(&cookie)?;
        self.forget(cookie, &group);
        Some((cookie, group))
    }

    /// Lets facts wait once more, from `now_ns` on.
    pub fn put_back(&mut self, cookie: u64, mut group: Group, now_ns: u64) {
        group.due_ns = now_ns.saturating_add(WAIT_NS);
        self.facts += group.facts.len();
        self.bytes += group.facts.iter().map(weight).sum::<usize>();
        if let Some(ends) = group.ends {
            self.by_ends.entry(ends).or_default().push(cookie);
        }
        self.groups.insert(cookie, group);
    }

    fn pop(&mut self) -> Option<(u64, Group)> {
        let (cookie, group) = self.groups.pop()?;
        self.forget(cookie, &group);
        Some((cookie, group))
    }

    /// A group is gone.
    fn forget(&mut self, cookie: u64, group: &Group) {
        self.discount(&group.facts);
        let Some(ends) = group.ends else { return };
        if let Some(cookies) = self.by_ends.get_mut(&ends) {
            cookies.retain(|other| *other != cookie);
            if cookies.is_empty() {
                self.by_ends.remove(&ends);
            }
        }
    }

    fn discount(&mut self, gone: &[Fact]) {
        self.facts -= gone.len();
        self.bytes -= gone.iter().map(weight).sum::<usize>();
    }
}

fn weight(fact: &Fact) -> usize {
    let certificates = match &fact.body {
        FactBody::Chain(chain) => chain.iter().map(Bytes::len).sum(),
        FactBody::Session(certificate) => certificate.as_ref().map_or(0, Bytes::len),
        _ => 0,
    };
    FACT_BYTES + certificates
}
