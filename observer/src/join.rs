//! Joins what TLS libraries tell with what the wire showed: one observation for each handshake, with the certificates and
//! alerts that TLS 1.3 hides.
//!
//! ```text
//! flow table ─► Observation ─► held for a moment ─┐
//! readers    ─► Fact ─────────► by socket ────────┴─► merged ─► sessions remembered ─► judge
//! ```
//!
//! Two things have to fit: the socket, which has the same cookie in both, and the time. Then what was told must be possible
//! by what the wire showed, or it is not believed.

mod alerts;
mod alone;
mod conclude;
mod fit;
mod merge;
pub mod sessions;
mod tale;
mod waiting;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;

use observer_tls::codepoints::{AlertDescription, ProtocolVersion};

use crate::config::values::LateAlerts;
use crate::facts::{Fact, FactBody};
use crate::flows::FlowTable;
use crate::observation::{Action, Observation, Outcome, Side, Sink, Source};
use crate::outcome::Rule;
use crate::tracker::Phase;
use crate::tracker::certificates::CertificateCache;
use crate::watch::lru::Lru;
use sessions::SessionMemory;
use waiting::{Group, Waiting};

/// How long after its end an observation waits for what libraries tell, nanoseconds: a library tells of a handshake just
/// before its last message passes, or just after.
pub const HOLD_NS: u64 = 100_000_000;
/// Observations that wait at once: 80,000 handshakes a second.
const MAX_HELD: usize = 8 * 1024;
/// Ends whose handshake was given out, remembered so that what their libraries still say makes no second one.
const MAX_GIVEN: usize = 32 * 1024;

/// Joins facts to observations.
#[derive(Debug)]
pub struct Join {
    /// There are probes in libraries.
    libraries: bool,
    late_alerts: LateAlerts,
    /// Observations that wait, in the order in which they came.
    held: VecDeque<Observation>,
    waiting: Waiting,
    given: Lru<End, ()>,
    sessions: SessionMemory,
    certificates: CertificateCache,
    stats: JoinStats,
}

/// An end of a connection, as both its socket and the wire know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum End {
    Socket(u64),
    /// Where the wire does not know the socket: its address and that of the peer.
    Addresses(SocketAddr, SocketAddr),
}

/// What a [`Join`] holds, and what it has made of what it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JoinStats {
    /// Observations that wait.
    pub held: usize,
    /// Facts that wait.
    pub facts: usize,
    /// Facts that became part of an observation.
    pub joined: u64,
    /// Facts that were not believed.
    pub contradicted: u64,
    /// Facts without a socket.
    pub without_socket: u64,
    /// Facts that belong to no handshake that was seen or can be made of them.
    pub without_handshake: u64,
    /// Facts that came when their handshake had been given out.
    pub too_late: u64,
    /// Facts for which there was no room.
    pub too_many_facts: u64,
    /// Observations that did not wait for facts, for want of room.
    pub too_many_observations: u64,
}

impl JoinStats {
    /// The causes of loss, as `stage` and `reason` labels with their counts.
    pub fn losses(&self) -> [(&'static str, &'static str, u64); 6] {
        [
            ("join", "contradicted", self.contradicted),
            ("join", "without_socket", self.without_socket),
            ("join", "without_handshake", self.without_handshake),
            ("join", "too_late", self.too_late),
            ("join", "too_many_facts", self.too_many_facts),
            ("join", "too_many_observations", self.too_many_observations),
        ]
    }
}

impl Join {
    /// A join; `libraries` says whether there are probes in libraries. Without them it holds nothing back. `late_alerts`:
    /// which alerts after a handshake are news; of one that could not be read, only a library says that it is none.
    pub fn new(libraries: bool, late_alerts: LateAlerts) -> Self {
        Self {
            libraries,
            late_alerts,
            held: VecDeque::new(),
            waiting: Waiting::default(),
            given: Lru::default(),
            sessions: SessionMemory::default(),
            certificates: CertificateCache::new(),
            stats: JoinStats::default(),
        }
    }

    /// What it holds and has done.
    pub fn stats(&self) -> JoinStats {
        JoinStats {
            held: self.held.len(),
            facts: self.waiting.facts(),
            contradicted: self.stats.contradicted + self.sessions.contradicted(),
            ..self.stats
        }
    }

    /// Takes what a library told.
    pub fn fact(&mut self, fact: Fact) {
        match fact.socket.cookie {
            0 => self.stats.without_socket += 1,
            _ => self.stats.too_many_facts += self.waiting.add(fact),
        }
    }

    /// Takes what the flow table observed. What no library can add to goes on to `sink` at once.
    pub fn observation(&mut self, seen: Observation, sink: &mut dyn Sink) {
        let known = seen.sockets.client != 0 || seen.sockets.server != 0;
        if !(self.libraries && known) {
            return self.give(seen, sink);
        }
        self.held.push_back(seen);
        if self.held.len() > MAX_HELD
            && let Some(seen) = self.held.pop_front()
        {
            self.stats.too_many_observations += 1;
            self.join(seen, sink);
        }
    }

    /// Gives out what need not wait any longer. All facts up to `drained_ns` (nanoseconds since the Unix epoch) were given;
    /// `flows` tells which connections' handshakes are still followed on the wire. To be called some ten times a second, and
    /// after each batch.
    pub fn release(&mut self, drained_ns: u64, flows: &FlowTable, sink: &mut dyn Sink) {
        let is_due = |seen: &mut Observation| end_ns(seen).saturating_add(HOLD_NS) <= drained_ns;
        while let Some(seen) = self.held.pop_front_if(is_due) {
            self.join(seen, sink);
        }
        while let Some((cookie, group)) = self.waiting.due(drained_ns) {
            let addresses = group.facts.iter().find_map(|fact| fact.socket.addresses);
            // What was decided a moment ago waits for these very facts.
            let is_held = || self.held.iter().any(|seen| seen.sockets.side(cookie).is_some());
            match flows.phase_of(cookie, addresses) {
                Some(phase) if !group.facts.is_empty() && (phase != Phase::Reported || is_held()) => {
                    self.waiting.put_back(cookie, group, drained_ns);
                }
                Some(_) => self.count_late(&group),
                None => self.tell_alone(cookie, group, sink),
            }
        }
    }

    /// Gives out all that is held. To be called last, when the flow table was flushed and all facts were given.
    pub fn flush(&mut self, sink: &mut dyn Sink) {
        while let Some(seen) = self.held.pop_front() {
            self.join(seen, sink);
        }
        while let Some((cookie, group)) = self.waiting.due(u64::MAX) {
            self.tell_alone(cookie, group, sink);
        }
    }

    /// Puts what libraries told into `seen` and gives it out.
    fn join(&mut self, mut seen: Observation, sink: &mut dyn Sink) {
        let facts = [Side::Client, Side::Server].map(|side| {
            let facts = match seen.sockets.of(side) {
                Some(cookie) => self.waiting.take(cookie, |fact| belongs_to(fact, side, &seen)),
                None => Vec::new(),
            };
            (side, facts)
        });
        self.merge(&mut seen, &facts);
        if seen.action == Action::Handshake {
            self.remember_given(&seen);
        }
        if !self.is_no_news(&seen) {
            self.give(seen, sink);
        }
    }

    fn merge(&mut self, seen: &mut Observation, facts: &merge::Facts) {
        let all: usize = facts.iter().map(|(_, facts)| facts.len()).sum();
        if all > 0 {
            let joined = merge::merge(seen, facts, &mut self.certificates);
            self.stats.joined += joined;
            self.stats.contradicted += all as u64 - joined;
        }
    }

    fn give(&mut self, mut seen: Observation, sink: &mut dyn Sink) {
        self.sessions.observe(&mut seen);
        sink.observation(seen);
    }

    /// Whether a late alert turned out to be an orderly close.
    fn is_no_news(&self, seen: &Observation) -> bool {
        let closes = |alert: AlertDescription| alert == AlertDescription::CLOSE_NOTIFY;
        self.late_alerts != LateAlerts::All
            && seen.action == Action::LateAlert
            && seen.rule == Some(Rule::LibraryAlert)
            && (seen.alerts.iter()).all(|seen| seen.alert.is_some_and(|alert| closes(alert.description)))
    }

    fn remember_given(&mut self, seen: &Observation) {
        let ends = [
            (Side::Client, seen.client, seen.server),
            (Side::Server, seen.server, seen.client),
        ];
        for (side, own, peer) in ends {
            match seen.sockets.of(side) {
                Some(cookie) => self.given.insert(End::Socket(cookie), ()),
                // The other end's library may have more to tell.
                None if seen.source == Source::Library => {}
                None => self.given.insert(End::Addresses(own, peer), ()),
            }
        }
        while self.given.len() > MAX_GIVEN && self.given.pop().is_some() {}
    }

    /// Tells of a handshake of which only libraries know.
    fn tell_alone(&mut self, cookie: u64, group: Group, sink: &mut dyn Sink) {
        let by_addresses = group.ends.map(|(own, peer)| End::Addresses(own, peer));
        let mut names = [Some(End::Socket(cookie)), by_addresses].into_iter().flatten();
        if names.any(|end| self.given.get(&end).is_some()) {
            return self.count_late(&group);
        }
        let Some((side, mut seen)) = alone::observation(cookie, &group) else {
            self.stats.without_handshake += news(&group);
            return;
        };
        let peer = group.ends.and_then(|ends| self.waiting.take_peer(ends));
        let told_by_peer = peer.map_or(Vec::new(), |(cookie, peer)| {
            alone::add_peer(&mut seen, side.other(), cookie, &peer);
            peer.facts
        });
        self.merge(&mut seen, &[(side, group.facts), (side.other(), told_by_peer)]);
        if seen.source != Source::Both {
            return;
        }
        seen.source = Source::Library;
        self.remember_given(&seen);
        self.give(seen, sink);
    }

    fn count_late(&mut self, group: &Group) {
        self.stats.too_late += news(group);
    }
}

/// When the handshake, or alert, was over as far as the wire shows.
fn end_ns(seen: &Observation) -> u64 {
    if seen.action == Action::LateAlert {
        return seen.time_ns;
    }
    let records = seen.opaque.last().map_or(0, |record| record.offset_ns);
    let alerts = seen.alerts.last().map_or(0, |alert| alert.offset_ns);
    seen.time_ns
        .saturating_add(seen.duration_ns.max(records).max(alerts))
}

/// Whether a fact of its socket at the end of `side` can be about this handshake or alert, by its time.
fn belongs_to(fact: &Fact, side: Side, seen: &Observation) -> bool {
    if matches!(fact.body, FactBody::Session(_)) {
        return side == Side::Server && is_of_resumed(fact, seen);
    }
    let end_ns = end_ns(seen);
    let is_alert = matches!(fact.body, FactBody::AlertReceived(_) | FactBody::AlertSent(_));
    if seen.action == Action::LateAlert {
        return is_alert && fact.time_ns.abs_diff(end_ns) <= HOLD_NS;
    }
    // Both Finished were seen: what a library says after them is of what comes next, as a renegotiation, unless it says that
    // it has finished, too.
    let readable = seen
        .version
        .is_some_and(|version| version <= ProtocolVersion::TLS12);
    let is_over = readable && seen.outcome == Outcome::Established;
    let hold_ns = match fact.body {
        FactBody::Established | FactBody::Ticket(_) => HOLD_NS,
        _ if is_over => 0,
        _ => HOLD_NS,
    };
    seen.time_ns <= fact.time_ns && fact.time_ns <= end_ns.saturating_add(hold_ns)
}

/// Whether a session that the server's library read is the one that this handshake resumes: it answers the ClientHello with
/// it. Others are refused, or the service's own affair.
fn is_of_resumed(fact: &Fact, seen: &Observation) -> bool {
    let answered_ns = seen
        .timings
        .server_hello
        .filter(|_| seen.action == Action::Handshake && seen.resumed == Some(true));
    answered_ns.is_some_and(|offset_ns| {
        (seen.time_ns..=seen.time_ns.saturating_add(offset_ns)).contains(&fact.time_ns)
    })
}

/// How many facts say something that no event does: that a handshake succeeded, or a connection is closed, is known
/// otherwise; a server that asks its library again gets the same answer; a session may be refused.
fn news(group: &Group) -> u64 {
    let is_news = |fact: &&Fact| {
        !matches!(
            fact.body,
            FactBody::Established
                | FactBody::NoCertificate
                | FactBody::NoPeerCertificate
                | FactBody::Ticket(_)
                | FactBody::Session(_)
                | FactBody::AlertReceived(AlertDescription::CLOSE_NOTIFY)
                | FactBody::AlertSent(AlertDescription::CLOSE_NOTIFY)
        )
    };
    group.facts.iter().filter(is_news).count() as u64
}
