//! What hellos and certificates tell.

use observer_tls::certificate::CertificateList;
use observer_tls::client_hello::ClientHello;
use observer_tls::fingerprint;
use observer_tls::server_hello::ServerHello;

use super::{Handshake, is_tls13};
use crate::observation::{ClientCertificate, Side};
use crate::tracker::{Caches, offer};

/// A session id, empty or of up to 32 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SessionId {
    bytes: [u8; 32],
    pub(super) length: usize,
}

impl SessionId {
    pub(super) fn of(id: &[u8]) -> Self {
        let mut bytes = [0; 32];
        let length = id.len().min(bytes.len());
        bytes[..length].copy_from_slice(&id[..length]);
        Self { bytes, length }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Handshake {
    pub(super) fn client_hello(&mut self, hello: &ClientHello, caches: &mut Caches) {
        self.hello_seen = true;
        self.named.offered(hello);
        // The second one, after a HelloRetryRequest, only repeats what was offered.
        if self.offer.is_some() {
            return;
        }
        self.server_name = hello.server_name();
        self.extensions = hello.extension_types();
        self.ja3 = Some(fingerprint::ja3(hello));
        let offer = caches.offers.offer(hello, self.server_name.is_some());
        self.weight += offer::weight(&offer)
            + size_of_val(self.extensions.as_slice())
            + self.server_name.as_ref().map_or(0, String::len);
        self.random = Some(hello.random);
        self.session_id = SessionId::of(&hello.session_id);
        self.ticket_sent = hello.session_ticket().is_some_and(|ticket| !ticket.is_empty());
        self.early_data = hello.has_early_data();
        self.offer = Some(offer);
    }

    pub(super) fn server_hello(&mut self, hello: &ServerHello, time_ns: u64) {
        if self.server_hello {
            return;
        }
        self.cipher = Some(hello.cipher_suite);
        if hello.is_hello_retry_request() {
            self.hello_retry = true;
            return;
        }
        self.server_hello = true;
        self.named.answered(hello);
        self.ja3s = Some(fingerprint::ja3s(hello));
        self.opaque_before_server_hello = self.opaque.len();
        let version = hello.selected_version();
        self.version = Some(version);
        self.timings.server_hello = Some(self.offset(time_ns));
        if is_tls13(version) {
            self.group = hello.selected_group();
            self.psk_taken = hello.has_psk();
        } else {
            self.alpn = hello
                .alpn()
                .map(|name| String::from_utf8_lossy(&name).into_owned());
            self.server_session_id = SessionId::of(&hello.session_id);
        }
    }

    pub(super) fn certificate(&mut self, side: Side, list: &CertificateList, caches: &mut Caches) {
        let chain: Vec<_> = list
            .certificates
            .iter()
            .map(|der| caches.certificates.facts(der))
            .collect();
        self.weight += list.certificates.iter().map(|der| der.len() * 2).sum::<usize>();
        match side {
            Side::Server => self.server_chain = chain,
            Side::Client => {
                // A raw public key (RFC 7250) proves an identity without a certificate.
                let none = chain.is_empty() && list.raw_public_key.is_none();
                self.client_certificate = match none {
                    // A list that cannot be decoded is not known to be empty.
                    true if list.error.is_some() => ClientCertificate::Unknown,
                    true => ClientCertificate::RequestedNotSent,
                    false => ClientCertificate::Sent,
                };
                self.client_chain = chain;
            }
        }
    }
}
