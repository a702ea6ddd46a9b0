//! The names of sessions: what a resumed handshake has in common with the one that it goes on from.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};

use observer_tls::x509::CertificateFacts;

/// Drawn once a run, so that nobody can make up two names that are taken for one.
static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);

/// What stands for a session id (RFC 5246, section 7.4.1.2), a ticket (RFC 5077, section 3.3) or the identity of a
/// pre-shared key (RFC 8446, section 4.2.11): a hash under a key of this run. Who has a ticket may be able to use it, so
/// none is ever kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionName([u64; 2]);

impl SessionName {
    /// The name that `bytes` are.
    pub fn of(bytes: &[u8]) -> Self {
        Self([KEYS[0].hash_one(bytes), KEYS[1].hash_one(bytes)])
    }
}

/// The sessions that a handshake has to do with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionNames {
    /// The one that it resumed.
    pub resumed: Option<SessionName>,
    /// What its own can be resumed by.
    pub given: Vec<SessionName>,
    /// The client's certificate in the one that it resumed, or that there is none in it; `None` where the server's library
    /// did not tell.
    pub kept: Option<Option<Arc<CertificateFacts>>>,
    /// The client's chain is this certificate alone, because nobody knows what was sent behind it.
    pub leaf_alone: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_its_bytes_and_no_others() {
        assert_eq!(SessionName::of(b"ticket"), SessionName::of(b"ticket"));
        assert_ne!(SessionName::of(b"ticket"), SessionName::of(b"ticket2"));
        assert!(!format!("{:?}", SessionName::of(b"ticket")).contains("ticket"));
    }
}
