//! Handshakes that begin with a hello in the form of SSL 2 (RFC 5246, appendix E.2), and those that go on in SSL 2.

use std::sync::Arc;

use observer_tls::ssl2::{ClientHello, Message, ServerHello};

use super::Handshake;
use crate::observation::Side;
use crate::tracker::{Caches, offer};

impl Handshake {
    /// Takes a message of SSL 2.
    pub(super) fn ssl2_message(&mut self, side: Side, time_ns: u64, message: &Message, caches: &mut Caches) {
        match (side, message) {
            (Side::Client, Message::ClientHello(hello)) => self.ssl2_client_hello(hello),
            (Side::Server, Message::ServerHello(hello)) => self.ssl2_server_hello(hello, time_ns, caches),
            // All else is encrypted, and no record says of what kind.
            _ => self.ssl2 = true,
        }
    }

    fn ssl2_client_hello(&mut self, hello: &ClientHello) {
        self.hello_seen = true;
        let offer = offer::of_ssl2(hello);
        self.weight += offer::weight(&offer);
        self.offer = Some(Arc::new(offer));
        // The challenge is the random of the handshake that a later version makes of it.
        let challenge = &hello.challenge[hello.challenge.len().saturating_sub(32)..];
        let mut random = [0; 32];
        random[32 - challenge.len()..].copy_from_slice(challenge);
        self.random = Some(random);
    }

    fn ssl2_server_hello(&mut self, hello: &ServerHello, time_ns: u64, caches: &mut Caches) {
        self.ssl2 = true;
        self.server_hello = true;
        self.version = Some(hello.version);
        self.timings.server_hello = Some(self.offset(time_ns));
        if !hello.certificate.is_empty() {
            self.server_chain = vec![caches.certificates.facts(&hello.certificate)];
            self.weight += hello.certificate.len() * 2;
        }
    }
}
