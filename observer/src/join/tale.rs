//! What the library at one end told of one handshake.

use std::net::SocketAddr;
use std::sync::Arc;

use observer_tls::codepoints::AlertDescription;
use observer_tls::x509::CertificateFacts;

use crate::facts::{Fact, FactBody, Failure};
use crate::observation::{CertificateFault, Contradiction, EndTold, Observation, Reason, SessionName, Side};
use crate::tracker::certificates::CertificateCache;

/// An alert that a library made or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub time_ns: u64,
    pub description: AlertDescription,
}

impl Heard {
    /// Whether its sender objects to something. Others close the connection or say that something is not wanted
    /// (RFC 8446, section 6.1; RFC 5246, section 7.2.2).
    pub fn is_refusal(&self) -> bool {
        !matches!(
            self.description,
            AlertDescription::CLOSE_NOTIFY
                | AlertDescription::USER_CANCELED
                | AlertDescription::NO_RENEGOTIATION
        )
    }
}

/// What one end's library told, put together.
#[derive(Debug)]
pub(super) struct Tale {
    pub end: EndTold,
    /// The peer's chain, leaf first.
    pub chain: Option<Vec<Arc<CertificateFacts>>>,
    /// The peer was asked for a certificate and sent none.
    pub no_certificate: bool,
    /// When it had last looked at the peer's certificate, or found that there is none.
    pub judged_ns: Option<u64>,
    /// When its service had last asked it for the peer's certificate, and there was none.
    pub asked_in_vain_ns: Option<u64>,
    pub received: Vec<Heard>,
    pub sent: Vec<Heard>,
    /// When and why it gave up, unless it had finished before.
    pub failure: Option<(u64, Failure)>,
    /// When it finished.
    pub established_ns: Option<u64>,
    pub tickets: Vec<SessionName>,
    /// The peer's certificate in the session that is resumed, if there is one in it; `None` where none was told.
    pub session: Option<Option<Arc<CertificateFacts>>>,
}

impl Tale {
    /// What `facts` tell, in their order, of the end of `side`; `None` if there are none.
    ///
    /// # Errors
    /// When they are not about that end, or not about one handshake.
    pub fn new(
        side: Side,
        seen: &Observation,
        facts: &[Fact],
        certificates: &mut CertificateCache,
    ) -> Result<Option<Self>, Contradiction> {
        let Some(first) = facts.first() else {
            return Ok(None);
        };
        let mut tale = Self {
            end: EndTold::from(&first.origin),
            chain: None,
            no_certificate: false,
            judged_ns: None,
            asked_in_vain_ns: None,
            received: Vec::new(),
            sent: Vec::new(),
            failure: None,
            established_ns: None,
            tickets: Vec::new(),
            session: None,
        };
        let ends = match side {
            Side::Client => (seen.client, seen.server),
            Side::Server => (seen.server, seen.client),
        };
        for fact in facts {
            if fact.own_side.is_some_and(|own| own != side) {
                return Err(Contradiction::Role);
            }
            if fact.socket.addresses.is_some_and(|found| !fits(found, ends)) {
                return Err(Contradiction::Address);
            }
            tale.take(side, fact, certificates)?;
        }
        Ok(Some(tale))
    }

    fn take(
        &mut self,
        side: Side,
        fact: &Fact,
        certificates: &mut CertificateCache,
    ) -> Result<(), Contradiction> {
        let time_ns = fact.time_ns;
        match &fact.body {
            FactBody::Chain(ders) if ders.is_empty() => {}
            FactBody::Chain(ders) => {
                let chain: Vec<_> = ders.iter().map(|der| certificates.facts(der)).collect();
                let other =
                    |told: &Vec<Arc<CertificateFacts>>| !is_part(&chain, told) && !is_part(told, &chain);
                if self.chain.as_ref().is_some_and(other) {
                    return Err(Contradiction::Chain);
                }
                if self.chain.as_ref().is_none_or(|told| told.len() < chain.len()) {
                    self.chain = Some(chain);
                }
            }
            FactBody::NoCertificate => {
                self.no_certificate = true;
                self.judged_ns = Some(time_ns);
            }
            // The wire tells better whether one was asked for.
            FactBody::NoPeerCertificate => self.asked_in_vain_ns = Some(time_ns),
            FactBody::Verified(found) => {
                self.judged_ns = Some(time_ns);
                let told = &mut self.end.verification;
                // A fault stays one, whatever is asked of the certificate next.
                if found.fault.is_some() || told.as_ref().is_none_or(|told| told.fault.is_none()) {
                    *told = Some(found.clone());
                }
            }
            FactBody::AlertReceived(description) => self.received.push(Heard {
                time_ns,
                description: *description,
            }),
            FactBody::AlertSent(description) => self.sent.push(Heard {
                time_ns,
                description: *description,
            }),
            FactBody::Ticket(name) => self.tickets.push(*name),
            FactBody::Session(der) => {
                let certificate = der.as_ref().map(|der| certificates.facts(der));
                let told = self.session.get_or_insert_with(|| certificate.clone());
                if *told != certificate {
                    return Err(Contradiction::Chain);
                }
            }
            FactBody::Unreadable(term) => {
                let reason = Reason::Certificate(side.other(), CertificateFault::Bad);
                let term = term.clone();
                self.fail(
                    time_ns,
                    Failure {
                        reason: Some(reason),
                        term,
                    },
                );
            }
            FactBody::Failed(failure) => self.fail(time_ns, failure.clone()),
            FactBody::Established => {
                self.established_ns.get_or_insert(time_ns);
            }
        }
        if self.no_certificate && self.chain.is_some() {
            return Err(Contradiction::ClientCertificate);
        }
        Ok(())
    }

    fn fail(&mut self, time_ns: u64, failure: Failure) {
        if self.established_ns.is_none() && self.failure.is_none() {
            self.end.failure = Some(failure.term.clone());
            self.failure = Some((time_ns, failure));
        }
    }

    /// Whether it finished, and did not give up before.
    pub fn has_finished(&self) -> bool {
        self.established_ns.is_some() && self.failure.is_none()
    }
}

/// Whether all of `some` are among `all`, and the leaf is the same.
pub(super) fn is_part(some: &[Arc<CertificateFacts>], all: &[Arc<CertificateFacts>]) -> bool {
    let same = |a: &CertificateFacts, b: &CertificateFacts| a.der == b.der;
    match (some.first(), all.first()) {
        (Some(leaf), Some(found)) => {
            same(leaf, found) && some.iter().all(|one| all.iter().any(|other| same(one, other)))
        }
        _ => some.is_empty(),
    }
}

/// Whether a socket's addresses can be those of this end. Network address translation on this host may show the wire
/// another address for one of the two, but not for both.
fn fits(found: (SocketAddr, SocketAddr), ends: (SocketAddr, SocketAddr)) -> bool {
    let same =
        |a: SocketAddr, b: SocketAddr| a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical();
    same(found.0, ends.0) || same(found.1, ends.1)
}
