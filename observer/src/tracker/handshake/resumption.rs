//! Whether an earlier session was resumed, and by what name (RFC 5246, section 7.3; RFC 5077; RFC 8446, section 2.2).

use super::Handshake;
use crate::observation::Resumption;

impl Handshake {
    /// The kind of resumption, as far as the messages bear it out.
    pub fn resumption(&self) -> Option<Resumption> {
        if self.is_tls13() {
            return self.psk_taken.then_some(Resumption::Psk);
        }
        self.named_session().filter(|_| self.is_abbreviated())
    }

    /// Whether a session was resumed; `None` when too little was seen to tell.
    pub fn resumed(&self) -> Option<bool> {
        if self.resumption().is_some() {
            return Some(true);
        }
        let full = !self.server_chain.is_empty() || self.server_hello_done || self.group.is_some();
        let unnamed = self.server_hello && self.offer.is_some() && self.named_session().is_none();
        (self.is_tls13() || full || unnamed).then_some(false)
    }

    /// How the client named a session that the server may have taken up: by a ticket, whatever id the server answers, or
    /// by an id that the server repeats.
    fn named_session(&self) -> Option<Resumption> {
        if self.ticket_sent {
            return Some(Resumption::Ticket);
        }
        let repeated = self.session_id.length > 0 && self.session_id == self.server_session_id;
        repeated.then_some(Resumption::SessionId)
    }

    /// Whether the server switched to encryption without a certificate or key exchange of its own.
    fn is_abbreviated(&self) -> bool {
        self.change_cipher_spec.server && self.server_chain.is_empty() && !self.server_hello_done && !self.gap
    }
}
