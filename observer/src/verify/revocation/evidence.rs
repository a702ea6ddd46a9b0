//! What one source says of one certificate.

use jiff::Timestamp;
use observer_tls::codepoints::CrlReason;
use observer_tls::x509::{CertificateFacts, CertificateParts, name_text};

use crate::verify::Link;

/// Seconds by which clocks may differ: of who signs, and of this host.
pub(super) const CLOCK_SKEW: i64 = 300;

/// A certificate about which is asked.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The certificate and its issuer.
    pub(super) link: &'a Link<'a>,
    /// The parts of the certificate.
    pub(super) parts: CertificateParts<'a>,
    /// What the certificate says.
    pub(super) facts: CertificateFacts,
    /// The issuer's name as text.
    pub(super) issuer: String,
    /// The issuer's certificate allows it to sign CRLs, or it is not at hand.
    pub(super) issuer_signs_crls: bool,
}

impl<'a> Subject<'a> {
    /// The certificate of `link`, whose issuer's certificate is in `above`.
    ///
    /// # Errors
    /// In words, why the certificate cannot be read.
    pub(super) fn new(link: &'a Link<'a>, above: Option<&Link<'_>>) -> Result<Self, String> {
        let parts = CertificateParts::read(link.certificate)
            .map_err(|error| format!("the certificate cannot be read: {error}"))?;
        let usage = above.map(|above| CertificateFacts::parse(above.certificate).key_usage);
        Ok(Self {
            link,
            parts,
            facts: CertificateFacts::parse(link.certificate),
            issuer: name_text(link.issuer),
            // RFC 5280, section 4.2.1.3: without the extension any use is allowed.
            issuer_signs_crls: usage.is_none_or(|usage| usage.is_empty() || usage.contains(&"cRLSign")),
        })
    }
}

/// What a source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) known: Known,
    /// Who says so and when, or why it does not count.
    pub(super) words: String,
    /// The last second of handshakes for which the source says this; `None`: no end is known.
    pub(super) until: Option<i64>,
}

/// What is known by a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The certificate is revoked.
    Revoked,
    /// It is not.
    Good,
    /// Nothing that counts.
    Nothing,
}

impl Finding {
    /// Nothing that counts; why, in words.
    pub(super) fn nothing(words: impl Into<String>) -> Self {
        Self {
            known: Known::Nothing,
            words: words.into(),
            until: None,
        }
    }

    /// Nothing that counts before `time`.
    pub(super) fn nothing_before(time: i64, words: String) -> Self {
        Self {
            until: Some(time.saturating_sub(CLOCK_SKEW + 1)),
            ..Self::nothing(words)
        }
    }

    /// The same, and only as long as something else counts: up to `end`.
    pub(super) fn no_longer_than(mut self, end: i64) -> Self {
        let end = end.saturating_add(CLOCK_SKEW);
        self.until = Some(self.until.map_or(end, |until| until.min(end)));
        self
    }
}

/// For when an answer is good.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    pub(super) this_update: i64,
    pub(super) next_update: Option<i64>,
    /// How many seconds an answer that does not say when the next one comes is good for.
    pub(super) without_end: Option<i64>,
}

impl Period {
    /// The last second that it is good for; `None`: it does not end.
    pub(super) fn until(&self) -> Option<i64> {
        let end = self.next_update.or_else(|| {
            self.without_end
                .map(|seconds| self.this_update.saturating_add(seconds))
        });
        end.map(|end| end.saturating_add(CLOCK_SKEW))
    }

    /// Whether it had begun at `time`.
    pub(super) fn has_begun(&self, time: i64) -> bool {
        self.this_update <= time.saturating_add(CLOCK_SKEW)
    }

    /// What `source`, in words, says by not saying that the certificate is revoked.
    pub(super) fn good(&self, source: &str, time: i64) -> Finding {
        if !self.has_begun(time) {
            let words = format!("{source} was issued after the handshake");
            return Finding::nothing_before(self.this_update, words);
        }
        if self.until().is_some_and(|until| until < time) {
            return Finding::nothing(match self.next_update {
                Some(since) => format!("{source} is stale since {}", date(since)),
                None => format!("{source} is too old, and does not say for how long it is good"),
            });
        }
        let end = match self.next_update {
            Some(next) => format!("is good until {}", date(next)),
            None => "does not say for how long it is good".to_owned(),
        };
        Finding {
            known: Known::Good,
            words: format!("not revoked by {source}, which {end}"),
            until: self.until(),
        }
    }

    /// What `source` says by saying that the certificate was revoked. That does not end when the source gets stale, and
    /// counts for a time before the source, too, if the certificate was revoked by then.
    pub(super) fn revoked(&self, source: &str, time: i64, at: i64, reason: Option<CrlReason>) -> Finding {
        if !self.has_begun(time) && at > time {
            let words = format!("{source} says that it was revoked later, {}", date(at));
            return Finding::nothing_before(at.min(self.this_update), words);
        }
        let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        let stale = match self.next_update {
            Some(next) if self.until() < Some(time) => format!(", which is stale since {}", date(next)),
            _ => String::new(),
        };
        Finding {
            known: Known::Revoked,
            words: format!("revoked {}{reason} by {source}{stale}", date(at)),
            until: None,
        }
    }
}

/// A time in seconds since the Unix epoch as text.
pub(super) fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
