//! One handshake in the making: what both sides' messages and records have told so far.

mod endings;
mod hellos;
mod hidden;
mod resumption;
mod sessions;
mod ssl2;
mod step;

use std::sync::Arc;

use bytes::Bytes;
use observer_tls::client_hello::ClientHello;
use observer_tls::codepoints::{
    AlertDescription, CipherSuite, ContentType, ExtensionType, HandshakeType, NamedGroup, ProtocolVersion,
};
use observer_tls::fingerprint::Ja3;
use observer_tls::handshake::Message;
use observer_tls::stream::ItemBody;
use observer_tls::x509::CertificateFacts;

use hellos::SessionId;
use sessions::Named;

use super::Caches;
use crate::observation::{
    AlertSeen, ClientCertificate, ClientOffer, Completeness, MAX_OPAQUE, OpaqueRecord, Reason, Side, Timings,
};
use crate::outcome::{Conclusion, tls13};

/// State of a handshake that has no outcome yet. Times are nanoseconds since the Unix epoch.
#[derive(Debug)]
pub(super) struct Handshake {
    pub start_ns: u64,
    pub random: Option<[u8; 32]>,
    pub offer: Option<Arc<ClientOffer>>,
    pub server_name: Option<String>,
    pub extensions: Vec<ExtensionType>,
    pub ja3: Option<Ja3>,
    /// The server's choice, once its ServerHello (not a HelloRetryRequest) was there.
    pub version: Option<ProtocolVersion>,
    pub cipher: Option<CipherSuite>,
    pub ja3s: Option<Ja3>,
    pub group: Option<NamedGroup>,
    pub alpn: Option<String>,
    pub psk_taken: bool,
    pub hello_retry: bool,
    /// It is made under the encryption of an earlier one.
    pub renegotiation: bool,
    pub client_certificate: ClientCertificate,
    pub client_chain: Vec<Arc<CertificateFacts>>,
    pub server_chain: Vec<Arc<CertificateFacts>>,
    /// Stapled by the server to its leaf, DER.
    pub ocsp_response: Option<Bytes>,
    pub certificate_authorities: Arc<[String]>,
    pub alerts: Vec<AlertSeen>,
    pub opaque: Vec<OpaqueRecord>,
    pub timings: Timings,
    /// What the encrypted records of TLS 1.3 tell.
    pub reading: Option<tls13::Reading>,
    /// What the server is known to do after handshakes.
    pub habits: tls13::Habits,
    /// How the connection began to close.
    pub close: Option<Close>,
    pub not_tls: bool,
    /// Bytes are missing.
    pub gap: bool,
    /// Not all that was sent so far was seen, as it looks now: a hole may yet be filled.
    pub partial: bool,
    /// Data passed though only their sender has finished: a false start (RFC 7918), or the other side's Finished was missed.
    pub data_too_early: bool,
    /// The connection ended within the ClientHello.
    pub cut_short: bool,
    /// A limit left bytes out.
    pub truncated: bool,
    /// It goes on in SSL 2, of which no more than the hellos can be read.
    pub ssl2: bool,
    /// Heap bytes that peers' messages made this state hold, about.
    pub weight: usize,
    session_id: SessionId,
    server_session_id: SessionId,
    ticket_sent: bool,
    named: Named,
    early_data: bool,
    hello_seen: bool,
    server_hello: bool,
    /// How many of `opaque` came before the ServerHello.
    opaque_before_server_hello: usize,
    certificate_requested: bool,
    server_hello_done: bool,
    change_cipher_spec: PerSide<bool>,
    finished: PerSide<Option<u64>>,
    /// Of two sides of which one has finished, the other has sent something since.
    answered_finished: bool,
    /// A warning that may yet turn out to be the sender's last word.
    warning: Option<(Side, AlertDescription, u64)>,
}

#[derive(Debug, Default)]
struct PerSide<T> {
    client: T,
    server: T,
}

impl<T> PerSide<T> {
    fn of(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

/// How a connection began to close.
#[derive(Clone, Copy, Debug)]
pub(super) struct Close {
    /// Who closed.
    pub side: Side,
    /// [`Reason::Closed`] or [`Reason::Reset`].
    pub reason: Reason,
    /// When, nanoseconds since the Unix epoch.
    pub time_ns: u64,
}

/// A conclusion with the time it refers to.
pub(super) type Decision = (Conclusion, u64);

impl Handshake {
    /// A handshake of which nothing but its beginning is known.
    pub fn new(start_ns: u64) -> Self {
        Self {
            start_ns,
            random: None,
            offer: None,
            server_name: None,
            extensions: Vec::new(),
            ja3: None,
            version: None,
            cipher: None,
            ja3s: None,
            group: None,
            alpn: None,
            psk_taken: false,
            hello_retry: false,
            renegotiation: false,
            client_certificate: ClientCertificate::Unknown,
            client_chain: Vec::new(),
            server_chain: Vec::new(),
            ocsp_response: None,
            certificate_authorities: Arc::default(),
            alerts: Vec::new(),
            opaque: Vec::new(),
            timings: Timings::default(),
            reading: None,
            habits: tls13::Habits::default(),
            close: None,
            not_tls: false,
            gap: false,
            partial: false,
            data_too_early: false,
            cut_short: false,
            truncated: false,
            ssl2: false,
            weight: 0,
            session_id: SessionId::default(),
            server_session_id: SessionId::default(),
            ticket_sent: false,
            named: Named::default(),
            early_data: false,
            hello_seen: false,
            server_hello: false,
            opaque_before_server_hello: 0,
            certificate_requested: false,
            server_hello_done: false,
            change_cipher_spec: PerSide::default(),
            finished: PerSide::default(),
            answered_finished: false,
            warning: None,
        }
    }

    /// A handshake under the encryption of an earlier one that negotiated `version`. No more than its records' types can
    /// be read.
    pub fn renegotiation(start_ns: u64, version: Option<ProtocolVersion>) -> Self {
        Self {
            renegotiation: true,
            version,
            hello_seen: true,
            ..Self::new(start_ns)
        }
    }

    /// Whether this ClientHello goes on with this handshake: it answers a HelloRetryRequest (RFC 8446, section 4.1.2:
    /// with the same random).
    pub fn continues_with(&self, hello: &ClientHello) -> bool {
        // Parts of it may come after the answer, where captures have packets in another order than the network.
        let overtaken = self.server_hello && !self.hello_seen && self.timings.client_flight.is_none();
        let again = !self.server_hello && (self.hello_retry || self.random == Some(hello.random));
        overtaken || again
    }

    /// Takes one thing that `side` sent; gives the outcome if that decides it.
    pub fn take(
        &mut self,
        side: Side,
        time_ns: u64,
        body: &ItemBody,
        caches: &mut Caches,
    ) -> Option<Decision> {
        if matches!(
            body,
            ItemBody::Handshake { .. }
                | ItemBody::Ssl2 { .. }
                | ItemBody::ChangeCipherSpec
                | ItemBody::Opaque { .. }
        ) {
            self.warning = self.warning.filter(|(sender, ..)| *sender != side);
            self.gap |= !self.follows_from_what_was_seen(side, body);
            self.answered_finished |= self.finished.of(side.other()).is_some();
            if side == Side::Client && self.server_hello {
                let offset_ns = self.offset(time_ns);
                self.timings.client_flight.get_or_insert(offset_ns);
            }
        }
        match body {
            ItemBody::Handshake { message, .. } => self.message(side, time_ns, message, caches),
            ItemBody::Alert(alert) => self.alert(side, time_ns, *alert),
            ItemBody::ChangeCipherSpec => {
                self.change_cipher_spec(side);
                None
            }
            ItemBody::Opaque {
                content_type, length, ..
            } => self.opaque(side, time_ns, *content_type, *length),
            ItemBody::Ssl2 { message, .. } => {
                self.ssl2_message(side, time_ns, message, caches);
                None
            }
            ItemBody::Gap { .. } => {
                self.gap = true;
                None
            }
            ItemBody::Truncated => {
                self.truncated = true;
                None
            }
            ItemBody::NotTls => {
                self.not_tls |= !self.server_hello;
                None
            }
        }
    }

    /// Whether the other side has sent what must come before this. Where it has not, bytes are missing of which nothing
    /// else tells.
    fn follows_from_what_was_seen(&self, side: Side, body: &ItemBody) -> bool {
        let hello = match body {
            ItemBody::Handshake { message, .. } => {
                matches!(
                    message.typ(),
                    HandshakeType::CLIENT_HELLO | HandshakeType::SERVER_HELLO
                )
            }
            ItemBody::Ssl2 { .. } => true,
            _ => false,
        };
        let answered = self.server_hello || self.hello_retry;
        // Early data do not wait for an answer (RFC 8446, section 4.2.10).
        let early = side == Side::Client && self.early_data;
        hello || answered || early || self.renegotiation || self.not_tls
    }

    fn message(
        &mut self,
        side: Side,
        time_ns: u64,
        message: &Message,
        caches: &mut Caches,
    ) -> Option<Decision> {
        match (side, message) {
            (Side::Client, Message::ClientHello(hello)) => self.client_hello(hello, caches),
            (
                Side::Client,
                Message::Malformed {
                    typ: HandshakeType::CLIENT_HELLO,
                    ..
                },
            ) => self.hello_seen = true,
            (Side::Server, Message::ServerHello(hello)) => self.server_hello(hello, time_ns),
            // TLS 1.3 before its 22nd draft.
            (Side::Server, Message::DraftHelloRetryRequest(_)) => self.hello_retry = true,
            (_, Message::Certificate(list)) => self.certificate(side, list, caches),
            (Side::Server, Message::CertificateRequest(body)) => {
                self.certificate_requested = true;
                if let Some(names) = caches.authorities.names(body, self.version) {
                    self.certificate_authorities = names;
                }
            }
            // The first of several is about the leaf (RFC 6961, section 2.2).
            (Side::Server, Message::CertificateStatus(status)) => {
                self.ocsp_response = status
                    .responses
                    .first()
                    .filter(|response| !response.is_empty())
                    .cloned();
                self.weight += self.ocsp_response.as_ref().map_or(0, Bytes::len);
            }
            (Side::Server, Message::ServerKeyExchange(exchange)) => self.group = exchange.named_group(),
            (Side::Server, Message::ServerHelloDone) => {
                self.server_hello_done = true;
                if !self.certificate_requested {
                    self.client_certificate = ClientCertificate::NotRequested;
                }
            }
            (Side::Server, Message::NewSessionTicket(ticket)) => self.named.given(&ticket.ticket),
            (_, Message::Finished) => return self.finished(side, time_ns),
            _ => {}
        }
        None
    }

    fn change_cipher_spec(&mut self, side: Side) {
        *self.change_cipher_spec.of(side) = true;
    }

    fn opaque(
        &mut self,
        side: Side,
        time_ns: u64,
        content_type: ContentType,
        length: u16,
    ) -> Option<Decision> {
        let offset_ns = self.offset(time_ns);
        if self.opaque.len() < MAX_OPAQUE {
            self.opaque.push(OpaqueRecord {
                sender: side,
                content_type,
                length,
                offset_ns,
            });
        }
        if self.is_tls13() {
            return self.read_tls13().map(|conclusion| (conclusion, time_ns));
        }
        match content_type {
            ContentType::CHANGE_CIPHER_SPEC if self.renegotiation => {
                self.change_cipher_spec(side);
                None
            }
            ContentType::HANDSHAKE if *self.change_cipher_spec.of(side) => self.finished(side, time_ns),
            ContentType::APPLICATION_DATA => {
                self.data_too_early |= self.finished.of(side).is_some();
                None
            }
            ContentType::ALERT => {
                self.note_alert(side, None, time_ns);
                self.encrypted_alert(side, time_ns)
            }
            _ => None,
        }
    }

    fn finished(&mut self, side: Side, time_ns: u64) -> Option<Decision> {
        self.finished.of(side).get_or_insert(time_ns);
        let both = self.finished.client.is_some() && self.finished.server.is_some();
        both.then(|| {
            self.timings.finished = Some(self.offset(time_ns));
            (Conclusion::ESTABLISHED, time_ns)
        })
    }

    /// Whether what is still to come is at most a close or an objection, which comes soon or not at all.
    pub fn is_settling(&self) -> bool {
        self.close.is_some() || self.reading.is_some_and(|reading| reading.recognised)
    }

    /// How much of it was seen.
    pub fn completeness(&self) -> Completeness {
        if self.gap {
            Completeness::Gap
        } else if self.truncated {
            Completeness::Truncated
        } else if self.hello_seen || self.not_tls || self.cut_short {
            Completeness::Complete
        } else {
            Completeness::Midstream
        }
    }

    pub fn is_tls13(&self) -> bool {
        self.version.is_some_and(is_tls13)
    }

    fn is_lossy(&self) -> bool {
        self.gap || self.truncated || self.partial
    }

    fn offset(&self, time_ns: u64) -> u64 {
        time_ns.saturating_sub(self.start_ns)
    }
}

/// Whether this is TLS 1.3, or a draft of it.
pub(super) fn is_tls13(version: ProtocolVersion) -> bool {
    version == ProtocolVersion::TLS13 || version.is_tls13_draft()
}
