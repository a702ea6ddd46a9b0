//! BoringSSL: OpenSSL's story, with some numbers of its own.

mod terms;

#[cfg(test)]
mod tests;

use observer_common::hit::{boringssl, openssl as kind};

use super::hit::Hit;
use super::openssl::OpenSsl;
use super::readers::Losses;
use super::{Fact, FactBody, Failure, Origin};
use crate::libraries::hooks::Family;

/// Reads the hits of BoringSSL.
#[derive(Debug, Default)]
pub struct BoringSsl {
    as_openssl: OpenSsl,
}

impl BoringSsl {
    /// Takes a hit; facts that it completes go to `facts`.
    pub fn take(&mut self, hit: &Hit<'_>, facts: &mut Vec<Fact>) {
        let first_new = facts.len();
        let mut same = *hit;
        same.kind = hit.kind.wrapping_sub(boringssl::ABOVE_OPENSSL);
        let [first, second, ..] = &mut same.values;
        // What BoringSSL calls it, where OpenSSL's reader knows another name.
        let mut term = None;
        match same.kind {
            kind::RESULT if *second != kind::ERROR_NOT_READ => {
                (*second, term) = translate(*second);
            }
            kind::ERROR => (*first, term) = translate(*first),
            kind::FAILURE if terms::is_noise(*first) => return,
            kind::FAILURE => {
                term = Some(terms::failure(*first));
                match terms::as_openssl(*first) {
                    Some(same) => *first = same,
                    None => return self.failed(hit, *first, facts),
                }
            }
            _ => {}
        }
        self.as_openssl.take(&same, facts);
        for fact in facts.iter_mut().skip(first_new) {
            fact.origin.family = Family::BoringSsl;
            let told = match &mut fact.body {
                FactBody::Failed(failure) => &mut failure.term,
                FactBody::Verified(verification) => &mut verification.term,
                _ => continue,
            };
            if let Some(term) = &term {
                told.clone_from(term);
            }
        }
    }

    /// A failure that is no more than that.
    fn failed(&self, hit: &Hit<'_>, reason: u64, facts: &mut Vec<Fact>) {
        let Some((socket, _)) = hit.socket else { return };
        facts.push(Fact {
            time_ns: hit.time_ns,
            origin: Origin::of(hit, Family::BoringSsl),
            socket,
            own_side: None,
            body: FactBody::Failed(Failure {
                reason: terms::reason(reason),
                term: terms::failure(reason),
            }),
        });
    }

    /// What could not be used.
    pub fn losses(&self) -> Losses {
        self.as_openssl.losses()
    }
}

/// An error of verification as OpenSSL has it, and its name where that is another.
fn translate(error: u64) -> (u64, Option<Box<str>>) {
    let (same, name) = terms::verification(error);
    (same, name.map(Box::from))
}
