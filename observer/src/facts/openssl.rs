//! OpenSSL: the hits of one thread, put together.
//!
//! Of a peer's chain a thread is hit in this order: a certificate for each member, leaf first; the beginning of a
//! verification, which names the leaf; its purpose, which tells the roles; its result; the error that the context keeps. A
//! verification without a purpose is the library's own business: it checks its own chain, and the result is not told. A
//! certificate that it cannot read is the last, and an error follows. All of it happens within one call of the service, so
//! that another connection cannot come between. Should it do so all the same, hits that tell of another socket do not fit,
//! and are dropped. A session is told by one hit.

mod terms;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use observer_common::hit::openssl as kind;
use observer_tls::codepoints::AlertDescription;
use observer_tls::x509::CertificateFacts;

use super::hit::Hit;
use super::readers::Losses;
use super::threads::Threads;
use super::{Fact, FactBody, Failure, Origin, Socket, Verification};
use crate::libraries::hooks::Family;
use crate::observation::{CertificateFault, Reason, Side};
use crate::verify::is_readable;

/// Certificates of one thread that wait for their verification. Longer chains are refused by the library.
const MAX_CERTIFICATES: usize = 16;

/// Reads the hits of OpenSSL.
#[derive(Debug, Default)]
pub struct OpenSsl {
    threads: Threads<(u32, u32), Thread>,
    does_not_fit: u64,
}

/// What a thread has told and is not used up.
#[derive(Debug, Default)]
struct Thread {
    /// Certificates that were parsed, the latest last.
    certificates: VecDeque<Parsed>,
    verification: Option<Verifying>,
    /// What was found last, for the failure that follows from it.
    found: Option<(u64, Side, Option<CertificateFault>)>,
}

/// A certificate that was parsed.
#[derive(Debug)]
struct Parsed {
    /// Where the library keeps it; 0 until that is known.
    address: u64,
    /// The socket that the thread had received from.
    cookie: u64,
    der: Bytes,
}

/// A verification that goes on.
#[derive(Debug)]
struct Verifying {
    /// The library's object for it.
    context: u64,
    cookie: u64,
    /// The chain, leaf first; empty if it is none that was parsed.
    chain: Vec<Bytes>,
    /// Whose chain it is; `None` until that is told.
    peer: Option<Side>,
    /// The result was told; the error that is asked for next is its reason.
    is_done: bool,
}

impl OpenSsl {
    /// Takes a hit; facts that it completes go to `facts`.
    pub fn take(&mut self, hit: &Hit<'_>, facts: &mut Vec<Fact>) {
        let Some((socket, _)) = hit.socket else { return };
        let [first, second, ..] = hit.values;
        let thread = self.threads.state((hit.pid, hit.tid), hit.time_ns);
        let fact = |own_side, body| Fact {
            time_ns: hit.time_ns,
            origin: Origin::of(hit, Family::OpenSsl),
            socket,
            own_side,
            body,
        };
        let found = |(own_side, found)| fact(Some(own_side), FactBody::Verified(found));
        match hit.kind {
            kind::CERTIFICATE => {
                // Without its bytes it cannot stand in a chain, and the chain would lack a member: then there is none.
                if hit.bytes.is_empty() {
                    thread.certificates.clear();
                    self.does_not_fit += 1;
                    return;
                }
                if thread.certificates.len() == MAX_CERTIFICATES {
                    thread.certificates.pop_front();
                }
                thread.certificates.push_back(Parsed {
                    address: first,
                    cookie: socket.cookie,
                    der: Bytes::copy_from_slice(hit.bytes),
                });
            }
            kind::CERTIFICATE_PARSED => {
                if let Some(last) = thread.certificates.back_mut().filter(|last| last.address == 0) {
                    last.address = first;
                }
            }
            kind::VERIFICATION => thread.begin(first, second, &socket),
            kind::PURPOSE => {
                let peer = match second {
                    kind::PURPOSE_CLIENT => Side::Client,
                    _ => Side::Server,
                };
                let Some(chain) = thread.purpose(first, peer, &socket) else {
                    self.does_not_fit += 1;
                    return;
                };
                facts.push(fact(Some(peer.other()), FactBody::Chain(chain)));
            }
            kind::RESULT => {
                if let Some(verifying) = &mut thread.verification {
                    verifying.is_done = verifying.peer.is_some();
                }
                if second != kind::ERROR_NOT_READ {
                    facts.extend(thread.found(second as u32, &socket).map(found));
                }
            }
            kind::ERROR => facts.extend(thread.found(first as u32, &socket).map(found)),
            kind::FAILURE if let Some(certificate) = thread.unreadable(first as u32, &socket) => {
                facts.extend(certificate.map(|der| fact(None, FactBody::Chain(vec![der]))));
                facts.push(fact(None, FactBody::Unreadable(terms::failure(first as u32))));
            }
            kind::FAILURE => {
                if let Some((own_side, body)) = thread.failure(first as u32, &socket) {
                    if terms::is_missing(first as u32) {
                        facts.push(fact(own_side, FactBody::NoCertificate));
                    }
                    facts.push(fact(own_side, body));
                }
            }
            kind::SESSION if hit.is_unreadable || hit.is_too_long => self.does_not_fit += 1,
            kind::SESSION => {
                let certificate = (!hit.bytes.is_empty()).then(|| Bytes::copy_from_slice(hit.bytes));
                facts.push(fact(None, FactBody::Session(certificate)));
            }
            kind::NO_PEER_CERTIFICATE => facts.push(fact(None, FactBody::NoPeerCertificate)),
            _ => {}
        }
    }

    /// What could not be used.
    pub fn losses(&self) -> Losses {
        Losses {
            too_many_threads: self.threads.evicted,
            does_not_fit: self.does_not_fit,
        }
    }
}

impl Thread {
    /// A verification begins of the chain with this leaf.
    fn begin(&mut self, context: u64, leaf: u64, socket: &Socket) {
        // The latest: addresses are used again.
        let leaf = self
            .certificates
            .iter()
            .rposition(|parsed| parsed.address == leaf && leaf != 0);
        let chain = leaf.map(|leaf| self.certificates.drain(leaf..));
        let mut fits = true;
        let chain = chain.into_iter().flatten().map(|parsed| {
            fits &= parsed.cookie == socket.cookie;
            parsed.der
        });
        let chain: Vec<Bytes> = chain.collect();
        self.verification = Some(Verifying {
            context,
            cookie: socket.cookie,
            chain: if fits { chain } else { Vec::new() },
            peer: None,
            is_done: false,
        });
    }

    /// It is of `peer`'s chain: gives the chain, if it is that of this connection.
    fn purpose(&mut self, context: u64, peer: Side, socket: &Socket) -> Option<Vec<Bytes>> {
        let verifying = self.verification.as_mut().filter(|verifying| {
            verifying.context == context && verifying.cookie == socket.cookie && verifying.peer.is_none()
        })?;
        verifying.peer = Some(peer);
        let chain = std::mem::take(&mut verifying.chain);
        (!chain.is_empty()).then_some(chain)
    }

    /// The context kept `error` when the verification was done: gives the side that the process is, and what it found.
    fn found(&mut self, error: u32, socket: &Socket) -> Option<(Side, Verification)> {
        let done = self
            .verification
            .take_if(|verifying| verifying.is_done && verifying.cookie == socket.cookie)?;
        let peer = done.peer?;
        let (term, fault) = terms::verification(error);
        self.found = Some((socket.cookie, peer, fault));
        Some((peer.other(), Verification { fault, term }))
    }

    /// Whether an error of the SSL library is about the certificate that was parsed last: then that one, if it is known to be
    /// the leaf. Errors of other things have the same number, so it must be one that nobody can read.
    fn unreadable(&mut self, reason: u32, socket: &Socket) -> Option<Option<Bytes>> {
        let last = self.certificates.back().filter(|last| {
            let facts = || Arc::new(CertificateFacts::from_bytes(last.der.clone()));
            terms::may_be_unreadable(reason) && last.cookie == socket.cookie && !is_readable(&facts())
        })?;
        let der = last.der.clone();
        let of_connection = self.certificates.iter().filter(|one| one.cookie == socket.cookie);
        // One before it may be the leaf, or of a file that the thread has read.
        let is_only = of_connection.count() == 1;
        self.certificates.clear();
        Some(is_only.then_some(der))
    }

    /// What an error of the SSL library means, and which side the process is, where it tells.
    fn failure(&mut self, reason: u32, socket: &Socket) -> Option<(Option<Side>, FactBody)> {
        if let Some(alert) = terms::alert_received(reason) {
            return Some((None, FactBody::AlertReceived(AlertDescription(alert))));
        }
        if terms::is_noise(reason) {
            return None;
        }
        let term = terms::failure(reason);
        let (own_side, reason) = match reason {
            terms::CERTIFICATE_VERIFY_FAILED => {
                let found = self.found.take().filter(|(cookie, ..)| *cookie == socket.cookie);
                let peer = found.map(|(_, peer, fault)| (peer, fault));
                let reason = peer.map(|(peer, fault)| {
                    Reason::Certificate(peer, fault.unwrap_or(CertificateFault::Rejected))
                });
                (peer.map(|(peer, _)| peer.other()), reason)
            }
            terms::PEER_DID_NOT_RETURN_A_CERTIFICATE => (
                Some(Side::Server),
                Some(Reason::Certificate(Side::Client, CertificateFault::Missing)),
            ),
            other => (None, terms::reason(other)),
        };
        Some((own_side, FactBody::Failed(Failure { reason, term })))
    }
}
