//! rustls on AWS-LC: the handshake messages of TLS 1.3 that pass through the AEAD, put together to facts.
//!
//! Which end the process is, the EncryptedExtensions tell: only a server sends them. A chain is what is opened of a
//! Certificate message. What was found of it follows from what rustls says next: an alert, or the message with which it
//! goes on.

mod pieces;
mod refusal;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use observer_common::hit::aws_lc::{self as kind, handshake};
use observer_tls::certificate::CertificateList;
use observer_tls::codepoints::{AlertDescription, ProtocolVersion};
use observer_tls::session_ticket::NewSessionTicket;

use super::hit::Hit;
use super::readers::Losses;
use super::threads::Threads;
use super::{Fact, FactBody, Origin, Verification};
use crate::libraries::hooks::Family;
use crate::observation::{SessionName, Side};
use pieces::Pieces;

/// Reads the hits of AWS-LC below rustls.
#[derive(Debug, Default)]
pub struct AwsLc {
    pieces: Pieces,
    /// By process and socket cookie.
    connections: Threads<(u32, u64), Connection>,
    does_not_fit: u64,
}

/// What is known of a connection.
#[derive(Debug, Default)]
struct Connection {
    /// Which end the process is.
    side: Option<Side>,
    /// The peer's certificate message was opened.
    has_answer: bool,
    /// The leaf of the peer's chain, while nothing is known of what was found of it.
    leaf: Option<Bytes>,
    /// The library went on with the handshake to its end.
    is_established: bool,
    /// Another handshake goes on inside of the first one, as through a proxy: what is told may be about either.
    is_nested: bool,
}

impl AwsLc {
    /// Takes a hit; facts that it completes go to `facts`.
    pub fn take(&mut self, hit: &Hit<'_>, facts: &mut Vec<Fact>) {
        let Some((socket, _)) = hit.socket else { return };
        let [key, first, second, third] = hit.values;
        let connection = self.connections.state((hit.pid, socket.cookie), hit.time_ns);
        let taken = match hit.kind {
            kind::CERTIFICATE => match self.pieces.take(hit, (key, socket.cookie), first, second) {
                Ok(Some(body)) => connection.certificate(&body),
                Ok(None) => Some(Vec::new()),
                Err(pieces::DoesNotFit) => None,
            },
            kind::MESSAGE => connection.message(first, second as u8),
            kind::ALERT => connection.alert(first, AlertDescription(third as u8), hit.time_ns),
            kind::TICKET => connection.ticket(first, hit.bytes),
            _ => None,
        };
        let Some(bodies) = taken.filter(|_| !connection.is_nested) else {
            self.does_not_fit += 1;
            return;
        };
        facts.extend(bodies.into_iter().map(|body| Fact {
            time_ns: hit.time_ns,
            origin: Origin::of(hit, Family::RustlsAwsLc),
            socket,
            own_side: connection.side,
            body,
        }));
    }

    /// What could not be used.
    pub fn losses(&self) -> Losses {
        Losses {
            too_many_threads: self.connections.evicted,
            does_not_fit: self.does_not_fit + self.pieces.given_up,
        }
    }
}

/// What a hit comes to: facts, perhaps none; nothing if it does not fit.
type Taken = Option<Vec<FactBody>>;

impl Connection {
    /// The peer's Certificate message was opened.
    fn certificate(&mut self, body: &Bytes) -> Taken {
        // rustls does not authenticate after the handshake: a second one is of another connection.
        if self.has_answer || self.is_established {
            return None;
        }
        let list = CertificateList::parse(body, Some(ProtocolVersion::TLS13)).ok()?;
        if list.error.is_some() {
            return None;
        }
        let Some(leaf) = list.certificates.first() else {
            // Only a client may have none.
            if *self.side.get_or_insert(Side::Server) == Side::Client {
                return None;
            }
            self.has_answer = true;
            return Some(vec![FactBody::NoCertificate]);
        };
        self.has_answer = true;
        self.leaf = Some(leaf.clone());
        Some(vec![FactBody::Chain(list.certificates)])
    }

    /// A message passed of which no more is told.
    fn message(&mut self, direction: u64, typ: u8) -> Taken {
        match (typ, direction) {
            (handshake::ENCRYPTED_EXTENSIONS, _) if self.side.is_some() => self.is_nested = true,
            (handshake::ENCRYPTED_EXTENSIONS, kind::OPENED) => self.side = Some(Side::Client),
            (handshake::ENCRYPTED_EXTENSIONS, _) => self.side = Some(Side::Server),
            // A client has judged the server when it says that.
            (handshake::FINISHED, kind::SEALED) if self.side == Some(Side::Client) => {
                return Some(self.established());
            }
            _ => {}
        }
        Some(Vec::new())
    }

    /// An alert was opened or sealed.
    fn alert(&mut self, direction: u64, description: AlertDescription, time_ns: u64) -> Taken {
        if direction == kind::OPENED {
            return Some(vec![FactBody::AlertReceived(description)]);
        }
        let judged = self.side.zip(self.leaf.take());
        let found = judged.and_then(|(side, leaf)| refusal::of(side, description, &leaf, time_ns));
        let found = found.map(FactBody::Verified);
        Some(
            found
                .into_iter()
                .chain([FactBody::AlertSent(description)])
                .collect(),
        )
    }

    /// A ticket was given out by the server: it has judged the client, and the handshake is over.
    fn ticket(&mut self, direction: u64, body: &[u8]) -> Taken {
        let server = match direction {
            kind::OPENED => Side::Client,
            _ => Side::Server,
        };
        if *self.side.get_or_insert(server) != server {
            return None;
        }
        let body = Bytes::copy_from_slice(body);
        let ticket = NewSessionTicket::parse(&body, Some(ProtocolVersion::TLS13)).ok()?;
        let mut bodies = self.established();
        bodies.push(FactBody::Ticket(SessionName::of(&ticket.ticket)));
        Some(bodies)
    }

    /// The handshake came to its end, if that was not told before.
    fn established(&mut self) -> Vec<FactBody> {
        if std::mem::replace(&mut self.is_established, true) {
            return Vec::new();
        }
        let accepted = self.leaf.take().map(|_| {
            // What a verifier of rustls gives for a chain that it takes.
            let term = match self.side {
                Some(Side::Server) => "ClientCertVerified",
                _ => "ServerCertVerified",
            };
            FactBody::Verified(Verification {
                fault: None,
                term: term.into(),
            })
        });
        accepted.into_iter().chain([FactBody::Established]).collect()
    }
}
