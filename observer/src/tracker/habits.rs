//! The habits of servers, by their addresses.

use std::collections::HashMap;
use std::net::SocketAddr;

use foldhash::fast::RandomState;

use crate::outcome::tls13::{Habits, Kind};

/// Addresses remembered. More than a host serves; when they are too many, remembering begins anew, and what it costs is a
/// few outcomes told as incomplete.
const MAX_SERVERS: usize = 4096;

/// The habits of servers, by their addresses.
#[derive(Debug, Default)]
pub struct HabitCache {
    known: HashMap<SocketAddr, Habits, RandomState>,
}

impl HabitCache {
    /// What is known of the server at `address`.
    pub fn of(&self, address: SocketAddr) -> Habits {
        self.known.get(&address).copied().unwrap_or_default()
    }

    /// The server at `address` completed a handshake, and `greeted` or not.
    pub fn learn(&mut self, address: SocketAddr, kind: Kind, greeted: bool) {
        if self.known.len() >= MAX_SERVERS && !self.known.contains_key(&address) {
            self.known.clear();
        }
        let habits = self.known.entry(address).or_default();
        *habits = habits.with(kind, greeted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], port))
    }

    #[test]
    fn memory_is_bounded() {
        let mut cache = HabitCache::default();
        for _ in 0..9 {
            cache.learn(address(1), Kind::Asked, true);
        }
        assert!(cache.of(address(1)).greets(Kind::Asked));
        assert!(!cache.of(address(2)).greets(Kind::Asked));
        for port in 0..=MAX_SERVERS as u16 {
            cache.learn(address(port), Kind::Resumed, true);
        }
        assert!(cache.known.len() <= MAX_SERVERS);
    }
}
