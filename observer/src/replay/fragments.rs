//! Puts the fragments of IP datagrams together (RFC 791, section 3.2; RFC 8200, section 4.5). They may come in any order;
//! where they overlap, the copy that came first stays.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use super::ip::{Datagram, Fragment};

/// Datagrams that may be incomplete at once.
const MAX_DATAGRAMS: usize = 1024;
/// Bytes that incomplete datagrams may hold.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How long a datagram may stay incomplete, in time of the capture. RFC 8200 asks for a minute; Linux takes half of it.
const MAX_AGE_NS: u64 = 60 * 1_000_000_000;
/// The longest payload that a datagram can have.
const MAX_DATAGRAM_BYTES: usize = 65_535;

/// Which datagram a fragment is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    id: u32,
    /// Part of the identity in IPv4 alone.
    protocol: u8,
}

#[derive(Debug)]
struct Incomplete {
    /// Tells it from an earlier one with the same key.
    serial: u64,
    /// Of the first fragment; the protocol of IPv6 is that of the one at the start.
    protocol: u8,
    bytes: Vec<u8>,
    /// Which parts of `bytes` have come: ranges in order, none touching the next.
    there: Vec<(usize, usize)>,
    /// Known when the last fragment has come.
    total: Option<usize>,
}

/// The datagrams that are not complete.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    incomplete: HashMap<Key, Incomplete>,
    /// In the order in which they began, with the time and the serial number; those that are complete by now too.
    order: VecDeque<(Key, u64, u64)>,
    serial: u64,
    bytes: usize,
    /// Fragments that were of no use: of datagrams given up, and those that do not fit.
    pub lost: u64,
}

impl Fragments {
    /// Takes a fragment; gives the protocol and the payload of the datagram that it completes. `time_ns` is the largest
    /// time seen so far.
    pub fn add(
        &mut self,
        datagram: &Datagram<'_>,
        fragment: Fragment,
        time_ns: u64,
    ) -> Option<(u8, Vec<u8>)> {
        self.expire(time_ns);
        let payload = datagram.payload;
        let start = fragment.offset as usize;
        let end = start + payload.wire;
        // What a snap length has cut off cannot be had from anywhere else.
        if payload.data.len() < payload.wire || payload.wire == 0 || end > MAX_DATAGRAM_BYTES {
            self.lost += 1;
            return None;
        }
        let key = Key {
            source: datagram.source,
            destination: datagram.destination,
            id: fragment.id,
            protocol: if datagram.source.is_ipv4() {
                datagram.protocol
            } else {
                0
            },
        };
        if !self.incomplete.contains_key(&key) {
            self.begin(key, datagram.protocol, time_ns);
        }
        let incomplete = self.incomplete.get_mut(&key)?;
        if start == 0 {
            incomplete.protocol = datagram.protocol;
        }
        let before = incomplete.bytes.len();
        incomplete.insert(start, payload.data);
        if !fragment.more {
            incomplete.total.get_or_insert(end);
        }
        self.bytes += incomplete.bytes.len() - before;
        if incomplete.is_complete() {
            let mut complete = self.remove(key)?;
            complete.bytes.truncate(complete.total?);
            return Some((complete.protocol, complete.bytes));
        }
        while self.bytes > MAX_BYTES {
            self.give_up_oldest();
        }
        None
    }

    /// Gives up all that is not complete.
    pub fn clear(&mut self) {
        while !self.order.is_empty() {
            self.give_up_oldest();
        }
    }

    fn begin(&mut self, key: Key, protocol: u8, time_ns: u64) {
        while self.incomplete.len() >= MAX_DATAGRAMS {
            self.give_up_oldest();
        }
        if self.order.len() >= 4 * MAX_DATAGRAMS {
            let incomplete = &self.incomplete;
            self.order
                .retain(|(key, _, serial)| is_live(incomplete, key, *serial));
        }
        self.serial += 1;
        self.order.push_back((key, time_ns, self.serial));
        let incomplete = Incomplete {
            serial: self.serial,
            protocol,
            bytes: Vec::new(),
            there: Vec::new(),
            total: None,
        };
        self.incomplete.insert(key, incomplete);
    }

    fn expire(&mut self, time_ns: u64) {
        while self
            .order
            .front()
            .is_some_and(|(_, since, _)| time_ns.saturating_sub(*since) > MAX_AGE_NS)
        {
            self.give_up_oldest();
        }
    }

    fn give_up_oldest(&mut self) {
        let Some((key, _, serial)) = self.order.pop_front() else {
            return;
        };
        if is_live(&self.incomplete, &key, serial)
            && let Some(given_up) = self.remove(key)
        {
            self.lost += given_up.there.len() as u64;
        }
    }

    fn remove(&mut self, key: Key) -> Option<Incomplete> {
        let incomplete = self.incomplete.remove(&key)?;
        self.bytes -= incomplete.bytes.len();
        Some(incomplete)
    }
}

/// Whether an entry of the order still stands for a datagram.
fn is_live(incomplete: &HashMap<Key, Incomplete>, key: &Key, serial: u64) -> bool {
    incomplete.get(key).is_some_and(|one| one.serial == serial)
}

impl Incomplete {
    /// Puts `data` at `start`, where nothing is yet.
    fn insert(&mut self, start: usize, data: &[u8]) {
        let end = start + data.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        let mut from = start;
        for (there_start, there_end) in &self.there {
            fill(&mut self.bytes, start, data, from, end.min(*there_start));
            from = from.max(*there_end);
        }
        fill(&mut self.bytes, start, data, from, end);

        let (mut start, mut end) = (start, end);
        self.there.retain(|(there_start, there_end)| {
            let apart = *there_end < start || end < *there_start;
            if !apart {
                start = start.min(*there_start);
                end = end.max(*there_end);
            }
            apart
        });
        let at = self.there.partition_point(|range| range.0 < start);
        self.there.insert(at, (start, end));
    }

    fn is_complete(&self) -> bool {
        match (self.total, self.there.first()) {
            (Some(total), Some((0, end))) => *end >= total,
            _ => false,
        }
    }
}

/// Copies the part `from..to` of `data`, which belongs at `start`.
fn fill(bytes: &mut [u8], start: usize, data: &[u8], from: usize, to: usize) {
    if from < to
        && let (Some(target), Some(part)) = (bytes.get_mut(from..to), data.get(from - start..to - start))
    {
        target.copy_from_slice(part);
    }
}
