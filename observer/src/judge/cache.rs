//! Verdicts by what they were made from: peers show the same few chains over and over.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::mem;
use std::ops::RangeInclusive;
use std::sync::Arc;

use foldhash::quality::RandomState;

use crate::observation::Side;
use crate::verify::{CertificateVerdict, Request};

/// Verdicts in one generation at most. With two generations about 4,000 are kept.
const MAX_VERDICTS: usize = 2048;
/// Bytes of what they were made from in one generation at most: names and stapled responses are of a peer's choice.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// How far in time from the handshake it was made for a verdict is fresh at most, in seconds. So long it may take until a
/// revocation list or response that has become stale is found to be so; the dates of certificates count to the second.
const MAX_AGE: i64 = 60;
/// The same at first while an answer about its revocation may be on its way; doubled each time that there is none.
const WAITING_AGE: i64 = 1;

/// The verdicts made by one state of the trust bundles.
///
/// Lookup hashes everything that a verdict depends on, keyed against deliberate collisions, and then compares all of it.
/// When the young generation is full it becomes the old one, and what the old one held is dropped unless it was used
/// again.
#[derive(Debug, Default)]
pub struct VerdictCache {
    hasher: RandomState,
    young: HashMap<u64, Entry, RandomState>,
    old: HashMap<u64, Entry, RandomState>,
    young_bytes: usize,
}

/// What a verdict depends on besides the time.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Place of the trust bundle; `None` without one.
    pub bundle: Option<usize>,
    /// The chain.
    pub request: Request<'a>,
}

/// A verdict that was made before.
#[derive(Debug)]
pub struct Found {
    /// The verdict; the dates of the certificates say the same still.
    pub verdict: Arc<CertificateVerdict>,
    /// It was made for about the same time.
    pub is_fresh: bool,
}

#[derive(Debug)]
struct Entry {
    bundle: Option<usize>,
    side: Side,
    /// SHA-256 of each certificate.
    chain: Box<[[u8; 32]]>,
    server_name: Option<Box<str>>,
    stapled: Option<Box<[u8]>>,
    /// Times around that of the handshake in which no certificate of the chain begins or ceases to be valid.
    dates: RangeInclusive<i64>,
    /// When the handshake was that it was made for.
    time: i64,
    /// How far from that it is fresh.
    age: i64,
    verdict: Arc<CertificateVerdict>,
}

impl VerdictCache {
    /// The verdict on the same.
    pub fn get(&mut self, question: &Question<'_>) -> Option<Found> {
        let key = self.key(question);
        if let Some(entry) = self.young.get(&key) {
            return entry.answer(question);
        }
        let entry = self.old.remove(&key)?;
        let found = entry.answer(question)?;
        self.keep(key, entry);
        Some(found)
    }

    /// Keeps the verdict that answers `question`. `may_change`: soon there may be another one.
    pub fn insert(&mut self, question: &Question<'_>, verdict: Arc<CertificateVerdict>, may_change: bool) {
        let request = &question.request;
        let key = self.key(question);
        let before = self.young.get(&key).filter(|entry| entry.is_about(question));
        let age = match before {
            _ if !may_change => MAX_AGE,
            Some(before) => MAX_AGE.min(before.age * 2),
            None => WAITING_AGE,
        };
        let entry = Entry {
            bundle: question.bundle,
            side: request.side,
            chain: request.chain.iter().map(|facts| facts.sha256).collect(),
            server_name: request.server_name.map(Box::from),
            stapled: request.stapled.map(Box::from),
            dates: dates(request),
            time: request.time,
            age,
            verdict,
        };
        self.keep(key, entry);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.young_bytes = 0;
    }

    fn key(&self, question: &Question<'_>) -> u64 {
        let request = &question.request;
        let mut hasher = self.hasher.build_hasher();
        // The leaf's digest tells nearly all apart; the rest is compared.
        if let Some(leaf) = request.chain.first() {
            hasher.write(&leaf.sha256);
        }
        hasher.write_usize(question.bundle.map_or(0, |place| place + 1));
        hasher.write_u8(request.side as u8);
        hasher.write_usize(request.chain.len());
        hasher.write(request.server_name.unwrap_or_default().as_bytes());
        hasher.write_u8(0xff);
        hasher.write(request.stapled.unwrap_or_default());
        hasher.finish()
    }

    fn keep(&mut self, key: u64, entry: Entry) {
        let bytes = entry.bytes();
        if self.young.len() >= MAX_VERDICTS || self.young_bytes + bytes > MAX_BYTES {
            self.old = mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        if let Some(displaced) = self.young.insert(key, entry) {
            self.young_bytes -= displaced.bytes();
        }
    }
}

impl Entry {
    fn answer(&self, question: &Question<'_>) -> Option<Found> {
        let time = question.request.time;
        let holds = self.is_about(question) && self.dates.contains(&time);
        holds.then(|| Found {
            verdict: Arc::clone(&self.verdict),
            is_fresh: self.time.abs_diff(time) <= self.age.unsigned_abs(),
        })
    }

    fn is_about(&self, question: &Question<'_>) -> bool {
        let request = &question.request;
        let same_chain = self.chain.len() == request.chain.len()
            && self
                .chain
                .iter()
                .zip(request.chain)
                .all(|(kept, facts)| *kept == facts.sha256);
        same_chain
            && self.bundle == question.bundle
            && self.side == request.side
            && self.server_name.as_deref() == request.server_name
            && self.stapled.as_deref() == request.stapled
    }

    fn bytes(&self) -> usize {
        mem::size_of::<Self>()
            + mem::size_of_val(&*self.chain)
            + self.server_name.as_deref().map_or(0, str::len)
            + self.stapled.as_deref().map_or(0, <[u8]>::len)
            + self.verdict.detail.as_ref().map_or(0, String::len)
            + self.verdict.warnings.iter().map(String::len).sum::<usize>()
    }
}

/// Times around that of `request` in which no certificate of its chain begins or ceases to be valid.
fn dates(request: &Request<'_>) -> RangeInclusive<i64> {
    let time = request.time;
    let (mut from, mut to) = (i64::MIN, i64::MAX);
    for facts in request.chain {
        // A certificate is valid from the first second of its validity to the end of the last.
        let changes = [
            facts.not_before,
            facts.not_after.map(|last| last.saturating_add(1)),
        ];
        for change in changes.into_iter().flatten() {
            if change <= time {
                from = from.max(change);
            } else {
                to = to.min(change - 1);
            }
        }
    }
    from..=to
}

#[cfg(test)]
mod tests {
    use observer_tls::x509::CertificateFacts;

    use super::*;
    use crate::output::samples;
    use crate::verify::Status;

    const TIME: i64 = 1_000_000;

    fn chain(number: u32) -> Vec<Arc<CertificateFacts>> {
        let mut sha256 = [0; 32];
        sha256[28..].copy_from_slice(&number.to_be_bytes());
        vec![Arc::new(CertificateFacts {
            sha256,
            not_before: Some(TIME - 10),
            not_after: Some(TIME + 10),
            ..CertificateFacts::default()
        })]
    }

    fn question(chain: &[Arc<CertificateFacts>]) -> Question<'_> {
        let request = Request {
            side: Side::Client,
            chain,
            time: TIME,
            server_name: None,
            stapled: None,
        };
        Question {
            bundle: Some(0),
            request,
        }
    }

    fn at(time: i64, question: Question<'_>) -> Question<'_> {
        let request = Request {
            time,
            ..question.request
        };
        Question { request, ..question }
    }

    #[test]
    fn only_the_same_question_has_the_same_answer() {
        let (one, two) = (chain(1), chain(2));
        let asked = question(&one);
        let mut cache = VerdictCache::default();
        cache.insert(&asked, samples::verdict(Status::Valid), false);
        assert!(cache.get(&asked).is_some());
        let request = asked.request;
        let longer = [one.clone(), two.clone()].concat();
        let others = [
            Question {
                bundle: None,
                ..asked
            },
            Question {
                bundle: Some(1),
                ..asked
            },
            Question {
                request: Request {
                    chain: &two,
                    ..request
                },
                ..asked
            },
            Question {
                request: Request {
                    chain: &longer,
                    ..request
                },
                ..asked
            },
            Question {
                request: Request {
                    side: Side::Server,
                    ..request
                },
                ..asked
            },
            Question {
                request: Request {
                    server_name: Some("a"),
                    ..request
                },
                ..asked
            },
            Question {
                request: Request {
                    stapled: Some(b"a"),
                    ..request
                },
                ..asked
            },
        ];
        for other in &others {
            assert!(cache.get(other).is_none(), "{other:?}");
        }
        cache.clear();
        assert!(cache.get(&asked).is_none());
    }

    #[test]
    fn a_verdict_holds_while_no_date_passes() {
        let mut cache = VerdictCache::default();
        let short = chain(1);
        cache.insert(&question(&short), samples::verdict(Status::Valid), false);
        for (offset, holds) in [(-11, false), (-10, true), (10, true), (11, false)] {
            let found = cache.get(&at(TIME + offset, question(&short)));
            assert_eq!(found.is_some(), holds, "{offset}");
        }
    }

    #[test]
    fn it_is_fresh_for_a_minute_or_as_long_as_there_was_no_other() {
        let mut cache = VerdictCache::default();
        let endless = [Arc::new(CertificateFacts::default())];
        let asked = question(&endless);
        let mut fresh_for = |may_change| {
            cache.insert(&asked, samples::verdict(Status::Valid), may_change);
            let is_fresh =
                |cache: &mut VerdictCache, offset| cache.get(&at(TIME + offset, asked)).unwrap().is_fresh;
            let fresh =
                (0..1000).take_while(|offset| is_fresh(&mut cache, *offset) && is_fresh(&mut cache, -offset));
            fresh.count() - 1
        };
        assert_eq!([true; 8].map(&mut fresh_for), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(fresh_for(false), 60);
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_used() {
        let mut cache = VerdictCache::default();
        let favourite = chain(0);
        cache.insert(&question(&favourite), samples::verdict(Status::Valid), false);
        for number in 1..20_000 {
            cache.insert(
                &question(&chain(number)),
                samples::verdict(Status::Expired),
                false,
            );
            if number % 1000 == 0 {
                let found = cache.get(&question(&favourite)).unwrap();
                assert_eq!(found.verdict.status, Status::Valid);
            }
        }
        assert!(cache.young.len() <= MAX_VERDICTS && cache.old.len() <= MAX_VERDICTS);

        let mut cache = VerdictCache::default();
        let stapled = vec![0; MAX_BYTES / 4];
        for number in 0..20 {
            let chain = chain(number);
            let mut large = question(&chain);
            large.request.stapled = Some(&stapled);
            cache.insert(&large, samples::verdict(Status::Valid), false);
            assert!(cache.young_bytes <= MAX_BYTES);
        }
    }
}
