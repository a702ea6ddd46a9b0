//! Facts by socket, until the handshake is observed that they belong to.

use crate::facts::Fact;
use crate::watch::lru::Lru;

/// Sockets whose facts are kept: ten times the handshakes of a busy second's tenth.
const MAX_SOCKETS: usize = 16 * 1024;
/// Facts kept of one socket. A handshake has about five.
const MAX_FACTS: usize = 32;
/// Bytes that facts may hold, over all sockets.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// What a fact holds besides certificates, about.
const FACT_BYTES: usize = 128;

/// How long facts wait for their handshake after the last of them, nanoseconds.
pub(super) const WAIT_NS: u64 = 2_000_000_000;

/// Facts of one socket, in the order in which they were told.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub facts: Vec<Fact>,
    /// When they have waited long enough, nanoseconds since the Unix epoch.
    pub due_ns: u64,
}

/// Facts that wait, by the cookie of their socket.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    groups: Lru<u64, Group>,
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
        let (cookie, due_ns) = (fact.socket.cookie, fact.time_ns.saturating_add(WAIT_NS));
        if self.groups.get(&cookie).is_none() {
            self.groups.insert(cookie, Group::default());
        }
        let Some(group) = self.groups.get(&cookie) else {
            return 1;
        };
        if group.facts.len() >= MAX_FACTS {
            return 1;
        }
        group.due_ns = group.due_ns.max(due_ns);
        self.facts += 1;
        self.bytes += weight(&fact);
        group.facts.push(fact);
        let mut lost = 0;
        while (self.groups.len() > MAX_SOCKETS || self.bytes > MAX_BYTES)
            && let Some(group) = self.pop()
        {
            lost += group.1.facts.len() as u64;
        }
        lost
    }

    /// Takes those facts of a socket that are `wanted`.
    pub fn take(&mut self, cookie: u64, wanted: impl Fn(&Fact) -> bool) -> Vec<Fact> {
        let Some(group) = self.groups.get(&cookie) else {
            return Vec::new();
        };
        let taken: Vec<_> = group.facts.extract_if(.., |fact| wanted(fact)).collect();
        self.facts -= taken.len();
        self.bytes -= taken.iter().map(weight).sum::<usize>();
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

    /// Lets facts wait once more, from `now_ns` on.
    pub fn put_back(&mut self, cookie: u64, mut group: Group, now_ns: u64) {
        group.due_ns = now_ns.saturating_add(WAIT_NS);
        self.facts += group.facts.len();
        self.bytes += group.facts.iter().map(weight).sum::<usize>();
        self.groups.insert(cookie, group);
    }

    fn pop(&mut self) -> Option<(u64, Group)> {
        let (cookie, group) = self.groups.pop()?;
        self.facts -= group.facts.len();
        self.bytes -= group.facts.iter().map(weight).sum::<usize>();
        Some((cookie, group))
    }
}

fn weight(fact: &Fact) -> usize {
    let certificates = match &fact.body {
        crate::facts::FactBody::Chain(chain) => chain.iter().map(bytes::Bytes::len).sum(),
        _ => 0,
    };
    FACT_BYTES + certificates
}
