//! One handshake, or late alert, with what the libraries at its ends told of it.

use super::tale::Tale;
use super::{alerts, conclude, fit};
use crate::facts::Fact;
use crate::observation::{Action, CertificateSource, ClientCertificate, Observation, Side, Source, Told};
use crate::outcome::Rule;
use crate::tracker::certificates::CertificateCache;

/// What the libraries at both ends told.
#[derive(Debug, Default)]
pub(super) struct Tales {
    client: Option<Tale>,
    server: Option<Tale>,
}

impl Tales {
    /// What the library at the end of `side` told.
    pub fn of(&self, side: Side) -> Option<&Tale> {
        match side {
            Side::Client => self.client.as_ref(),
            Side::Server => self.server.as_ref(),
        }
    }
}

/// Facts of each end: the client's, then the server's.
pub(super) type Facts = [(Side, Vec<Fact>); 2];

/// Puts `facts` into `seen`; gives how many became part of it.
pub(super) fn merge(seen: &mut Observation, facts: &Facts, certificates: &mut CertificateCache) -> u64 {
    let mut tales = Tales::default();
    let mut contradictions = Vec::new();
    let mut joined = 0;
    for (side, facts) in facts {
        let tale = Tale::new(*side, seen, facts, certificates).and_then(|tale| {
            let tale = tale.map(|tale| fit::check(seen, *side, &tale).map(|()| tale));
            tale.transpose()
        });
        match tale {
            Ok(Some(tale)) => {
                joined += facts.len() as u64;
                match side {
                    Side::Client => tales.client = Some(tale),
                    Side::Server => tales.server = Some(tale),
                }
            }
            Ok(None) => {}
            Err(contradiction) => contradictions.push(contradiction),
        }
    }
    if joined > 0 {
        seen.source = Source::Both;
    }
    match seen.action {
        Action::Handshake => {
            fill(seen, &tales);
            // A reason is vague by the alerts that could be read: first the end, then the alerts.
            contradictions.extend(conclude::conclude(seen, &tales));
            contradictions.extend(alerts::fill(seen, &tales));
        }
        Action::LateAlert => name_late_alert(seen, &tales),
    }
    if joined > 0 || !contradictions.is_empty() {
        contradictions.sort_unstable();
        contradictions.dedup();
        seen.told = Some(Box::new(Told {
            client: tales.client.map(|tale| tale.end),
            server: tales.server.map(|tale| tale.end),
            contradictions,
        }));
    }
    joined
}

/// Fills in what the wire hid.
fn fill(seen: &mut Observation, tales: &Tales) {
    for teller in [Side::Client, Side::Server] {
        let Some(tale) = tales.of(teller) else { continue };
        seen.sessions.given.extend(&tale.tickets);
        if let Some(chain) = &tale.chain
            && seen.chain(teller.other()).is_empty()
        {
            *seen.chain_mut(teller.other()) = chain.clone();
            let source = match seen.resumed {
                Some(true) => CertificateSource::Resumption,
                _ => CertificateSource::Library,
            };
            seen.certificate_source = seen.certificate_source.max(source);
        }
    }
    seen.sessions.kept = tales.of(Side::Server).and_then(|tale| tale.session.clone());
    let told = tales.of(Side::Server).and_then(conclude::client_certificate);
    // In a resumed handshake nobody is asked. Where the wire can be read it has told already.
    let hidden = seen.client_certificate == ClientCertificate::Unknown || seen.is_tls13();
    if let Some(told) = told.filter(|_| hidden && seen.resumed != Some(true)) {
        seen.client_certificate = told;
    }
}

/// Says what a late alert is that could not be read.
fn name_late_alert(seen: &mut Observation, tales: &Tales) {
    alerts::fill(seen, tales);
    if seen.alerts.iter().all(|alert| alert.alert.is_some()) && seen.rule.is_some() {
        seen.rule = Some(Rule::LibraryAlert);
        seen.evidence = Rule::LibraryAlert.evidence();
    }
}
