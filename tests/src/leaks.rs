//! Searching what came out of the kernel for what must not.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result};

/// Length of the byte strings searched for: long enough that none is found by chance.
const WINDOW: usize = 8;

/// All that came out of the kernel, for searching.
pub struct Leaks {
    dump: Vec<u8>,
    windows: HashSet<[u8; WINDOW]>,
}

impl Leaks {
    /// Reads what the agent has copied from its rings.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(dump: &Path) -> Result<Self> {
        let dump = std::fs::read(dump).context("the ring's dump")?;
        let windows = dump
            .windows(WINDOW)
            .filter_map(|window| window.try_into().ok())
            .collect();
        Ok(Self { dump, windows })
    }

    /// How often these bytes are among them.
    pub fn count(&self, bytes: &[u8]) -> usize {
        self.dump
            .windows(bytes.len())
            .filter(|window| *window == bytes)
            .count()
    }

    /// Whether these bytes are among them. The search must be able to find something, or it proves nothing.
    pub fn contain(&self, bytes: &[u8]) -> bool {
        self.dump.windows(bytes.len()).any(|window| window == bytes)
    }

    /// Fails if any eight bytes in a row of a secret are among them.
    ///
    /// # Panics
    /// Then, and when there is nothing to search for.
    pub fn assert_free_of(&self, secrets: &[Vec<u8>], context: &str) {
        let bytes: usize = secrets.iter().map(Vec::len).sum();
        assert!(bytes > 0, "{context}: nothing to search for");
        for (number, secret) in secrets.iter().enumerate() {
            let found = secret.windows(WINDOW).position(|window| {
                window
                    .try_into()
                    .is_ok_and(|window: [u8; WINDOW]| self.windows.contains(&window))
            });
            assert!(
                found.is_none(),
                "{context}: byte {found:?} of secret {number}, {} bytes long, left the kernel",
                secret.len()
            );
        }
    }
}
