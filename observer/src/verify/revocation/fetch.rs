//! Answers from the URLs that certificates name: CRLs and OCSP responses, fetched in the background.
//!
//! Off unless the operator says otherwise. Who judges a certificate never waits: what is there is taken, and what is not
//! there is fetched for the next one. Only addresses that the operator allowed are connected to.

mod allow;
mod cache;
mod counters;
mod http;
mod request;

pub use allow::{Allowed, NotAllowed};
pub(super) use cache::{Fetched, Lookup};
pub use counters::{FetchCounters, FetchResult};
pub(super) use request::ocsp_request;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use observer_tls::codepoints::OcspResponseStatus;
use observer_tls::ocsp::Response;
use tokio::sync::{Semaphore, mpsc};

use super::Crl;
use cache::{Cache, Next};
use http::Failure;

/// Questions that wait to be fetched; further ones are counted and asked again later.
const MAX_QUEUE: usize = 256;
/// Bytes that an OCSP response may have; with a responder's certificates one has a few thousand.
const MAX_OCSP_BYTES: usize = 64 * 1024;

/// What is fetched, from where, and how much of it.
#[derive(Clone, Debug)]
pub struct FetchPolicy {
    /// Ask the OCSP responders that certificates name.
    pub ocsp: bool,
    /// Fetch the CRLs that certificates name.
    pub crls: bool,
    /// What may be connected to; nothing else is.
    pub allow: Vec<Allowed>,
    /// How long one fetch may take, from the host's name to the last byte.
    pub timeout: Duration,
    /// Bytes that a CRL may have.
    pub max_bytes: usize,
    /// Fetches at once.
    pub max_concurrent: usize,
    /// Answers that are kept.
    pub max_answers: usize,
    /// Bytes of all answers that are kept; a single one may be bigger.
    pub max_cache_bytes: usize,
    /// After this time an answer is fetched anew, even if it is still good.
    pub refresh_after: Duration,
    /// After this time it is tried again what did not come, or came and was of no use.
    pub retry_after: Duration,
}

impl Default for FetchPolicy {
    /// Nothing is fetched and nothing allowed.
    fn default() -> Self {
        Self {
            ocsp: false,
            crls: false,
            allow: Vec::new(),
            timeout: Duration::from_secs(10),
            max_bytes: 16 << 20,
            max_concurrent: 4,
            max_answers: 1024,
            max_cache_bytes: 64 << 20,
            refresh_after: Duration::from_secs(3600),
            retry_after: Duration::from_secs(300),
        }
    }
}

/// What can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Question {
    /// A CRL.
    Crl { url: String },
    /// The answer of an OCSP responder.
    Ocsp { url: String, request: Vec<u8> },
}

impl Question {
    pub(super) fn url(&self) -> &str {
        match self {
            Self::Crl { url } | Self::Ocsp { url, .. } => url,
        }
    }
}

/// A handle to the task that fetches. The task ends with the last handle.
#[derive(Clone, Debug)]
pub struct Fetcher {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Question>,
}

#[derive(Debug)]
struct Shared {
    policy: FetchPolicy,
    cache: Mutex<Cache>,
    counters: Arc<FetchCounters>,
}

impl Fetcher {
    /// Starts the task in the current Tokio runtime. `counters` may go on counting what an earlier one began.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn start(policy: FetchPolicy, counters: Arc<FetchCounters>) -> Self {
        let (queue, questions) = mpsc::channel(MAX_QUEUE);
        let shared = Arc::new(Shared {
            policy,
            cache: Mutex::default(),
            counters,
        });
        tokio::spawn(run(Arc::clone(&shared), questions));
        Self { shared, queue }
    }

    /// What is fetched.
    pub fn policy(&self) -> &FetchPolicy {
        &self.shared.policy
    }

    /// What is known of `question`. If that is nothing, or old, it is fetched in the background. `stale` says that the
    /// answer that came last is of no use any more.
    pub(super) fn ask(&self, question: &Question, stale: bool) -> Lookup {
        let (lookup, next) = self.shared.look_up(question, stale);
        let has_room = match next {
            Next::Nothing => true,
            Next::Fetch => self.queue.try_send(question.clone()).is_ok(),
            Next::NoRoom => false,
        };
        if !has_room {
            let failure = Failure::new(FetchResult::QueueFull, "too much is being fetched");
            self.shared.settle(question, Err(failure));
        }
        lookup
    }
}

/// Fetches what comes through the queue, until that ends.
async fn run(shared: Arc<Shared>, mut questions: mpsc::Receiver<Question>) {
    let places = Arc::new(Semaphore::new(shared.policy.max_concurrent.max(1)));
    while let Some(question) = questions.recv().await {
        // It is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let outcome = shared.fetch(&question).await;
            shared.settle(&question, outcome);
            drop(place);
        });
    }
}

impl Shared {
    fn look_up(&self, question: &Question, stale: bool) -> (Lookup, Next) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.look_up(question, stale, Instant::now(), &self.policy)
    }

    async fn fetch(&self, question: &Question) -> Result<Fetched, Failure> {
        match question {
            Question::Crl { url } => {
                let bytes = http::fetch(&self.policy, url, None, self.policy.max_bytes).await?;
                // A big one takes a while.
                let parsed = tokio::task::spawn_blocking(move || Crl::parse_file(&bytes)).await;
                let lists = parsed.map_err(|error| unreadable(error.to_string()))?;
                let [list] = lists
                    .map_err(|error| unreadable(error.to_string()))?
                    .try_into()
                    .map_err(|lists: Vec<_>| {
                        unreadable(format!("{} CRLs where there is to be one", lists.len()))
                    })?;
                Ok(Fetched::Crl(list))
            }
            Question::Ocsp { url, request } => {
                let limit = self.policy.max_bytes.min(MAX_OCSP_BYTES);
                let bytes = http::fetch(&self.policy, url, Some(request), limit).await?;
                let status = Response::parse(&bytes)
                    .map_err(|error| unreadable(error.to_string()))?
                    .status;
                if status != OcspResponseStatus::SUCCESSFUL {
                    return Err(Failure::new(
                        FetchResult::Unanswered,
                        format!("the responder said {status}"),
                    ));
                }
                Ok(Fetched::Ocsp(bytes))
            }
        }
    }

    fn settle(&self, question: &Question, outcome: Result<Fetched, Failure>) {
        let result = outcome
            .as_ref()
            .map_or_else(|failure| failure.result, |_| FetchResult::Ok);
        self.counters.count(result);
        if let Err(failure) = &outcome {
            tracing::debug!(
                url = question.url(),
                result = result.label(),
                why = failure.words,
                "not fetched"
            );
        }
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.settle(question, outcome, &self.policy);
    }
}

fn unreadable(why: String) -> Failure {
    Failure::new(FetchResult::Unreadable, why)
}

#[cfg(test)]
mod tests;
