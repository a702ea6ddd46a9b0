//! rustls without AWS-LC: the chains that are verified, and whether one was refused.
//!
//! Rust promises nothing of where a function has its arguments, so that the kernel guessed, and took what began like a
//! certificate of the right length. Here a chain is believed only if each member can be read as a certificate.
//!
//! Why a chain was refused is not told: the error is a structure whose fields each version of rustls and of the compiler may
//! put elsewhere.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use observer_common::hit::rustls as kind;
use observer_tls::x509::CertificateFacts;

use super::hit::Hit;
use super::readers::Losses;
use super::threads::Threads;
use super::{Fact, FactBody, Failure, Origin, Verification};
use crate::libraries::hooks::Family;
use crate::observation::{CertificateFault, Reason, Side};

/// The function that is entered when a chain is refused, which is all that is known of why.
const REFUSAL: &str = "send_cert_verify_error_alert";

/// Reads the hits of rustls.
#[derive(Debug, Default)]
pub struct Rustls {
    /// By process and socket cookie.
    connections: Threads<(u32, u64), Connection>,
    does_not_fit: u64,
}

/// What is known of a connection.
#[derive(Debug, Default)]
struct Connection {
    /// Certificates of which the chain is not complete, leaf first, and whose they are.
    pending: Option<(Side, Vec<Bytes>)>,
    /// The chain that was told, and whose it is.
    told: Option<(Side, Vec<Bytes>)>,
}

impl Rustls {
    /// Takes a hit; facts that it completes go to `facts`.
    pub fn take(&mut self, hit: &Hit<'_>, facts: &mut Vec<Fact>) {
        let Some((socket, _)) = hit.socket else { return };
        let [number, is_last, ..] = hit.values;
        let connection = self.connections.state((hit.pid, socket.cookie), hit.time_ns);
        let taken = match hit.kind {
            kind::CLIENT_CERTIFICATE => connection.certificate(Side::Client, number, is_last != 0, hit.bytes),
            kind::SERVER_CERTIFICATE => connection.certificate(Side::Server, number, is_last != 0, hit.bytes),
            kind::REFUSED => connection.refused(),
            _ => None,
        };
        let Some(bodies) = taken else {
            self.does_not_fit += 1;
            return;
        };
        let own_side = connection.told.as_ref().map(|(peer, _)| peer.other());
        facts.extend(bodies.into_iter().map(|body| Fact {
            time_ns: hit.time_ns,
            origin: Origin::of(hit, Family::RustlsRing),
            socket,
            own_side,
            body,
        }));
    }

    /// What could not be used.
    pub fn losses(&self) -> Losses {
        Losses {
            too_many_threads: self.connections.evicted,
            does_not_fit: self.does_not_fit,
        }
    }
}

/// What a hit comes to: facts, perhaps none; nothing if it does not fit.
type Taken = Option<Vec<FactBody>>;

impl Connection {
    /// The certificate `number` of the chain of `peer`.
    fn certificate(&mut self, peer: Side, number: u64, is_last: bool, der: &[u8]) -> Taken {
        let (side, mut chain) = match (number, self.pending.take()) {
            (0, _) => (peer, Vec::new()),
            (_, Some(pending)) => pending,
            (_, None) => return None,
        };
        if side != peer || chain.len() as u64 != number || number >= kind::MAX_CHAIN {
            return None;
        }
        let der = Bytes::copy_from_slice(der);
        if !is_certificate(&der) {
            return None;
        }
        chain.push(der);
        if !is_last {
            self.pending = Some((peer, chain));
            return Some(Vec::new());
        }
        match &self.told {
            None => {
                self.told = Some((peer, chain.clone()));
                Some(vec![FactBody::Chain(chain)])
            }
            // A verifier may hand it on to another one.
            Some(told) if *told == (peer, chain) => Some(Vec::new()),
            // Of a handshake within the first one, as through a proxy.
            Some(_) => None,
        }
    }

    /// The chain that was verified is refused.
    fn refused(&self) -> Taken {
        let (peer, _) = self.told.as_ref()?;
        let fault = CertificateFault::Rejected;
        Some(vec![
            FactBody::Verified(Verification {
                fault: Some(fault),
                term: REFUSAL.into(),
            }),
            FactBody::Failed(Failure {
                reason: Some(Reason::Certificate(*peer, fault)),
                term: REFUSAL.into(),
            }),
        ])
    }
}

/// Whether all of it can be read as a certificate.
fn is_certificate(der: &Bytes) -> bool {
    let facts = CertificateFacts::parse(der.as_ref());
    facts.malformed.is_none() && facts.der == der
}
