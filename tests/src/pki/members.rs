//! Clients' certificates in any number, each with a serial number of its own.

use anyhow::Result;
use rcgen::ExtendedKeyUsagePurpose::ClientAuth;

use super::{FAR, FARTHER, LONG_AGO, Leaf, LeafPlan, PAST, Pki, RECENT, leaf};

/// What is wrong with a member's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing.
    Good,
    /// It has none.
    Missing,
    /// It expired in 2021.
    Expired,
    /// It begins in 2045.
    NotYetValid,
    /// [`Pki::other_ca`] issued it.
    UnknownCa,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Good,
        Self::Missing,
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownCa,
    ];
}

impl Pki {
    /// The certificate of a member; none if it is to have none. No two numbers give the same serial number.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn member(&self, number: u32, standing: Standing) -> Result<Option<Leaf>> {
        let (authority, from, to) = match standing {
            Standing::Missing => return Ok(None),
            Standing::Good => (&self.client_ca, RECENT, FARTHER),
            Standing::Expired => (&self.client_ca, LONG_AGO, PAST),
            Standing::NotYetValid => (&self.client_ca, FAR, FARTHER),
            Standing::UnknownCa => (&self.other_ca, RECENT, FARTHER),
        };
        let [first, second, third, fourth] = number.to_be_bytes();
        let plan = LeafPlan {
            file: &format!("member-{number}"),
            common_name: &format!("member {number}"),
            serial: [0x4b, 0x00, 0x0b, 0xcd, first, second, third, fourth],
            from,
            to,
            purpose: ClientAuth,
            names: vec![],
        };
        leaf(self.directory(), authority, plan).map(Some)
    }
}
