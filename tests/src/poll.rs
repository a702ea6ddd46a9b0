//! Waiting for a condition with a deadline: the tests never sleep for a fixed time and hope.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long the harness waits for something that should happen at once, on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks `condition` every few milliseconds until it gives a value or an error.
///
/// # Errors
/// The condition's own error, or one that names `what` when `limit` has passed.
pub fn until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("{what}: not within {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
