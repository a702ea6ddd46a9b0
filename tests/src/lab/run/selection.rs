//! Which cases of which pairs are run, and how often.

use std::time::Duration;

use super::super::case::{Case, MOST_STARTS, Pairs};
use crate::peers::Version;

/// What is to be run.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The short run: few cases, each stack with itself and one partner.
    pub quick: bool,
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
const PARTNER: &str = "rustls";

impl Selection {
    /// Whether it is everything there is.
    pub const fn is_all(&self) -> bool {
        !self.quick && self.stack.is_none() && self.case.is_none()
    }

    pub(super) fn takes_case(&self, case: &Case) -> bool {
        (!self.quick || case.quick) && self.case.as_deref().is_none_or(|part| case.name.contains(part))
    }

    pub(super) fn takes_pair(&self, pairs: Pairs, server: &str, client: &str) -> bool {
        let named = |name: &str| server == name || client == name;
        let few = self.quick || pairs == Pairs::Few;
        (!few || server == client || named(PARTNER)) && self.stack.as_deref().is_none_or(named)
    }

    /// A pair of which one is a stranger to TLS.
    pub(super) fn takes_stranger(&self, server: &str, client: &str) -> bool {
        let has = |name: &str| server == name || client == name;
        (!self.quick || has(PARTNER)) && self.stack.as_deref().is_none_or(has)
    }

    pub(super) fn count(&self, case: &Case, version: Version) -> u32 {
        match self.quick || version == Version::Tls12 {
            true => case.count.min(MOST_STARTS),
            false => case.count,
        }
    }
}
