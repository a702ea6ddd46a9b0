//! GnuTLS: the hits of one session, put together.
//!
//! Each hit names its session. While `gnutls_handshake` works for it and has received, the connection that the thread
//! received from is the session's; what is told of the session at other times, as by a service that verifies after the
//! handshake, is about that same connection. Of a session whose connection was never seen nothing is believed.

mod terms;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use observer_common::hit::gnutls as kind;
use observer_tls::codepoints::AlertDescription;

use super::hit::Hit;
use super::readers::Losses;
use super::threads::Threads;
use super::{Fact, FactBody, Failure, Origin, Socket, Verification};
use crate::libraries::hooks::Family;
use crate::observation::{CertificateFault, Reason, Side};

/// Reads the hits of GnuTLS.
#[derive(Debug, Default)]
pub struct GnuTls {
    /// By process, address and time of making.
    sessions: Threads<(u32, u64, u64), Session>,
    does_not_fit: u64,
}

/// What was told of a session and is not used up.
#[derive(Debug, Default)]
struct Session {
    socket: Option<Socket>,
    /// The chain that is being told, leaf first.
    chain: Vec<Bytes>,
    /// What the last verification found, for the failure that follows from it.
    found: Option<CertificateFault>,
    /// When the handshake failed because of an alert by the peer, and which, once that was told.
    refused: Option<(u64, Alert)>,
}

impl GnuTls {
    /// Takes a hit; facts that it completes go to `facts`.
    pub fn take(&mut self, hit: &Hit<'_>, facts: &mut Vec<Fact>) {
        let Some((socket, _)) = hit.socket else { return };
        let [address, made_ns, bits, value] = hit.values;
        let session = self.sessions.state((hit.pid, address, made_ns), hit.time_ns);
        if bits & kind::SESSION_RECEIVED != 0 && session.socket != Some(socket) {
            *session = Session {
                socket: Some(socket),
                ..Session::default()
            };
        }
        let Some(socket) = session.socket else {
            self.does_not_fit += 1;
            return;
        };
        let own_side = match bits & (kind::SESSION_SERVER | kind::SESSION_CLIENT) {
            kind::SESSION_SERVER => Some(Side::Server),
            kind::SESSION_CLIENT => Some(Side::Client),
            _ => None,
        };
        let mut tell = |time_ns, body| {
            facts.push(Fact {
                time_ns,
                origin: Origin::of(hit, Family::GnuTls),
                socket,
                own_side,
                body,
            });
        };
        let number = bits >> kind::COUNT_SHIFT;
        match hit.kind {
            kind::CERTIFICATE => session.certificate(number, hit.bytes),
            kind::VERIFIED | kind::PEERS if number != 0 => match session.chain(number) {
                Some(chain) => tell(hit.time_ns, FactBody::Chain(chain)),
                None => self.does_not_fit += 1,
            },
            kind::PEERS => tell(hit.time_ns, FactBody::NoPeerCertificate),
            _ => {}
        }
        match hit.kind {
            kind::VERIFIED => match (value >> 32) as u32 as i32 {
                0 if !hit.is_unreadable => {
                    let (term, fault) = terms::verification(value as u32);
                    session.found = fault;
                    tell(hit.time_ns, FactBody::Verified(Verification { fault, term }));
                }
                kind::E_NO_CERTIFICATE_FOUND => tell(hit.time_ns, FactBody::NoPeerCertificate),
                _ => {}
            },
            kind::HANDSHAKE => {
                for body in session.ended(value, own_side, hit.time_ns) {
                    tell(hit.time_ns, body);
                }
            }
            // Some services answer every failure with an alert, even an alert.
            kind::ALERT_SENT if session.refused.is_none() => {
                tell(hit.time_ns, FactBody::AlertSent(AlertDescription(value as u8)));
            }
            kind::ALERT_RECEIVED => {
                let alert = AlertDescription(value as u8);
                if let Some(time_ns) = session.heard(alert, hit.time_ns) {
                    tell(time_ns, FactBody::AlertReceived(alert));
                }
            }
            _ => {}
        }
    }

    /// What could not be used.
    pub fn losses(&self) -> Losses {
        Losses {
            too_many_threads: self.sessions.evicted,
            does_not_fit: self.does_not_fit,
        }
    }
}

impl Session {
    /// A certificate of the chain, by its place in it. One that is missing, or came without its bytes, is missed when the
    /// chain is complete.
    fn certificate(&mut self, number: u64, der: &[u8]) {
        if number == 0 {
            self.chain.clear();
        }
        if number == self.chain.len() as u64 && !der.is_empty() {
            self.chain.push(Bytes::copy_from_slice(der));
        }
    }

    /// The chain that was told, if it has all of its `count` certificates, or as many as are told.
    fn chain(&mut self, count: u64) -> Option<Vec<Bytes>> {
        let chain = std::mem::take(&mut self.chain);
        (chain.len() as u64 == count.min(kind::MAX_CHAIN)).then_some(chain)
    }

    /// The handshake has ended with this result, at this time.
    fn ended(&mut self, value: u64, own_side: Option<Side>, time_ns: u64) -> Vec<FactBody> {
        let error = value as u32 as i32;
        if error == 0 {
            return vec![FactBody::Established];
        }
        if terms::is_noise(error) {
            return Vec::new();
        }
        let alert = Alert::of(value >> 32);
        let mut told = Vec::new();
        if let Alert::Received(alert) = alert {
            told.push(FactBody::AlertReceived(alert));
        }
        if error == kind::E_FATAL_ALERT_RECEIVED || !told.is_empty() {
            self.refused = Some((time_ns, alert));
        }
        let reason = self.reason(error, own_side, alert);
        if reason == Some(Reason::Certificate(Side::Client, CertificateFault::Missing)) {
            told.push(FactBody::NoCertificate);
        }
        let term = terms::error(error);
        told.push(FactBody::Failed(Failure { reason, term }));
        told
    }

    /// The service was told of an alert, the one received last. Gives when it came, unless that was told before: services
    /// ask more than once.
    fn heard(&mut self, alert: AlertDescription, time_ns: u64) -> Option<u64> {
        let Some((refused_ns, told)) = &mut self.refused else {
            return Some(time_ns);
        };
        let before = std::mem::replace(told, Alert::Received(alert));
        (before != Alert::Received(alert)).then_some(*refused_ns)
    }

    /// What an error of the handshake is in the terms of events.
    fn reason(&self, error: i32, own_side: Option<Side>, alert: Alert) -> Option<Reason> {
        let missing = Reason::Certificate(Side::Client, CertificateFault::Missing);
        match (error, own_side) {
            (terms::CERTIFICATE_VERIFICATION_ERROR | terms::CERTIFICATE_ERROR, Some(own)) => {
                let fault = self.found.unwrap_or(CertificateFault::Rejected);
                Some(Reason::Certificate(own.other(), fault))
            }
            (terms::CERTIFICATE_REQUIRED, _) => Some(missing),
            (kind::E_NO_CERTIFICATE_FOUND, Some(Side::Server)) if alert == Alert::None => Some(missing),
            _ => terms::reason(error),
        }
    }
}

/// The alert that a session had received when its handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alert {
    Unknown,
    None,
    Received(AlertDescription),
}

impl Alert {
    /// As it stands in a hit.
    fn of(value: u64) -> Self {
        match value.checked_sub(kind::ALERT_KNOWN).map(u8::try_from) {
            Some(Ok(0)) => Self::None,
            Some(Ok(alert)) => Self::Received(AlertDescription(alert)),
            _ => Self::Unknown,
        }
    }
}
