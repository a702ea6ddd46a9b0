//! The readers of all libraries, and which of them a hit is for.

use super::Fact;
use super::aws_lc::AwsLc;
use super::boringssl::BoringSsl;
use super::gnutls::GnuTls;
use super::go::Go;
use super::hit::Hit;
use super::openssl::OpenSsl;
use super::rustls::Rustls;

/// The readers of all libraries.
#[derive(Debug, Default)]
pub struct Readers {
    openssl: OpenSsl,
    gnutls: GnuTls,
    go: Go,
    aws_lc: AwsLc,
    rustls: Rustls,
    boringssl: BoringSsl,
    unknown: u64,
}

impl Readers {
    /// Takes a hit; facts that it completes go to `facts`.
    pub fn take(&mut self, hit: &Hit<'_>, facts: &mut Vec<Fact>) {
        // The upper byte of a kind is the library: see the modules of `observer_common::hit`.
        match hit.kind >> 8 {
            1 => self.openssl.take(hit, facts),
            2 => self.gnutls.take(hit, facts),
            3 => self.go.take(hit, facts),
            4 => self.aws_lc.take(hit, facts),
            5 => self.rustls.take(hit, facts),
            6 => self.boringssl.take(hit, facts),
            _ => self.unknown += 1,
        }
    }

    /// Hits that gave no fact, as `stage` and `reason` labels with their counts.
    pub fn losses(&self) -> [(&'static str, &'static str, u64); 3] {
        let readers = [
            self.openssl.losses(),
            self.gnutls.losses(),
            self.go.losses(),
            self.aws_lc.losses(),
            self.rustls.losses(),
            self.boringssl.losses(),
        ];
        let sum = |loss: fn(&Losses) -> u64| readers.iter().map(loss).sum();
        [
            ("library_hits", "unknown_kind", self.unknown),
            (
                "library_hits",
                "too_many_threads",
                sum(|losses| losses.too_many_threads),
            ),
            ("library_hits", "does_not_fit", sum(|losses| losses.does_not_fit)),
        ]
    }
}

/// What a reader could not use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Threads whose hits were given up because there were too many.
    pub too_many_threads: u64,
    /// Certificates and results that do not belong together, so that they were believed of no connection.
    pub does_not_fit: u64,
}
