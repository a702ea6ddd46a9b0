//! The addresses that speak TLS from the first byte on: there, a client that says something else is worth an event.

use std::collections::HashSet;
use std::net::SocketAddr;

/// Addresses remembered. More than a capture of one site has; when they are too many, remembering begins anew, and what
/// it costs is at most one untold `not_tls` for each.
const MAX_LISTENERS: usize = 4096;

/// Addresses that answered a ClientHello.
#[derive(Debug, Default)]
pub struct Listeners {
    known: HashSet<SocketAddr>,
}

impl Listeners {
    /// `address` speaks TLS.
    pub(super) fn remember(&mut self, address: SocketAddr) {
        if self.known.len() >= MAX_LISTENERS && !self.known.contains(&address) {
            self.known.clear();
        }
        self.known.insert(address);
    }

    /// Whether `address` is known to speak TLS.
    pub(super) fn contains(&self, address: SocketAddr) -> bool {
        self.known.contains(&address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let mut listeners = Listeners::default();
        let address = |port| SocketAddr::from(([10, 0, 0, 1], port));
        for port in 0..=MAX_LISTENERS as u16 {
            listeners.remember(address(port));
            assert!(listeners.contains(address(port)));
        }
        assert!(!listeners.contains(address(0)));
        assert!(listeners.known.len() <= MAX_LISTENERS);
    }
}
