//! The flow table: which connection a piece belongs to, how long connections are kept, and how much they may hold.
//!
//! A connection may be seen from two places, each of which tells all of it: when both ends are on this host, from each
//! end's network namespace or socket. The place that is second brings the same bytes under the same sequence numbers,
//! and joins. Equal tuples that begin differently are different connections.

mod connection;
mod course;
pub mod listeners;
pub(crate) mod queues;
mod sockets;
mod tuple;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;
use observer_tls::stream::Item;

use connection::Connection;
use listeners::Listeners;
use queues::Queues;
use sockets::SocketIndex;
use tuple::Tuple;

use crate::config::values::LateAlerts;
use crate::observation::Sink;
use crate::segment::Segment;
use crate::tracker::{Caches, Direction, Phase, Surroundings};

/// Bytes that a flow table holds at most, over all connections: reassembly and handshakes without an outcome.
pub const MAX_BUFFERED_BYTES: usize = 16 * 1024 * 1024;
/// How long the little that is kept for late alerts outlives the last piece.
pub const REPORTED_IDLE_NS: u64 = 3_600 * 1_000_000_000;
/// How long a closed connection stays, so that a second place's pieces still find it.
pub const CLOSED_LINGER_NS: u64 = 1_000_000_000;

/// What a [`FlowTable`] may hold, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct FlowLimits {
    /// Connections at once.
    pub max_connections: usize,
    /// Bytes at once, over all connections: pieces and messages that are not complete, and what handshakes without an
    /// outcome have told.
    pub max_buffered_bytes: usize,
    /// A handshake without progress for so many nanoseconds has timed out.
    pub handshake_timeout_ns: u64,
    /// When encryption hides the outcome: nanoseconds after which nobody will object any more. Also the time that one
    /// side's FIN leaves the other for its last word.
    pub settle_timeout_ns: u64,
    /// Tell of every late alert, orderly closes too.
    pub late_alerts_all: bool,
}

impl FlowLimits {
    /// What `run` and `replay` give a table: by settings that both have.
    pub fn new(
        max_connections: usize,
        handshake_timeout: Duration,
        settle_timeout: Duration,
        late_alerts: LateAlerts,
    ) -> Self {
        let nanoseconds = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self {
            max_connections,
            max_buffered_bytes: MAX_BUFFERED_BYTES,
            handshake_timeout_ns: nanoseconds(handshake_timeout),
            settle_timeout_ns: nanoseconds(settle_timeout),
            late_alerts_all: late_alerts == LateAlerts::All,
        }
    }
}

/// What a [`FlowTable`] holds, and what it has let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowStats {
    /// Connections in the table.
    pub connections: usize,
    /// Bytes they hold.
    pub buffered_bytes: usize,
    /// Handshakes reported as incomplete because there were too many connections.
    pub evicted_by_connections: u64,
    /// Handshakes reported as incomplete because too many bytes were held.
    pub evicted_by_bytes: u64,
    /// Reported connections forgotten because there were too many; late alerts of them may be missed.
    pub forgotten: u64,
    /// Connections that had the tuple of another one at the same time.
    pub conflicts: u64,
    /// Pieces that contradicted an earlier copy of the same bytes, which was believed; of connections that are gone.
    pub contradictions: u64,
    /// Connections that were joined by a second place from which they are seen.
    pub joined: u64,
}

impl FlowStats {
    /// The causes of loss, as `stage` and `reason` labels with their counts.
    pub fn losses(&self) -> [(&'static str, &'static str, u64); 3] {
        [
            ("flows", "too_many_connections", self.evicted_by_connections),
            ("flows", "too_many_bytes", self.evicted_by_bytes),
            ("flows", "late_alerts_forgotten", self.forgotten),
        ]
    }
}

/// The queues of connections, each with its own timeout.
const PENDING: usize = 0;
const SETTLING: usize = 1;
const REPORTED: usize = 2;
const CLOSED: usize = 3;

/// All connections that are followed.
#[derive(Debug)]
pub struct FlowTable {
    limits: FlowLimits,
    slots: Vec<Option<Box<Connection>>>,
    free: Vec<u32>,
    /// First slot of each tuple; the others are linked to it.
    by_tuple: HashMap<Tuple, u32, RandomState>,
    by_socket: SocketIndex,
    /// By what they wait for, in the order of their last piece.
    queues: Queues<4>,
    /// Those that hold bytes, in the order in which they began to.
    holding: Queues<1>,
    caches: Caches,
    listeners: Listeners,
    /// Scratch space.
    items: Vec<Item>,
    /// The source's count of dropped pieces at the last tick.
    dropped_total: u64,
    stats: FlowStats,
}

impl FlowTable {
    /// An empty table.
    pub fn new(limits: FlowLimits) -> Self {
        Self {
            limits,
            slots: Vec::new(),
            free: Vec::new(),
            by_tuple: HashMap::default(),
            by_socket: SocketIndex::default(),
            queues: Queues::new(),
            holding: Queues::new(),
            caches: Caches::default(),
            listeners: Listeners::default(),
            items: Vec::new(),
            dropped_total: 0,
            stats: FlowStats::default(),
        }
    }

    /// What the table holds and has let go.
    pub fn stats(&self) -> FlowStats {
        self.stats
    }

    /// Takes a piece; observations that it completes go to `sink`.
    pub fn push(&mut self, segment: &Segment<'_>, sink: &mut dyn Sink) {
        let (tuple, direction) = Tuple::of(segment);
        let Some(slot) = self.locate(tuple, direction, segment, sink) else {
            return;
        };
        let dropped_total = self.dropped_total;
        self.with(slot, sink, |connection, items, around| {
            connection.dropped_before = dropped_total;
            connection.take(direction, segment, items, around);
        });
        self.account(slot);
        self.limit_bytes(sink);
    }

    /// Lets time pass up to `now_ns` (nanoseconds since the Unix epoch, the clock of the pieces). `dropped_total` is how
    /// many pieces the source has dropped so far. To be called several times a second; costs nothing when nothing is due.
    pub fn tick(&mut self, now_ns: u64, dropped_total: u64, sink: &mut dyn Sink) {
        self.dropped_total = dropped_total;
        let timeouts = [
            (PENDING, self.limits.handshake_timeout_ns),
            (SETTLING, self.limits.settle_timeout_ns),
            (REPORTED, REPORTED_IDLE_NS),
            (CLOSED, CLOSED_LINGER_NS),
        ];
        for (queue, timeout_ns) in timeouts {
            while let Some(slot) = self.queues.front(queue)
                && self.touched_ns(slot).saturating_add(timeout_ns) <= now_ns
            {
                let waiting = self.with(slot, sink, |connection, items, around| {
                    let waiting = connection.is_waiting();
                    if waiting {
                        connection.time_out(now_ns, dropped_total, items, around);
                        connection.touched_ns = now_ns;
                    }
                    waiting
                });
                match waiting {
                    Some(true) => self.account(slot),
                    _ => self.remove(slot),
                }
            }
        }
    }

    /// Gives up all connections: handshakes without an outcome are reported as incomplete.
    pub fn flush(&mut self, sink: &mut dyn Sink) {
        for queue in [PENDING, SETTLING, REPORTED, CLOSED] {
            while let Some(slot) = self.queues.front(queue) {
                self.give_up(slot, false, sink);
                self.remove(slot);
            }
        }
    }

    /// The slot of the connection that `segment` belongs to; a new one if it begins a connection.
    fn locate(
        &mut self,
        tuple: Tuple,
        direction: Direction,
        segment: &Segment<'_>,
        sink: &mut dyn Sink,
    ) -> Option<u32> {
        let mut same = None;
        let mut reused = None;
        let mut next = self.by_tuple.get(&tuple).copied();
        let tuple_known = next.is_some();
        while let Some(slot) = next {
            let connection = self.connection(slot)?;
            match connection.knows(direction, segment) {
                Some(true) => return Some(slot),
                Some(false) => reused = Some(slot),
                None if connection.begins_like(direction, segment) => same = Some(slot),
                None => {}
            }
            next = connection.next_of_tuple;
        }
        // A close, or what comes behind skipped records, begins nothing.
        let begins = (!segment.data.is_empty() && !segment.flags.skipped)
            || segment.flags.not_tls
            || segment.flags.syn;
        if !begins {
            return None;
        }
        if let Some(slot) = reused {
            self.give_up(slot, false, sink);
            self.remove(slot);
        }
        if let Some(slot) = same {
            self.slots.get_mut(slot as usize)?.as_mut()?.join(segment);
            self.stats.joined += 1;
            return Some(slot);
        }
        if tuple_known && self.by_tuple.contains_key(&tuple) {
            self.stats.conflicts += 1;
        }
        self.limit_connections(sink);
        Some(self.insert(Connection::new(tuple, segment)))
    }

    fn insert(&mut self, mut connection: Connection) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            // `max_connections` keeps the number of slots far below 2^32.
            (self.slots.len() - 1) as u32
        });
        connection.next_of_tuple = self.by_tuple.insert(connection.tuple, slot);
        self.slots[slot as usize] = Some(Box::new(connection));
        self.queues.push_back(PENDING, slot);
        self.stats.connections += 1;
        slot
    }

    fn remove(&mut self, slot: u32) {
        self.queues.remove(slot);
        self.holding.remove(slot);
        let Some(connection) = self.slots.get_mut(slot as usize).and_then(Option::take) else {
            return;
        };
        self.free.push(slot);
        self.stats.connections -= 1;
        self.stats.contradictions += connection.contradictions();
        self.stats.buffered_bytes -= connection.counted_bytes;
        self.by_socket.forget(&connection.sockets, slot);
        self.unlink(slot, &connection);
    }

    /// Takes a connection out of the list of its tuple.
    fn unlink(&mut self, slot: u32, connection: &Connection) {
        let Some(first) = self.by_tuple.get(&connection.tuple).copied() else {
            return;
        };
        if first == slot {
            match connection.next_of_tuple {
                Some(next) => self.by_tuple.insert(connection.tuple, next),
                None => self.by_tuple.remove(&connection.tuple),
            };
            return;
        }
        let mut at = Some(first);
        while let Some(other) = at.and_then(|at| self.slots.get_mut(at as usize)?.as_mut()) {
            if other.next_of_tuple == Some(slot) {
                other.next_of_tuple = connection.next_of_tuple;
                return;
            }
            at = other.next_of_tuple;
        }
    }

    /// After a change to the connection in `slot`: counts what it holds and puts it last in the queue it belongs to.
    fn account(&mut self, slot: u32) {
        let Some(connection) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else {
            return;
        };
        let held = connection.held_bytes();
        self.stats.buffered_bytes = self.stats.buffered_bytes - connection.counted_bytes + held;
        connection.counted_bytes = held;
        self.by_socket.note(&mut connection.sockets, slot);
        let queue = match connection.phase() {
            _ if connection.is_closed() => CLOSED,
            Phase::Pending => PENDING,
            Phase::Settling => SETTLING,
            Phase::Reported => REPORTED,
        };
        self.queues.push_back(queue, slot);
        if held == 0 {
            self.holding.remove(slot);
        } else if !self.holding.contains(slot) {
            self.holding.push_back(0, slot);
        }
    }

    /// Makes room for one more connection: the closed ones go first, then the one that is idle the longest.
    fn limit_connections(&mut self, sink: &mut dyn Sink) {
        while self.stats.connections >= self.limits.max_connections.max(1) {
            let others = [PENDING, SETTLING, REPORTED];
            let oldest = || {
                let fronts = others.into_iter().filter_map(|queue| self.queues.front(queue));
                fronts.min_by_key(|slot| self.touched_ns(*slot))
            };
            let Some(slot) = self.queues.front(CLOSED).or_else(oldest) else {
                return;
            };
            match self.connection(slot) {
                Some(connection) if connection.is_waiting() => self.stats.evicted_by_connections += 1,
                Some(connection) if !connection.is_closed() && connection.phase() == Phase::Reported => {
                    self.stats.forgotten += 1;
                }
                _ => {}
            }
            self.give_up(slot, true, sink);
            self.remove(slot);
        }
    }

    /// Lets go of bytes until the limit is kept: those that have been held the longest go first.
    fn limit_bytes(&mut self, sink: &mut dyn Sink) {
        while self.stats.buffered_bytes > self.limits.max_buffered_bytes {
            let Some(slot) = self.holding.front(0) else { return };
            if self.connection(slot).is_some_and(Connection::is_waiting) {
                self.stats.evicted_by_bytes += 1;
            }
            self.give_up(slot, true, sink);
            self.account(slot);
        }
    }

    fn give_up(&mut self, slot: u32, truncated: bool, sink: &mut dyn Sink) {
        self.with(slot, sink, |connection, _, around| {
            connection.give_up(truncated, around)
        });
    }

    /// Calls `act` with the connection in `slot` and what it needs of the table.
    fn with<T>(
        &mut self,
        slot: u32,
        sink: &mut dyn Sink,
        act: impl FnOnce(&mut Connection, &mut Vec<Item>, &mut Surroundings<'_>) -> T,
    ) -> Option<T> {
        let connection = self.slots.get_mut(slot as usize)?.as_mut()?;
        let mut around = Surroundings {
            senders: connection.tuple.senders(),
            sockets: connection.sockets.cookies(),
            born: connection.born,
            lossy: false,
            partial: false,
            late_alerts_all: self.limits.late_alerts_all,
            caches: &mut self.caches,
            listeners: &mut self.listeners,
            sink,
        };
        Some(act(connection, &mut self.items, &mut around))
    }

    fn connection(&self, slot: u32) -> Option<&Connection> {
        self.slots.get(slot as usize)?.as_deref()
    }

    fn touched_ns(&self, slot: u32) -> u64 {
        self.connection(slot)
            .map_or(0, |connection| connection.touched_ns)
    }
}
