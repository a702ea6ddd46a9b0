//! How fetching went, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// How a fetch ended: label values of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchResult {
    /// An answer came that can be read.
    Ok,
    /// The URL is not one of plain HTTP.
    BadUrl,
    /// The host has no address.
    Unresolved,
    /// No address of the host is one that the operator allowed; none was connected to.
    NotAllowed,
    /// No connection came about.
    Unreachable,
    /// It took longer than the policy allows.
    Timeout,
    /// The answer was broken, or its status is not 200.
    BadResponse,
    /// The answer was bigger than the policy allows.
    TooBig,
    /// What came is no CRL or OCSP response.
    Unreadable,
    /// The OCSP responder said that it does not answer: `tryLater`, `unauthorized`, ….
    Unanswered,
    /// It was not tried: too many wait already.
    QueueFull,
}

impl FetchResult {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Ok,
        Self::BadUrl,
        Self::Unresolved,
        Self::NotAllowed,
        Self::Unreachable,
        Self::Timeout,
        Self::BadResponse,
        Self::TooBig,
        Self::Unreadable,
        Self::Unanswered,
        Self::QueueFull,
    ];

    /// The value of the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::BadUrl => "bad_url",
            Self::Unresolved => "unresolved",
            Self::NotAllowed => "not_allowed",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::BadResponse => "bad_response",
            Self::TooBig => "too_big",
            Self::Unreadable => "unreadable",
            Self::Unanswered => "unanswered",
            Self::QueueFull => "queue_full",
        }
    }
}

/// How many fetches ended how.
#[derive(Debug, Default)]
pub struct FetchCounters([AtomicU64; FetchResult::ALL.len()]);

impl FetchCounters {
    /// How many ended so.
    pub fn get(&self, result: FetchResult) -> u64 {
        self.cell(result).map_or(0, |cell| cell.load(Ordering::Relaxed))
    }

    pub(super) fn count(&self, result: FetchResult) {
        if let Some(cell) = self.cell(result) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn cell(&self, result: FetchResult) -> Option<&AtomicU64> {
        self.0.get(result as usize)
    }
}
