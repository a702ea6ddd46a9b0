//! Go's crypto/tls: the hits of one goroutine, put together.
//!
//! A handshake runs in one goroutine, which is hit in this order: the peer's chain, one hit for each certificate; the results
//! of its verifications, by crypto/tls and by the program's own callbacks; an alert, if it is refused; the end of the
//! handshake, with its error. Goroutines move between threads, and are used again for other connections: what tells of
//! another socket or another `Conn` does not fit, and is dropped.

mod terms;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use observer_common::hit::go as kind;
use observer_tls::codepoints::AlertDescription;

use super::hit::Hit;
use super::readers::Losses;
use super::threads::Threads;
use super::{Fact, FactBody, Failure, Origin, Socket, Verification};
use crate::libraries::hooks::Family;
use crate::observation::{CertificateFault, Side};

/// Reads the hits of Go.
#[derive(Debug, Default)]
pub struct Go {
    goroutines: Threads<(u32, u64), Goroutine>,
    does_not_fit: u64,
}

/// What a goroutine has told of the handshake that it is in.
#[derive(Debug, Default)]
struct Goroutine {
    /// The peer's chain.
    chain: Option<Chain>,
    /// The last verification found nothing wrong with it.
    is_fine: bool,
    /// The alert that was made, and for which socket.
    alert: Option<(u64, AlertDescription)>,
}

/// The peer's chain, as far as it was told.
#[derive(Debug)]
struct Chain {
    /// The socket that the goroutine had received from.
    cookie: u64,
    /// Go's object for the connection.
    connection: u64,
    own_side: Side,
    /// How many certificates it has.
    length: u64,
    certificates: Vec<Bytes>,
}

impl Go {
    /// Takes a hit; facts that it completes go to `facts`.
    pub fn take(&mut self, hit: &Hit<'_>, facts: &mut Vec<Fact>) {
        let Some((socket, _)) = hit.socket else { return };
        let goroutine = self.goroutines.state((hit.pid, hit.coroutine), hit.time_ns);
        let first = facts.len();
        let mut tell = |own_side, body| {
            facts.push(Fact {
                time_ns: hit.time_ns,
                origin: Origin::of(hit, Family::Go),
                socket,
                own_side,
                body,
            });
        };
        let fits = match hit.kind {
            kind::CLIENT_CHAIN => goroutine.certificate(hit, &socket, Side::Server, &mut tell),
            kind::SERVER_CHAIN => goroutine.certificate(hit, &socket, Side::Client, &mut tell),
            kind::VERIFIED => goroutine.verified(hit, &socket, &mut tell),
            kind::ALERT => goroutine.alert(hit, &socket, &mut tell),
            kind::CLIENT_HANDSHAKE => goroutine.end(hit, &socket, Side::Client, &mut tell),
            kind::SERVER_HANDSHAKE => goroutine.end(hit, &socket, Side::Server, &mut tell),
            _ => true,
        };
        if !fits {
            facts.truncate(first);
            self.does_not_fit += 1;
        }
    }

    /// What could not be used.
    pub fn losses(&self) -> Losses {
        Losses {
            too_many_threads: self.goroutines.evicted,
            does_not_fit: self.does_not_fit,
        }
    }
}

impl Goroutine {
    /// A certificate of the peer's chain, or that there is none.
    fn certificate(
        &mut self,
        hit: &Hit<'_>,
        socket: &Socket,
        own_side: Side,
        tell: &mut impl FnMut(Option<Side>, FactBody),
    ) -> bool {
        let [connection, index, length, _] = hit.values;
        if index == 0 {
            *self = Self::default();
            self.chain = Some(Chain {
                cookie: socket.cookie,
                connection,
                own_side,
                length,
                certificates: Vec::new(),
            });
        }
        if length == 0 {
            // Whether it is refused for that, the end of the handshake tells. A client comes here only with a chain.
            if !hit.is_unreadable && own_side == Side::Server {
                tell(Some(own_side), FactBody::NoPeerCertificate);
            }
            return !hit.is_unreadable;
        }
        let next = self.chain.as_mut().filter(|chain| {
            let same = (chain.cookie, chain.connection, chain.own_side, chain.length);
            same == (socket.cookie, connection, own_side, length) && chain.certificates.len() as u64 == index
        });
        // Without one of its members there is no chain.
        let Some(chain) = next.filter(|_| is_sequence(hit.bytes)) else {
            self.chain = None;
            return false;
        };
        chain.certificates.push(Bytes::copy_from_slice(hit.bytes));
        // Those that are not copied are missing at its end.
        if chain.certificates.len() as u64 == length.min(kind::MAX_CERTIFICATES) {
            tell(Some(own_side), FactBody::Chain(chain.certificates.clone()));
        }
        true
    }

    /// A verification is done: of the peer's chain, if there is one. Programs verify other certificates too.
    fn verified(
        &mut self,
        hit: &Hit<'_>,
        socket: &Socket,
        tell: &mut impl FnMut(Option<Side>, FactBody),
    ) -> bool {
        let Some(chain) = self.chain.as_ref().filter(|chain| !chain.certificates.is_empty()) else {
            return true;
        };
        if chain.cookie != socket.cookie {
            return false;
        }
        let [result, hash, _, word] = hit.values;
        self.is_fine = result == kind::FINE;
        let found = if self.is_fine {
            Some((None, "x509.Verify: no error".into()))
        } else {
            // What is not known for sure is left to the alert.
            let known = u32::try_from(hash).ok();
            let known = known.and_then(|hash| terms::verification(hash, word, hit.bytes));
            known.map(|(fault, term)| (Some(fault), term))
        };
        if let Some((fault, term)) = found {
            tell(
                Some(chain.own_side),
                FactBody::Verified(Verification { fault, term }),
            );
        }
        true
    }

    /// An alert was made.
    fn alert(
        &mut self,
        hit: &Hit<'_>,
        socket: &Socket,
        tell: &mut impl FnMut(Option<Side>, FactBody),
    ) -> bool {
        let [connection, alert, ..] = hit.values;
        let Ok(alert) = u8::try_from(alert).map(AlertDescription) else {
            return false;
        };
        let own_side = match &self.chain {
            Some(chain) if chain.cookie != socket.cookie || chain.connection != connection => {
                self.chain = None;
                return false;
            }
            chain => chain.as_ref().map(|chain| chain.own_side),
        };
        self.alert = Some((socket.cookie, alert));
        tell(own_side, FactBody::AlertSent(alert));
        true
    }

    /// The handshake is over.
    fn end(
        &mut self,
        hit: &Hit<'_>,
        socket: &Socket,
        own_side: Side,
        tell: &mut impl FnMut(Option<Side>, FactBody),
    ) -> bool {
        let told = std::mem::take(self);
        let chain = told.chain.as_ref();
        // A chain of another connection is no part of this handshake, and this may be no part of that.
        if chain.is_some_and(|chain| chain.cookie != socket.cookie || chain.own_side != own_side) {
            return false;
        }
        let alert = told.alert.filter(|(cookie, _)| *cookie == socket.cookie);
        let alert = alert.map(|(_, alert)| alert);
        let mut tell = |body| tell(Some(own_side), body);
        match hit.values {
            [kind::FINE, ..] => tell(FactBody::Established),
            [kind::ALERTED, alert, ..] => {
                let Ok(alert) = u8::try_from(alert).map(AlertDescription) else {
                    return false;
                };
                tell(FactBody::AlertReceived(alert));
                let term = format!("remote error: {alert} ({})", alert.0).into();
                tell(FactBody::Failed(Failure { reason: None, term }));
            }
            _ => {
                let text = String::from_utf8_lossy(hit.bytes);
                let reason = terms::reason(&text);
                if reason == Some(terms::MISSING) || alert == Some(AlertDescription::CERTIFICATE_REQUIRED) {
                    tell(FactBody::NoCertificate);
                }
                if told.is_fine && alert == Some(AlertDescription::BAD_CERTIFICATE) {
                    // crypto/x509 found nothing wrong: a callback of the program did.
                    tell(FactBody::Verified(Verification {
                        fault: Some(CertificateFault::Rejected),
                        term: "an error of the program's own verification".into(),
                    }));
                }
                let term = match (hit.bytes, alert) {
                    ([_, ..], _) => text.into(),
                    ([], Some(alert)) => format!("local error: {alert} ({})", alert.0).into(),
                    ([], None) => "an error of the connection or of the program".into(),
                };
                tell(FactBody::Failed(Failure { reason, term }));
            }
        }
        true
    }
}

/// Whether these bytes are one DER SEQUENCE, as a certificate is: what is none may have been read from a wrong place.
fn is_sequence(der: &[u8]) -> bool {
    let length = match *der {
        [0x30, length @ ..=0x7f, ..] => 2 + usize::from(length),
        [0x30, 0x81, length, ..] => 3 + usize::from(length),
        [0x30, 0x82, high, low, ..] => 4 + usize::from(u16::from_be_bytes([high, low])),
        _ => return false,
    };
    der.len() == length
}
