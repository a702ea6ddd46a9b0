//! The certificates that clients show to the stacks.

use anyhow::Result;

use crate::pki::Pki;
use crate::pki::clients::ClientFaults;

/// All that the cases need, in one directory.
pub struct Certificates {
    /// Authorities, the server, clients that are good or have a simple fault.
    pub pki: Pki,
    /// Clients with other faults, and the revocation list.
    pub faults: ClientFaults,
}

impl Certificates {
    /// Makes them.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn new() -> Result<Self> {
        let pki = Pki::new()?;
        let faults = ClientFaults::new(&pki)?;
        Ok(Self { pki, faults })
    }
}
