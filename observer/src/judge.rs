//! The stage between flow table and outputs: what should have happened, beside what did.
//!
//! Each certificate that was seen is judged by the trust bundle for its handshake. Nothing that was observed is changed,
//! but a refusal whose alert was vague, or that was no more than a close, gets the reason that the verdict finds.

mod budget;
mod cache;
mod disagreement;
pub(crate) mod reason;

pub mod live;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use observer_tls::x509::CertificateFacts;

use crate::config::service::{Service, ServiceNames};
use crate::config::trust::Target;
use crate::observation::{Action, Observation, Side};
use crate::trust::Store;
use crate::verify::{CertificateVerdict, Request, Revocation, Status, without_trust};
use budget::Budget;
use cache::{Question, VerdictCache};

/// Judges certificates.
#[derive(Debug)]
pub struct Judge {
    store: Store,
    services: ServiceNames,
    cache: VerdictCache,
    /// For live traffic, which does not wait.
    budget: Option<Budget>,
    /// What is said of a chain for which no budget was left.
    too_many: Arc<CertificateVerdict>,
    unjudged: u64,
}

impl Judge {
    /// For live traffic: of chains not seen before, it judges as many as it can without falling behind.
    pub fn live(store: Store, services: &[Service]) -> Self {
        Self::new(store, services, Some(Budget::new(Instant::now())))
    }

    /// For captures: it judges every chain.
    pub fn patient(store: Store, services: &[Service]) -> Self {
        Self::new(store, services, None)
    }

    fn new(store: Store, services: &[Service], budget: Option<Budget>) -> Self {
        Self {
            store,
            services: ServiceNames::new(services),
            cache: VerdictCache::default(),
            budget,
            too_many: Arc::new(CertificateVerdict {
                status: Status::NotChecked,
                revocation: Revocation::NotChecked,
                detail: Some("too many new certificates came at once".to_owned()),
                trust_bundle: None,
                warnings: Vec::new(),
            }),
            unjudged: 0,
        }
    }

    /// Judges by other bundles from now on.
    pub fn replace(&mut self, store: Store) {
        self.store = store;
        self.cache.clear();
    }

    /// Certificates that were not judged because too many came at once.
    pub fn unjudged(&self) -> u64 {
        self.unjudged
    }

    /// Fills in the verdicts and what follows from them.
    pub fn judge(&mut self, seen: &mut Observation) {
        let nothing_shown = seen.client_chain.is_empty() && seen.server_chain.is_empty();
        if seen.action != Action::Handshake || (nothing_shown && seen.told.is_none()) {
            return;
        }
        seen.client_verdict = self.verdict(seen, Side::Client);
        if seen.sessions.leaf_alone {
            seen.client_verdict = seen
                .client_verdict
                .take()
                .map(|verdict| of_leaf_alone(seen, verdict));
        }
        seen.server_verdict = self.verdict(seen, Side::Server);
        if let Some(refusal) = reason::refusal(seen) {
            refusal.put_into(seen);
        }
        if let Some(cause) = reason::exact_cause(seen) {
            seen.reason = Some(cause.reason);
            seen.evidence = cause.evidence;
            seen.rule = cause.rule;
        }
        seen.disagreement = disagreement::disagreement(seen);
    }

    fn verdict(&mut self, seen: &Observation, side: Side) -> Option<Arc<CertificateVerdict>> {
        let (chain, server_name, stapled) = match side {
            Side::Client => (&seen.client_chain, None, None),
            Side::Server => (
                &seen.server_chain,
                seen.server_name.as_deref(),
                seen.ocsp_response.as_deref(),
            ),
        };
        if chain.is_empty() {
            return None;
        }
        let target = Target {
            side,
            server: seen.server,
            server_name: seen.server_name.as_deref(),
        };
        let bundle = self.store.bundle(&target, &self.services);
        let question = Question {
            bundle: bundle.map(|(place, _)| place),
            request: Request {
                side,
                chain,
                time: i64::try_from(seen.time_ns / 1_000_000_000).unwrap_or(i64::MAX),
                server_name,
                stapled,
            },
        };
        let found = self.cache.get(&question);
        if let Some(found) = found.as_ref().filter(|found| found.is_fresh) {
            return Some(Arc::clone(&found.verdict));
        }
        let begin = Instant::now();
        if self.budget.as_mut().is_some_and(|budget| !budget.is_left(begin)) {
            if let Some(found) = found {
                return Some(found.verdict);
            }
            self.unjudged += 1;
            return Some(Arc::clone(&self.too_many));
        }
        let verdict = Arc::new(match bundle {
            Some((_, loaded)) => loaded.bundle.judge(&question.request),
            None => without_trust::judge(&question.request),
        });
        if let Some(budget) = &mut self.budget {
            budget.spend(begin.elapsed());
        }
        let may_change =
            bundle.is_some_and(|(_, loaded)| loaded.fetches) && verdict.revocation == Revocation::Unknown;
        self.cache.insert(&question, Arc::clone(&verdict), may_change);
        Some(verdict)
    }
}

/// The verdict on the client's certificate where those that it sent behind it are not known: that no chain leads to a
/// trusted one says something of a self-signed certificate only.
fn of_leaf_alone(seen: &Observation, verdict: Arc<CertificateVerdict>) -> Arc<CertificateVerdict> {
    let is_own_issuer = |leaf: &Arc<CertificateFacts>| leaf.issuer == leaf.subject;
    if verdict.status != Status::Untrusted || seen.client_chain.first().is_some_and(is_own_issuer) {
        return verdict;
    }
    Arc::new(CertificateVerdict {
        status: Status::NotChecked,
        detail: Some("its issuer is not trusted itself, and the resumed session keeps none above".to_owned()),
        ..CertificateVerdict::clone(&verdict)
    })
}

/// The verdict on the certificate of `side`.
fn verdict_of(seen: &Observation, side: Side) -> Option<&CertificateVerdict> {
    match side {
        Side::Client => seen.client_verdict.as_deref(),
        Side::Server => seen.server_verdict.as_deref(),
    }
}
