//! What was fetched, and what is being fetched.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::http::Failure;
use super::{FetchPolicy, Question};
use crate::verify::revocation::Crl;

/// What came.
#[derive(Clone, Debug)]
pub(in crate::verify::revocation) enum Fetched {
    /// A CRL.
    Crl(Arc<Crl>),
    /// An OCSP response that says that it is successful, DER.
    Ocsp(Bytes),
}

impl Fetched {
    fn bytes(&self) -> usize {
        match self {
            Self::Crl(crl) => crl.weight(),
            Self::Ocsp(response) => response.len(),
        }
    }
}

/// What is known of a question.
#[derive(Clone, Debug)]
pub(in crate::verify::revocation) enum Lookup {
    /// The last answer that came.
    Answer(Fetched),
    /// None has come yet.
    Pending,
    /// None came; why.
    Failed(String),
}

/// What is to be done for a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    Nothing,
    /// It has to be fetched, and counts as being fetched from now on.
    Fetch,
    /// It would have to be fetched, but all that there is room for is being fetched.
    NoRoom,
}

#[derive(Debug)]
struct Entry {
    answer: Option<Fetched>,
    failure: Option<String>,
    /// It is in the queue, or being fetched.
    pending: bool,
    /// When it was last put into the queue.
    asked: Instant,
    /// When it was last of use.
    used: Instant,
}

/// Answers by their questions, of bounded number and size.
#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: HashMap<Question, Entry>,
    /// Of all answers together.
    bytes: usize,
}

impl Cache {
    /// What is known, and what is to be done. `stale` says that the answer that is there is of no use any more.
    pub(super) fn look_up(
        &mut self,
        question: &Question,
        stale: bool,
        now: Instant,
        policy: &FetchPolicy,
    ) -> (Lookup, Next) {
        let Some(entry) = self.entries.get_mut(question) else {
            return match self.insert(question, now, policy) {
                true => (Lookup::Pending, Next::Fetch),
                false => (Lookup::Pending, Next::NoRoom),
            };
        };
        entry.used = now;
        let pause = match entry.failure.is_some() || stale {
            true => policy.retry_after,
            false => policy.refresh_after,
        };
        let due = !entry.pending && now.duration_since(entry.asked) >= pause;
        if due {
            (entry.pending, entry.asked) = (true, now);
        }
        let lookup = match (&entry.answer, &entry.failure) {
            (Some(answer), _) => Lookup::Answer(answer.clone()),
            (None, Some(failure)) if !entry.pending => Lookup::Failed(failure.clone()),
            (None, _) => Lookup::Pending,
        };
        (lookup, if due { Next::Fetch } else { Next::Nothing })
    }

    /// Makes an entry that is pending, in the place of the one that was of no use for longest if there is no room;
    /// `false` when all there are pending.
    fn insert(&mut self, question: &Question, now: Instant, policy: &FetchPolicy) -> bool {
        if self.entries.len() >= policy.max_answers && !self.remove_oldest(question) {
            return false;
        }
        let entry = Entry {
            answer: None,
            failure: None,
            pending: true,
            asked: now,
            used: now,
        };
        self.entries.insert(question.clone(), entry);
        true
    }

    /// Notes what came of a question that was pending. An answer that is there stays if the new one did not come.
    pub(super) fn settle(
        &mut self,
        question: &Question,
        outcome: Result<Fetched, Failure>,
        policy: &FetchPolicy,
    ) {
        let Some(entry) = self.entries.get_mut(question) else {
            return;
        };
        entry.pending = false;
        match outcome {
            Ok(answer) => {
                self.bytes += answer.bytes();
                self.bytes -= entry.answer.as_ref().map_or(0, Fetched::bytes);
                (entry.answer, entry.failure) = (Some(answer), None);
            }
            Err(failure) => entry.failure = Some(failure.words),
        }
        while self.bytes > policy.max_cache_bytes && self.remove_oldest(question) {}
    }

    /// Removes the entry that was of no use for longest, but not one that is pending or `kept`.
    fn remove_oldest(&mut self, kept: &Question) -> bool {
        let candidates = self
            .entries
            .iter()
            .filter(|(question, entry)| !entry.pending && *question != kept);
        let oldest = candidates.min_by_key(|(_, entry)| entry.used);
        let Some(question) = oldest.map(|(question, _)| question.clone()) else {
            return false;
        };
        let removed = self.entries.remove(&question);
        self.bytes -= removed
            .and_then(|entry| entry.answer)
            .map_or(0, |answer| answer.bytes());
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::verify::revocation::fetch::FetchResult;

    fn question(number: usize) -> Question {
        Question::Crl {
            url: format!("http://crl.example/{number}"),
        }
    }

    fn policy() -> FetchPolicy {
        FetchPolicy {
            max_answers: 3,
            max_cache_bytes: 100,
            refresh_after: Duration::from_secs(60),
            retry_after: Duration::from_secs(10),
            ..FetchPolicy::default()
        }
    }

    fn answer(bytes: usize) -> Result<Fetched, Failure> {
        Ok(Fetched::Ocsp(vec![0; bytes].into()))
    }

    #[test]
    fn a_question_is_asked_once_and_again_when_it_is_time() {
        let (mut cache, policy, start) = (Cache::default(), policy(), Instant::now());
        let asks = |cache: &mut Cache, seconds, stale| {
            cache.look_up(&question(1), stale, start + Duration::from_secs(seconds), &policy)
        };
        assert!(matches!(
            asks(&mut cache, 0, false),
            (Lookup::Pending, Next::Fetch)
        ));
        assert!(matches!(
            asks(&mut cache, 100, false),
            (Lookup::Pending, Next::Nothing)
        ));
        cache.settle(&question(1), answer(7), &policy);
        assert!(matches!(
            asks(&mut cache, 30, false),
            (Lookup::Answer(_), Next::Nothing)
        ));
        assert!(matches!(
            asks(&mut cache, 30, true),
            (Lookup::Answer(_), Next::Fetch)
        ));

        // A failure leaves the answer, and asks again sooner.
        let failure = Failure::new(FetchResult::Timeout, "too slow");
        cache.settle(&question(1), Err(failure), &policy);
        assert!(matches!(
            asks(&mut cache, 39, false),
            (Lookup::Answer(_), Next::Nothing)
        ));
        assert!(matches!(
            asks(&mut cache, 40, false),
            (Lookup::Answer(_), Next::Fetch)
        ));
    }

    #[test]
    fn a_failure_is_told_until_it_is_tried_again() {
        let (mut cache, policy, start) = (Cache::default(), policy(), Instant::now());
        cache.look_up(&question(1), false, start, &policy);
        let failure = Failure::new(FetchResult::Timeout, "too slow");
        cache.settle(&question(1), Err(failure), &policy);
        let (lookup, next) = cache.look_up(&question(1), false, start + Duration::from_secs(9), &policy);
        assert!(matches!(lookup, Lookup::Failed(why) if why == "too slow"));
        assert_eq!(next, Next::Nothing);
        let (lookup, next) = cache.look_up(&question(1), false, start + Duration::from_secs(10), &policy);
        assert!(matches!(lookup, Lookup::Pending));
        assert_eq!(next, Next::Fetch);
    }

    #[test]
    fn number_and_size_of_answers_are_bounded() {
        let (mut cache, policy, start) = (Cache::default(), policy(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for number in 0..4 {
            let (_, next) = cache.look_up(&question(number), false, at(0), &policy);
            assert_eq!(
                next == Next::Fetch,
                number < 3,
                "all three that there is room for are pending"
            );
        }
        for number in 0..3 {
            cache.settle(&question(number), answer(40), &policy);
        }
        assert_eq!((cache.entries.len(), cache.bytes), (2, 80));
        let kept: Vec<usize> = (0..3)
            .filter(|number| cache.entries.contains_key(&question(*number)))
            .collect();
        assert!(kept.contains(&2), "the one that came last stays");

        // The one that was of use more lately stays.
        cache.look_up(&question(kept[0]), false, at(5), &policy);
        cache.look_up(&question(8), false, at(6), &policy);
        cache.look_up(&question(9), false, at(7), &policy);
        assert!(cache.entries.contains_key(&question(kept[0])));
        assert!(!cache.entries.contains_key(&question(kept[1])));
    }
}
