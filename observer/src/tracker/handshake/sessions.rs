//! The names of the sessions that a handshake has to do with: the one that it resumes, and those by which its own can be
//! resumed (RFC 5246, section 7.3; RFC 5077; RFC 8446, section 2.2).

use observer_tls::client_hello::ClientHello;
use observer_tls::codepoints::ExtensionType;
use observer_tls::extension::{ExtensionContent, ExtensionContext};
use observer_tls::server_hello::ServerHello;

use super::Handshake;
use super::hellos::SessionId;
use crate::observation::{Resumption, SessionName, SessionNames};

/// Names kept of what a client offers, and of what a server gives: clients offer one or two keys, and servers of TLS 1.2
/// give one name.
const MAX_NAMES: usize = 8;

/// What was named so far.
#[derive(Debug, Default)]
pub(super) struct Named {
    ticket: Option<SessionName>,
    keys: Vec<SessionName>,
    key_taken: Option<u16>,
    tickets_given: Vec<SessionName>,
}

impl Named {
    /// Takes note of what a client offers to resume. A second hello may offer less than the first (RFC 8446, section 4.1.2).
    pub fn offered(&mut self, hello: &ClientHello) {
        let ticket = hello.session_ticket().filter(|ticket| !ticket.is_empty());
        self.ticket = ticket.map(SessionName::of);
        self.keys.clear();
        let keys = (hello.extensions.iter()).find(|extension| extension.typ == ExtensionType::PRE_SHARED_KEY);
        let content = keys.and_then(|extension| extension.content(ExtensionContext::ClientHello).ok());
        if let Some(ExtensionContent::PreSharedKeys { identities, .. }) = content {
            let names = identities.iter().take(MAX_NAMES);
            self.keys.extend(names.map(|key| SessionName::of(&key.identity)));
        }
    }

    /// Takes note of the key that the server took.
    pub fn answered(&mut self, hello: &ServerHello) {
        let key = (hello.extensions.iter()).find(|extension| extension.typ == ExtensionType::PRE_SHARED_KEY);
        let content = key.and_then(|extension| extension.content(hello.extension_context()).ok());
        if let Some(ExtensionContent::SelectedPsk(key)) = content {
            self.key_taken = Some(key);
        }
    }

    /// Takes note of a ticket.
    pub fn given(&mut self, ticket: &[u8]) {
        if !ticket.is_empty() && self.tickets_given.len() < MAX_NAMES {
            self.tickets_given.push(SessionName::of(ticket));
        }
    }
}

impl Handshake {
    /// The names of the resumed session and of its own.
    pub fn session_names(&self) -> SessionNames {
        let name = |id: &SessionId| (id.length > 0).then(|| SessionName::of(id.bytes()));
        let resumed = match self.resumption() {
            None => None,
            Some(Resumption::Ticket) => self.named.ticket,
            Some(Resumption::SessionId) => name(&self.server_session_id),
            Some(Resumption::Psk) => (self.named.key_taken)
                .and_then(|key| self.named.keys.get(usize::from(key)))
                .copied(),
        };
        let mut given = self.named.tickets_given.clone();
        // What a server says to a client that resumes, or in TLS 1.3, only repeats the client's words.
        if !self.is_tls13() && self.resumption().is_none() {
            given.extend(name(&self.server_session_id));
        }
        SessionNames {
            resumed,
            given,
            ..SessionNames::default()
        }
    }
}
