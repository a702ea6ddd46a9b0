//! Which cases of which pairs are run, and how often.

use std::time::Duration;

use super::super::case::{Case, MOST_STARTS, Meant, Pairs};
use crate::peers::Version;

/// How much is to be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    #[default]
    Whole,
    /// The short run: few cases, each stack with itself and one partner.
    Quick,
    /// What library probes are held against: [`PROVEN`], twice each, of each stack with one partner whose library is not
    /// probed, so that what is told of the library is told by this one.
    Libraries,
}

/// The cases of [`Extent::Libraries`], by name.
pub const PROVEN: [&str; 13] = [
    "accepted with certificate",
    "certificate missing",
    "certificate expired",
    "certificate not yet valid",
    "certificate of an unknown CA",
    "certificate revoked",
    "certificate for servers",
    "server's CA unknown",
    "server's certificate expired",
    "server's certificate not yet valid",
    "server's name mismatch",
    "server's certificate for clients",
    "resumes with certificate",
];

/// How often each of them: a session must be there before it can be resumed.
const PROVEN_TIMES: u32 = 2;

/// What is to be run.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// How much.
    pub extent: Extent,
    /// Only pairs with this stack.
    pub stack: Option<String>,
    /// Only cases with this in their names.
    pub case: Option<String>,
    /// How often everything is repeated.
    pub rounds: u32,
    /// After this time nothing new is begun.
    pub limit: Option<Duration>,
}

/// The other end of each stack in cases of few pairs, and of each stranger to TLS in the short run.
pub const PARTNER: &str = "rustls";

impl Selection {
    /// Whether it is everything there is.
    pub const fn is_all(&self) -> bool {
        matches!(self.extent, Extent::Whole) && self.stack.is_none() && self.case.is_none()
    }

    pub(super) fn takes_case(&self, case: &Case) -> bool {
        let within = match self.extent {
            Extent::Whole => true,
            Extent::Quick => case.quick,
            Extent::Libraries => PROVEN.contains(&case.name.as_str()),
        };
        within && self.case.as_deref().is_none_or(|part| case.name.contains(part))
    }

    pub(super) fn takes_pair(&self, case: &Case, server: &str, client: &str) -> bool {
        let named = |name: &str| server == name || client == name;
        let meet = match self.extent {
            // Who refuses knows why.
            Extent::Libraries => match case.meant {
                Meant::ServerRefuses => client == PARTNER,
                Meant::ClientRefuses => server == PARTNER,
                _ => named(PARTNER),
            },
            Extent::Whole if case.pairs == Pairs::All => true,
            _ => server == client || named(PARTNER),
        };
        // Every pair has the partner in it; only this one says something of its library.
        let selected = |name: &str| match self.extent {
            Extent::Libraries if name == PARTNER => server == client,
            _ => named(name),
        };
        meet && self.stack.as_deref().is_none_or(selected)
    }

    /// A pair of which one is a stranger to TLS.
    pub(super) fn takes_stranger(&self, server: &str, client: &str) -> bool {
        let has = |name: &str| server == name || client == name;
        (self.extent == Extent::Whole || has(PARTNER)) && self.stack.as_deref().is_none_or(has)
    }

    pub(super) fn count(&self, case: &Case, version: Version) -> u32 {
        match self.extent {
            Extent::Whole if version == Version::Tls13 => case.count,
            Extent::Libraries => case.count.min(PROVEN_TIMES),
            _ => case.count.min(MOST_STARTS),
        }
    }
}
